/* SPDX-License-Identifier: MIT */
/* row.h: rows of the tables as bytes and back, and their keys; inside store/
 * only.
 *
 *	handle    handle
 *	domain    domain; or its UTF-8 form or local IP, whose row points to it
 *	box       handle NUL number (4, big-endian: in order)
 *	address   domain NUL local
 *	by-box    box's key, domain NUL local
 *	by-owner  handle NUL domain; of an alias also NUL target NUL domain
 *	journal   number (8, big-endian)
 *	parked    the table's number (1), the key it had there; a domain's is
 *	          followed by NUL and its kind (1)
 *	pending   handle NUL kind (1), the key it has in its own table (pending.h)
 *	meta      a word
 */
#ifndef POPBOX_ROW_H
#define POPBOX_ROW_H

#include "record.h"
#include "store.h"
#include "store/db/db.h"

/* A row has a later version only if it says what the first could not: a domain
 * its extension (2) or from which handle it moved (3), an address that it is off
 * or expires (2), a box from where or to where its mail moved (2); handle, domain
 * and box that something is limited (4): a quota, but for a box's bytes, which every
 * row has; an end, services that are off, how many of each a handle may have; a box that its
 * mail is answered (5), that it has app passwords or takes those alone (6). So a
 * popbox that does not know those reads all other rows, and answers ERR_SCHEMA for
 * these. A version has what those before it have, empty where there is none. */
enum {
	ROW_VERSION = 1,
	ROW_VERSION_MORE = 2,
	ROW_VERSION_MOVED = 3,
	ROW_VERSION_LIMITED = 4,
	ROW_VERSION_VACATION = 5,
	ROW_VERSION_APPS = 6,
};

struct row_key {
	uint8_t bytes[STORE_KEY_MAX];
	size_t len;
};

struct row {
	uint8_t bytes[STORE_ROW_MAX];
	size_t len;
};

/* A row that was deleted, as it was, a box's with its hash. */
struct parked {
	int64_t since;
	uint64_t group; /* of the change that deleted it, in the journal */
	uint8_t fate; /* of mail for an address: enum store_fate */
	struct row row;
};

struct store {
	struct db *db;
	char reason[512];
	enum err refused; /* what the reason is of */
	bool unknown;	  /* it says that something is not there */
	uint64_t oldest;  /* the first format that is read here */
	bool logins;	  /* what a login needs is in files, too */
	store_guard_body *guard; /* NULL: none */
	void *guard_arg;
};

/* A transaction; the second part is for writers. */
struct store_txn {
	struct db_txn *db;
	struct store *store;
	const struct store_actor *actor;
	int64_t now;
	uint64_t group; /* 0 until the first entry of this commit */
	uint64_t last;	/* its latest entry */
	struct recent *recent; /* of a reader; NULL: nothing is kept */
	struct {
		struct name_domain of; /* "": none was looked for */
		struct name_handle handle;
		bool quota; /* has the domain one for its boxes? */
	} home; /* whose directory the address before this one was in */
	struct name_handle unlimited; /* one that has no limits; "" */
	struct limits *limits; /* of others; malloc'ed, or NULL */
};

/* The rows that a reader asked for last: boxes in a row are mostly of one handle
 * and one domain, and each row costs a checksum. Its snapshot does not change. */
struct recent {
	struct store_handle handle; /* name "": none */
	struct store_domain domain;
};

struct db_bytes row_key_bytes(const struct row_key *key);
struct db_bytes row_bytes(const struct row *row);

struct row_key row_key_handle(const struct name_handle *name);
struct row_key row_key_domain(const struct name_domain *name);
/* Of a parked one: a name may have been of several kinds. */
struct row_key row_key_was(const struct name_domain *name,
			   enum store_kind kind);
struct row_key row_key_text(const char *text);
struct row_key row_key_box(const struct name_box *name);
struct row_key row_key_address(const struct name_address *name);
struct row_key row_key_bybox(const struct name_box *box,
			     const struct name_address *name);
struct row_key row_key_owned(const struct name_handle *handle,
			     const struct name_domain *name);
struct row_key row_key_alias(const struct name_domain *target,
			     const struct name_domain *name);
struct row_key row_key_number(uint64_t number);

/* Back to names, through their validators. ERR_DAMAGED. */
MUST_USE enum err row_name_box(struct db_bytes key, struct name_box *ret_name);
MUST_USE enum err row_name_address(struct db_bytes key,
				   struct name_address *ret_name);
MUST_USE enum err row_name_bybox(struct db_bytes key, struct name_box *ret_box,
				 struct name_address *ret_name);
uint64_t row_number(const void *eight_bytes);

/* The part that handle, domain and box share. */
void row_put_state(struct record *record, const struct store_state *state);
void row_get_state(struct record *record, struct store_state *ret_state);
/* What of it is behind the other fields, in rows of ROW_VERSION_LIMITED; of earlier
 * ones _get takes nothing and says that nothing is limited. */
bool row_has_limits(const struct store_state *state);
void row_put_limits(struct record *record, const struct store_state *state);
void row_get_limits(struct record *record, struct store_state *ret_state);
bool row_has_quota(const struct store_quota *quota);
void row_put_quota(struct record *record, const struct store_quota *quota);
void row_get_quota(struct record *record, struct store_quota *ret_quota);

MUST_USE enum err handle_encode(const struct store_handle *handle,
				struct row *ret_row);
MUST_USE enum err handle_decode(struct db_bytes key, struct db_bytes row,
				struct store_handle *ret_handle);
/* ERR_NOTFOUND for a row that only points to another. */
MUST_USE enum err domain_encode(const struct store_domain *domain,
				struct row *ret_row);
MUST_USE enum err domain_decode(struct db_bytes key, struct db_bytes row,
				struct store_domain *ret_domain);
/* One that is parked, under row_key_was. */
MUST_USE enum err domain_was(struct db_bytes key, struct db_bytes row,
			     struct store_domain *ret_domain);
MUST_USE enum err domain_encode_pointer(const char *utf8,
					const struct name_domain *to,
					struct row *ret_row);
MUST_USE enum err domain_decode_pointer(struct db_bytes key,
					struct db_bytes row,
					struct name_domain *ret_to);
MUST_USE enum err box_encode(const struct store_account *account,
			     struct row *ret_row);
MUST_USE enum err box_encode_with(const struct store_box *box, const char *hash,
				 const struct store_packed *apps,
				  struct row *ret_row);
/* On an error *ret_account may be half written, but never has the hash. */
MUST_USE enum err box_decode(struct db_bytes key, struct db_bytes row,
			     struct store_account *ret_account);
MUST_USE enum err address_encode(const struct store_address *address,
				 struct row *ret_row);
/* On an error *ret_address may be half written. */
MUST_USE enum err address_decode(struct db_bytes key, struct db_bytes row,
				 struct store_address *ret_address);
MUST_USE enum err bybox_encode(const struct row_key *key, struct row *ret_row);
MUST_USE enum err bybox_decode(struct db_bytes key, struct db_bytes row);
/* Can by-owner be asked? A store that never wrote it has none. */
MUST_USE enum err owner_known(struct store_txn *txn, bool *ret_known);
extern const char owner_word[]; /* of meta: by-owner is whole */
/* Of meta: no address ends before this; without it none has an end. The last word
 * in their order, since it is appended to a store that is built of rows. */
extern const char until_word[];
MUST_USE enum err parked_encode(const struct row_key *key,
				const struct parked *parked,
				struct row *ret_row);
MUST_USE enum err parked_decode(struct db_bytes key, struct db_bytes row,
				struct parked *ret_parked);
MUST_USE enum err parked_get(struct store_txn *txn, enum store_table table,
			     const struct row_key *key,
			     struct parked *ret_parked);
struct row_key row_key_parked(enum store_table table,
			      const struct row_key *key);
/* An entry holds two rows, so it brings its own room. */
enum { ROW_ENTRY_MAX = 2 * STORE_ROW_MAX + 1024 };
MUST_USE enum err entry_encode(const struct store_entry *entry,
			       uint8_t ret_bytes[ROW_ENTRY_MAX],
			       size_t *ret_len);
MUST_USE enum err entry_decode(struct db_bytes key, struct db_bytes row,
			       struct store_entry *ret_entry);
MUST_USE enum err number_encode(const struct row_key *key, uint64_t number,
				struct row *ret_row);
MUST_USE enum err meta_number(struct store_txn *txn, const char *word,
			      uint64_t *ret_number);

#endif
