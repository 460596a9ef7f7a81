/* SPDX-License-Identifier: MIT */
/* address.c: local parts at pop domains, and the way back from a box to all
 * the addresses that lead to it.
 */
#include <string.h>

#include "row.h"

/* The second version has what the first had not, and is none without it. */
static bool has_more(const struct store_address *address)
{
	return address->delivery != STORE_DELIVER || address->expires;
}

static void put_more(struct record *record,
		     const struct store_address *address)
{
	const bool off = address->delivery != STORE_DELIVER;

	record_put_u8(record, (uint8_t)address->delivery);
	record_put_u64(record, off ? (uint64_t)address->off_since : 0);
	record_put_u64(record, (uint64_t)address->expires);
	record_put_text(record, off ? address->reason : "");
}

static void get_more(struct record *record, struct store_address *address)
{
	uint8_t delivery;

	address->delivery = STORE_DELIVER;
	address->off_since = address->expires = 0;
	address->reason[0] = 0;
	if (record->version == ROW_VERSION)
		return;
	delivery = record_get_u8(record);
	address->off_since = (int64_t)record_get_u64(record);
	address->expires = (int64_t)record_get_u64(record);
	record_get_text(record, address->reason, sizeof address->reason);
	address->delivery = (enum store_delivery)delivery;
	if (delivery > STORE_BOUNCE || address->expires < 0 ||
	    !has_more(address) ||
	    (delivery == STORE_DELIVER &&
	     (address->off_since || address->reason[0])))
		record->bad = true;
}

enum err address_encode(const struct store_address *address,
			struct row *ret_row)
{
	struct row_key key = row_key_address(&address->name);
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes,
			   has_more(address) ? ROW_VERSION_MORE : ROW_VERSION);

	record_put_u8(&record, address->has_box);
	if (address->has_box) {
		record_put_text(&record, address->box.handle.s);
		record_put_u32(&record, address->box.number);
	}
	record_put_bytes(&record, address->forwards, address->forwards_len);
	if (has_more(address))
		put_more(&record, address);
	return record_seal(&record, key.bytes, key.len, &ret_row->len);
}

static void get_box(struct record *record, struct name_box *ret_box)
{
	char text[NAME_HANDLE_MAX + 1];

	record_get_text(record, text, sizeof text);
	if (name_handle_read(text, strlen(text), &ret_box->handle))
		record->bad = true;
	ret_box->number = record_get_u32(record);
}

/* Straight into its place: clearing and copying 8 KiB of forwards that are
 * hardly ever there was a fifth of a login's instructions. */
enum err address_decode(struct db_bytes key, struct db_bytes row,
			struct store_address *ret_address)
{
	struct store_address *address = ret_address;
	struct record record;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION_MORE, &record);

	if (err == ERR_OK)
		err = row_name_address(key, &address->name);
	if (err != ERR_OK)
		return err;
	address->box = (struct name_box){.number = 0};
	address->has_box = record_get_bool(&record);
	if (address->has_box)
		get_box(&record, &address->box);
	address->forwards_len = record_get_bytes(&record, address->forwards,
						 sizeof address->forwards);
	if (address->forwards_len &&
	    address->forwards[address->forwards_len - 1] != 0)
		record.bad = true;
	get_more(&record, address);
	return record_end(&record);
}

enum err bybox_encode(const struct row_key *key, struct row *ret_row)
{
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, ROW_VERSION);

	return record_seal(&record, key->bytes, key->len, &ret_row->len);
}

enum err bybox_decode(struct db_bytes key, struct db_bytes row)
{
	struct record record;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION, &record);

	return err == ERR_OK ? record_end(&record) : err;
}

enum err store_address_row(const uint8_t *key, size_t key_len,
			   const uint8_t *row, size_t row_len,
			   struct store_address *ret_address)
{
	return address_decode((struct db_bytes){key, key_len},
			      (struct db_bytes){row, row_len}, ret_address);
}

enum err store_address_get(struct store_txn *txn,
			   const struct name_address *name,
			   struct store_address *ret_address)
{
	struct row_key key = row_key_address(name);
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_ADDRESS, row_key_bytes(&key), &row);

	if (err != ERR_OK)
		return err;
	return address_decode(row_key_bytes(&key), row, ret_address);
}

enum err store_address_next(struct store_txn *txn,
			    const struct name_address *after,
			    struct store_address *ret_address)
{
	struct row_key from = after ? row_key_address(after)
				    : (struct row_key){.len = 0};
	struct db_bytes key, row;
	enum err err = db_next(txn->db, DB_ADDRESS, row_key_bytes(&from), true,
			       &key, &row);

	return err == ERR_OK ? address_decode(key, row, ret_address) : err;
}

enum err store_box_address_next(struct store_txn *txn,
				const struct name_box *box,
				const struct name_address *after,
				struct name_address *ret_name)
{
	struct row_key head = row_key_box(box);
	struct row_key from = after ? row_key_bybox(box, after) : head;
	struct db_bytes key, row;
	struct name_box owner;
	enum err err = db_next(txn->db, DB_BYBOX, row_key_bytes(&from), true,
			       &key, &row);

	if (err != ERR_OK)
		return err;
	if (key.len < head.len || memcmp(key.at, head.bytes, head.len) != 0)
		return ERR_NOTFOUND; /* the next box begins */
	err = bybox_decode(key, row);
	return err == ERR_OK ? row_name_bybox(key, &owner, ret_name) : err;
}
