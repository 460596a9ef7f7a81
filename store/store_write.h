/* SPDX-License-Identifier: MIT */
/* store_write.h: changing the store; for the administrator's tool alone.
 *
 * Every call below belongs into the body of a store_write. It checks the rules
 * of popbox-store(5) that it could break, writes the row, notes what of it is to be
 * published, and appends its entry to the journal. All of a body is one commit:
 * all or nothing.
 */
#ifndef POPBOX_STORE_WRITE_H
#define POPBOX_STORE_WRITE_H

#include "store.h"

/* Who changes, for the journal. */
struct store_actor {
	uint32_t uid;
	char name[STORE_ACTOR_MAX + 1];
	char command[STORE_COMMAND_MAX + 1];
};

/* Makes a new, empty store in dir, which exists. ERR_EXISTS: there is one. */
MUST_USE enum err store_create(const char *dir);

/* ERR_NOTFOUND, ERR_INVALID (a network file system), ERR_DAMAGED, ... */
MUST_USE enum err store_open_write(const char *dir, struct store **ret_store);

/* From here on what a login needs is in files, too: a password and a switch of
 * logins make pending work, as what qmail's files say does. */
void store_publish_logins(struct store *store);

/* Asked at the end of each body that answered ERR_OK and wrote entries, with the
 * numbers of the first and the last: other answers than ERR_OK give the transaction
 * up. It may only read. NULL: nobody is asked. The store keeps arg until it is
 * closed. */
void store_guard(struct store *store, store_guard_body *guard, void *arg);

/* Makes room for about so many bytes more, so that a large body need not be run
 * again in a larger map. */
MUST_USE enum err store_reserve(struct store *store, uint64_t bytes);

/* Runs body in a write transaction; with keep it is committed if body answers
 * ERR_OK, without keep everything is as before (a dry run). Waits up to 10 s
 * for another writer, then ERR_BUSY. *ret_last is the number of the last
 * entry of this commit, 0 if it wrote none. */
MUST_USE enum err store_write(struct store *store,
			      const struct store_actor *actor, store_body *body,
			      void *arg, bool keep, uint64_t *ret_last);

/* Keeps a reason for store_reason() and returns err. */
enum err store_refuse(struct store_txn *txn, enum err err, const char *format,
		      ...) __attribute__((format(printf, 3, 4)));

/* The same outside a transaction, for what stands before or behind it. */
void store_explain(struct store *store, enum err err, const char *why);

/* The same with ERR_INVALID: there is no such object. */
enum err store_unknown(struct store_txn *txn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The times of a new thing, and the switches of a healthy one. */
struct store_state store_state_new(const struct store_txn *txn);

/* *_add: a new one. Refused under the name of one that is parked.
 * *_set: changes an existing one; what the comment does not name stays. Says
 * nothing to the journal where nothing differs.
 * *_del: parks an existing one; ERR_INUSE while something needs it.
 * *_restore: what was parked is as it was. */
MUST_USE enum err store_handle_add(struct store_txn *txn,
				   const struct name_handle *name);

/* How many boxes, addresses or domains it has. */
MUST_USE enum err store_handle_count(struct store_txn *txn,
				     const struct name_handle *name,
				     enum store_table table,
				     uint64_t *ret_count);

/* Its title, switches, services, end, reason, quota, and how many of each it may
 * have: nothing is added beyond that, whichever way. */
MUST_USE enum err store_handle_set(struct store_txn *txn,
				   const struct store_handle *handle);

/* Needed by its domains and boxes. The numbers of its boxes stay given, should
 * it come again. */
MUST_USE enum err store_handle_del(struct store_txn *txn,
				   const struct name_handle *name);
/* handle is the row as the journal shows it; but its numbers go on. */
MUST_USE enum err store_handle_restore(struct store_txn *txn,
				       const struct store_handle *handle);

/* A domain of an existing handle; an alias has an existing pop domain of the
 * same handle as its target. A name that is parked may come again as another
 * kind that needs none of the same lines in qmail's files. Refused: a name that is
 * another domain's followed by '-', or the reverse, since users/assign matches
 * prefixes. Of its state its end alone counts. */
MUST_USE enum err store_domain_add(struct store_txn *txn,
				   const struct store_domain *domain);

/* Its local IP, switches, services, end and reason, quota, host and port, whether hosts below it are
 * meant, its extension, and of which domain an alias is one; and its handle, where
 * the aliases of the domain come along, each with its own entry. Name and kind
 * stay. Refused: an IP that is another domain's. */
MUST_USE enum err store_domain_set(struct store_txn *txn,
				   const struct store_domain *domain);

/* Needed by its addresses, and by the aliases of it. */
MUST_USE enum err store_domain_del(struct store_txn *txn,
				   const struct name_domain *name);
/* domain is the row as the journal shows it. */
MUST_USE enum err store_domain_restore(struct store_txn *txn,
				       const struct store_domain *domain);

/* A box without a password, under a number that was never used; of its state its
 * end alone counts. */
MUST_USE enum err store_box_add(struct store_txn *txn,
				const struct store_box *box);

/* The same with a hash ("" = no password), switches and a reason, in one
 * entry. */
MUST_USE enum err store_account_add(struct store_txn *txn,
				    const struct store_account *account);

/* Its title, quota, switches, services, end, reason, vacation reply, and whether by POP
 * and SMTP app passwords alone are taken. ERR_INVALID: the reply would end before it
 * begins. */
MUST_USE enum err store_box_set(struct store_txn *txn,
				const struct store_box *box);

/* A box becomes another one, of another handle: with store_box_move there is also
 * `to`, under a number that was never used, with the password, switches, quota
 * and times of `from`; when no address leads to `from` any more store_box_moved
 * parks that. Publishing moves the mail. */
MUST_USE enum err store_box_move(struct store_txn *txn,
				 const struct name_box *from,
				 const struct name_box *to);
MUST_USE enum err store_box_moved(struct store_txn *txn,
				  const struct name_box *from,
				  const struct name_box *to);

/* Needed by its addresses. The hash is parked too. */
MUST_USE enum err store_box_del(struct store_txn *txn,
				const struct name_box *name);
MUST_USE enum err store_box_restore(struct store_txn *txn,
				    const struct name_box *name);

/* The number from which on a new box of a handle gets one. ERR_INVALID: none is
 * left. */
MUST_USE enum err store_box_number(struct store_txn *txn,
				   const struct name_handle *handle,
				   uint32_t *ret_number);

/* The number of this box, which need not exist, is not given any more. */
MUST_USE enum err store_box_pass(struct store_txn *txn,
				 const struct name_box *name);

/* hash "" = no password. ERR_NOTFOUND. */
MUST_USE enum err store_box_password(struct store_txn *txn,
				     const struct name_box *name,
				     const char *hash);

/* The same password in another hash, unless it was changed meanwhile: then
 * ERR_BUSY. When the password was set stays. ERR_NOTFOUND. */
MUST_USE enum err store_box_rehash(struct store_txn *txn,
				   const struct name_box *name,
				   const char *old, const char *hash);

/* Another app password: of app its name, services and end count, of which the store
 * keeps a digest of the password, a number and when. ERR_NOTFOUND: there is no such
 * box. ERR_EXISTS, ERR_INVALID (STORE_APPS_MAX), with a reason. */
MUST_USE enum err store_app_add(struct store_txn *txn,
				const struct name_box *name,
				const struct store_app *app,
				const void *password, size_t len);

/* All of a box become these, which a record of the box had. ERR_INVALID. */
MUST_USE enum err store_apps_set(struct store_txn *txn,
				 const struct name_box *name,
				 const struct store_packed *packed);

/* It goes for good: no digest is kept. ERR_NOTFOUND: there is no such box.
 * ERR_INVALID, with a reason: nor such an app password. */
MUST_USE enum err store_app_del(struct store_txn *txn,
				const struct name_box *name, const char *app);

/* An address of an existing pop domain, leading to an existing box, to
 * forwards, or to both. */
MUST_USE enum err store_address_add(struct store_txn *txn,
				    const struct store_address *address);

/* Where it leads, its switch and reason, and its end. */
MUST_USE enum err store_address_set(struct store_txn *txn,
				    const struct store_address *address);

/* What becomes of the mail for an address that is deleted. */
enum store_fate {
	STORE_GOES_ON,	  /* it goes where it went, until the purge */
	STORE_BOUNCES,	  /* it bounces, until the purge */
	STORE_BOUNCES_ON, /* it bounces, and `purge` leaves that so */
};

/* What store_first_end says from now on, after a look at all; an address that gets
 * an end brings it forward. */
MUST_USE enum err store_first_end_set(struct store_txn *txn, int64_t time);

MUST_USE enum err store_address_del(struct store_txn *txn,
				    const struct name_address *name,
				    enum store_fate fate);
MUST_USE enum err store_address_restore(struct store_txn *txn,
					const struct name_address *name);

/* Is anything of this name parked, of whatever kind? */
MUST_USE enum err store_parked_domain_any(struct store_txn *txn,
					  const struct name_domain *name,
					  bool *ret_any);

/* What is parked: since when, and by which change (the group of its entries in
 * the journal); of an address, whether its mail bounces. Calls as in
 * store.h. */
struct store_parked {
	int64_t since;
	uint64_t group;
	bool bounce;
	bool lasting; /* it bounces on */
};

MUST_USE enum err store_parked_handle_next(struct store_txn *txn,
					   const struct name_handle *after,
					   struct store_handle *ret_handle,
					   struct store_parked *ret_parked);
MUST_USE enum err store_parked_domain_get(struct store_txn *txn,
					  const struct name_domain *name,
					  enum store_kind kind,
					  struct store_domain *ret_domain,
					  struct store_parked *ret_parked);
MUST_USE enum err store_parked_domain_next(struct store_txn *txn,
					   const struct store_domain *after,
					   struct store_domain *ret_domain,
					   struct store_parked *ret_parked);
MUST_USE enum err store_parked_box_get(struct store_txn *txn,
				       const struct name_box *name,
				       struct store_box *ret_box,
				       struct store_parked *ret_parked);
MUST_USE enum err store_parked_box_next(struct store_txn *txn,
					const struct name_box *after,
					struct store_box *ret_box,
					struct store_parked *ret_parked);
/* What a box of this row, parked or not, has become by moves to other handles, one
 * after the other: the box that is there, and has its mail. ERR_NOTFOUND: it has
 * not moved, or what it has become is parked or purged. */
MUST_USE enum err store_box_become(struct store_txn *txn,
				   const struct store_box *box,
				   struct store_box *ret_now);
MUST_USE enum err store_parked_address_get(struct store_txn *txn,
					   const struct name_address *name,
					   struct store_address *ret_address,
					   struct store_parked *ret_parked);
MUST_USE enum err store_parked_address_next(struct store_txn *txn,
					    const struct name_address *after,
					    struct store_address *ret_address,
					    struct store_parked *ret_parked);

/* What is parked is forgotten; its files go when that is published. The
 * addresses of a domain come before it: it says where their files are. */
MUST_USE enum err store_domain_purge(struct store_txn *txn,
				     const struct store_domain *domain);
MUST_USE enum err store_box_purge(struct store_txn *txn,
				  const struct name_box *name);
MUST_USE enum err store_address_purge(struct store_txn *txn,
				      const struct name_address *name);

/* Of the table of pending work (store.h): a row as it is here, over one of the
 * same object; and one goes, when it is done. */
MUST_USE enum err store_pending_put(struct store_txn *txn,
				    const struct store_pending *pending);
MUST_USE enum err store_pending_drop(struct store_txn *txn,
				     const struct store_pending *pending);
/* meta says where the journal ends now, by which a lost end of it is known. */
MUST_USE enum err store_journal_note(struct store_txn *txn);

/* All go. */
MUST_USE enum err store_pending_clear(struct store_txn *txn);

/* What the journal says was purged: rows for what a store of format 1 may not have
 * removed. For one that was built of a backup. */
MUST_USE enum err store_pending_purged(struct store_txn *txn);
MUST_USE enum err store_pending_all_set(struct store_txn *txn, bool all);

#endif
