/* SPDX-License-Identifier: MIT */
#include "row.h"

#include <endian.h>
#include <string.h>

struct db_bytes row_key_bytes(const struct row_key *key)
{
	return (struct db_bytes){key->bytes, key->len};
}

struct db_bytes row_bytes(const struct row *row)
{
	return (struct db_bytes){row->bytes, row->len};
}

/* The widest key is that of an alias in by-owner, 1 + 254 + 253 bytes:
 * STORE_KEY_MAX holds it, and what comes here has passed a validator. */
static void add(struct row_key *key, const void *bytes, size_t len)
{
	memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
}

struct row_key row_key_was(const struct name_domain *name,
			   enum store_kind kind)
{
	struct row_key key = row_key_domain(name);

	key.bytes[key.len++] = 0;
	key.bytes[key.len++] = (uint8_t)kind;
	return key;
}

struct row_key row_key_text(const char *text)
{
	struct row_key key = {.len = 0};

	add(&key, text, strnlen(text, NAME_DOMAIN_MAX));
	return key;
}

struct row_key row_key_handle(const struct name_handle *name)
{
	return row_key_text(name->s);
}

struct row_key row_key_domain(const struct name_domain *name)
{
	return row_key_text(name->s);
}

static void add_big(struct row_key *key, uint64_t number, size_t len)
{
	for (size_t i = len; i-- > 0;)
		key->bytes[key->len++] = (uint8_t)(number >> (8 * i));
}

struct row_key row_key_box(const struct name_box *name)
{
	struct row_key key = row_key_handle(&name->handle);

	add(&key, "", 1);
	add_big(&key, name->number, 4);
	return key;
}

static void add_address(struct row_key *key, const struct name_address *name)
{
	add(key, name->domain.s, strlen(name->domain.s) + 1);
	add(key, name->local.s, strlen(name->local.s));
}

struct row_key row_key_address(const struct name_address *name)
{
	struct row_key key = {.len = 0};

	add_address(&key, name);
	return key;
}

struct row_key row_key_bybox(const struct name_box *box,
			     const struct name_address *name)
{
	struct row_key key = row_key_box(box);

	add_address(&key, name);
	return key;
}

struct row_key row_key_owned(const struct name_handle *handle,
			     const struct name_domain *name)
{
	struct row_key key = row_key_handle(handle);

	add(&key, "", 1);
	add(&key, name->s, strlen(name->s));
	return key;
}

struct row_key row_key_alias(const struct name_domain *target,
			     const struct name_domain *name)
{
	struct row_key key = {.len = 0};

	add(&key, "", 1);
	add(&key, target->s, strlen(target->s) + 1);
	add(&key, name->s, strlen(name->s));
	return key;
}

struct row_key row_key_number(uint64_t number)
{
	struct row_key key = {.len = 0};

	add_big(&key, number, 8);
	return key;
}

uint64_t row_number(const void *eight_bytes)
{
	uint64_t number;

	memcpy(&number, eight_bytes, sizeof number);
	return be64toh(number);
}

/* Handle, NUL and four bytes at the head of a key; *ret_used is their length. */
static enum err name_box_head(struct db_bytes key, struct name_box *ret_name,
			      size_t *ret_used)
{
	const uint8_t *at = key.at;
	const uint8_t *nul = key.len ? memchr(at, 0, key.len) : NULL;
	struct name_box name = {0};
	size_t used;

	if (!nul)
		return ERR_DAMAGED;
	used = (size_t)(nul - at) + 1;
	if (key.len - used < 4 ||
	    name_handle_read(key.at, used - 1, &name.handle))
		return ERR_DAMAGED;
	for (size_t i = 0; i < 4; i++)
		name.number = name.number << 8 | at[used + i];
	*ret_name = name;
	*ret_used = used + 4;
	return ERR_OK;
}

enum err row_name_box(struct db_bytes key, struct name_box *ret_name)
{
	size_t used;
	enum err err = name_box_head(key, ret_name, &used);

	if (err == ERR_OK && used != key.len)
		err = ERR_DAMAGED;
	return err;
}

enum err row_name_address(struct db_bytes key, struct name_address *ret_name)
{
	const char *at = key.at;
	const char *nul = key.len ? memchr(at, 0, key.len) : NULL;
	struct name_address name = {0};
	size_t used;

	if (!nul)
		return ERR_DAMAGED;
	used = (size_t)(nul - at) + 1;
	if (name_domain_read(at, used - 1, &name.domain) ||
	    name_local_or_catchall(at + used, key.len - used, &name.local))
		return ERR_DAMAGED;
	*ret_name = name;
	return ERR_OK;
}

enum err row_name_bybox(struct db_bytes key, struct name_box *ret_box,
			struct name_address *ret_name)
{
	size_t used;
	enum err err = name_box_head(key, ret_box, &used);

	if (err != ERR_OK)
		return err;
	return row_name_address((struct db_bytes){(const char *)key.at + used,
						  key.len - used},
				ret_name);
}

void row_put_state(struct record *record, const struct store_state *state)
{
	record_put_u8(record, state->login);
	record_put_u8(record, (uint8_t)state->delivery);
	record_put_text(record, state->reason);
	record_put_u64(record, (uint64_t)state->created);
	record_put_u64(record, (uint64_t)state->changed);
}

void row_get_state(struct record *record, struct store_state *ret_state)
{
	uint8_t delivery;

	ret_state->login = record_get_bool(record);
	delivery = record_get_u8(record);
	if (delivery > STORE_HOLD)
		record->bad = true;
	ret_state->delivery = (enum store_delivery)delivery;
	record_get_text(record, ret_state->reason, sizeof ret_state->reason);
	ret_state->created = (int64_t)record_get_u64(record);
	ret_state->changed = (int64_t)record_get_u64(record);
}

bool row_has_limits(const struct store_state *state)
{
	return state->expires || state->off;
}

void row_put_limits(struct record *record, const struct store_state *state)
{
	record_put_u64(record, (uint64_t)state->expires);
	record_put_u16(record, (uint16_t)state->off);
}

void row_get_limits(struct record *record, struct store_state *ret_state)
{
	ret_state->expires = 0;
	ret_state->off = 0;
	if (record->version < ROW_VERSION_LIMITED)
		return;
	ret_state->expires = (int64_t)record_get_u64(record);
	ret_state->off = record_get_u16(record);
	if (ret_state->expires < 0 || ret_state->off & ~(unsigned)STORE_SERVICES)
		record->bad = true;
}

bool row_has_quota(const struct store_quota *quota)
{
	return quota->bytes || quota->messages;
}

void row_put_quota(struct record *record, const struct store_quota *quota)
{
	record_put_u64(record, quota->bytes);
	record_put_u64(record, quota->messages);
}

void row_get_quota(struct record *record, struct store_quota *ret_quota)
{
	*ret_quota = (struct store_quota){0, 0};
	if (record->version < ROW_VERSION_LIMITED)
		return;
	ret_quota->bytes = record_get_u64(record);
	ret_quota->messages = record_get_u64(record);
}

enum err number_encode(const struct row_key *key, uint64_t number,
		       struct row *ret_row)
{
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, ROW_VERSION);

	record_put_u64(&record, number);
	return record_seal(&record, key->bytes, key->len, &ret_row->len);
}

enum err meta_number(struct store_txn *txn, const char *word,
		     uint64_t *ret_number)
{
	struct row_key key = row_key_text(word);
	struct record record;
	struct db_bytes row;
	uint64_t number;
	enum err err = db_get(txn->db, DB_META, row_key_bytes(&key), &row);

	if (err == ERR_NOTFOUND)
		return ERR_DAMAGED;
	if (err == ERR_OK)
		err = record_open(row.at, row.len, key.bytes, key.len,
				  ROW_VERSION, &record);
	if (err != ERR_OK)
		return err;
	number = record_get_u64(&record);
	err = record_end(&record);
	if (err == ERR_OK)
		*ret_number = number;
	return err;
}
