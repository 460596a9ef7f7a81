/* SPDX-License-Identifier: MIT */
#include "db_writeset.h"

#include <stdlib.h>
#include <string.h>

#include "db_private.h"

enum { HEAD = 3, ROOM = 4096 };

void db_writeset_note(struct db_txn *txn, struct db_writeset *set)
{
	if (set) {
		set->len = set->count = 0;
		memset(set->last, 0, sizeof set->last);
	}
	txn->writeset = set;
}

void db_writeset_free(struct db_writeset *set)
{
	free(set->bytes);
	*set = (struct db_writeset){.bytes = NULL};
}

static size_t key_len(const uint8_t *at)
{
	return (size_t)at[1] | (size_t)at[2] << 8;
}

/* An import writes the row of its handle once for each box. */
static bool is_latest(const struct db_writeset *set, enum db_table table,
		      struct db_bytes key)
{
	const uint8_t *at;

	if (!set->last[table])
		return false;
	at = set->bytes + set->last[table] - 1;
	return key_len(at) == key.len && memcmp(at + HEAD, key.at, key.len) == 0;
}

enum err db_writeset_add(struct db_writeset *set, enum db_table table,
			 struct db_bytes key)
{
	uint8_t *at;

	if (is_latest(set, table, key))
		return ERR_OK;
	if (set->room - set->len < HEAD + key.len) {
		size_t room = set->room ? set->room * 2 : ROOM;
		uint8_t *more = realloc(set->bytes, room);

		if (!more)
			return ERR_SYSTEM;
		set->bytes = more;
		set->room = room; /* LMDB's keys are shorter than ROOM */
	}
	at = set->bytes + set->len;
	at[0] = (uint8_t)table;
	at[1] = (uint8_t)key.len;
	at[2] = (uint8_t)(key.len >> 8);
	memcpy(at + HEAD, key.at, key.len);
	set->last[table] = set->len + 1;
	set->len += HEAD + key.len;
	set->count++;
	return ERR_OK;
}

static int in_order(const void *a, const void *b)
{
	const uint8_t *x = *(const uint8_t *const *)a;
	const uint8_t *y = *(const uint8_t *const *)b;
	const size_t left = key_len(x), right = key_len(y);
	int order = (x[0] > y[0]) - (x[0] < y[0]);

	if (order == 0)
		order = memcmp(x + HEAD, y + HEAD, left < right ? left : right);
	return order ? order : (left > right) - (left < right);
}

static enum err hand_out(struct db_txn *txn, const uint8_t *at,
			 db_writeset_sink *sink, void *arg)
{
	const enum db_table table = (enum db_table)at[0];
	const struct db_bytes key = {at + HEAD, key_len(at)};
	struct db_bytes value = {NULL, 0};
	enum err err = db_get(txn, table, key, &value);

	if (err == ERR_NOTFOUND)
		value = (struct db_bytes){NULL, 0};
	else if (err != ERR_OK)
		return err;
	return sink(arg, table, key, value);
}

enum err db_writeset_each(struct db_txn *txn, const struct db_writeset *set,
			  db_writeset_sink *sink, void *arg)
{
	const uint8_t **keys;
	const uint8_t *at = set->bytes;
	enum err err = ERR_OK;

	if (!set->count)
		return ERR_OK;
	keys = reallocarray(NULL, set->count, sizeof *keys);
	if (!keys)
		return ERR_SYSTEM;
	for (size_t i = 0; i < set->count; i++) {
		keys[i] = at;
		at += HEAD + key_len(at);
	}
	qsort(keys, set->count, sizeof *keys, in_order);
	for (size_t i = 0; err == ERR_OK && i < set->count; i++) {
		if (i == 0 || in_order(&keys[i - 1], &keys[i]) != 0)
			err = hand_out(txn, keys[i], sink, arg);
	}
	free(keys);
	return err;
}
