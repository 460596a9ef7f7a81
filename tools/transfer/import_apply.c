/* SPDX-License-Identifier: MIT */
/* import_apply.c: an import's one transaction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/destination.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/say.h"
#include "import_private.h"
#include "publish/change.h"
#include "publish/rehearse.h"

/* What a box shall have: NULL = leave it. A dry run has not made the hashes of
 * what is new or differs, and gives its transaction up: a decoy stands for
 * them. Any other run that comes here without one must not write it. */
static enum err hash_of(const struct import *import,
			const struct import_table_row *row,
			const struct import_account *account, const char *decoy,
			const char **ret_hash)
{
	*ret_hash = NULL;
	switch ((enum import_table_secret)row->secret) {
	case IMPORT_TABLE_AS_IS:
		*ret_hash = account->hash;
		return ERR_OK;
	case IMPORT_TABLE_READY:
		*ret_hash = row->hash;
		break;
	case IMPORT_TABLE_MAKE:
	case IMPORT_TABLE_WRAP:
		if (import->site->dry_run)
			*ret_hash = decoy;
		break;
	case IMPORT_TABLE_SAME:
		return ERR_OK;
	case IMPORT_TABLE_NONE:
		if ((account->secret == IMPORT_ACCOUNT_LOCKED ||
		     (account->unusable && import->how->locked)) &&
		    !row->twin)
			*ret_hash = "";
		return ERR_OK;
	}
	if (*ret_hash)
		return ERR_OK;
	errno = ENOMEM;
	return ERR_SYSTEM;
}

static void print_row(const struct import *import, size_t number,
		      const struct import_account *account,
		      const struct upserted *upserted)
{
	static const char *const words[] = {"create", "undelete", "change",
					    "same"};
	const struct import_table_row *row = &import->table.row[number];
	char text[NAME_ADDRESS_TEXT], box[NAME_BOX_TEXT] = "";
	char differs[UPSERT_TEXT], at[IMPORT_PLACE];
	const char *word = words[upserted->verdict];

	if (upserted->has_box)
		name_box_text(&upserted->box, box);
	upsert_text(upserted->verdict == UPSERT_CHANGE ? upserted->differs : 0,
		    differs);
	import_name(account, text);
	if (import->site->json) {
		json_print(json_pack("{s:s, s:I, s:s, s:s?, s:s?, s:s?}",
				     "file", import->files.name[row->file],
				     "line", (json_int_t)row->line, "verdict",
				     word, "address",
				     account->has_address ? text : NULL, "box",
				     box[0] ? box : NULL, "differs",
				     differs[0] ? differs : NULL));
		return;
	}
	import_place(import, row->file, row->line, at);
	say_out("%s: %s %s%s%s%s%s%s", at, word, text, box[0] ? " " : "", box,
		differs[0] ? " (" : "", differs, differs[0] ? ")" : "");
}

/* Is this an answer about the row, not about the store? */
static bool is_refusal(enum err err)
{
	return err == ERR_INVALID || err == ERR_EXISTS || err == ERR_INUSE;
}

struct applying {
	struct import *import;
	struct store_txn *txn;
	struct progress progress;
	bool show;  /* each row: a dry run */
	bool stale; /* the store is not as it was when the rows were judged */
	size_t refused; /* by this run */
	size_t *forwarder; /* rows that were written and have forwards */
	size_t forwarders, forwarder_room;
	char decoy[PWHASH_MAX + 1];
};

static enum err refuse_row(struct applying *a, size_t number,
			   const struct import_account *account,
			   const char *why)
{
	a->refused++;
	if (import_refuse_row(a->import, number, account, why))
		return ERR_OK;
	errno = ENOMEM;
	return ERR_SYSTEM;
}

/* Where it leads is looked at when all rows are written. */
static bool keep_forwarder(struct applying *a, size_t number)
{
	if (a->forwarders == a->forwarder_room) {
		size_t room = a->forwarder_room ? 2 * a->forwarder_room : 64;
		size_t *more = reallocarray(a->forwarder, room, sizeof *more);

		if (!more)
			return false;
		a->forwarder = more;
		a->forwarder_room = room;
	}
	a->forwarder[a->forwarders++] = number;
	return true;
}

/* It goes back into its groups when all rows are written. */
static bool keep_back(struct import *import, const struct rejoin_box *back)
{
	if (import->backs == import->back_room) {
		size_t room = import->back_room ? 2 * import->back_room : 64;
		struct rejoin_box *more =
			reallocarray(import->back, room, sizeof *more);

		if (!more)
			return false;
		import->back = more;
		import->back_room = room;
	}
	import->back[import->backs++] = *back;
	return true;
}

static enum err apply_row(struct applying *a, size_t number,
			  const struct import_account *account)
{
	struct import *import = a->import;
	const struct import_table_row *row = &import->table.row[number];
	struct upserted upserted;
	const char *hash;
	enum err err = hash_of(import, row, account, a->decoy, &hash);

	if (err == ERR_OK)
		err = upsert_row(a->txn, &import->how->upsert, account, hash,
				 &upserted);
	if (is_refusal(err))
		return refuse_row(a, number, account,
				  store_reason(import->site->store));
	if (err != ERR_OK)
		return err;
	import->verdicts[upserted.verdict]++;
	if (upserted.back.group && !keep_back(import, &upserted.back)) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	if (a->show)
		print_row(import, number, account, &upserted);
	if (!account->has_address || !account->forwards_len ||
	    upserted.verdict == UPSERT_SAME || keep_forwarder(a, number))
		return ERR_OK;
	errno = ENOMEM;
	return ERR_SYSTEM;
}

/* Rows that name their box come first, so that no other gets its number. */
static enum err apply_rows(struct applying *a, bool named)
{
	const struct import_table *table = &a->import->table;
	struct import_account account;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < table->count; i++) {
		if (table->row[i].bad)
			continue;
		import_table_get(table, i, &account);
		if (account.has_box != named)
			continue;
		progress_step(&a->progress, 1);
		err = apply_row(a, i, &account);
	}
	import_account_wipe(&account);
	return err;
}

/* A domain that cannot be made takes its rows with it, each with the reason. */
static enum err apply_domains(struct applying *a)
{
	struct import *import = a->import;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < import->domains; i++) {
		struct import_domain *domain = &import->domain[i];

		if (!domain->fresh || domain->why)
			continue;
		err = upsert_domain(a->txn, &import->how->upsert,
				    domain->fresh);
		if (!is_refusal(err))
			continue;
		domain->why = strdup(store_reason(import->site->store));
		a->refused++;
		err = domain->why ? ERR_OK : ERR_SYSTEM;
	}
	return err;
}

static enum err refuse_domains(struct applying *a)
{
	struct import *import = a->import;
	struct import_account account;
	enum err err = ERR_OK;
	size_t number;

	for (size_t i = 0; err == ERR_OK && i < import->table.count; i++) {
		if (import->table.row[i].bad)
			continue;
		import_table_get(&import->table, i, &account);
		if (!account.has_address)
			continue;
		if (!strtab_add(&import->names, account.address.domain.s,
				&number)) {
			errno = ENOMEM;
			err = ERR_SYSTEM;
		} else if (number < import->domains &&
			   import->domain[number].why) {
			err = refuse_row(a, i, &account,
					 import->domain[number].why);
		}
	}
	import_account_wipe(&account);
	return err;
}

static enum err add_postmasters(struct applying *a)
{
	const struct import *import = a->import;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < import->domains; i++) {
		const struct import_domain *domain = &import->domain[i];

		if (domain->fresh && !domain->why)
			err = upsert_postmaster(a->txn, &import->how->upsert,
						&domain->fresh->name,
						&domain->handle);
	}
	return err;
}

/* A target may come later in the file than what leads to it. */
static enum err judge_forwarders(struct applying *a)
{
	const struct import *import = a->import;
	struct import_account account;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < a->forwarders; i++) {
		import_table_get(&import->table, a->forwarder[i], &account);
		err = destination_judge(a->txn, &account.address,
					import->how->force ? DESTINATION_TAKE
							   : DESTINATION_OFFER);
		if (is_refusal(err))
			err = refuse_row(a, a->forwarder[i], &account,
					 store_reason(import->site->store));
	}
	import_account_wipe(&account);
	return err;
}

static enum err look_stale(struct applying *a)
{
	uint64_t last;
	enum err err = store_journal_last(a->txn, &last);

	a->stale = err == ERR_OK && last != a->import->snapshot;
	return err == ERR_OK && a->stale ? ERR_BUSY : err;
}

static enum err apply_all(struct applying *a)
{
	struct import *import = a->import;
	unsigned long steps;
	enum err err = look_stale(a);

	if (err == ERR_OK)
		err = apply_domains(a);
	if (err == ERR_OK)
		err = import_site_apply(import, a->txn, &a->refused);
	if (err == ERR_OK && a->refused)
		err = refuse_domains(a);
	if (err == ERR_OK)
		err = apply_rows(a, true);
	if (err == ERR_OK)
		err = apply_rows(a, false);
	if (err == ERR_OK && !a->refused)
		err = add_postmasters(a);
	if (err == ERR_OK && !a->refused)
		err = rejoin_all(a->txn, import->back, import->backs,
				 &import->rejoin);
	if (err == ERR_OK && !a->refused)
		err = judge_forwarders(a);
	if (err == ERR_OK && a->show && import->site->verbose)
		err = rehearse(import->site, a->txn, PLAN_FRESH, &steps);
	if (err != ERR_OK || import->site->dry_run)
		return err;
	/* With anything refused in this run the next one, without it, counts;
	 * or none. */
	if (a->refused || (import->bad && !import->how->skip_bad))
		return ERR_INVALID;
	import->failed = !import_files_write(import);
	return import->failed ? ERR_INVALID : ERR_OK;
}

static enum err apply_body(struct store_txn *txn, void *arg)
{
	struct applying *a = arg;
	enum err err;

	a->txn = txn;
	a->refused = a->forwarders = a->import->backs = 0;
	memset(a->import->verdicts, 0, sizeof a->import->verdicts);
	a->progress = progress_start("writing", a->import->table.count);
	err = apply_all(a);
	progress_end(&a->progress);
	return err;
}

/* About what a row and its entries of the journal take in the store. */
enum { ROW_BYTES = 1600 };

int import_apply(struct import *import, bool *ret_stale, uint64_t *ret_last)
{
	struct site *site = import->site;
	const struct config *config = &site->config;
	struct applying a = {.import = import, .show = site->dry_run};
	enum err err = ERR_INVALID;

	pwhash_decoy((struct pwhash_cost){config->argon2_kib,
					  config->argon2_passes},
		     a.decoy);
	if (!site->dry_run)
		err = store_reserve(site->store,
				    (uint64_t)import->table.count * ROW_BYTES);
	if (err != ERR_OK && err != ERR_INVALID)
		return site_failed(site, err, "the import");
	do {
		err = site->dry_run
			      ? store_write(site->store, &site->actor,
					    apply_body, &a, false, ret_last)
			      : change_commit(site, apply_body, &a, ret_last,
					      INTERRUPT_OWED);
	} while (err == ERR_INVALID && a.refused && import->how->skip_bad);
	free(a.forwarder);
	*ret_stale = a.stale;
	if (a.stale)
		return CODE_DONE;
	if (import->failed)
		return CODE_LATER;
	if (import->bad && (err == ERR_OK || err == ERR_INVALID) &&
	    !(err == ERR_OK && import->how->skip_bad))
		return CODE_REFUSED;
	return site_failed(site, err, "the import");
}
