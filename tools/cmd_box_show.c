/* cmd_box_show.c: popbox box list and show. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "idn.h"
#include "json.h"
#include "list.h"
#include "say.h"
#include "target.h"

const struct args_option cmd_box_list_options[] = {
	{"--handle", "H", "only boxes of this handle"},
	{"--domain", "D", "only boxes with an address in this domain"},
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
	const char *handle;
	const char *domain;
};

/* The box's first address; of one domain, if asked for. */
static enum err first_address(struct store_txn *txn, const char *domain,
			      struct line *line)
{
	struct name_address at;
	enum err err = store_box_address_next(txn, &line->box.name, NULL, &at);

	line->has_address = false;
	while (err == ERR_OK && domain && strcmp(at.domain.s, domain) != 0)
		err = store_box_address_next(txn, &line->box.name, &at, &at);
	if (err == ERR_OK) {
		line->first = at;
		line->has_address = true;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
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

		err = store_box_next(txn, started ? &at : NULL, &line->box);
		if (err != ERR_OK)
			break;
		at = line->box.name;
		started = true;
		if (some->handle && strcmp(some->handle, at.handle.s) != 0) {
			if (strcmp(some->handle, at.handle.s) < 0)
				return ERR_NOTFOUND; /* past the last */
			continue;
		}
		err = first_address(txn, some->domain, line);
		if (err != ERR_OK)
			break;
		if (!some->domain || line->has_address)
			some->count++;
	}
	some->last = at;
	some->started = started;
	return err;
}

static void print_line(const struct site *site, struct table *table,
		       const void *arg, size_t index)
{
	const struct handful *some = arg;
	const struct line *line = &some->line[index];
	char box[NAME_BOX_TEXT], address[NAME_ADDRESS_TEXT] = "";
	const char *cells[] = {box, address,
			       line->box.state.login ? "on" : "off",
			       json_delivery(line->box.state.delivery),
			       line->box.has_password ? "yes" : "none",
			       line->box.title};
	json_t *object;

	name_box_text(&line->box.name, box);
	if (line->has_address)
		name_address_text(&line->first, address);
	if (!site->json) {
		table_row(table, cells);
		return;
	}
	object = json_box(&line->box);
	(void)json_object_set_new(object, "address",
				  line->has_address ? json_string(address)
						    : json_null());
	json_print(object);
}

int cmd_box_list(struct site *site, const struct args *args)
{
	static const char *const header[] = {"BOX",	 "ADDRESS",
					     "LOGIN",	 "DELIVERY",
					     "PASSWORD", "NAME",
					     NULL};
	const char *domain = args_get(args, "--domain"), *why = NULL;
	struct name_domain name;
	char utf8[NAME_DOMAIN_MAX + 1];
	struct handful *some;
	struct list list = {"box list", header, next_body, print_line,
			    NULL,	NULL};
	int code;

	if (domain)
		why = idn_domain(domain, &name, utf8);
	if (why)
		return say_error(CODE_REFUSED, "domain '%s': %s", domain, why);
	code = site_open_read(site);
	if (code != CODE_DONE)
		return code;
	some = calloc(1, sizeof *some);
	if (!some)
		return say_error(CODE_LATER, "no memory");
	some->handle = args_get(args, "--handle");
	some->domain = domain ? name.s : NULL;
	list.arg = some;
	list.count = &some->count;
	code = list_print(site, &list);
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

static void show_json(const struct shown *shown, const char *maildir)
{
	json_t *object = json_box(&shown->box), *list = json_array();

	for (size_t i = 0; i < shown->count; i++) {
		char text[NAME_ADDRESS_TEXT];

		name_address_text(&shown->address[i], text);
		(void)json_array_append_new(list, json_string(text));
	}
	(void)json_object_set_new(object, "addresses", list);
	(void)json_object_set_new(object, "maildir", json_string(maildir));
	json_print(object);
}

static void show_text(const struct shown *shown, const char *maildir)
{
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
	say_out("maildir           %s", maildir);
}

int cmd_box_show(struct site *site, const struct args *args)
{
	struct shown shown = {.address = NULL};
	char maildir[PATH_MAX] = "";
	enum err err;
	int code = target_read(args->operand[0], &shown.target);

	if (code == CODE_DONE)
		code = site_open_read(site);
	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, show_body, &shown);
	if (err == ERR_NOTFOUND)
		code = target_missing(&shown.target, CODE_NO);
	else if (err != ERR_OK)
		code = site_failed(site, err, shown.target.text);
	else if (!mailroot_box_path(site->config.home, &shown.box.name,
				    maildir))
		code = say_error(CODE_LATER, "the setting 'home' is too long");
	else if (site->json)
		show_json(&shown, maildir);
	else
		show_text(&shown, maildir);
	free(shown.address);
	return code;
}
