/* SPDX-License-Identifier: MIT */
/* handle.c: customers. */
#include <string.h>

#include "row.h"

static uint8_t version_of(const struct store_handle *handle)
{
	return row_has_limits(&handle->state) || row_has_quota(&handle->quota) ||
			       handle->max_boxes || handle->max_addresses ||
			       handle->max_domains
		       ? ROW_VERSION_LIMITED
		       : ROW_VERSION;
}

enum err handle_encode(const struct store_handle *handle, struct row *ret_row)
{
	struct row_key key = row_key_handle(&handle->name);
	const uint8_t version = version_of(handle);
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, version);

	record_put_u32(&record, handle->next_box);
	record_put_text(&record, handle->title);
	row_put_state(&record, &handle->state);
	if (version >= ROW_VERSION_LIMITED) {
		row_put_limits(&record, &handle->state);
		row_put_quota(&record, &handle->quota);
		record_put_u32(&record, handle->max_boxes);
		record_put_u32(&record, handle->max_addresses);
		record_put_u32(&record, handle->max_domains);
	}
	return record_seal(&record, key.bytes, key.len, &ret_row->len);
}

static void get_more(struct record *record, struct store_handle *handle)
{
	if (record->version == ROW_VERSION)
		return;
	row_get_limits(record, &handle->state);
	row_get_quota(record, &handle->quota);
	handle->max_boxes = record_get_u32(record);
	handle->max_addresses = record_get_u32(record);
	handle->max_domains = record_get_u32(record);
	if (version_of(handle) != record->version)
		record->bad = true;
}

enum err handle_decode(struct db_bytes key, struct db_bytes row,
		       struct store_handle *ret_handle)
{
	struct store_handle handle = {0};
	struct record record;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION_LIMITED, &record);

	if (err != ERR_OK)
		return err;
	if (name_handle_read(key.at, key.len, &handle.name))
		return ERR_DAMAGED;
	handle.next_box = record_get_u32(&record);
	record_get_text(&record, handle.title, sizeof handle.title);
	row_get_state(&record, &handle.state);
	get_more(&record, &handle);
	err = record_end(&record);
	if (err == ERR_OK)
		*ret_handle = handle;
	return err;
}

enum err store_handle_row(const uint8_t *key, size_t key_len,
			  const uint8_t *row, size_t row_len,
			  struct store_handle *ret_handle)
{
	return handle_decode((struct db_bytes){key, key_len},
			     (struct db_bytes){row, row_len}, ret_handle);
}

enum err store_handle_get(struct store_txn *txn, const struct name_handle *name,
			  struct store_handle *ret_handle)
{
	struct row_key key;
	struct db_bytes row;
	enum err err;

	if (txn->recent && name->s[0] &&
	    strcmp(txn->recent->handle.name.s, name->s) == 0) {
		*ret_handle = txn->recent->handle;
		return ERR_OK;
	}
	key = row_key_handle(name);
	err = db_get(txn->db, DB_HANDLE, row_key_bytes(&key), &row);
	if (err == ERR_OK)
		err = handle_decode(row_key_bytes(&key), row, ret_handle);
	if (err == ERR_OK && txn->recent)
		txn->recent->handle = *ret_handle;
	return err;
}

enum err store_handle_next(struct store_txn *txn,
			   const struct name_handle *after,
			   struct store_handle *ret_handle)
{
	struct row_key from = after ? row_key_handle(after)
				    : (struct row_key){.len = 0};
	struct db_bytes key, row;
	enum err err = db_next(txn->db, DB_HANDLE, row_key_bytes(&from), true,
			       &key, &row);

	return err == ERR_OK ? handle_decode(key, row, ret_handle) : err;
}
