/* cmd_box_show.c: popbox box list and show. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "filter.h"
#include "holds.h"
#include "json.h"
#include "list.h"
#include "say.h"
#include "target.h"

const struct args_option cmd_box_list_options[] = {
	FILTER_OPTIONS,
	{NULL, NULL, NULL},
};

struct handful {
	struct filter filter;
	struct filter_place place;
	struct filter_box box[LIST_HANDFUL];
	struct holds holds[LIST_HANDFUL];
	size_t count;
};

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct filter_place place = some->place;
	enum err err = ERR_OK;

	some->count = 0;
	while (err == ERR_OK && some->count < LIST_HANDFUL) {
		err = filter_next(txn, &some->filter, &place,
				  &some->box[some->count]);
		if (err == ERR_OK)
			err = holds_box(txn, &some->box[some->count].box,
					&some->holds[some->count]);
		some->count += err == ERR_OK;
	}
	some->place = place;
	return err;
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
	const struct filter_box *line = &some->box[index];
	const struct holds *holds = &some->holds[index];
	char login[HOLDS_CELL], delivery[HOLDS_CELL];
	char box[NAME_BOX_TEXT], address[NAME_ADDRESS_TEXT] = "";
	char ip[MAILROOT_IP_MAX + 1] = "", time[SAY_TIME_TEXT];
	const char *cells[] = {box, address,
			       holds_login_cell(holds, STORE_BOXES, login),
			       holds_delivery_cell(holds, STORE_BOXES, delivery),
			       line->box.has_password ? "yes" : "none",
			       line->box.title, time};
	const bool look = some->filter.look;
	int64_t last = 0;
	json_t *object;

	if (look)
		(void)filter_last_login(site, &line->box.name, &last, ip);
	if (!filter_fits_login(&some->filter, &line->box, last))
		return;
	name_box_text(&line->box.name, box);
	if (line->has_address)
		name_address_text(&line->address, address);
	(void)say_time(last, time);
	if (!site->json) {
		table_row(table, cells);
		return;
	}
	object = json_box(&line->box);
	holds_json(object, holds);
	(void)json_object_set_new(object, "address",
				  line->has_address ? json_string(address)
						    : json_null());
	if (look)
		add_last(object, last, ip);
	json_print(object);
}

int cmd_box_list(struct site *site, const struct args *args)
{
	static const char *const header[] = {
		"BOX",	    "ADDRESS", "LOGIN",	     "DELIVERY",
		"PASSWORD", "NAME",    "LAST LOGIN", NULL};
	static const char *const without_last[] = {
		"BOX",	    "ADDRESS", "LOGIN", "DELIVERY",
		"PASSWORD", "NAME",    NULL};
	struct handful *some = calloc(1, sizeof *some);
	struct list list = {"box list", header, next_body, print_line,
			    some,	NULL};
	int code;

	if (!some)
		return say_error(CODE_LATER, "no memory");
	list.count = &some->count;
	code = filter_read(args, &some->filter);
	if (!some->filter.look)
		list.header = without_last;
	if (code == CODE_DONE)
		code = some->filter.look ? site_open_look(site)
					 : site_open_read(site);
	if (code == CODE_DONE)
		code = list_print(site, &list);
	filter_free(&some->filter);
	free(some);
	return code;
}

struct shown {
	struct target target;
	struct store_box box;
	struct holds holds;
	char login[HOLDS_LINE], delivery[HOLDS_LINE];
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

/* Which switches hold, and since when. */
static enum err show_holds(struct store_txn *txn, struct shown *shown)
{
	enum err err = holds_box(txn, &shown->box, &shown->holds);

	if (err == ERR_OK)
		err = holds_login_line(txn, &shown->holds, shown->login);
	if (err == ERR_OK)
		err = holds_delivery_line(txn, &shown->holds, shown->delivery);
	return err;
}

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct shown *shown = arg;
	struct name_address at, *after = NULL;
	enum err err = target_find(txn, &shown->target, &shown->box);

	shown->count = 0;
	if (err == ERR_OK)
		err = show_holds(txn, shown);
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
	int64_t last;
	json_t *object = json_box(&shown->box), *list = json_array();

	(void)filter_last_login(site, &shown->box.name, &last, ip);
	for (size_t i = 0; i < shown->count; i++) {
		char text[NAME_ADDRESS_TEXT];

		name_address_text(&shown->address[i], text);
		(void)json_array_append_new(list, json_string(text));
	}
	holds_json(object, &shown->holds);
	(void)json_object_set_new(object, "addresses", list);
	(void)json_object_set_new(object, "maildir", json_string(maildir));
	add_last(object, last, ip);
	json_print(object);
}

static void show_text(const struct site *site, const struct shown *shown,
		      const char *maildir)
{
	char ip[MAILROOT_IP_MAX + 1];
	const struct store_box *box = &shown->box;
	char text[NAME_ADDRESS_TEXT], clean[STORE_TITLE_MAX + 1];
	int64_t last;

	(void)filter_last_login(site, &box->name, &last, ip);
	name_box_text(&box->name, text);
	say_out("box               %s", text);
	for (size_t i = 0; i < shown->count; i++) {
		name_address_text(&shown->address[i], text);
		say_out("address           %s", text);
	}
	say_clean(box->title, clean, sizeof clean);
	say_out("name              %s", clean[0] ? clean : "-");
	say_out("login             %s", shown->login);
	say_out("delivery          %s", shown->delivery);
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
