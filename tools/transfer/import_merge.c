/* SPDX-License-Identifier: MIT */
/* import_merge.c: an account that two tables of a dump tell of: one has its box, the
 * other its forwards. In which order they come is the dump's to say.
 */
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "import_private.h"

/* Adds what other says of forwards. False: it is too much. */
static bool add_forwards(struct import_account *both,
			 const struct import_account *other)
{
	for (size_t at = 0; at < other->forwards_len;
	     at += strlen(other->forwards + at) + 1) {
		if (import_account_forward(both, other->forwards + at))
			return false;
	}
	both->part |= other->part;
	both->itself = both->itself || other->itself;
	return true;
}

static enum import_table_added merge(struct import *import, size_t number,
				     const struct import_account *account,
				     struct import_account *there,
				     struct import_account *both)
{
	const bool box = account->part & IMPORT_ACCOUNT_BOX;

	import_table_get(&import->table, number, there);
	if (!there->part || (there->part & account->part & IMPORT_ACCOUNT_BOX))
		return IMPORT_TABLE_OTHER;
	*both = box ? *account : *there;
	if (!add_forwards(both, box ? there : account))
		return IMPORT_TABLE_OTHER;
	return import_table_replace(&import->table, number, both)
		       ? IMPORT_TABLE_ADDED
		       : IMPORT_TABLE_NOMEM;
}

enum import_table_added import_merge(struct import *import,
				     const struct import_account *account)
{
	struct import_account *two;
	enum import_table_added added;
	size_t number;

	if (!account->part ||
	    !import_table_find(&import->table, &account->address, &number))
		return IMPORT_TABLE_OTHER;
	two = calloc(2, sizeof *two);
	if (!two)
		return IMPORT_TABLE_NOMEM;
	added = merge(import, number, account, &two[0], &two[1]);
	import_account_wipe(&two[0]);
	import_account_wipe(&two[1]);
	free(two);
	return added;
}

static bool settle(struct import *import, size_t number,
		   struct import_account *account)
{
	const bool box = account->part & IMPORT_ACCOUNT_BOX;
	char at[IMPORT_PLACE];

	if (box && account->has_forwards && !account->itself &&
	    !account->has_delivery) {
		import_account_no_mail(
			account); /* forwards alone, without a copy */
		return import_table_replace(&import->table, number, account);
	}
	if (box || account->has_forwards)
		return true;
	import_place(import, import->table.row[number].file,
		     import->table.row[number].line, at);
	say_note("%s: skipped: an alias of itself", at);
	import->table.row[number].bad = true;
	import->left++;
	return true;
}

bool import_merge_end(struct import *import)
{
	struct import_account *account = malloc(sizeof *account);
	bool good = account != NULL;

	for (size_t i = 0; good && i < import->table.count; i++) {
		import_table_get(&import->table, i, account);
		if (account->part & IMPORT_ACCOUNT_FORWARDS)
			good = settle(import, i, account);
	}
	if (account)
		import_account_wipe(account);
	free(account);
	return good;
}
