/* SPDX-License-Identifier: MIT */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "import_private.h"
#include "mailcopy.h"
#include "publish/change.h"
#include "publish/publish.h"
#include "store/secret.h"

enum { TRIES = 3 };

const char *import_name(const struct import_account *account,
			char text[NAME_ADDRESS_TEXT])
{
	if (account->has_address)
		name_address_text(&account->address, text);
	else
		name_box_text(&account->box, text);
	return text;
}

static bool other_row(struct import *import, size_t file,
		      const struct source_row *row, unsigned long other)
{
	char why[128], text[NAME_ADDRESS_TEXT];

	(void)snprintf(why, sizeof why,
		       "line %lu has other values for the same %s", other,
		       row->account->has_address ? "address or box" : "box");
	return import_refuse(import, file, row->line,
			     import_name(row->account, text), "", why);
}

static bool take_row(struct import *import, size_t file,
		     const struct source_row *row)
{
	struct import_table *table = &import->table;
	unsigned long other;

	enum import_table_added added =
		import_table_add(table, row->account, &other);

	import->parted = import->parted || row->account->part;
	if (added == IMPORT_TABLE_OTHER && row->account->part) {
		added = import_merge(import, row->account);
		if (added == IMPORT_TABLE_ADDED)
			return true;
	}
	switch (added) {
	case IMPORT_TABLE_ADDED:
		table->row[table->count - 1].file = (uint32_t)file;
		return true;
	case IMPORT_TABLE_AGAIN:
		import->again++;
		return true;
	case IMPORT_TABLE_OTHER:
		return other_row(import, file, row, other);
	case IMPORT_TABLE_NOMEM:
		break;
	}
	import->no_memory = true;
	return false;
}

/* Something of a row is left out, on purpose. */
static void note_row(struct import *import, size_t file,
		     const struct source_row *row)
{
	char text[NAME_ADDRESS_TEXT], at[IMPORT_PLACE];

	import_place(import, file, row->line, at);
	say_note("%s: %s: not imported: %s", at,
		 import_name(row->account, text), row->account->note);
	import->noted++;
}

static bool take(void *arg, const struct source_row *row)
{
	struct import *import = arg;
	char text[NAME_ADDRESS_TEXT], at[IMPORT_PLACE];
	size_t file;

	if (row->header)
		return true;
	if (!strtab_add(&import->files, row->file, &file)) {
		import->no_memory = true;
		return false;
	}
	if (row->domain)
		return import_site_take(import, file, row);
	if (row->why)
		return import_refuse(import, file, row->line,
				     row->account->has_address ||
						     row->account->has_box
					     ? import_name(row->account, text)
					     : NULL,
				     row->account->bad, row->why);
	if (row->left) {
		import_place(import, file, row->line, at);
		say_note("%s: skipped: %s", at, row->left);
		import->left++;
		return true;
	}
	if (row->account->note[0])
		note_row(import, file, row);
	return take_row(import, file, row);
}

/* What the file was taken for, unless that was asked for. */
static void say_found(const struct import *import)
{
	const struct source_found *found = &import->found;
	const struct source_how *how = &import->how->source;
	const bool of = found->whose != NULL;
	const bool strange = found->encoding > ENCODING_UTF8 &&
			     how->encoding == ENCODING_UNKNOWN;

	if (!found->format || (how->format && !strange))
		return;
	say_note("%s: read as %s%s%s%s%s%s%s",
		 strcmp(how->path, "-") == 0 ? "standard input" : how->path,
		 found->format, of ? " (" : "", of ? found->whose : "",
		 of ? ")" : "", strange ? ", " : "",
		 strange ? encoding_name(found->encoding) : "",
		 strange && found->assumed
			 ? ", since it is not UTF-8 (--encoding names another)"
			 : "");
}

static int read_all(struct import *import)
{
	struct source_how how = import->how->source;
	int code = oldroutes_read(&import->site->config, &import->old);

	how.old = &import->old;
	how.found = &import->found;
	if (code == CODE_DONE)
		code = source_read(&how, take, import);
	say_found(import);
	if (code == CODE_DONE && import->parted && !import_merge_end(import))
		import->no_memory = true;
	if (code == CODE_DONE && import->no_memory)
		return say_error(CODE_LATER, "no memory for so many rows: "
					     "nothing was changed");
	return code;
}

/* What was computed against a store that has changed since is asked anew. */
static void forget_answers(struct import *import)
{
	for (size_t i = 0; i < import->table.count; i++) {
		struct import_table_row *row = &import->table.row[i];

		if (row->secret == IMPORT_TABLE_SAME)
			row->secret = IMPORT_TABLE_NONE;
	}
}

static int go(struct import *import, uint64_t *ret_last)
{
	bool stale = true;
	int code = CODE_DONE;

	for (int i = 0; code == CODE_DONE && stale && i < TRIES; i++) {
		stale = false;
		if (i)
			forget_answers(import);
		code = import_judge(import);
		if (code == CODE_DONE)
			code = import_preflight(import);
		/* No hash is computed for what will not be. */
		if (code == CODE_DONE && import->bad &&
		    !import->how->skip_bad && !import->site->dry_run)
			return CODE_REFUSED;
		if (code == CODE_DONE)
			code = import_hash(import);
		if (code == CODE_DONE)
			code = import_apply(import, &stale, ret_last);
	}
	if (code == CODE_DONE && stale)
		code = say_error(CODE_LATER,
				 "other commands change the store all the "
				 "time: nothing was changed (try again later)");
	return code;
}

static void note_counts(const struct import *import)
{
	const struct text *lost = &import->rejoin.lost;
	char count[SAY_COUNT_TEXT];

	if (import->foreign_passwords)
		say_note("passwords with letters outside of ASCII: %lu; mail "
			 "clients send them as UTF-8 or as Latin-1, and only "
			 "one of the two will match",
			 import->foreign_passwords);
	if (import->short_passwords)
		say_note("passwords shorter than the setting 'password_min': "
			 "%lu, accepted as they are",
			 import->short_passwords);
	if (import->breached_passwords)
		say_note("passwords that were breached: %lu, accepted as they "
			 "are (--refuse-breached rejects such rows)",
			 import->breached_passwords);
	if (import->noted)
		say_note("rows imported in part: %lu (see above)",
			 import->noted);
	if (import->unusable)
		say_note("%s without a password now, since the hash cannot be "
			 "used ('popbox box list' shows them)",
			 say_count(import->unusable, "box", count));
	if (import->yielded)
		say_note("lines of the old site in qmail's files %s "
			 "replaced: %lu",
			 import->site->dry_run ? "that would be" : "that are",
			 import->yielded);
	if (import->rejoin.groups)
		say_note("undeleted boxes %s %s in groups again",
			 import->site->dry_run ? "would have" : "have",
			 say_count(import->rejoin.groups, "place", count));
	for (size_t at = 0; at < lost->len; at += strlen(lost->bytes + at) + 1)
		say_note("%s", lost->bytes + at);
	if (import->again)
		say_note("rows that repeat an earlier row: %lu",
			 import->again);
}

/* "2 created, 1 unchanged (undo with 'popbox undo 55')": counts that are 0 are
 * left out. number: of the change, or 0. */
static void sum_up_text(const struct import *import, uint64_t number)
{
	const unsigned long *v = import->verdicts;
	const struct {
		unsigned long count;
		const char *what;
	} part[] = {
		{v[UPSERT_CREATE], "created"}, {v[UPSERT_BACK], "undeleted"},
		{v[UPSERT_CHANGE], "changed"}, {v[UPSERT_SAME], "unchanged"},
		{import->bad, "rejected"},     {import->left, "skipped"},
	};
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		if (part[i].count)
			len += (size_t)snprintf(text + len, sizeof text - len,
						"%s%lu %s", len ? ", " : "",
						part[i].count, part[i].what);
	}
	if (number)
		(void)snprintf(text + len, sizeof text - len,
			       " (undo with 'popbox undo %llu')",
			       (unsigned long long)number);
	say_note("%s%s", import->site->dry_run ? "it would be: " : "",
		 text[0] ? text : "no rows");
}

/* number: of the change, or 0. */
static void sum_up(const struct import *import, uint64_t number)
{
	const unsigned long *v = import->verdicts;

	note_counts(import);
	if (import->site->json) {
		json_print(json_pack(
			"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:s, "
			"s:b, s:o}",
			"created", (json_int_t)v[UPSERT_CREATE], "undeleted",
			(json_int_t)v[UPSERT_BACK], "changed",
			(json_int_t)v[UPSERT_CHANGE], "same",
			(json_int_t)v[UPSERT_SAME], "refused",
			(json_int_t)import->bad, "left_out",
			(json_int_t)import->left, "noted",
			(json_int_t)import->noted, "format",
			import->found.format, "encoding",
			encoding_name(import->found.encoding), "dry_run",
			(int)import->site->dry_run, "entry",
			number ? json_integer((json_int_t)number)
			       : json_null()));
		return;
	}
	sum_up_text(import, number);
}

static int finish(struct import *import, uint64_t last)
{
	struct site *site = import->site;
	int code = CODE_DONE;

	if (site->dry_run)
		last = 0;
	change_made(site, last);
	site->told = true;
	sum_up(import, site->entry);
	if (import->how->credentials && !import->credentials.len &&
	    !site->dry_run)
		say_note("no password was generated: '%s' was not made",
			 import->how->credentials);
	if (last && site->no_sync)
		say_note("qmail's files are not written yet: run 'popbox "
			 "sync'");
	else if (last)
		code = publish_change(site, last);
	return code;
}

/* Which old Maildir goes into which box. */
struct moving {
	const struct import *import;
	struct text list;
};

static enum err moving_body(struct store_txn *txn, void *arg)
{
	struct moving *moving = arg;
	const struct import_table *table = &moving->import->table;
	struct store_address address;
	struct import_account account;
	char box[NAME_BOX_TEXT];
	enum err err = ERR_OK;

	moving->list.len = 0;
	for (size_t i = 0; err == ERR_OK && i < table->count; i++) {
		import_table_get(table, i, &account);
		if (table->row[i].bad || !account.maildir[0])
			continue;
		address = (struct store_address){.has_box = account.has_box,
						 .box = account.box};
		if (account.has_address)
			err = store_address_get(txn, &account.address,
						&address);
		if (err == ERR_NOTFOUND || (err == ERR_OK && !address.has_box)) {
			err = ERR_OK;
			continue;
		}
		name_box_text(&address.box, box);
		if (err == ERR_OK &&
		    !(text_put(&moving->list, box, strlen(box) + 1) &&
		      text_put(&moving->list, account.maildir,
			       strlen(account.maildir) + 1)))
			err = ERR_SYSTEM;
	}
	import_account_wipe(&account);
	return err;
}

/* The old mail; all that is secret is given up before. */
static int move_mail(struct import *import)
{
	struct moving moving = {.import = import};
	struct site *site = import->site;
	int code = site_failed(site,
			       store_read(site->store, moving_body, &moving),
			       "the store");

	import_table_free(&import->table);
	store_close(&site->store);
	if (code == CODE_DONE)
		code = mailcopy(site, &moving.list, import->how->mail_base);
	free(moving.list.bytes);
	return code;
}

static void release(struct import *import)
{
	import_domain_forget(import);
	import_site_free(import);
	oldroutes_free(&import->old);
	free(import->domain);
	free(import->bad_line);
	free(import->told);
	free(import->refusals.bytes);
	rejoin_free(&import->rejoin);
	free(import->back);
	strtab_free(&import->files);
	import_table_free(&import->table);
	text_wipe(&import->credentials);
}

/* The other rows were taken: a script must notice all the same. */
static int say_rejected(const struct import *import)
{
	if (import->site->dry_run)
		return say_error(CODE_NO, "rows that would be rejected: %zu",
				 import->bad);
	return say_error(CODE_NO,
			 "rows that were rejected: %zu (correct them in '%s', "
			 "and import that)",
			 import->bad, import->how->skip_bad);
}

int import(struct site *site, const struct import_how *how)
{
	char count[SAY_COUNT_TEXT];
	struct import import = {.site = site,
				.how = how,
				.credentials.secret = true,
				.skip_fd = -1,
				.credentials_fd = -1};
	uint64_t last = 0;
	int code = CODE_DONE;

	if (!import_files_look(&import))
		code = CODE_REFUSED;
	if (code == CODE_DONE)
		code = read_all(&import);
	if (code == CODE_DONE)
		code = go(&import, &last);
	import_refusals_say(&import);
	import_files_close(&import, code == CODE_DONE && !site->dry_run);
	if (code == CODE_DONE) {
		code = finish(&import, last);
		if (code == CODE_DONE && how->mail && !site->dry_run)
			code = move_mail(&import);
		if (code == CODE_DONE && import.bad)
			code = say_rejected(&import);
	}
	else if (import.bad && code == CODE_REFUSED)
		say_error(code,
			  "%s cannot be imported: nothing was changed%s",
			  say_count(import.bad, "row", count),
			  how->skip_bad ? ""
					: " (correct them, or use --skip-bad "
					  "FILE to import the others and "
					  "write these to FILE)");
	release(&import);
	return code;
}
