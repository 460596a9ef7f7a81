/* SPDX-License-Identifier: MIT */
/* parked.c: what was deleted and not purged yet. Qmail's files keep what mail
 * on its way needs, and these rows say what that is; and they are the way back.
 */
#include <string.h>

#include "row.h"
#include "secret.h"
#include "store_write.h"

struct row_key row_key_parked(enum store_table table, const struct row_key *key)
{
	struct row_key parked = {.len = key->len + 1};

	/* The widest key of a table is that of an address: there is room. */
	parked.bytes[0] = (uint8_t)table;
	memcpy(parked.bytes + 1, key->bytes, key->len);
	return parked;
}

enum err parked_encode(const struct row_key *key, const struct parked *parked,
		       struct row *ret_row)
{
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, ROW_VERSION);

	record_put_u64(&record, (uint64_t)parked->since);
	record_put_u64(&record, parked->group);
	record_put_u8(&record, parked->fate);
	record_put_bytes(&record, parked->row.bytes, parked->row.len);
	return record_seal(&record, key->bytes, key->len, &ret_row->len);
}

enum err parked_decode(struct db_bytes key, struct db_bytes row,
		       struct parked *ret_parked)
{
	struct record record;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION, &record);

	if (err != ERR_OK)
		return err;
	ret_parked->since = (int64_t)record_get_u64(&record);
	ret_parked->group = record_get_u64(&record);
	ret_parked->fate = record_get_u8(&record);
	ret_parked->row.len = record_get_bytes(&record, ret_parked->row.bytes,
					       sizeof ret_parked->row.bytes);
	return ret_parked->fate > STORE_BOUNCES_ON ? ERR_DAMAGED
						   : record_end(&record);
}

enum err parked_get(struct store_txn *txn, enum store_table table,
		    const struct row_key *key, struct parked *ret_parked)
{
	struct row_key place = row_key_parked(table, key);
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_PARKED, row_key_bytes(&place), &row);

	return err == ERR_OK ? parked_decode(row_key_bytes(&place), row,
					     ret_parked)
			     : err;
}

/* The first one of that table after a key of it, or the very first; its key
 * there is *ret_key, which points into the map. */
static enum err parked_next(struct store_txn *txn, enum store_table table,
			    const struct row_key *after,
			    struct db_bytes *ret_key, struct parked *ret_parked)
{
	const struct row_key none = {.len = 0};
	struct row_key from = row_key_parked(table, after ? after : &none);
	struct db_bytes key, row;
	enum err err = db_next(txn->db, DB_PARKED, row_key_bytes(&from), true,
			       &key, &row);

	if (err != ERR_OK)
		return err;
	if (key.len < 1 || *(const uint8_t *)key.at != (uint8_t)table)
		return ERR_NOTFOUND; /* the next table begins */
	*ret_key = (struct db_bytes){(const uint8_t *)key.at + 1, key.len - 1};
	return parked_decode(key, row, ret_parked);
}

static struct store_parked public(const struct parked *parked)
{
	return (struct store_parked){parked->since, parked->group,
				     parked->fate != STORE_GOES_ON,
				     parked->fate == STORE_BOUNCES_ON};
}

/* key is that of a parked domain: its own, NUL and the kind. */
static enum err take_domain(struct db_bytes key, const struct parked *parked,
			    struct store_domain *ret_domain,
			    struct store_parked *ret_parked)
{
	struct store_domain domain;
	enum err err = domain_was(key, row_bytes(&parked->row), &domain);

	if (err != ERR_OK)
		return err;
	*ret_domain = domain;
	*ret_parked = public(parked);
	return ERR_OK;
}

enum err domain_was(struct db_bytes key, struct db_bytes row,
		    struct store_domain *ret_domain)
{
	const uint8_t *end = (const uint8_t *)key.at + key.len;
	enum err err;

	if (key.len < 2 || end[-2] != 0)
		return ERR_DAMAGED;
	key.len -= 2;
	err = domain_decode(key, row, ret_domain);
	if (err == ERR_OK && ret_domain->kind != end[-1])
		return ERR_DAMAGED;
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

enum err store_parked_handle_next(struct store_txn *txn,
				  const struct name_handle *after,
				  struct store_handle *ret_handle,
				  struct store_parked *ret_parked)
{
	struct row_key from;
	struct parked parked;
	struct db_bytes key;
	enum err err;

	if (after)
		from = row_key_handle(after);
	err = parked_next(txn, STORE_HANDLES, after ? &from : NULL, &key,
			  &parked);
	if (err == ERR_OK)
		err = handle_decode(key, row_bytes(&parked.row), ret_handle);
	if (err == ERR_OK)
		*ret_parked = public(&parked);
	return err;
}

enum err store_parked_domain_get(struct store_txn *txn,
				 const struct name_domain *name,
				 enum store_kind kind,
				 struct store_domain *ret_domain,
				 struct store_parked *ret_parked)
{
	struct row_key key = row_key_was(name, kind);
	struct parked parked;
	enum err err = parked_get(txn, STORE_DOMAINS, &key, &parked);

	return err == ERR_OK ? take_domain(row_key_bytes(&key), &parked,
					   ret_domain, ret_parked)
			     : err;
}

enum err store_parked_domain_next(struct store_txn *txn,
				  const struct store_domain *after,
				  struct store_domain *ret_domain,
				  struct store_parked *ret_parked)
{
	struct row_key from;
	struct parked parked;
	struct db_bytes key;
	enum err err;

	if (after)
		from = row_key_was(&after->name, after->kind);
	err = parked_next(txn, STORE_DOMAINS, after ? &from : NULL, &key,
			  &parked);
	return err == ERR_OK ? take_domain(key, &parked, ret_domain, ret_parked)
			     : err;
}

enum err store_parked_domain_any(struct store_txn *txn,
				 const struct name_domain *name, bool *ret_any)
{
	struct store_domain domain;
	struct store_parked parked;
	enum err err = ERR_NOTFOUND;

	for (int kind = 0; err == ERR_NOTFOUND && kind < STORE_KINDS; kind++)
		err = store_parked_domain_get(txn, name, (enum store_kind)kind,
					      &domain, &parked);
	*ret_any = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The hash stays where it is. */
static enum err take_box(struct db_bytes key, struct parked *parked,
			 struct store_box *ret_box,
			 struct store_parked *ret_parked)
{
	enum err err = store_box_row(key.at, key.len, parked->row.bytes,
				     parked->row.len, ret_box);

	if (err == ERR_OK)
		*ret_parked = public(parked);
	secret_wipe(parked, sizeof *parked);
	return err;
}

enum err store_parked_box_get(struct store_txn *txn,
			      const struct name_box *name,
			      struct store_box *ret_box,
			      struct store_parked *ret_parked)
{
	struct row_key key = row_key_box(name);
	struct parked parked;
	enum err err = parked_get(txn, STORE_BOXES, &key, &parked);

	return err == ERR_OK ? take_box(row_key_bytes(&key), &parked, ret_box,
					ret_parked)
			     : err;
}

enum { MOVES_MAX = 16 }; /* of a box that is still parked under its first name */

enum err store_box_become(struct store_txn *txn, const struct store_box *box,
			  struct store_box *ret_now)
{
	struct name_box at = box->other;
	struct store_parked parked;
	enum err err;

	for (int i = 0; i < MOVES_MAX && at.handle.s[0]; i++) {
		if (at.number == box->name.number &&
		    strcmp(at.handle.s, box->name.handle.s) == 0)
			return ERR_NOTFOUND;
		err = store_box_get(txn, &at, ret_now);
		if (err != ERR_NOTFOUND)
			return err;
		err = store_parked_box_get(txn, &at, ret_now, &parked);
		if (err != ERR_OK)
			return err;
		at = ret_now->other;
	}
	return ERR_NOTFOUND;
}

enum err store_parked_box_next(struct store_txn *txn,
			       const struct name_box *after,
			       struct store_box *ret_box,
			       struct store_parked *ret_parked)
{
	struct row_key from;
	struct parked parked;
	struct db_bytes key;
	enum err err;

	if (after)
		from = row_key_box(after);
	err = parked_next(txn, STORE_BOXES, after ? &from : NULL, &key,
			  &parked);
	return err == ERR_OK ? take_box(key, &parked, ret_box, ret_parked)
			     : err;
}

enum err store_parked_address_get(struct store_txn *txn,
				  const struct name_address *name,
				  struct store_address *ret_address,
				  struct store_parked *ret_parked)
{
	struct row_key key = row_key_address(name);
	struct parked parked;
	enum err err = parked_get(txn, STORE_ADDRESSES, &key, &parked);

	if (err == ERR_OK)
		err = address_decode(row_key_bytes(&key),
				     row_bytes(&parked.row), ret_address);
	if (err == ERR_OK)
		*ret_parked = public(&parked);
	return err;
}

enum err store_parked_address_next(struct store_txn *txn,
				   const struct name_address *after,
				   struct store_address *ret_address,
				   struct store_parked *ret_parked)
{
	struct row_key from;
	struct parked parked;
	struct db_bytes key;
	enum err err;

	if (after)
		from = row_key_address(after);
	err = parked_next(txn, STORE_ADDRESSES, after ? &from : NULL, &key,
			  &parked);
	if (err == ERR_OK)
		err = address_decode(key, row_bytes(&parked.row), ret_address);
	if (err == ERR_OK)
		*ret_parked = public(&parked);
	return err;
}
