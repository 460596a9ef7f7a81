/* SPDX-License-Identifier: MIT */
/* cmd_box_show.c: popbox box list and show. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accounts/holds.h"
#include "base/idn.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/app_list.h"
#include "cli/box_operand.h"
#include "cli/box_usage.h"
#include "cli/commands.h"
#include "cli/filter.h"
#include "cli/pager.h"
#include "store/path.h"

const struct args_option cmd_box_list_options[] = {
	FILTER_OPTIONS,
	{"--over", "PERCENT", "only boxes that are so full, or fuller"},
	PAGER_OPTIONS,
	{NULL, NULL, NULL},
};

struct handful {
	struct filter filter;
	struct filter_place place;
	bool look; /* at the last logins, below the mail root */
	bool weigh; /* what they hold, there */
	unsigned over; /* percent; 0: any */
	struct box_usage usage[PAGER_HANDFUL];
	struct filter_box box[PAGER_HANDFUL];
	struct holds holds[PAGER_HANDFUL];
	size_t count;
};

/* What could not be asked of one box ends the list before it. */
static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct filter_place place = some->place;
	enum err end, err = ERR_OK;
	size_t found;

	some->count = 0;
	end = filter_next(txn, &some->filter, &place, PAGER_HANDFUL, some->box,
			  &found);
	while (err == ERR_OK && some->count < found) {
		const struct store_box *box = &some->box[some->count].box;

		err = holds_box(txn, box, &some->holds[some->count]);
		if (err == ERR_OK && some->weigh)
			err = box_usage_limit(txn, box,
					      &some->usage[some->count]);
		some->count += err == ERR_OK;
	}
	some->place = place;
	return err == ERR_OK ? end : err;
}

static void add_last(json_t *object, int64_t last, const char *ip)
{
	(void)json_object_set_new(object, "last_login", json_time(last));
	(void)json_object_set_new(object, "last_ip",
				  ip[0] ? json_string(ip) : json_null());
}

enum {
	BOX,
	ADDRESS,
	LAST_LOGIN,
	LAST_IP,
	LOGIN,
	DELIVERY,
	PASSWORD,
	NAME,
	QUOTA,
	LIMIT,
	USED,
	PERCENT,
	REASON,
	EXPIRES,
	CREATED,
};

const struct pager_column pager_boxes[] = {
	[BOX] = {"box", TABLE_NAME, false},
	[ADDRESS] = {"address", TABLE_NAME, false},
	[LAST_LOGIN] = {"last-login", TABLE_NAME, true},
	[LAST_IP] = {"last-ip", TABLE_NAME, true},
	[LOGIN] = {"login", TABLE_NAME, false},
	[DELIVERY] = {"delivery", TABLE_NAME, false},
	[PASSWORD] = {"password", TABLE_NAME, false},
	[NAME] = {"name", TABLE_TEXT, false},
	[QUOTA] = {"quota", TABLE_NAME, true},
	[LIMIT] = {"limit", TABLE_NAME, true},
	[USED] = {"used", TABLE_NAME, true},
	[PERCENT] = {"percent", TABLE_NAME, true},
	[REASON] = {"reason", TABLE_TEXT, true},
	[EXPIRES] = {"expires", TABLE_NAME, true},
	[CREATED] = {"created", TABLE_NAME, true},
	{NULL, TABLE_TEXT, false},
};

static void fill_usage(const struct box_usage *usage, struct pager_cells *cells)
{
	char text[BOX_USAGE_TEXT];

	box_usage_text(&usage->limit, text);
	pager_cell(cells, LIMIT, text);
	(void)snprintf(text, sizeof text, "%llu",
		       (unsigned long long)usage->used.bytes); /* it fits */
	pager_cell(cells, USED, usage->known ? text : "");
	(void)snprintf(text, sizeof text, "%u", box_usage_percent(usage));
	pager_cell(cells, PERCENT, usage->known ? text : "");
}

static void fill(const struct filter_box *line, const struct holds *holds,
		 int64_t last, const char *ip, struct pager_cells *cells)
{
	const struct store_box *box = &line->box;
	char text[NAME_ADDRESS_TEXT], written[IDN_WRITTEN];
	const int64_t end = holds->terms.expires;

	name_box_text(&box->name, text);
	pager_cell(cells, BOX, text);
	if (line->has_address) {
		name_address_text(&line->address, text);
		pager_cell(cells, ADDRESS, idn_written(text, written));
	}
	pager_cell(cells, LAST_LOGIN, last ? say_time(last, text) : "");
	pager_cell(cells, LAST_IP, ip);
	pager_cell(cells, LOGIN, holds_login_cell(holds, STORE_BOXES, text));
	pager_cell(cells, DELIVERY,
		   holds_delivery_cell(holds, STORE_BOXES, text));
	pager_cell(cells, PASSWORD, box->has_password ? "yes" : "none");
	pager_cell(cells, NAME, box->title);
	(void)snprintf(text, sizeof text, "%llu",
		       (unsigned long long)box->quota.bytes); /* it fits */
	pager_cell(cells, QUOTA, box->quota.bytes ? text : "");
	pager_cell(cells, REASON, box->state.reason);
	pager_cell(cells, EXPIRES, end ? say_time(end, text) : "");
	pager_cell(cells, CREATED, say_time(box->state.created, text));
}

static bool line_row(const struct site *site, const void *arg, size_t index,
		     struct pager_cells *cells, json_t **ret_object)
{
	const struct handful *some = arg;
	const struct filter_box *line = &some->box[index];
	const struct holds *holds = &some->holds[index];
	char address[NAME_ADDRESS_TEXT], ip[MAILROOT_IP_MAX + 1] = "";
	struct box_usage usage = some->usage[index];
	int64_t last = 0;

	if (some->weigh)
		box_usage_look(site, &line->box.name,
			       some->over ? some->over : UINT_MAX, &usage);
	if (some->over && box_usage_percent(&usage) < some->over)
		return false;
	if (some->look)
		(void)filter_last_login(site, &line->box.name, &last, ip);
	if (!filter_fits_login(&some->filter, &line->box, last))
		return false;
	if (cells)
		fill(line, holds, last, ip, cells);
	if (cells && some->weigh)
		fill_usage(&usage, cells);
	if (!ret_object)
		return true;
	if (line->has_address)
		name_address_text(&line->address, address);
	*ret_object = json_box(&line->box);
	holds_json(*ret_object, holds);
	(void)json_object_set_new(*ret_object, "address",
				  line->has_address ? json_string(address)
						    : json_null());
	if (some->look)
		add_last(*ret_object, last, ip);
	if (some->weigh)
		box_usage_json(*ret_object, &usage);
	return true;
}

static int list_boxes(struct site *site, const struct args *args,
		      struct handful *some)
{
	static const char *const with_last[] = {"last-login", NULL};
	static const char *const with_use[] = {"limit", "used", "percent", NULL};
	const char *over = args_get(args, "--over");
	const struct pager list = {"box list",	pager_boxes, 2,
				   next_body,	line_row,    some,
				   &some->count};
	struct pager_view view;
	int code = filter_read(args, &some->filter);

	if (code == CODE_DONE && over)
		code = box_usage_read_percent(over, &some->over);
	if (code == CODE_DONE)
		code = pager_read(site, args, &list,
				  over		      ? with_use
				  : some->filter.look ? with_last
						      : NULL,
				  &view);
	if (code != CODE_DONE)
		return code;
	some->look = some->filter.look ||
		     pager_wants(&list, &view, "last-login") ||
		     pager_wants(&list, &view, "last-ip");
	some->weigh = over || pager_wants(&list, &view, "limit") ||
		      pager_wants(&list, &view, "used") ||
		      pager_wants(&list, &view, "percent");
	code = some->look || some->weigh ? site_open_look(site) : site_open_read(site);
	return code == CODE_DONE ? pager_print(site, &list, &view) : code;
}

int cmd_box_list(struct site *site, const struct args *args)
{
	struct handful *some = calloc(1, sizeof *some);
	int code;

	if (!some)
		return say_error(CODE_LATER, "no memory");
	code = list_boxes(site, args, some);
	filter_free(&some->filter);
	free(some);
	return code;
}

struct shown {
	struct box_operand target;
	struct store_box box;
	struct holds holds;
	struct box_usage usage;
	struct app_list list;
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
	enum err err = box_operand_find(txn, &shown->target, &shown->box);

	shown->count = 0;
	if (err == ERR_OK)
		err = show_holds(txn, shown);
	if (err == ERR_OK)
		err = box_usage_limit(txn, &shown->box, &shown->usage);
	if (err == ERR_OK)
		err = store_apps_get(txn, &shown->box.name, &shown->list.apps);
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
	app_list_json(object, &shown->list);
	box_usage_json(object, &shown->usage);
	json_print(object);
}

/* Whose limit it is. */
static const char *level_of(uint64_t own, uint64_t held)
{
	return own || !held ? "" : " (by its domain or handle)";
}

static void show_usage(const struct shown *shown)
{
	const struct box_usage *usage = &shown->usage;
	const struct store_quota *own = &shown->box.quota;
	char text[BOX_USAGE_TEXT], count[SAY_COUNT_TEXT];
	const char *level = level_of(own->bytes, usage->limit.bytes);

	if (!*level)
		level = level_of(own->messages, usage->limit.messages);
	box_usage_text(&usage->limit, text);
	if (usage->limit.bytes || usage->limit.messages)
		say_out("quota             %s%s", text, level);
	if (usage->known)
		say_out("used              %llu bytes in %s, %u%%",
			(unsigned long long)usage->used.bytes,
			say_count(usage->used.messages, "message", count),
			box_usage_percent(usage));
}

/* One that is over stays, and says so. */
static void show_reply(const struct store_box *box)
{
	const int64_t now = time(NULL);
	char from[SAY_TIME_TEXT], until[SAY_TIME_TEXT];
	const char *word = "on";

	if (!box->vacation[0])
		return;
	if (box->vacation_until && now >= box->vacation_until)
		word = "over";
	else if (now < box->vacation_from)
		word = "to come";
	say_out("vacation reply    %s%s%s%s%s", word,
		box->vacation_from ? ", from " : "",
		box->vacation_from ? say_time(box->vacation_from, from) : "",
		box->vacation_until ? ", until " : "",
		box->vacation_until ? say_time(box->vacation_until, until) : "");
	for (const char *line = box->vacation; *line;) {
		const size_t len = strcspn(line, "\n");
		char clean[STORE_VACATION_MAX + 1], text[STORE_VACATION_MAX + 1];

		memcpy(text, line, len);
		text[len] = 0;
		say_clean(text, clean, sizeof clean);
		say_out("    %s", clean);
		line += len + (line[len] == '\n');
	}
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
	say_out("password          %s%s", box->has_password ? "yes" : "none",
		box->apps_only ? ", app passwords only for POP and SMTP" : "");
	say_out("password changed  %s", say_time(box->password_changed, text));
	app_list_print(&shown->list);
	say_out("created           %s", say_time(box->state.created, text));
	say_out("last login        %s%s%s", last ? say_time(last, text) : "never",
		ip[0] ? " from " : "", ip);
	show_usage(shown);
	if (box->state.expires)
		say_out("expires           %s",
			say_time(box->state.expires, text));
	show_reply(box);
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
	int code = box_operand_read(args->operand[0], &shown.target);

	if (code == CODE_DONE)
		code = site_open_look(site);
	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, show_body, &shown);
	if (err == ERR_OK)
		path_box(site->config.home, &shown.box.name, maildir);
	if (err == ERR_NOTFOUND)
		code = box_operand_missing(&shown.target, CODE_NO);
	else if (err != ERR_OK)
		code = site_failed(site, err, shown.target.text);
	else
		box_usage_look(site, &shown.box.name, 0, &shown.usage);
	if (err == ERR_OK)
		app_list_look(site, &shown.box.name, &shown.list);
	if (err == ERR_OK && site->json)
		show_json(site, &shown, maildir);
	else if (err == ERR_OK)
		show_text(site, &shown, maildir);
	free(shown.address);
	return code;
}
