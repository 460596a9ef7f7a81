/* SPDX-License-Identifier: MIT */
/* import_site.c: the domains of an old site, those without accounts and other
 * names of one among them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "import_private.h"

bool import_site_take(struct import *import, size_t file,
		      const struct source_row *row)
{
	if (import->moves == import->moved_room) {
		size_t room = import->moved_room ? import->moved_room * 2 : 16;
		struct import_moved *more =
			reallocarray(import->moved, room, sizeof *more);

		if (!more) {
			import->no_memory = true;
			return false;
		}
		import->moved = more;
		import->moved_room = room;
	}
	import->moved[import->moves++] = (struct import_moved){
		.is = *row->domain, .file = file, .line = row->line};
	return true;
}

MUST_USE static enum err refuse(struct import *import,
				struct import_moved *moved, const char *why)
{
	moved->bad = true;
	free(moved->alias);
	moved->alias = NULL;
	if (import_refuse(import, moved->file, moved->line, moved->is.name.s, "",
			  why))
		return ERR_OK;
	errno = ENOMEM;
	return ERR_SYSTEM;
}

static struct import_account *as_intake(const struct name_domain *name,
					const char *utf8,
					struct import_account *account)
{
	import_account_wipe(account);
	account->has_address = true;
	account->address = (struct name_address){{"postmaster"}, *name};
	memcpy(account->utf8, utf8, strlen(utf8) + 1); /* as long at most */
	return account;
}

/* A domain that has accounts, or may have none: it comes all the same. */
static enum err judge_domain(struct import *import, struct store_txn *txn,
			     struct import_moved *moved,
			     struct import_account *account)
{
	struct import_domain *domain;
	enum err err = import_domain_plan(
		import, txn,
		as_intake(&moved->is.name, moved->is.utf8, account), &domain);

	if (err == ERR_OK && domain->why)
		err = refuse(import, moved, domain->why);
	return err;
}

static enum err plan_alias(struct import *import, struct store_txn *txn,
			   struct import_moved *moved,
			   struct import_account *account)
{
	struct import_domain *target;
	struct store_domain *alias;
	enum err err = import_domain_plan(
		import, txn, as_intake(&moved->is.target, "", account),
		&target);

	if (err == ERR_OK && target->why)
		return refuse(import, moved, "the domain that it is another "
					     "name of cannot be imported");
	if (err != ERR_OK)
		return err;
	alias = calloc(1, sizeof *alias);
	if (!alias) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	alias->name = moved->is.name;
	memcpy(alias->utf8, moved->is.utf8, sizeof alias->utf8);
	alias->handle = target->handle;
	alias->kind = STORE_ALIAS;
	alias->target = moved->is.target;
	alias->subdomains = import_subdomains(import, &moved->is.name);
	moved->alias = alias;
	return ERR_OK;
}

/* Another name of a domain: there, or to be made. */
static enum err judge_alias(struct import *import, struct store_txn *txn,
			    struct import_moved *moved,
			    struct import_account *account)
{
	struct store_domain there;
	enum err err = store_domain_get(txn, &moved->is.name, &there);

	if (err == ERR_NOTFOUND)
		return plan_alias(import, txn, moved, account);
	if (err != ERR_OK)
		return err;
	moved->same = there.kind == STORE_ALIAS &&
		      strcmp(there.target.s, moved->is.target.s) == 0;
	return moved->same
		       ? ERR_OK
		       : refuse(import, moved,
				"it is another name of a domain at the old "
				"site, and a domain of another kind here");
}

enum err import_site_judge(struct import *import, struct store_txn *txn)
{
	struct import_account *account = calloc(1, sizeof *account);
	enum err err = account ? ERR_OK : ERR_SYSTEM;

	import_site_forget(import);
	for (size_t i = 0; err == ERR_OK && i < import->moves; i++) {
		struct import_moved *moved = &import->moved[i];

		if (moved->bad)
			continue;
		err = moved->is.is_alias
			      ? judge_alias(import, txn, moved, account)
			      : judge_domain(import, txn, moved, account);
	}
	free(account);
	return err;
}

static void print_alias(const struct import *import,
			const struct import_moved *moved, const char *verdict)
{
	char at[IMPORT_PLACE];

	if (import->site->json) {
		json_print(json_pack("{s:s, s:I, s:s, s:s, s:s}", "file",
				     import->files.name[moved->file], "line",
				     (json_int_t)moved->line, "verdict",
				     verdict, "domain", moved->is.name.s,
				     "alias_of", moved->is.target.s));
		return;
	}
	import_place(import, moved->file, moved->line, at);
	say_out("%s: %s %s, another name of %s", at, verdict, moved->is.name.s,
		moved->is.target.s);
}

static enum err apply_alias(struct import *import, struct store_txn *txn,
			    struct import_moved *moved, size_t *ret_refused)
{
	enum err err = upsert_domain(txn, &import->how->upsert, moved->alias);

	if (err == ERR_INVALID || err == ERR_EXISTS || err == ERR_INUSE) {
		++*ret_refused;
		return refuse(import, moved,
			      store_reason(import->site->store));
	}
	if (err != ERR_OK)
		return err;
	import->verdicts[UPSERT_CREATE]++;
	if (import->site->dry_run)
		print_alias(import, moved, "create");
	return ERR_OK;
}

enum err import_site_apply(struct import *import, struct store_txn *txn,
			   size_t *ret_refused)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < import->moves; i++) {
		struct import_moved *moved = &import->moved[i];

		if (moved->alias)
			err = apply_alias(import, txn, moved, ret_refused);
		else if (moved->same)
			import->verdicts[UPSERT_SAME]++;
		if (moved->same && import->site->dry_run)
			print_alias(import, moved, "same");
	}
	return err;
}

void import_site_forget(struct import *import)
{
	for (size_t i = 0; i < import->moves; i++) {
		free(import->moved[i].alias);
		import->moved[i].alias = NULL;
		import->moved[i].same = false;
	}
}

void import_site_free(struct import *import)
{
	import_site_forget(import);
	free(import->moved);
	import->moved = NULL;
	import->moves = 0;
}

bool import_site_yields(void *arg, enum lines_file file, const char *line,
			size_t len)
{
	struct import *import = arg;
	const struct oldroutes_dir dir =
		oldroutes_line(&import->old, file, line, len);
	bool yields = false;

	for (size_t i = 0; !yields && i < import->moves; i++) {
		const struct import_moved *moved = &import->moved[i];

		yields = !moved->bad && oldroutes_is(dir, &moved->is.dir);
	}
	import->yielded += yields;
	return yields;
}
