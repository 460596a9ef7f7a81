/* SPDX-License-Identifier: MIT */
/* journal.c: every change in commit order.
 */
#include <string.h>

#include "row.h"

enum err entry_encode(const struct store_entry *entry,
		      uint8_t ret_bytes[ROW_ENTRY_MAX], size_t *ret_len)
{
	struct row_key key = row_key_number(entry->number);
	struct record record = record_new(ret_bytes, ROW_ENTRY_MAX, ROW_VERSION);

	record_put_u64(&record, entry->group);
	record_put_u64(&record, (uint64_t)entry->time);
	record_put_u32(&record, entry->uid);
	record_put_text(&record, entry->actor);
	record_put_text(&record, entry->command);
	record_put_u8(&record, (uint8_t)entry->op);
	record_put_u8(&record, (uint8_t)entry->table);
	record_put_bytes(&record, entry->key, entry->key_len);
	record_put_bytes(&record, entry->before, entry->before_len);
	record_put_bytes(&record, entry->after, entry->after_len);
	return record_seal(&record, key.bytes, key.len, ret_len);
}

enum err entry_decode(struct db_bytes key, struct db_bytes row,
		      struct store_entry *ret_entry)
{
	struct store_entry *e = ret_entry;
	struct record record;
	uint8_t op, table;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION, &record);

	if (err != ERR_OK)
		return err;
	if (key.len != 8)
		return ERR_DAMAGED;
	e->number = row_number(key.at);
	e->group = record_get_u64(&record);
	e->time = (int64_t)record_get_u64(&record);
	e->uid = record_get_u32(&record);
	record_get_text(&record, e->actor, sizeof e->actor);
	record_get_text(&record, e->command, sizeof e->command);
	op = record_get_u8(&record);
	table = record_get_u8(&record);
	if (op > STORE_PURGE || table > STORE_ADDRESSES)
		return ERR_DAMAGED;
	e->op = (enum store_op)op;
	e->table = (enum store_table)table;
	e->key_len = record_get_bytes(&record, e->key, sizeof e->key);
	e->before_len = record_get_bytes(&record, e->before, sizeof e->before);
	e->after_len = record_get_bytes(&record, e->after, sizeof e->after);
	return record_end(&record);
}

enum err store_journal_next(struct store_txn *txn, uint64_t after,
			    struct store_entry *ret_entry)
{
	struct row_key from = row_key_number(after);
	struct db_bytes key, row;
	enum err err = db_next(txn->db, DB_JOURNAL, row_key_bytes(&from), true,
			       &key, &row);

	return err == ERR_OK ? entry_decode(key, row, ret_entry) : err;
}

enum err store_journal_last(struct store_txn *txn, uint64_t *ret_number)
{
	struct db_bytes key, row;
	enum err err = db_last(txn->db, DB_JOURNAL, &key, &row);

	if (err == ERR_NOTFOUND) {
		*ret_number = 0;
		return ERR_OK;
	}
	if (err == ERR_OK && key.len != 8)
		err = ERR_DAMAGED;
	if (err == ERR_OK)
		*ret_number = row_number(key.at);
	return err;
}

bool store_entry_why(const struct store_entry *entry,
		     char ret_why[STORE_WHY_MAX + 1])
{
	struct record record;

	if ((entry->op != STORE_OWED && entry->op != STORE_PURGE) ||
	    entry->after_len == 0 ||
	    record_open(entry->after, entry->after_len, entry->key,
			entry->key_len, ROW_VERSION, &record) != ERR_OK)
		return false;
	record_get_text(&record, ret_why, STORE_WHY_MAX + 1);
	return record_end(&record) == ERR_OK;
}

enum err store_entry_domain(const struct store_entry *entry,
			    struct name_domain *ret_name)
{
	if (entry->table != STORE_DOMAINS)
		return ERR_INVALID;
	if (name_domain_read((const char *)entry->key, entry->key_len,
			     ret_name))
		return ERR_DAMAGED;
	return ERR_OK;
}

enum err store_entry_box(const struct store_entry *entry,
			 struct name_box *ret_name)
{
	if (entry->table != STORE_BOXES)
		return ERR_INVALID;
	return row_name_box((struct db_bytes){entry->key, entry->key_len},
			    ret_name);
}

enum err store_entry_address(const struct store_entry *entry,
			     struct name_address *ret_name)
{
	if (entry->table != STORE_ADDRESSES)
		return ERR_INVALID;
	return row_name_address((struct db_bytes){entry->key, entry->key_len},
				ret_name);
}

enum err store_entry_object(const struct store_entry *entry,
			    char ret_text[STORE_OBJECT_TEXT])
{
	struct name_address address;
	struct name_box box;
	enum err err = ERR_DAMAGED;

	switch (entry->table) {
	case STORE_HANDLES:
	case STORE_DOMAINS:
		if (entry->key_len >= STORE_OBJECT_TEXT)
			return ERR_DAMAGED;
		memcpy(ret_text, entry->key, entry->key_len);
		ret_text[entry->key_len] = 0;
		return ERR_OK;
	case STORE_BOXES:
		err = store_entry_box(entry, &box);
		if (err == ERR_OK)
			name_box_text(&box, ret_text);
		return err;
	case STORE_ADDRESSES:
		err = store_entry_address(entry, &address);
		if (err == ERR_OK)
			name_address_text(&address, ret_text);
		return err;
	}
	return err;
}
