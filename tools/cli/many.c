/* SPDX-License-Identifier: MIT */
#include "many.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "store/path.h"

/* What an entry of the journal and its row take in the store, about. */
enum { BOX_BYTES = 1600, HANDFUL = 64 };

int many_asked(const struct args *args, bool *ret_many)
{
	*ret_many = filter_given(args);
	if (args->operands && *ret_many)
		return say_error(CODE_USAGE,
				 "say one box, or the options of a filter, not "
				 "both");
	if (!args->operands && !*ret_many)
		return say_error(CODE_USAGE,
				 "which box? Say an address, a box, or a "
				 "filter: --handle, --domain, --suspended, "
				 "--never, --idle, --hash or --match");
	return CODE_DONE;
}

int many_read(const struct args *args, struct many *many)
{
	*many = (struct many){.box = NULL};
	return filter_read(args, &many->filter);
}

void many_free(struct many *many)
{
	for (size_t i = 0; i < many->count; i++)
		free(many->box[i].address);
	free(many->box);
	filter_free(&many->filter);
	*many = (struct many){.box = NULL};
}

struct handful {
	struct many *many;
	struct filter_place place;
	struct filter_box box[HANDFUL];
	size_t count;
};

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;

	some->place = some->many->place;
	return filter_next(txn, &some->many->filter, &some->place, HANDFUL,
			   some->box, &some->count);
}

static bool add(struct many *many, const struct filter_box *box)
{
	char text[NAME_ADDRESS_TEXT];
	char *address = NULL;

	if (many->count == many->room) {
		size_t room = many->room ? many->room * 2 : 64;
		struct many_box *more =
			reallocarray(many->box, room, sizeof *more);

		if (!more)
			return false;
		many->box = more;
		many->room = room;
	}
	if (box->has_address) {
		name_address_text(&box->address, text);
		address = strdup(text);
		if (!address)
			return false;
	}
	many->box[many->count++] = (struct many_box){box->box.name, address};
	return true;
}

/* Without a Maildir there is no file that says when the last login was: the disk
 * may not be mounted. */
static int look_maildir(const struct site *site, const struct name_box *box)
{
	struct mailroot_look look;
	char text[MAILROOT_QMAIL_MAX], path[PATH_MAX];
	size_t len;
	int rc;

	path_box(site->config.home, box, path);
	rc = asuser_look(site->asuser, path, &look, text, &len);
	if (rc == 0)
		return CODE_DONE;
	return say_error(CODE_LATER,
			 "'%s': %s, so that no last login can be looked up: "
			 "nothing was changed ('popbox sync' makes a Maildir "
			 "that is missing; is the disk mounted?)",
			 path, strerror(rc));
}

static int look_last(const struct site *site, const struct name_box *box,
		     int64_t *ret_last)
{
	char ip[MAILROOT_IP_MAX + 1];

	if (filter_last_login(site, box, ret_last, ip) != 0)
		return say_error(CODE_LATER, "nothing was changed, since some "
					     "last login is not known");
	return *ret_last ? CODE_DONE : look_maildir(site, box);
}

static int add_fitting(struct site *site, struct many *many,
		       const struct filter_box *box)
{
	int64_t last = 0;
	int code = CODE_DONE;

	if (many->filter.look)
		code = look_last(site, &box->box.name, &last);
	if (code != CODE_DONE ||
	    !filter_fits_login(&many->filter, &box->box, last) ||
	    add(many, box))
		return code;
	return say_error(CODE_LATER, "no memory");
}

int many_find(struct site *site, struct many *many)
{
	struct handful *some = calloc(1, sizeof *some);
	int code = some ? CODE_DONE : say_error(CODE_LATER, "no memory");
	enum err err = ERR_OK;

	while (code == CODE_DONE && err == ERR_OK) {
		some->many = many;
		err = store_read(site->store, next_body, some);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			code = site_failed(site, err, "the boxes");
		many->place = some->place;
		for (size_t i = 0; code == CODE_DONE && i < some->count; i++)
			code = add_fitting(site, many, &some->box[i]);
	}
	free(some);
	if (code == CODE_DONE && !many->count)
		say_note("no box fits: nothing was changed");
	return code;
}

static void show(const struct site *site, const struct many_box *box)
{
	char name[NAME_BOX_TEXT];

	name_box_text(&box->name, name);
	if (site->json)
		json_print(json_pack("{s:s, s:s?}", "box", name, "address",
				     box->address));
	else
		say_out("%s %s", name, box->address ? box->address : "-");
}

int many_ask(struct site *site, const struct args *args,
	     const struct many *many, const char *verb)
{
	char count[SAY_COUNT_TEXT];

	for (size_t i = 0; site->dry_run && i < many->count; i++)
		show(site, &many->box[i]);
	return confirm(site, args, "%s %s", verb,
		       say_count(many->count, "box", count));
}

struct changing {
	struct many *many;
	many_each *each;
	void *arg;
	char at[NAME_BOX_TEXT]; /* for messages */
};

static enum err change_one(struct store_txn *txn, struct changing *changing,
			   size_t number)
{
	struct many *many = changing->many;
	const struct name_box *name = &many->box[number].name;
	uint64_t before, after = 0;
	struct store_box box;
	bool fits;
	enum err err = filter_again(txn, &many->filter, name, &box, &fits);

	name_box_text(name, changing->at);
	if (err != ERR_OK || !fits)
		return err;
	err = store_journal_last(txn, &before);
	if (err == ERR_OK)
		err = changing->each(txn, &box, number, changing->arg);
	if (err == ERR_OK)
		err = store_journal_last(txn, &after);
	many->changed += err == ERR_OK && before != after;
	return err;
}

static enum err change_body(struct store_txn *txn, void *arg)
{
	struct changing *changing = arg;
	enum err err = ERR_OK;

	changing->many->changed = 0;
	for (size_t i = 0; err == ERR_OK && i < changing->many->count; i++)
		err = change_one(txn, changing, i);
	if (err == ERR_OK && changing->many->changed && changing->many->end)
		err = changing->many->end(txn, changing->arg);
	return err;
}

int many_try(struct site *site, struct many *many, many_each *each, void *arg)
{
	struct changing changing = {many, each, arg, "the boxes"};

	return change_try(site, change_body, &changing, changing.at);
}

void many_json(struct site *site, const struct many *many)
{
	change_print(site, json_pack("{s:I, s:I}", "boxes",
				     (json_int_t)many->count, "changed",
				     (json_int_t)many->changed));
}

static void print_done(struct site *site, const struct many *many,
		       const char *done)
{
	size_t same = many->count - many->changed;
	char count[SAY_COUNT_TEXT], rest[48] = "";

	if (site->json) {
		many_json(site, many);
		return;
	}
	if (same)
		(void)snprintf(rest, sizeof rest, ", %zu unchanged", same);
	say_note("%s %s%s", say_count(many->changed, "box", count), done, rest);
}

int many_change(struct site *site, struct many *many, many_each *each,
		void *arg, const char *done)
{
	struct changing changing = {many, each, arg, "the boxes"};
	bool changed = false;
	enum err err = ERR_OK;
	int code;

	if (!site->dry_run)
		err = store_reserve(site->store,
				    (uint64_t)many->count * BOX_BYTES);
	if (err != ERR_OK)
		return site_failed(site, err, "the boxes");
	code = change(site, change_body, &changing, changing.at, &changed);
	if (changed)
		print_done(site, many, done);
	return code;
}

int many(struct site *site, const struct args *args, const char *verb,
	 many_each *each, void *arg, const char *done)
{
	struct many all;
	int code = many_read(args, &all);

	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = many_find(site, &all);
	if (code == CODE_DONE && all.count)
		code = many_ask(site, args, &all, verb);
	if (code == CODE_DONE && all.count)
		code = many_change(site, &all, each, arg, done);
	many_free(&all);
	return code;
}
