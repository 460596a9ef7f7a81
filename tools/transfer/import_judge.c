/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/breached.h"
#include "base/say.h"
#include "accounts/password_rules.h"
#include "import_private.h"
#include "store/secret.h"

/* Numbers go on from the highest. */
enum { NUMBER_MAX = 999999999 };

/* A number that was ever given is not given again. */
static enum err judge_number(struct store_txn *txn,
			     const struct import_account *account,
			     char *ret_why, size_t room)
{
	const struct name_box *name = &account->box;
	struct store_handle handle = {.next_box = 0}; /* if it is not there */
	struct store_parked parked;
	struct store_box box;
	enum err err = store_handle_get(txn, &name->handle, &handle);

	if (name->number > NUMBER_MAX)
		(void)snprintf(ret_why, room,
			       "'%s-%04u' is too high a number for a box (at "
			       "most %u)",
			       name->handle.s, name->number,
			       (unsigned)NUMBER_MAX);
	if (err == ERR_OK)
		err = store_parked_box_get(txn, name, &box, &parked);
	/* Below 1 is 0 alone: where a handle begins, and not given yet. */
	if (err == ERR_NOTFOUND && name->number < handle.next_box &&
	    handle.next_box != 1)
		(void)snprintf(ret_why, room,
			       "the number of the box '%s-%04u' was given "
			       "before, and none is given twice (leave 'box' "
			       "empty for a new one)",
			       name->handle.s, name->number);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The box that the row is about, if it is there. */
static enum err find_box(struct store_txn *txn,
			 const struct import_account *account,
			 struct import_table_row *row,
			 struct store_account *ret_account)
{
	struct store_address address;
	struct name_box name = account->box;
	bool named = account->has_box;
	enum err err = ERR_NOTFOUND;

	if (account->has_address)
		err = store_address_get(txn, &account->address, &address);
	row->fresh = account->has_address && err == ERR_NOTFOUND;
	if (err == ERR_OK && address.has_box && !named) {
		name = address.box;
		named = true;
	}
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	return named ? store_login(txn, &name, ret_account) : ERR_NOTFOUND;
}

static bool keep_hash(struct import_table_row *row, const char *hash)
{
	free(row->hash);
	row->hash = hash[0] ? strdup(hash) : NULL;
	return row->hash || !hash[0];
}

/* A password that is neither given nor generated. */
static const char missing[] =
	"it has no password (give it one, or a hash; hash '*' makes a box that "
	"cannot log in yet, --locked does so for all, --generate with "
	"--credentials FILE makes passwords)";

static const char *judge_silent(struct import *import,
				const struct import_account *account,
				struct import_table_row *row, bool there)
{
	row->secret = IMPORT_TABLE_NONE;
	if (there || row->twin || import->how->locked)
		return NULL;
	/* Whoever is suspended gets a password when that ends. */
	if (import->how->generate && account->has_login && !account->login)
		return NULL;
	if (!import->how->generate)
		return missing;
	row->secret = IMPORT_TABLE_MAKE;
	return NULL;
}

static const char *judge_unusable(struct import *import,
				  const struct import_account *account,
				  struct import_table_row *row, bool there,
				  char *ret_why, size_t room)
{
	if (import->how->locked)
		import->unusable++;
	if (import->how->locked || import->how->generate)
		return judge_silent(import, account, row, there);
	(void)snprintf(ret_why, room,
		       "%s (--locked takes it without a password, --generate "
		       "with --credentials FILE makes a new one)",
		       account->unusable);
	return ret_why;
}

/* there: what the box has now. One that was wrapped may be wrapped of this very
 * hash. */
static const char *judge_hash(const struct import *import,
			      const struct import_account *account,
			      struct import_table_row *row, const char *there)
{
	if (strncmp(there, "$wrap$", 6) == 0 &&
	    strncmp(account->hash, "$argon2", 7) != 0 &&
	    strcmp(there, account->hash) != 0) {
		row->secret = IMPORT_TABLE_WRAP;
		return NULL;
	}
	switch (pwhash_weakness(account->hash)) {
	case PWHASH_STRONG:
		row->secret = IMPORT_TABLE_AS_IS;
		return NULL;
	case PWHASH_LEGACY:
		if (!import->how->legacy_ok)
			return "its hash is one of DES, which looks at 8 "
			       "characters only (--legacy-ok takes it, "
			       "wrapped)";
		break;
	case PWHASH_WEAK:
		break;
	}
	row->secret = IMPORT_TABLE_WRAP;
	return NULL;
}

/* Each is named once, however often the rows are judged. */
static void note_short(struct import *import,
		       const struct import_account *account,
		       const struct import_table_row *row)
{
	char text[NAME_ADDRESS_TEXT], at[IMPORT_PLACE];

	import->short_passwords++;
	if (import->judged)
		return;
	import_place(import, row->file, row->line, at);
	say_note("%s: %s: the password is shorter than the setting "
		 "'password_min' (%u)",
		 at, import_name(account, text),
		 import->site->config.password_min);
}

/* Is it one of those that were breached? A filter that cannot be asked ends the
 * import, and says so once. */
static bool is_breached(struct import *import,
			const struct import_account *account)
{
	bool is = false;

	if (!import->failed)
		import->failed = breached_site_ask(import->site,
						   account->password,
						   account->password_len,
						   &is) != CODE_DONE;
	return is;
}

static void note_breached(struct import *import,
			  const struct import_account *account,
			  const struct import_table_row *row)
{
	char text[NAME_ADDRESS_TEXT], at[IMPORT_PLACE];

	import->breached_passwords++;
	if (import->judged)
		return;
	import_place(import, row->file, row->line, at);
	say_note("%s: %s: the password is one of those that were breached", at,
		 import_name(account, text));
}

/* A new password. NULL, or why it is refused. */
static const char *judge_password(struct import *import,
				  const struct import_account *account,
				  const struct import_table_row *row)
{
	const bool breached = is_breached(import, account);
	const struct config *config = &import->site->config;

	if (!password_is_ascii(account->password, account->password_len)) {
		if (config->password_letters == CONFIG_LETTERS_ASCII)
			return "the password has letters outside of ASCII, "
			       "which the setting 'password_letters' forbids";
		import->foreign_passwords++;
	}
	if (breached && import->how->refuse_breached)
		return "the password is one of those that were breached";
	if (breached)
		note_breached(import, account, row);
	if (account->password_len < config->password_min)
		note_short(import, account, row);
	return NULL;
}

/* What becomes of its password. */
static const char *judge_secret(struct import *import,
				const struct import_account *account,
				struct import_table_row *row,
				const struct store_account *stored,
				char *ret_why, size_t room)
{
	const bool there = stored != NULL;

	if (account->unusable)
		return judge_unusable(import, account, row, there, ret_why,
				      room);
	switch (account->secret) {
	case IMPORT_ACCOUNT_SILENT:
	case IMPORT_ACCOUNT_KEEP:
		return upsert_wants_box(account)
			       ? judge_silent(import, account, row, there)
			       : NULL;
	case IMPORT_ACCOUNT_LOCKED:
		row->secret = IMPORT_TABLE_NONE;
		return NULL;
	case IMPORT_ACCOUNT_PASSWORD:
		row->secret = IMPORT_TABLE_MAKE;
		return judge_password(import, account, row);
	case IMPORT_ACCOUNT_HASH:
		return judge_hash(import, account, row,
				  there ? stored->hash : "");
	}
	return NULL;
}

static enum err judge_row(struct import *import, struct store_txn *txn,
			  size_t number, const struct import_account *account)
{
	struct import_table_row *row = &import->table.row[number];
	struct store_account stored = {.hash = ""};
	char text[512] = "";
	const char *why = NULL;
	enum err err =
		import_domain_judge(import, txn, account, text, sizeof text);
	bool there;

	if (err != ERR_OK)
		return err;
	err = find_box(txn, account, row, &stored);
	there = err == ERR_OK;
	if (err == ERR_NOTFOUND)
		err = ERR_OK;
	if (err == ERR_OK && account->has_box && !there && !row->twin)
		err = judge_number(txn, account, text, sizeof text);
	if (err == ERR_OK && text[0])
		why = text;
	if (err == ERR_OK && !why && row->secret < IMPORT_TABLE_SAME)
		why = judge_secret(import, account, row, there ? &stored : NULL,
				   text, sizeof text);
	if (row->twin && row->secret < IMPORT_TABLE_SAME)
		row->secret = IMPORT_TABLE_NONE;
	if (err == ERR_OK && !why && there &&
	    (row->secret == IMPORT_TABLE_MAKE ||
	     row->secret == IMPORT_TABLE_WRAP) &&
	    !keep_hash(row, stored.hash)) {
		errno = ENOMEM;
		err = ERR_SYSTEM;
	}
	secret_wipe(&stored, sizeof stored);
	if (why && !import_refuse_row(import, number, account, why)) {
		errno = ENOMEM;
		err = ERR_SYSTEM;
	}
	return err;
}

static enum err judge_body(struct store_txn *txn, void *arg)
{
	struct import *import = arg;
	struct progress progress =
		progress_start("judging", import->table.count);
	struct import_account account;
	enum err err = store_journal_last(txn, &import->snapshot);

	if (err == ERR_OK)
		err = import_site_judge(import, txn);
	for (size_t i = 0; err == ERR_OK && i < import->table.count; i++) {
		const struct import_table_row *row = &import->table.row[i];

		progress_step(&progress, 1);
		if (row->bad)
			continue;
		import_table_get(&import->table, i, &account);
		err = judge_row(import, txn, i, &account);
	}
	progress_end(&progress);
	import_account_wipe(&account);
	return err;
}

int import_judge(struct import *import)
{
	int code;

	import_domain_forget(import);
	import->short_passwords = import->unusable = 0;
	import->foreign_passwords = import->breached_passwords = 0;
	code = site_failed(import->site,
			   store_read(import->site->store, judge_body, import),
			   "the store");
	breached_site_close(import->site);
	import->judged = true;
	return code == CODE_DONE && import->failed ? CODE_LATER : code;
}
