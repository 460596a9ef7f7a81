/* cmd_box_show.c: popbox box list and show. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "json.h"
#include "list.h"
#include "members.h"
#include "operand.h"
#include "say.h"
#include "target.h"

const struct args_option cmd_box_list_options[] = {
	{"--handle", "H", "only boxes of this handle"},
	{"--domain", "D", "only boxes with an address in this domain"},
	{"--suspended", NULL, "only boxes that cannot log in"},
	{"--never", NULL, "only boxes that nobody ever logged into"},
	{"--idle", "DAYS", "only boxes without a login for so many days"},
	{NULL, NULL, NULL},
};

struct line {
	struct store_box box;
	struct name_address first;
	bool has_address;
};

struct handful {
	struct line line[LIST_HANDFUL];
	size_t count;
	struct name_box last;
	bool started;
	const struct name_handle *handle;
	const struct name_domain *domain;
	struct members members; /* of the domain, once they are collected */
	size_t next;		/* of them */
	bool suspended;
	bool look; /* at the last logins, below the mail root */
	bool never;
	int64_t before; /* last login before this moment; 0 = any */
};

/* The box's first address. */
static enum err first_address(struct store_txn *txn, struct line *line)
{
	enum err err = store_box_address_next(txn, &line->box.name, NULL,
					      &line->first);

	line->has_address = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The box after the last one, or the first that can be wanted. */
static enum err next_box(struct store_txn *txn, const struct handful *some,
			 const struct name_box *after, struct store_box *ret_box)
{
	struct name_box first = {.number = 0};
	enum err err;

	if (after || !some->handle)
		return store_box_next(txn, after, ret_box);
	first.handle = *some->handle;
	err = store_box_get(txn, &first, ret_box);
	return err == ERR_NOTFOUND ? store_box_next(txn, &first, ret_box) : err;
}

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct name_box at = some->last;
	bool started = some->started;
	enum err err = ERR_OK;

	some->count = 0;
	while (some->count < LIST_HANDFUL) {
		struct line *line = &some->line[some->count];

		err = next_box(txn, some, started ? &at : NULL, &line->box);
		if (err == ERR_OK && some->handle &&
		    strcmp(some->handle->s, line->box.name.handle.s) != 0)
			err = ERR_NOTFOUND; /* past the last */
		if (err != ERR_OK)
			break;
		at = line->box.name;
		started = true;
		if (some->suspended && line->box.state.login)
			continue;
		err = first_address(txn, line);
		if (err != ERR_OK)
			break;
		some->count++;
	}
	some->last = at;
	some->started = started;
	return err;
}

/* The same of a domain's boxes; one that was deleted since they were collected
 * is passed over. */
static enum err next_member(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	size_t next = some->next;
	enum err err = ERR_OK;

	if (!some->started)
		err = members_collect(txn, some->domain, &some->members);
	if (err != ERR_OK)
		return err;
	some->started = true;
	some->count = 0;
	while (some->count < LIST_HANDFUL && next < some->members.count) {
		const struct member *member = &some->members.member[next++];
		struct line *line = &some->line[some->count];

		if (some->handle &&
		    strcmp(some->handle->s, member->box.handle.s) != 0)
			continue;
		err = store_box_get(txn, &member->box, &line->box);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			return err;
		if (err == ERR_NOTFOUND ||
		    (some->suspended && line->box.state.login))
			continue;
		line->first = (struct name_address){member->local,
						    *some->domain};
		line->has_address = true;
		some->count++;
	}
	some->next = next;
	return some->count ? ERR_OK : ERR_NOTFOUND;
}

/* 0: never. A Maildir that cannot be looked at is said. */
static int64_t last_login(const struct site *site, const struct name_box *box,
			  char ret_ip[MAILROOT_IP_MAX + 1])
{
	char path[PATH_MAX];
	int64_t time = 0;
	int rc;

	ret_ip[0] = 0;
	rc = asuser_lastlogin(site->asuser, box, &time, ret_ip, path);
	if (rc != 0 && rc != ENOENT)
		say_error(0, "cannot read '%s': %s", path, strerror(rc));
	return rc == 0 ? time : 0;
}

static void add_last(json_t *object, int64_t last, const char *ip)
{
	(void)json_object_set_new(object, "last_login", json_time(last));
	(void)json_object_set_new(object, "last_ip",
				  ip[0] ? json_string(ip) : json_null());
}

static void print_line(const struct site *site, struct table *table,
		       const void *arg, size_t index)
{
	const struct handful *some = arg;
	const struct line *line = &some->line[index];
	char box[NAME_BOX_TEXT], address[NAME_ADDRESS_TEXT] = "";
	char ip[MAILROOT_IP_MAX + 1] = "", time[SAY_TIME_TEXT];
	const char *cells[] = {box, address,
			       line->box.state.login ? "on" : "off",
			       json_delivery(line->box.state.delivery),
			       line->box.has_password ? "yes" : "none",
			       line->box.title, time};
	int64_t last = some->look ? last_login(site, &line->box.name, ip) : 0;
	json_t *object;

	if ((some->never && last) || (some->before && last >= some->before))
		return;
	name_box_text(&line->box.name, box);
	if (line->has_address)
		name_address_text(&line->first, address);
	(void)say_time(last, time);
	if (!site->json) {
		table_row(table, cells);
		return;
	}
	object = json_box(&line->box);
	(void)json_object_set_new(object, "address",
				  line->has_address ? json_string(address)
						    : json_null());
	if (some->look)
		add_last(object, last, ip);
	json_print(object);
}

/* What the options want; the names go where the caller keeps them. */
static int read_filters(const struct args *args, struct handful *some,
			struct name_handle *handle, struct name_domain *domain)
{
	const char *h = args_get(args, "--handle");
	const char *d = args_get(args, "--domain");
	const char *idle = args_get(args, "--idle");
	uint64_t days = 0;
	int code = h ? operand_handle(h, handle) : CODE_DONE;

	if (code == CODE_DONE && d)
		code = operand_domain(d, domain);
	if (idle && !operand_number(idle, 1, 36500, &days))
		return say_error(CODE_USAGE, "--idle takes a number of days, "
					     "not '%s'",
				 idle);
	some->handle = h ? handle : NULL;
	some->domain = d ? domain : NULL;
	some->suspended = args_has(args, "--suspended");
	some->never = args_has(args, "--never");
	some->before = idle ? (int64_t)time(NULL) - (int64_t)days * 86400
			    : 0;
	some->look = some->never || idle;
	return code;
}

int cmd_box_list(struct site *site, const struct args *args)
{
	static const char *const header[] = {
		"BOX",	    "ADDRESS", "LOGIN",	     "DELIVERY",
		"PASSWORD", "NAME",    "LAST LOGIN", NULL};
	static const char *const without_last[] = {
		"BOX",	    "ADDRESS", "LOGIN", "DELIVERY",
		"PASSWORD", "NAME",    NULL};
	struct name_handle handle;
	struct name_domain domain;
	struct handful *some = calloc(1, sizeof *some);
	struct list list = {"box list", header, next_body, print_line,
			    some,	NULL};
	int code;

	if (!some)
		return say_error(CODE_LATER, "no memory");
	list.count = &some->count;
	code = read_filters(args, some, &handle, &domain);
	if (!some->look)
		list.header = without_last;
	if (some->domain)
		list.next = next_member;
	if (code == CODE_DONE)
		code = some->look ? site_open_look(site) : site_open_read(site);
	if (code == CODE_DONE)
		code = list_print(site, &list);
	members_free(&some->members);
	free(some);
	return code;
}

struct shown {
	struct target target;
	struct store_box box;
	struct name_address *address; /* malloc'ed */
	size_t count;
	size_t room;
};

static enum err add_address(struct shown *shown,
			    const struct name_address *address)
{
	if (shown->count == shown->room) {
		size_t room = shown->room ? shown->room * 2 : 8;
		struct name_address *more =
			reallocarray(shown->address, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		shown->address = more;
		shown->room = room;
	}
	shown->address[shown->count++] = *address;
	return ERR_OK;
}

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct shown *shown = arg;
	struct name_address at, *after = NULL;
	enum err err = target_find(txn, &shown->target, &shown->box);

	shown->count = 0;
	while (err == ERR_OK) {
		err = store_box_address_next(txn, &shown->target.box, after,
					     &at);
		if (err == ERR_NOTFOUND)
			return ERR_OK;
		if (err == ERR_OK)
			err = add_address(shown, &at);
		after = &at;
	}
	return err;
}

static void show_json(const struct site *site, const struct shown *shown,
		      const char *maildir)
{
	char ip[MAILROOT_IP_MAX + 1];
	int64_t last = last_login(site, &shown->box.name, ip);
	json_t *object = json_box(&shown->box), *list = json_array();

	for (size_t i = 0; i < shown->count; i++) {
		char text[NAME_ADDRESS_TEXT];

		name_address_text(&shown->address[i], text);
		(void)json_array_append_new(list, json_string(text));
	}
	(void)json_object_set_new(object, "addresses", list);
	(void)json_object_set_new(object, "maildir", json_string(maildir));
	add_last(object, last, ip);
	json_print(object);
}

static void show_text(const struct site *site, const struct shown *shown,
		      const char *maildir)
{
	char ip[MAILROOT_IP_MAX + 1];
	int64_t last = last_login(site, &shown->box.name, ip);
	const struct store_box *box = &shown->box;
	char text[NAME_ADDRESS_TEXT], clean[STORE_TITLE_MAX + 1];

	name_box_text(&box->name, text);
	say_out("box               %s", text);
	for (size_t i = 0; i < shown->count; i++) {
		name_address_text(&shown->address[i], text);
		say_out("address           %s", text);
	}
	say_clean(box->title, clean, sizeof clean);
	say_out("name              %s", clean[0] ? clean : "-");
	say_out("login             %s", box->state.login ? "on" : "off");
	say_out("delivery          %s", json_delivery(box->state.delivery));
	say_out("password          %s", box->has_password ? "yes" : "none");
	say_out("password changed  %s", say_time(box->password_changed, text));
	say_out("created           %s", say_time(box->state.created, text));
	say_out("last login        %s%s%s", last ? say_time(last, text) : "never",
		ip[0] ? " from " : "", ip);
	if (box->quota)
		say_out("quota             %llu bytes, not enforced yet",
			(unsigned long long)box->quota);
	say_clean(box->state.reason, clean, sizeof clean);
	if (clean[0])
		say_out("reason            %s", clean);
	say_out("maildir           %s", maildir);
}

int cmd_box_show(struct site *site, const struct args *args)
{
	struct shown shown = {.address = NULL};
	char maildir[PATH_MAX] = "";
	enum err err;
	int code = target_read(args->operand[0], &shown.target);

	if (code == CODE_DONE)
		code = site_open_look(site);
	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, show_body, &shown);
	if (err == ERR_OK)
		mailroot_box_path(site->config.home, &shown.box.name, maildir);
	if (err == ERR_NOTFOUND)
		code = target_missing(&shown.target, CODE_NO);
	else if (err != ERR_OK)
		code = site_failed(site, err, shown.target.text);
	else if (site->json)
		show_json(site, &shown, maildir);
	else
		show_text(site, &shown, maildir);
	free(shown.address);
	return code;
}
