/* SPDX-License-Identifier: MIT */
/* box.c: numbered Maildirs, each with one password. */
#include <string.h>

#include "app.h"
#include "row.h"
#include "secret.h"

static uint8_t version_of(const struct store_box *box,
			  const struct store_packed *apps)
{
	if (box->apps_only || apps->count)
		return ROW_VERSION_APPS;
	if (box->vacation[0])
		return ROW_VERSION_VACATION;
	if (row_has_limits(&box->state) || box->quota.messages)
		return ROW_VERSION_LIMITED;
	return box->other.handle.s[0] ? ROW_VERSION_MORE : ROW_VERSION;
}

enum err box_encode(const struct store_account *account, struct row *ret_row)
{
	return box_encode_with(&account->box, account->hash, &account->apps,
			       ret_row);
}

enum err box_encode_with(const struct store_box *box, const char *hash,
			 const struct store_packed *apps, struct row *ret_row)
{
	const uint8_t version = version_of(box, apps);
	struct row_key key = row_key_box(&box->name);
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, version);

	record_put_text(&record, hash);
	record_put_text(&record, box->title);
	record_put_u64(&record, box->quota.bytes);
	record_put_u8(&record, box->has_password);
	record_put_u64(&record, (uint64_t)box->password_changed);
	row_put_state(&record, &box->state);
	if (version >= ROW_VERSION_MORE) {
		record_put_text(&record, box->other.handle.s);
		record_put_u32(&record, box->other.number);
	}
	if (version >= ROW_VERSION_LIMITED) {
		row_put_limits(&record, &box->state);
		record_put_u64(&record, box->quota.messages);
	}
	if (version >= ROW_VERSION_VACATION) {
		record_put_u64(&record, (uint64_t)box->vacation_from);
		record_put_u64(&record, (uint64_t)box->vacation_until);
		record_put_text(&record, box->vacation);
	}
	if (version >= ROW_VERSION_APPS) {
		record_put_u8(&record, box->apps_only);
		app_put(&record, apps);
	}
	return record_seal(&record, key.bytes, key.len, &ret_row->len);
}

static void get_other(struct record *record, struct name_box *ret_other)
{
	char text[NAME_HANDLE_MAX + 1];

	record_get_text(record, text, sizeof text);
	if (text[0] && name_handle_read(text, strlen(text), &ret_other->handle))
		record->bad = true;
	ret_other->number = record_get_u32(record);
}

bool store_vacation_good(const struct store_box *box)
{
	return box->vacation_from >= 0 && box->vacation_until >= 0 &&
	       (!box->vacation_until ||
		box->vacation_from < box->vacation_until);
}

static void get_vacation(struct record *record, struct store_box *box)
{
	box->vacation_from = box->vacation_until = 0;
	box->vacation[0] = 0;
	if (record->version < ROW_VERSION_VACATION)
		return;
	box->vacation_from = (int64_t)record_get_u64(record);
	box->vacation_until = (int64_t)record_get_u64(record);
	record_get_text(record, box->vacation, sizeof box->vacation);
	if (!store_vacation_good(box))
		record->bad = true;
}

/* What rows of the first version do not have. A version says what those before it
 * could not. */
static void get_more(struct record *record, struct store_account *account)
{
	struct store_box *box = &account->box;

	box->other = (struct name_box){.number = 0};
	box->quota.messages = 0;
	if (record->version >= ROW_VERSION_MORE)
		get_other(record, &box->other);
	row_get_limits(record, &box->state);
	if (record->version >= ROW_VERSION_LIMITED)
		box->quota.messages = record_get_u64(record);
	get_vacation(record, box);
	box->apps_only = false;
	account->apps.count = 0;
	account->apps.len = 0;
	memset(account->apps.salt, 0, sizeof account->apps.salt);
	if (record->version >= ROW_VERSION_APPS) {
		box->apps_only = record_get_bool(record);
		app_get(record, &account->apps);
	}
	box->apps = account->apps.count;
	if (version_of(box, &account->apps) != record->version)
		record->bad = true;
}

/* Straight into its place, as an address is. */
enum err box_decode(struct db_bytes key, struct db_bytes row,
		    struct store_account *ret_account)
{
	struct store_box *box = &ret_account->box;
	struct record record;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION_APPS, &record);

	if (err == ERR_OK)
		err = row_name_box(key, &box->name);
	if (err != ERR_OK)
		return err;
	record_get_text(&record, ret_account->hash, sizeof ret_account->hash);
	record_get_text(&record, box->title, sizeof box->title);
	box->quota.bytes = record_get_u64(&record);
	box->has_password = record_get_bool(&record);
	box->password_changed = (int64_t)record_get_u64(&record);
	row_get_state(&record, &box->state);
	get_more(&record, ret_account);
	err = record_end(&record);
	if (err != ERR_OK) {
		secret_wipe(ret_account->hash, sizeof ret_account->hash);
		secret_wipe(&ret_account->apps, sizeof ret_account->apps);
	}
	return err;
}

/* The box alone: hash and digests go no further. */
static enum err decode_box(struct db_bytes key, struct db_bytes row,
			   struct store_box *ret_box)
{
	struct store_account account;
	struct store_apps apps;
	enum err err = box_decode(key, row, &account);

	if (err != ERR_OK)
		return err;
	if (!store_apps_unpack(&account.apps, &apps))
		err = ERR_DAMAGED;
	else
		/* Of the text, which is last, what there is. */
		memcpy(ret_box, &account.box,
		       offsetof(struct store_box, vacation) +
			       strlen(account.box.vacation) + 1);
	secret_wipe(&apps, sizeof apps);
	secret_wipe(account.hash, sizeof account.hash);
	secret_wipe(&account.apps, sizeof account.apps);
	return err;
}

enum err store_apps_row(const uint8_t *key, size_t key_len, const uint8_t *row,
			size_t row_len, struct store_apps *ret_apps)
{
	struct store_account account;
	enum err err = box_decode((struct db_bytes){key, key_len},
				  (struct db_bytes){row, row_len}, &account);

	if (err != ERR_OK)
		return err;
	app_hide(&account.apps);
	if (!store_apps_unpack(&account.apps, ret_apps))
		err = ERR_DAMAGED;
	secret_wipe(&account, sizeof account);
	return err;
}

enum err store_box_row(const uint8_t *key, size_t key_len, const uint8_t *row,
		       size_t row_len, struct store_box *ret_box)
{
	return decode_box((struct db_bytes){key, key_len},
			  (struct db_bytes){row, row_len}, ret_box);
}

enum err store_login(struct store_txn *txn, const struct name_box *name,
		     struct store_account *ret_account)
{
	struct row_key key = row_key_box(name);
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_BOX, row_key_bytes(&key), &row);

	if (err != ERR_OK)
		return err;
	return box_decode(row_key_bytes(&key), row, ret_account);
}

enum err store_apps_get(struct store_txn *txn, const struct name_box *name,
			struct store_apps *ret_apps)
{
	struct row_key key = row_key_box(name);
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_BOX, row_key_bytes(&key), &row);

	return err == ERR_OK ? store_apps_row(key.bytes, key.len, row.at, row.len,
					      ret_apps)
			     : err;
}

enum err store_box_get(struct store_txn *txn, const struct name_box *name,
		       struct store_box *ret_box)
{
	struct row_key key = row_key_box(name);
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_BOX, row_key_bytes(&key), &row);

	if (err != ERR_OK)
		return err;
	return decode_box(row_key_bytes(&key), row, ret_box);
}

enum err store_box_next(struct store_txn *txn, const struct name_box *after,
			struct store_box *ret_box)
{
	struct row_key from = after ? row_key_box(after)
				    : (struct row_key){.len = 0};
	struct db_bytes key, row;
	enum err err = db_next(txn->db, DB_BOX, row_key_bytes(&from), true,
			       &key, &row);

	return err == ERR_OK ? decode_box(key, row, ret_box) : err;
}

