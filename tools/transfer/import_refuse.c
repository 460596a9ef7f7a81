/* SPDX-License-Identifier: MIT */
/* import_refuse.c: rows that are refused, said in the order of their lines though
 * they are judged in several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "import_private.h"

struct import_told {
	uint64_t key; /* file << 32 | line */
	size_t at;    /* of its message, in refusals */
};

void import_place(const struct import *import, size_t file, unsigned long line,
		  char ret_text[IMPORT_PLACE])
{
	const char *name = file < import->files.count ? import->files.name[file]
						      : "?";

	if (line)
		(void)snprintf(ret_text, IMPORT_PLACE, "%s:%lu", name, line);
	else
		(void)snprintf(ret_text, IMPORT_PLACE, "%s", name);
}

static bool grow(struct import *import)
{
	const size_t room = import->bad_room ? import->bad_room * 2 : 64;
	uint64_t *more = reallocarray(import->bad_line, room, sizeof *more);
	struct import_told *told;

	if (!more)
		return false;
	import->bad_line = more;
	told = reallocarray(import->told, room, sizeof *told);
	if (!told)
		return false;
	import->told = told;
	import->bad_room = room;
	return true;
}

static bool put(struct text *text, const char *part)
{
	return text_put(text, part, strlen(part));
}

static bool put_message(struct import *import, const char *at,
			const char *address, const char *bad, const char *why)
{
	struct text *text = &import->refusals;

	return put(text, at) && put(text, ": ") &&
	       put(text, address ? address : "") &&
	       put(text, address ? ": " : "") && put(text, *bad ? "'" : "") &&
	       put(text, bad) && put(text, *bad ? "': " : "") &&
	       put(text, why) && text_put(text, "", 1);
}

bool import_refuse(struct import *import, size_t file, unsigned long line,
		   const char *address, const char *bad, const char *why)
{
	const uint64_t key = (uint64_t)file << 32 | (line & UINT32_MAX);
	const size_t start = import->refusals.len;
	char at[IMPORT_PLACE];

	import_place(import, file, line, at);
	if ((import->bad == import->bad_room && !grow(import)) ||
	    !put_message(import, at, address, bad, why)) {
		import->no_memory = true;
		return false;
	}
	import->told[import->bad] = (struct import_told){key, start};
	import->bad_line[import->bad++] = key;
	return true;
}

bool import_refuse_row(struct import *import, size_t number,
		       const struct import_account *account, const char *why)
{
	struct import_table_row *row = &import->table.row[number];
	char text[NAME_ADDRESS_TEXT];

	row->bad = true;
	return import_refuse(import, row->file, row->line,
			     import_name(account, text), "", why);
}

static int by_place(const void *a, const void *b)
{
	const struct import_told *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

void import_refusals_say(struct import *import)
{
	if (import->bad)
		qsort(import->told, import->bad, sizeof *import->told,
		      by_place);
	for (size_t i = 0; i < import->bad; i++) {
		const struct import_told *told = &import->told[i];
		char at[IMPORT_PLACE];

		import_place(import, (size_t)(told->key >> 32),
			     (unsigned long)(told->key & UINT32_MAX), at);
		say_about(at);
		say_error(0, "%s", import->refusals.bytes + told->at);
	}
	if (import->bad)
		say_about(import->how->source.path);
}
