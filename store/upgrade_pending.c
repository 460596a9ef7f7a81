/* SPDX-License-Identifier: MIT */
/* upgrade_pending.c: format 1 had no table of pending work. It had two marks in
 * the journal: what lies behind published_upto was not published, but for what
 * lies before tried_upto without an entry that says why.
 */
#include <string.h>

#include "pending.h"
#include "row_write.h"
#include "upgrade.h"

static const char published_word[] = "published_upto";
static const char tried_word[] = "tried_upto";

/* The handle of a domain that is there or retained, as publishing finds it. */
static enum err handle_of(struct store_txn *txn, const struct name_domain *name,
			  bool files, struct name_handle *ret_handle)
{
	struct store_domain domain;
	struct store_parked parked;
	enum err err = store_domain_get(txn, name, &domain);

	if (err == ERR_OK && files && domain.kind != STORE_POP)
		err = ERR_NOTFOUND;
	for (int kind = 0; err == ERR_NOTFOUND && kind < STORE_KINDS; kind++) {
		if (!files || kind == STORE_POP)
			err = store_parked_domain_get(txn, name,
						      (enum store_kind)kind,
						      &domain, &parked);
	}
	if (err == ERR_OK)
		*ret_handle = domain.handle;
	return err;
}

/* That of one that was purged, whose row was made before. */
static enum err handle_gone(struct store_txn *txn,
			    const struct name_domain *name,
			    struct name_handle *ret_handle)
{
	struct store_pending at;
	enum err err;

	if (strcmp(txn->home.of.s, name->s) == 0) {
		*ret_handle = txn->home.handle;
		return ERR_OK;
	}
	err = store_pending_next(txn, NULL, &at);

	while (err == ERR_OK &&
	       !(at.table == STORE_DOMAINS && at.was &&
		 at.domain.kind == STORE_POP &&
		 strcmp(at.address.domain.s, name->s) == 0))
		err = store_pending_next(txn, &at, &at);
	if (err == ERR_OK) {
		txn->home.of = *name;
		*ret_handle = txn->home.handle = at.handle;
	}
	return err;
}

static enum err of_handle(const struct store_entry *e,
			  struct store_pending *pending)
{
	struct store_handle was = {.state.delivery = STORE_DELIVER};
	struct store_handle is = was;
	enum err err = e->before_len ? store_handle_row(e->key, e->key_len,
							e->before,
							e->before_len, &was)
				     : ERR_OK;

	if (err == ERR_OK && e->after_len)
		err = store_handle_row(e->key, e->key_len, e->after,
				       e->after_len, &is);
	if (err != ERR_OK)
		return err;
	if (name_handle_read((const char *)e->key, e->key_len,
			     &pending->handle))
		return ERR_DAMAGED;
	if (was.state.delivery != is.state.delivery)
		pending->what = STORE_PENDING_SWITCHED;
	return ERR_OK;
}

static enum err of_domain_set(const struct store_entry *e,
			      struct store_pending *pending)
{
	struct store_domain was, is;
	enum err err = store_domain_row(e->key, e->key_len, e->before,
					e->before_len, &was);

	if (err == ERR_OK)
		err = store_domain_row(e->key, e->key_len, e->after,
				       e->after_len, &is);
	if (err != ERR_OK)
		return err;
	pending->handle = is.handle;
	if (was.state.delivery != is.state.delivery ||
	    strcmp(was.handle.s, is.handle.s) != 0)
		pending->what |= STORE_PENDING_SWITCHED;
	if (was.extension && !is.extension)
		pending->what |= STORE_PENDING_EXTENSION;
	return ERR_OK;
}

/* ERR_NOTFOUND: nothing of it is left. */
static enum err of_domain(struct store_txn *txn, const struct store_entry *e,
			  struct store_pending *pending)
{
	const bool row = e->op == STORE_DEL || e->op == STORE_PURGE;
	enum err err = store_entry_domain(e, &pending->address.domain);

	pending->what = STORE_PENDING_SAYS;
	if (err == ERR_OK && row)
		err = store_domain_row(e->key, e->key_len, e->before,
				       e->before_len, &pending->domain);
	if (err != ERR_OK)
		return err;
	pending->was = e->op == STORE_PURGE;
	pending->handle = pending->domain.handle;
	if (e->op == STORE_SET)
		return of_domain_set(e, pending);
	return row ? ERR_OK
		   : handle_of(txn, &pending->address.domain, false,
			       &pending->handle);
}

static enum err of_box(const struct store_entry *e,
		       struct store_pending *pending)
{
	struct store_box was, is;
	enum err err = store_entry_box(e, &pending->box);

	pending->handle = pending->box.handle;
	pending->what = e->op == STORE_DEL ? 0 : STORE_PENDING_SAYS;
	if (err != ERR_OK || e->op != STORE_SET)
		return err;
	err = store_box_row(e->key, e->key_len, e->before, e->before_len, &was);
	if (err == ERR_OK)
		err = store_box_row(e->key, e->key_len, e->after, e->after_len,
				    &is);
	pending->what = err == ERR_OK && was.state.delivery != is.state.delivery
				? STORE_PENDING_SWITCHED
				: 0;
	return err;
}

static enum err of_address(struct store_txn *txn, const struct store_entry *e,
			   struct store_pending *pending)
{
	const struct name_domain *name = &pending->address.domain;
	enum err err = store_entry_address(e, &pending->address);

	pending->what = STORE_PENDING_SAYS;
	if (err == ERR_OK)
		err = handle_of(txn, name, true, &pending->handle);
	return err == ERR_NOTFOUND ? handle_gone(txn, name, &pending->handle)
				   : err;
}

static enum err of_entry(struct store_txn *txn, const struct store_entry *e,
			 struct store_pending *pending)
{
	if (e->op == STORE_PASSWORD)
		return ERR_OK; /* is in no file */
	pending->table = e->table;
	pending->first = pending->last = e->number;
	pending->since = e->time;
	pending->stays = e->op == STORE_SET;
	if (store_entry_why(e, pending->why)) {
		pending->tries = 1;
		pending->tried = e->number;
		pending->tried_at = e->time;
	}
	switch (e->table) {
	case STORE_HANDLES:
		return of_handle(e, pending);
	case STORE_DOMAINS:
		return of_domain(txn, e, pending);
	case STORE_BOXES:
		return of_box(e, pending);
	case STORE_ADDRESSES:
		return of_address(txn, e, pending);
	}
	return ERR_DAMAGED;
}

enum { MARKED, PURGED };

/* The entries of addresses, or of all else, which come first: of a purged domain
 * they tell whose addresses' files were. */
static enum err walk(struct store_txn *txn, uint64_t at, uint64_t tried,
		     bool addresses, int which)
{
	static struct store_entry entry; /* 19 KiB */
	char why[STORE_WHY_MAX + 1];
	enum err err;

	while ((err = store_journal_next(txn, at, &entry)) == ERR_OK) {
		struct store_pending pending = {.what = 0};

		at = entry.number;
		if ((entry.table == STORE_ADDRESSES) != addresses ||
		    (which == PURGED && entry.op != STORE_PURGE) ||
		    (at <= tried && !store_entry_why(&entry, why)))
			continue;
		err = of_entry(txn, &entry, &pending);
		if (err == ERR_OK && pending.what)
			err = pending_merge(txn, &pending);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			return err;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err drop_mark(struct store_txn *txn, const char *word)
{
	struct row_key key = row_key_text(word);
	enum err err = row_drop(txn, DB_META, &key);

	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err upgrade_pending(struct store_txn *txn, void *arg)
{
	struct row_key key = row_key_text(tried_word);
	uint64_t published, tried = 0;
	bool failed;
	enum err err = meta_number(txn, published_word, &published);

	(void)arg;
	if (err == ERR_OK)
		err = row_exists(txn, DB_META, &key, &failed);
	if (err == ERR_OK && failed)
		err = meta_number(txn, tried_word, &tried);
	if (err == ERR_OK)
		err = walk(txn, published, tried, false, MARKED);
	if (err == ERR_OK)
		err = walk(txn, published, tried, true, MARKED);
	if (err == ERR_OK)
		err = drop_mark(txn, published_word);
	if (err == ERR_OK)
		err = drop_mark(txn, tried_word);
	return err == ERR_OK ? store_journal_note(txn) : err;
}

enum err pending_purged_after(struct store_txn *txn, uint64_t number)
{
	enum err err = walk(txn, number, 0, false, PURGED);

	return err == ERR_OK ? walk(txn, number, 0, true, PURGED) : err;
}

enum err store_pending_purged(struct store_txn *txn)
{
	return pending_purged_after(txn, 0);
}
