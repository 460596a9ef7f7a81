/* SPDX-License-Identifier: MIT */
/* pending_write.c: rows of pending work, made in the transaction of the change
 * from what it writes to the tables that are published and what was there
 * before: whoever writes them, and why, makes no difference. Where the files
 * would say the same there is no row.
 */
#include <string.h>

#include "pending.h"
#include "row_write.h"

void store_publish_logins(struct store *store)
{
	store->logins = true;
}

static enum err put(struct store_txn *txn, const struct row_key *key,
		    const struct store_pending *pending)
{
	struct row row;
	enum err err = pending_encode(pending, key, &row);

	return err == ERR_OK ? db_put(txn->db, DB_PENDING, row_key_bytes(key),
				      row_bytes(&row))
			     : err;
}

/* Only an upgrade brings one that was tried. */
static void take_try(struct store_pending *all, const struct store_pending *new)
{
	all->tries = new->tries;
	all->tried = new->tried;
	all->tried_at = new->tried_at;
	memcpy(all->why, new->why, sizeof all->why);
}

static enum err merge(struct store_txn *txn, const struct row_key *key,
		      struct db_bytes row, const struct store_pending *new)
{
	struct store_pending all;
	enum err err = pending_decode(row_key_bytes(key), row, &all);

	if (err != ERR_OK)
		return err;
	all.what |= new->what;
	all.stays = all.stays && new->stays;
	all.domain = new->domain;
	all.last = new->last;
	if (new->tries)
		take_try(&all, new);
	return put(txn, key, &all);
}

enum err pending_merge(struct store_txn *txn, const struct store_pending *new)
{
	const struct row_key key = row_key_pending(new);
	struct db_bytes there = {NULL, 0};
	struct row row;
	enum err err = pending_encode(new, &key, &row);

	if (err == ERR_OK)
		err = db_add(txn->db, DB_PENDING, row_key_bytes(&key),
			     row_bytes(&row), &there);
	return err == ERR_EXISTS ? merge(txn, &key, there, new) : err;
}

/* The number of the entry that comes next. */
static enum err number(struct store_txn *txn, struct store_pending *pending)
{
	uint64_t last = txn->last;
	enum err err = last ? ERR_OK : store_journal_last(txn, &last);

	pending->first = pending->last = last + 1;
	pending->since = txn->now;
	return err;
}

static enum err add(struct store_txn *txn, struct store_pending *pending)
{
	enum err err = number(txn, pending);

	return err == ERR_OK ? pending_merge(txn, pending) : err;
}

static bool same_quota(const struct store_quota *a, const struct store_quota *b)
{
	return a->bytes == b->bytes && a->messages == b->messages;
}

/* A handle that is not there switches nothing off, and has no quota. */
static enum err handle_said(const struct row_key *key, struct db_bytes row,
			    struct store_handle *ret_handle)
{
	*ret_handle = (struct store_handle){.state.delivery = STORE_DELIVER,
					    .state.login = true};
	return row.at ? handle_decode(row_key_bytes(key), row, ret_handle)
		      : ERR_OK;
}

/* Of what a login needs, beside a box's password. */
static bool same_login(const struct store_state *a, const struct store_state *b)
{
	return a->login == b->login && a->expires == b->expires &&
	       a->off == b->off;
}

static enum err note_handle(struct store_txn *txn, const struct row_key *key,
			    struct db_bytes was, struct db_bytes is)
{
	struct store_pending pending = {.table = STORE_HANDLES,
					.stays = was.at && is.at};
	struct store_handle then, now;
	enum err err = handle_said(key, was, &then);

	if (err == ERR_OK)
		err = handle_said(key, is, &now);
	if (err != ERR_OK)
		return err;
	if (then.state.delivery != now.state.delivery ||
	    (txn->store->logins && !same_login(&then.state, &now.state)))
		pending.what |= STORE_PENDING_SWITCHED;
	if (!same_quota(&then.quota, &now.quota))
		pending.what |= STORE_PENDING_QUOTA;
	if (!pending.what)
		return ERR_OK;
	if (name_handle_read((const char *)key->bytes, key->len,
			     &pending.handle))
		return ERR_DAMAGED;
	return add(txn, &pending);
}

/* In what the files say. */
static unsigned differs(const struct store_domain *a,
			const struct store_domain *b)
{
	unsigned what = 0;

	/* A directory that moves takes all addresses along. */
	if (a->state.delivery != b->state.delivery ||
	    strcmp(a->handle.s, b->handle.s) != 0)
		what |= STORE_PENDING_SAYS | STORE_PENDING_SWITCHED;
	if (a->extension && !b->extension)
		what |= STORE_PENDING_EXTENSION;
	if (!same_quota(&a->quota, &b->quota))
		what |= STORE_PENDING_QUOTA;
	if (a->kind != b->kind || strcmp(a->target.s, b->target.s) != 0 ||
	    strcmp(a->host, b->host) != 0 || a->port != b->port ||
	    a->subdomains != b->subdomains || a->extension != b->extension)
		what |= STORE_PENDING_SAYS;
	return what;
}

static enum err add_domain(struct store_txn *txn,
			   const struct store_domain *domain, unsigned what,
			   bool stays, bool was)
{
	struct store_pending pending = {.table = STORE_DOMAINS,
					.handle = domain->handle,
					.address.domain = domain->name,
					.what = what,
					.stays = stays,
					.was = was};

	if (!what)
		return ERR_OK;
	if (was)
		pending.domain = *domain;
	return add(txn, &pending);
}

/* ERR_NOTFOUND: there is none, or a key that only points to one. */
static enum err read_domain(const struct row_key *key, struct db_bytes row,
			    struct store_domain *ret_domain)
{
	return row.at ? domain_decode(row_key_bytes(key), row, ret_domain)
		      : ERR_NOTFOUND;
}

static enum err note_domain(struct store_txn *txn, const struct row_key *key,
			    struct db_bytes was, struct db_bytes is)
{
	struct store_domain then, now;
	enum err had = read_domain(key, was, &then);
	enum err has = read_domain(key, is, &now);

	txn->home.of.s[0] = 0;
	if (had != ERR_OK && had != ERR_NOTFOUND)
		return had;
	if (has != ERR_OK && has != ERR_NOTFOUND)
		return has;
	if (had == ERR_OK && has == ERR_OK) {
		const bool logins = txn->store->logins &&
				    !same_login(&then.state, &now.state);

		return add_domain(txn, &now,
				  differs(&then, &now) |
					  (logins ? STORE_PENDING_SAYS : 0),
				  true, false);
	}
	if (had == ERR_OK)
		return add_domain(txn, &then, STORE_PENDING_SAYS, true, false);
	return has == ERR_OK ? add_domain(txn, &now, STORE_PENDING_SAYS, false,
					  false)
			     : ERR_OK;
}

static enum err add_box(struct store_txn *txn, struct db_bytes key,
			unsigned what, bool stays)
{
	struct store_pending pending = {.table = STORE_BOXES,
					.what = what,
					.stays = stays};
	enum err err = row_name_box(key, &pending.box);

	pending.handle = pending.box.handle;
	return err == ERR_OK ? add(txn, &pending) : err;
}

/* One that was another box has a Maildir already, with what held for that one. */
static enum err note_new_box(struct store_txn *txn, const struct row_key *key,
			     struct db_bytes is)
{
	unsigned what = STORE_PENDING_SAYS;
	struct store_box now;
	enum err err = store_box_row(key->bytes, key->len, is.at, is.len, &now);

	if (err == ERR_OK && now.other.handle.s[0])
		what |= STORE_PENDING_QUOTA;
	return err == ERR_OK ? add_box(txn, row_key_bytes(key), what, false)
			     : err;
}

/* A password is in no file of qmail's; and the Maildir of one that is deleted
 * stays. */
static enum err note_box(struct store_txn *txn, const struct row_key *key,
			 struct db_bytes was, struct db_bytes is)
{
	struct store_box then, now;
	unsigned what = 0;
	enum err err = ERR_OK;

	if (!is.at)
		return ERR_OK;
	if (!was.at)
		return note_new_box(txn, key, is);
	err = store_box_row(key->bytes, key->len, was.at, was.len, &then);
	if (err == ERR_OK)
		err = store_box_row(key->bytes, key->len, is.at, is.len, &now);
	if (err != ERR_OK)
		return err;
	if (then.state.delivery != now.state.delivery)
		what |= STORE_PENDING_SWITCHED;
	if (!same_quota(&then.quota, &now.quota))
		what |= STORE_PENDING_QUOTA;
	if (then.vacation_from != now.vacation_from ||
	    then.vacation_until != now.vacation_until ||
	    strcmp(then.vacation, now.vacation) != 0)
		what |= STORE_PENDING_VACATION;
	if (txn->store->logins &&
	    (was.len != is.len || memcmp(was.at, is.at, is.len) != 0))
		what |= STORE_PENDING_SAYS;
	return what ? add_box(txn, row_key_bytes(key), what, true) : ERR_OK;
}

/* The domain that has the directory of these addresses, or had it. */
static enum err find_home(struct store_txn *txn, const struct name_domain *name,
			  struct name_handle *ret_handle)
{
	struct store_domain domain;
	struct store_parked parked;
	enum err err;

	if (strcmp(txn->home.of.s, name->s) == 0) {
		*ret_handle = txn->home.handle;
		return ERR_OK;
	}
	err = store_domain_get(txn, name, &domain);
	if (err == ERR_NOTFOUND ||
	    (err == ERR_OK && domain.kind != STORE_POP))
		err = store_parked_domain_get(txn, name, STORE_POP, &domain,
					      &parked);
	if (err == ERR_OK) {
		txn->home.of = *name;
		txn->home.quota = domain.quota.bytes || domain.quota.messages;
		*ret_handle = txn->home.handle = domain.handle;
	}
	return err;
}

/* One whose domain was purged before it has no directory either. */
static enum err add_address(struct store_txn *txn, struct db_bytes key,
			    bool stays)
{
	struct store_pending pending = {.table = STORE_ADDRESSES,
					.what = STORE_PENDING_SAYS,
					.stays = stays};
	enum err err = row_name_address(key, &pending.address);

	if (err == ERR_OK)
		err = find_home(txn, &pending.address.domain, &pending.handle);
	if (err == ERR_OK)
		err = add(txn, &pending);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* A domain's quota is for the boxes that its addresses lead to. The domain is the
 * one that find_home found last. */
static enum err quota_of_domain(struct store_txn *txn,
				const struct store_address *address)
{
	struct row_key key = row_key_box(&address->box);

	if (!address->has_box || !txn->home.of.s[0] || !txn->home.quota)
		return ERR_OK;
	return add_box(txn, row_key_bytes(&key), STORE_PENDING_QUOTA, true);
}

static bool same_address(const struct store_address *a,
			 const struct store_address *b)
{
	return a->delivery == b->delivery && a->has_box == b->has_box &&
	       a->box.number == b->box.number &&
	       strcmp(a->box.handle.s, b->box.handle.s) == 0 &&
	       a->forwards_len == b->forwards_len &&
	       memcmp(a->forwards, b->forwards, a->forwards_len) == 0;
}

static enum err note_address(struct store_txn *txn, const struct row_key *key,
			     struct db_bytes was, struct db_bytes is)
{
	struct store_address then = {.has_box = false}, now = {.has_box = false};
	enum err err = ERR_OK;

	if (was.at)
		err = address_decode(row_key_bytes(key), was, &then);
	if (err == ERR_OK && is.at)
		err = address_decode(row_key_bytes(key), is, &now);
	if (err != ERR_OK || same_address(&then, &now))
		return err;
	err = add_address(txn, row_key_bytes(key), was.at && is.at);
	if (err == ERR_OK)
		err = quota_of_domain(txn, &then);
	return err == ERR_OK ? quota_of_domain(txn, &now) : err;
}

static enum err parked_domain(struct store_txn *txn, const struct row_key *key,
			      struct db_bytes row, bool goes)
{
	struct store_domain domain;
	struct parked parked;
	enum err err = parked_decode(row_key_bytes(key), row, &parked);

	if (err == ERR_OK)
		err = domain_was((struct db_bytes){key->bytes + 1,
						   key->len - 1},
				 row_bytes(&parked.row), &domain);
	return err == ERR_OK ? add_domain(txn, &domain, STORE_PENDING_SAYS,
					  false, goes)
			     : err;
}

/* What is not retained any more is undeleted, or purged: the store says which
 * when it is published. */
static enum err note_parked(struct store_txn *txn, const struct row_key *key,
			    struct db_bytes was, struct db_bytes is)
{
	const struct db_bytes own = {key->bytes + 1, key->len - 1};

	txn->home.of.s[0] = 0;
	if (key->bytes[0] == STORE_ADDRESSES)
		return add_address(txn, own, false);
	if (key->bytes[0] == STORE_BOXES && was.at && !is.at)
		return add_box(txn, own,
			       STORE_PENDING_SAYS | STORE_PENDING_QUOTA, false);
	if (key->bytes[0] == STORE_DOMAINS && (was.at || is.at))
		return parked_domain(txn, key, is.at ? is : was, !is.at);
	return ERR_OK;
}

enum err pending_hook(struct store_txn *txn, enum db_table table,
		      const struct row_key *key, struct db_bytes was,
		      struct db_bytes is)
{
	if (table == DB_HANDLE)
		txn->unlimited.s[0] = 0; /* it may be another one now */
	if (table == DB_HANDLE)
		return note_handle(txn, key, was, is);
	if (table == DB_DOMAIN)
		return note_domain(txn, key, was, is);
	if (table == DB_BOX)
		return note_box(txn, key, was, is);
	if (table == DB_ADDRESS)
		return note_address(txn, key, was, is);
	return note_parked(txn, key, was, is);
}

enum err store_pending_put(struct store_txn *txn,
			   const struct store_pending *pending)
{
	const struct row_key key = row_key_pending(pending);

	return put(txn, &key, pending);
}

enum err store_pending_drop(struct store_txn *txn,
			    const struct store_pending *pending)
{
	const struct row_key key = row_key_pending(pending);

	return db_del(txn->db, DB_PENDING, row_key_bytes(&key));
}

enum err store_pending_clear(struct store_txn *txn)
{
	return db_clear(txn->db, DB_PENDING);
}

enum err store_journal_note(struct store_txn *txn)
{
	uint64_t last;
	enum err err = store_journal_last(txn, &last);

	return err == ERR_OK ? meta_set(txn, upto_word, last) : err;
}

enum err store_pending_all_set(struct store_txn *txn, bool all)
{
	return meta_set(txn, all_word, all);
}
