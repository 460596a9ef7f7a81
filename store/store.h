/* SPDX-License-Identifier: MIT */
/* store.h: the account store: handles, domains, boxes, addresses, and the
 * journal of every change. The store is the truth; qmail's files are prints.
 *
 * Reads and writes happen in a body, a function that is run inside one
 * transaction and may be run again from its start; so it copies out and has no
 * other effect. Values are plain data without pointers; nothing handed out
 * depends on the transaction. Times are seconds since 1970, UTC.
 *
 * This header is all a reader needs (the login program, lists, verify); the
 * calls that change anything are in store_write.h.
 */
#ifndef POPBOX_STORE_H
#define POPBOX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "name.h"

enum {
	STORE_FORMAT = 2, /* of the whole; `upgrade` brings older ones here */
	STORE_FORMAT_LOGIN = 1, /* the oldest that a login, or who takes a copy,
				 * reads: with its accounts as they are now */
	STORE_ID_SIZE = 16,
	STORE_TITLE_MAX = 200,	   /* bytes of a name that people gave */
	STORE_REASON_MAX = 200,	   /* bytes of a reason for a suspension */
	STORE_HASH_MAX = 511,	   /* bytes; libcrypt makes at most 383 */
	STORE_FORWARDS_MAX = 8192, /* bytes of all forwards, a NUL after each */
	STORE_IP_MAX = 45,	   /* INET6_ADDRSTRLEN less its NUL */
	STORE_KEY_MAX = 511, /* LMDB's own limit */
	STORE_VACATION_MAX = 7168, /* bytes of the text that answers mail */
	STORE_ROW_MAX = 10240, /* bytes of any encoded row */
	STORE_ACTOR_MAX = 64,
	STORE_COMMAND_MAX = 128,
	STORE_WHY_MAX = 300, /* bytes of why something could not be published */
};

enum store_delivery { STORE_DELIVER, STORE_BOUNCE, STORE_HOLD };

enum store_kind {
	STORE_POP,    /* boxes here */
	STORE_ALIAS,  /* another name for a pop domain's */
	STORE_RELAY,  /* taken, and handed to a host */
	STORE_BACKUP, /* taken, and handed to the domain's better MX */
	STORE_DIALUP, /* taken, and kept until the host is there */
};

enum { STORE_KINDS = STORE_DIALUP + 1 };

/* Has a line in users/assign, a directory, and its own id in virtualdomains? */
static inline bool store_kind_is_local(enum store_kind kind)
{
	return kind == STORE_POP || kind == STORE_DIALUP;
}

/* Of two switches: off is stronger than hold, hold than on. */
static inline enum store_delivery store_delivery_and(enum store_delivery a,
						     enum store_delivery b)
{
	if (a == STORE_BOUNCE || b == STORE_BOUNCE)
		return STORE_BOUNCE;
	return a == STORE_HOLD ? a : b;
}

/* What asks for logins; a set of them is an or of these. */
enum store_service {
	STORE_SERVICE_POP = 1 << 0,
	STORE_SERVICE_SMTP = 1 << 1,
	STORE_SERVICE_IMAP = 1 << 2,
	STORE_SERVICE_WEBMAIL = 1 << 3,
	STORE_SERVICES = (1 << 4) - 1,
};

/* What handle, domain and box have alike. The switches of the three levels
 * are and-ed where they are used: what is off or has ended at one of them is so. */
struct store_state {
	bool login;
	enum store_delivery delivery;
	char reason[STORE_REASON_MAX + 1];
	int64_t created;
	int64_t changed;
	int64_t expires; /* from when on no login is accepted; 0: never */
	unsigned off;	 /* services by which none is; login false: by none */
};

/* How much mail a box may have. 0: as the level above says, and of a handle: no
 * limit. A box has its own; else the largest that one of its addresses' domains
 * names; else its handle's. Bytes and messages are looked for apart. */
#define STORE_UNLIMITED UINT64_MAX /* whatever the levels above say */
struct store_quota {
	uint64_t bytes;
	uint64_t messages;
};

struct store_handle {
	struct name_handle name;
	uint32_t next_box; /* the number that the next new box gets */
	char title[STORE_TITLE_MAX + 1];
	struct store_quota quota; /* of each box that has none of its own */
	uint32_t max_boxes, max_addresses, max_domains; /* 0: no limit */
	struct store_state state;
};

struct store_domain {
	struct name_domain name;
	char utf8[NAME_DOMAIN_MAX + 1]; /* the second key, or "" */
	struct name_handle handle;
	enum store_kind kind;
	struct name_domain target;	/* alias: of which domain */
	char host[NAME_DOMAIN_MAX + 1]; /* relay, dialup: where mail goes, a
					 * name or an IP; dialup "" = itself */
	uint16_t port;			/* 0 = 25 */
	char ip[STORE_IP_MAX + 1];	/* local address of bare logins */
	bool subdomains;
	char extension; /* pop: '+' if joe+tag@ is joe@, else 0 */
	struct name_handle from; /* pop: whose it was before it moved, where its
				  * directory may still be; "" = it never did */
	struct store_quota quota; /* pop: of each box that has none of its own */
	struct store_state state;
};

struct store_box {
	struct name_box name;
	char title[STORE_TITLE_MAX + 1];
	struct store_quota quota; /* its own */
	bool has_password;
	int64_t password_changed;
	/* The box that this one was before it moved to another handle, or has
	 * become; handle "" = none. Of two such boxes the one that is not deleted
	 * has the mail. */
	struct name_box other;
	bool apps_only; /* by POP and SMTP app passwords alone are taken */
	unsigned apps;	/* how many it has; store_apps_get says which */
	struct store_state state;
	/* What answers mail while its user is away, from one time until another, 0:
	 * from now on, until it is turned off. "": nothing does. Last, so that a
	 * walk over all boxes copies no empty room. */
	int64_t vacation_from, vacation_until;
	char vacation[STORE_VACATION_MAX + 1];
};

/* An address leads to a box, to forwards, or to both. It may be off although
 * those are on; logins by it are not concerned. */
struct store_address {
	struct name_address name;
	bool has_box;
	struct name_box box;
	enum store_delivery delivery; /* its own switch: deliver or bounce */
	int64_t off_since;	      /* 0: it is on */
	int64_t expires;	      /* from when on it shall be off; 0: never */
	char reason[STORE_REASON_MAX + 1]; /* "" where it is on */
	size_t forwards_len;
	char forwards[STORE_FORWARDS_MAX]; /* each NUL-ended */
};

/* Passwords beside a box's own, each for one program or device: generated, never
 * chosen, so that a digest is as good as a hash. They are part of the box's row, and
 * so are moved, retained, restored and copied with it. */
enum {
	STORE_APPS_MAX = 20, /* of a box */
	STORE_APP_NAME = 32,
	STORE_APP_DIGEST = 16,
	STORE_APP_SALT = 32,
};

struct store_app {
	char name[STORE_APP_NAME + 1]; /* store_app_name */
	uint8_t number;	   /* 1 to STORE_APPS_MAX, while it is there: of its
			    * file of the last use */
	unsigned services; /* that take it; STORE_SERVICES: also those without a
			    * switch */
	int64_t created;
	int64_t expires; /* from when on it is not taken; 0: never */
	uint8_t digest[STORE_APP_DIGEST];
};

/* In the order of their names. */
struct store_apps {
	unsigned count;
	uint8_t salt[STORE_APP_SALT]; /* of all digests */
	struct store_app app[STORE_APPS_MAX];
};

/* The same as bytes, as rows have them: a login looks at the digests, and at the terms
 * of one alone. */
struct store_packed {
	unsigned count;
	uint8_t salt[STORE_APP_SALT];
	uint8_t digest[STORE_APPS_MAX][STORE_APP_DIGEST];
	size_t len;
	uint8_t terms[STORE_APPS_MAX * (STORE_APP_NAME + 13)];
};

/* 1 to 32 of a-z, 0-9, '.', '_' and '-', the first a letter or digit; capitals become
 * small ones. */
MUST_USE bool store_app_name(const char *text,
			     char ret_name[STORE_APP_NAME + 1]);

/* In the order of their names; false: they are in another order, there is one twice,
 * or one of no form. */
MUST_USE bool store_apps_unpack(const struct store_packed *packed,
				struct store_apps *ret_apps);
void store_apps_pack(const struct store_apps *apps,
		     struct store_packed *ret_packed);

/* NULL: there is none of that name. */
const struct store_app *store_apps_find(const struct store_apps *apps,
					const char *name);

/* A box with its hash and digests. Wipe it. */
struct store_account {
	struct store_box box;
	char hash[STORE_HASH_MAX + 1]; /* "" = no password */
	struct store_packed apps;
};

enum store_table {
	STORE_HANDLES,
	STORE_DOMAINS,
	STORE_BOXES,
	STORE_ADDRESSES,
};

enum { STORE_TABLES = STORE_ADDRESSES + 1 };

enum store_op {
	STORE_ADD,
	STORE_SET,
	STORE_PASSWORD, /* of a reset only that it happened */
	STORE_OWED,	/* of format 1: could not be published */
	STORE_DEL,	/* parked until it is purged */
	STORE_PURGE,	/* forgotten for good */
};

/* One change of one row. The entries of one commit have the number of its
 * first entry as their group. before and after are encoded rows (store_*_row
 * reads them), empty where there was or is none, and never hold a hash. */
struct store_entry {
	uint64_t number; /* from 1, without a gap */
	uint64_t group;
	int64_t time;
	uint32_t uid;
	char actor[STORE_ACTOR_MAX + 1];
	char command[STORE_COMMAND_MAX + 1];
	enum store_op op;
	enum store_table table;
	uint8_t key[STORE_KEY_MAX];
	size_t key_len;
	uint8_t before[STORE_ROW_MAX];
	size_t before_len;
	uint8_t after[STORE_ROW_MAX];
	size_t after_len;
};

struct store;
struct store_txn;

/* Opens for reading only, and checks nothing but that a database is there.
 * The login way touches no lock file (db.h); each transaction checks the
 * format. ERR_NOTFOUND: no store in dir. ERR_DAMAGED, ERR_SYSTEM. */
MUST_USE enum err store_open_login(const char *dir, struct store **ret_store);
MUST_USE enum err store_open_read(const char *dir, struct store **ret_store);

/* Accepts NULL; leaves NULL. */
void store_close(struct store **store);

/* Runs body in one snapshot. Beside what body answers: ERR_SCHEMA (another
 * format version), ERR_BUSY (a writer was always too near). */
typedef enum err store_body(struct store_txn *txn, void *arg);
MUST_USE enum err store_read(struct store *store, store_body *body, void *arg);

/* store_guard, store_write.h */
typedef enum err store_guard_body(struct store_txn *txn, uint64_t first,
				  uint64_t last, void *arg);

/* Why the last ERR_INVALID, ERR_EXISTS or ERR_INUSE: names the rule and what
 * stands in the way. Never NULL; good until the next call. */
const char *store_reason(const struct store *store);
/* Is it that something is not there? */
bool store_is_unknown(const struct store *store);
/* Is it that of this error? */
bool store_has_reason(const struct store *store, enum err err);

/* *_get: the one of that name, ERR_NOTFOUND.
 * *_next: the first one after that name, or the very first for NULL;
 * ERR_NOTFOUND when none is left. In byte order of the keys. */
MUST_USE enum err store_handle_get(struct store_txn *txn,
				   const struct name_handle *name,
				   struct store_handle *ret_handle);
MUST_USE enum err store_handle_next(struct store_txn *txn,
				    const struct name_handle *after,
				    struct store_handle *ret_handle);

MUST_USE enum err store_domain_get(struct store_txn *txn,
				   const struct name_domain *name,
				   struct store_domain *ret_domain);
MUST_USE enum err store_domain_next(struct store_txn *txn,
				    const struct name_domain *after,
				    struct store_domain *ret_domain);

/* Of the domains of one handle; of the aliases of one pop domain. Costs what is
 * handed out, however many domains there are. */
MUST_USE enum err store_handle_domain_next(struct store_txn *txn,
					   const struct name_handle *handle,
					   const struct name_domain *after,
					   struct store_domain *ret_domain);
MUST_USE enum err store_alias_next(struct store_txn *txn,
				   const struct name_domain *target,
				   const struct name_domain *after,
				   struct store_domain *ret_alias);

/* By the A-label form or by a second key (UTF-8, local IP), as bytes from a
 * stranger. */
MUST_USE enum err store_domain_find(struct store_txn *txn, const void *bytes,
				    size_t len,
				    struct store_domain *ret_domain);

MUST_USE enum err store_box_get(struct store_txn *txn,
				const struct name_box *name,
				struct store_box *ret_box);
MUST_USE enum err store_box_next(struct store_txn *txn,
				 const struct name_box *after,
				 struct store_box *ret_box);

/* Do the times of its reply follow each other? */
bool store_vacation_good(const struct store_box *box);

/* Its app passwords, without salt and digests. ERR_NOTFOUND: there is no such box. */
MUST_USE enum err store_apps_get(struct store_txn *txn,
				 const struct name_box *name,
				 struct store_apps *ret_apps);

/* What holds for a box (struct store_quota), 0 where there is no limit; it may take the
 * place of what the box says itself. ERR_DAMAGED: a row that must be there is missing. */
MUST_USE enum err store_box_quota(struct store_txn *txn,
				  const struct store_box *box,
				  struct store_quota *ret_quota);

MUST_USE enum err store_address_get(struct store_txn *txn,
				    const struct name_address *name,
				    struct store_address *ret_address);
MUST_USE enum err store_address_next(struct store_txn *txn,
				     const struct name_address *after,
				     struct store_address *ret_address);

/* Calls found for each address that has forwards, in byte order of the keys. Found
 * may read and changes nothing; what it answers beside ERR_OK ends the walk.
 * Costs a look at each address, and no more for those without forwards. */
typedef enum err store_forwarder(void *arg,
				 const struct store_address *address);
MUST_USE enum err store_forwarders(struct store_txn *txn,
				   store_forwarder *found, void *arg);

/* No address that is on ends before this; INT64_MAX: none has an end. */
MUST_USE enum err store_first_end(struct store_txn *txn, int64_t *ret_time);

/* As store_forwarders, for each address that is on and ends not later than this.
 * Costs nothing where none does by store_first_end. */
MUST_USE enum err store_expiring(struct store_txn *txn, int64_t upto,
				 store_forwarder *found, void *arg);

/* All addresses that lead to one box. */
MUST_USE enum err store_box_address_next(struct store_txn *txn,
					 const struct name_box *box,
					 const struct name_address *after,
					 struct name_address *ret_name);

/* The only call that hands out a hash, and digests, but for the judge of a
 * store_box_scan. On an error *ret_account may be half written, but never has
 * those. */
MUST_USE enum err store_login(struct store_txn *txn,
			      const struct name_box *name,
			      struct store_account *ret_account);

/* Boxes that are looked for among many: rows are judged in several threads, and what
 * was judged to be something is taken in the caller's thread, in the order of names.
 *
 * A judge is called for many rows at once. It looks at the row and at what nothing
 * changes meanwhile, and asks no store; 0: nobody takes the row. A box is taken with
 * its own verdict and those of its addresses, or-ed; below 1 << 31. take may read;
 * ERR_NOTFOUND: it has enough, which ends the scan with ERR_OK, and another error
 * ends it likewise. ERR_NOTFOUND: all rows were seen. A row that is damaged ends the
 * scan, once those before it are taken. */
struct store_box_scan {
	const struct name_handle *handle; /* only of this one, or NULL */
	const struct name_box *after;	  /* begins behind it; NULL: first */
	/* The hash is wiped afterwards. */
	unsigned (*judge)(const void *arg, const struct store_account *account);
	/* NULL: addresses are not looked at. */
	unsigned (*judge_address)(const void *arg,
				  const struct name_address *name);
	enum err (*take)(void *arg, const struct store_box *box,
			 unsigned verdict);
	void *arg;
};
MUST_USE enum err store_box_scan(struct store_txn *txn,
				 const struct store_box_scan *scan);

/* The same for addresses. */
struct store_address_scan {
	const struct name_domain *domain; /* only of this one, or NULL */
	const struct name_address *after; /* begins behind it; NULL: first */
	unsigned (*judge)(const void *arg, const struct store_address *address);
	enum err (*take)(void *arg, const struct store_address *address);
	void *arg;
};
MUST_USE enum err store_address_scan(struct store_txn *txn,
				     const struct store_address_scan *scan);


/* Journal: the first entry after that number (0 = from the beginning), and the
 * last number given (0 = none). */
MUST_USE enum err store_journal_next(struct store_txn *txn, uint64_t after,
				     struct store_entry *ret_entry);
MUST_USE enum err store_journal_last(struct store_txn *txn,
				     uint64_t *ret_number);
/* Stores of format 1 had entries for what could not be published, with why. False:
 * it is an ordinary one. They have the time, the user and the command of the
 * change that they are about. */
bool store_entry_why(const struct store_entry *entry,
		     char ret_why[STORE_WHY_MAX + 1]);

/* Pending work: what the files do not say yet, a row for each object that was
 * changed in what they say. Which work it is the store tells when it is done: the
 * row says what the store cannot tell any more. */
enum {
	STORE_PENDING_SAYS = 1 << 0,	  /* its own files, or its lines */
	STORE_PENDING_SWITCHED = 1 << 1,  /* delivery or place, in others' files */
	STORE_PENDING_EXTENSION = 1 << 2, /* of a domain: it had one */
	STORE_PENDING_QUOTA = 1 << 6, /* of the box, or of boxes of the handle or
				       * domain: in the box, and in others' files */
	STORE_PENDING_VACATION = 1 << 7, /* of the box: in it, and in the files of
					  * its addresses */
	STORE_PENDING_ANY = STORE_PENDING_SAYS | STORE_PENDING_SWITCHED |
			    STORE_PENDING_EXTENSION | STORE_PENDING_QUOTA |
			    STORE_PENDING_VACATION,
};

struct store_pending {
	struct name_handle handle; /* whose files they are */
	enum store_table table;
	bool was; /* a domain that was purged or undeleted, the one below */
	struct name_box box;
	struct name_address address; /* an address; or a domain, alone */
	struct store_domain domain;
	unsigned what;
	bool stays; /* it was there before: all of them change it */
	uint64_t first, last; /* numbers of the entries that brought it */
	int64_t since;
	uint32_t tries; /* that failed; 0: the others below are empty */
	uint64_t tried; /* the journal's end at the last of them, */
	int64_t tried_at;
	char why[STORE_WHY_MAX + 1];
	/* Where no entry brought it, but a look at everything: who looked. */
	char actor[STORE_ACTOR_MAX + 1];
	char command[STORE_COMMAND_MAX + 1];
};

/* Has no publisher come to it since it was changed last? */
static inline bool store_pending_fresh(const struct store_pending *pending)
{
	return pending->last > pending->tried;
}

/* In the order of publishing, a handle after the other. _get: that of the same
 * object. */
MUST_USE enum err store_pending_get(struct store_txn *txn,
				    const struct store_pending *name,
				    struct store_pending *ret_pending);
MUST_USE enum err store_pending_next(struct store_txn *txn,
				     const struct store_pending *after,
				     struct store_pending *ret_pending);
int store_pending_order(const struct store_pending *a,
			const struct store_pending *b);

/* Is everything pending, whatever the rows say? So it is in a store that was built
 * of a backup. */
MUST_USE enum err store_pending_all(struct store_txn *txn, bool *ret_all);

/* The entries up to this one are in the files. */
MUST_USE enum err store_published(struct store_txn *txn, uint64_t *ret_number);

/* What an entry is about. */
enum { STORE_OBJECT_TEXT = NAME_ADDRESS_TEXT };
MUST_USE enum err store_entry_object(const struct store_entry *entry,
				     char ret_text[STORE_OBJECT_TEXT]);

/* The name in an entry's key. ERR_INVALID: the entry is of another table. */
MUST_USE enum err store_entry_domain(const struct store_entry *entry,
				     struct name_domain *ret_name);
MUST_USE enum err store_entry_box(const struct store_entry *entry,
				  struct name_box *ret_name);
MUST_USE enum err store_entry_address(const struct store_entry *entry,
				      struct name_address *ret_name);

/* Rows of an entry, as plain data. ERR_DAMAGED. */
MUST_USE enum err store_handle_row(const uint8_t *key, size_t key_len,
				   const uint8_t *row, size_t row_len,
				   struct store_handle *ret_handle);
MUST_USE enum err store_domain_row(const uint8_t *key, size_t key_len,
				   const uint8_t *row, size_t row_len,
				   struct store_domain *ret_domain);
MUST_USE enum err store_box_row(const uint8_t *key, size_t key_len,
				const uint8_t *row, size_t row_len,
				struct store_box *ret_box);
/* Of a box's row: its app passwords. */
MUST_USE enum err store_apps_row(const uint8_t *key, size_t key_len,
				 const uint8_t *row, size_t row_len,
				 struct store_apps *ret_apps);
MUST_USE enum err store_address_row(const uint8_t *key, size_t key_len,
				    const uint8_t *row, size_t row_len,
				    struct store_address *ret_address);

/* The rule about hashes: a store that breaks this one alone is not damaged. */
enum { STORE_RULE_HASH = 15 };

/* Runs the numbered rules of popbox-store(5) over everything and calls report for
 * each finding; *ret_found counts them. */
typedef void store_report(void *arg, unsigned rule, const char *object,
			  const char *what);
MUST_USE enum err store_check(struct store_txn *txn, store_report *report,
			      void *arg, unsigned long *ret_found);

#endif
