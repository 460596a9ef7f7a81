/* SPDX-License-Identifier: MIT */
/* cmd_search.c: popbox search: find a text anywhere in the store.
 */
#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "cli/commands.h"
#include "cli/pager.h"
#include "cli/search.h"

const struct args_option cmd_search_options[] = {
	{"--kind", "KIND", "only of this kind: handle, domain, box, address"},
	PAGER_OPTIONS,
	{NULL, NULL, NULL},
};

struct handful {
	struct search search;
	struct search_place place;
	struct search_found found[PAGER_HANDFUL];
	size_t count;
	bool any;
};

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct search_place place = some->place;
	enum err err = ERR_OK;

	some->count = 0;
	while (err == ERR_OK && some->count < PAGER_HANDFUL) {
		err = search_next(txn, &some->search, &place,
				  &some->found[some->count]);
		some->count += err == ERR_OK;
	}
	some->place = place;
	some->any = some->any || some->count;
	return err;
}

enum { KIND, NAME, HANDLE, WHERE, TEXT, DELETED };

const struct pager_column pager_found[] = {
	[KIND] = {"kind", TABLE_NAME, false},
	[NAME] = {"name", TABLE_NAME, false},
	[HANDLE] = {"handle", TABLE_NAME, false},
	[WHERE] = {"found-in", TABLE_NAME, false},
	[TEXT] = {"text", TABLE_TEXT, false},
	[DELETED] = {"deleted", TABLE_NAME, false},
	{NULL, TABLE_TEXT, false},
};

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static bool found_row(const struct site *site, const void *arg, size_t index,
		      struct pager_cells *cells, json_t **ret_object)
{
	const struct handful *some = arg;
	const struct search_found *found = &some->found[index];
	const char *kind = word_table(found->table);
	char text[IDN_WRITTEN];

	(void)site;
	if (cells) {
		pager_cell(cells, KIND, kind);
		pager_cell(cells, NAME, idn_written(found->name, text));
		pager_cell(cells, HANDLE, found->handle.s);
		pager_cell(cells, WHERE, found->where);
		pager_cell(cells, TEXT, found->text);
		pager_cell(cells, DELETED,
			   found->deleted ? say_time(found->deleted, text)
					  : "");
	}
	if (ret_object)
		*ret_object = json_pack(
			"{s:s, s:s, s:o, s:s, s:o, s:o}", "kind", kind, "name",
			found->name, "handle", text_or_null(found->handle.s),
			"found_in", found->where, "text",
			text_or_null(found->text), "deleted",
			json_time(found->deleted));
	return true;
}

static int read_kind(const char *text, struct search *search)
{
	search->every = !text;
	for (int i = STORE_HANDLES; text && i <= STORE_ADDRESSES; i++) {
		search->table = (enum store_table)i;
		if (strcmp(word_table(search->table), text) == 0)
			return CODE_DONE;
	}
	return text ? say_error(CODE_USAGE,
				"--kind takes handle, domain, box or address, "
				"not '%s'",
				text)
		    : CODE_DONE;
}

int cmd_search(struct site *site, const struct args *args)
{
	struct handful *some = calloc(1, sizeof *some);
	struct pager list = {"search",	pager_found, 2,	  next_body,
			     found_row, some,	     NULL};
	struct pager_view view;
	int code;

	if (!some)
		return say_error(CODE_LATER, "no memory");
	list.count = &some->count;
	some->search.text = args->operand[0];
	code = some->search.text[0]
		       ? read_kind(args_get(args, "--kind"), &some->search)
		       : say_error(CODE_USAGE, "which text?");
	if (code == CODE_DONE)
		code = pager_read(site, args, &list, NULL, &view);
	if (code == CODE_DONE)
		code = site_open_read(site);
	search_begin(&some->search);
	if (code == CODE_DONE)
		code = pager_print(site, &list, &view);
	if (code == CODE_DONE && !some->any) {
		say_note("nothing has '%s' in it", args->operand[0]);
		code = CODE_NO;
	}
	free(some);
	return code;
}
