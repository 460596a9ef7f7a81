/* SPDX-License-Identifier: MIT */
/* store.c: opening the store for reading, and reading in one snapshot. */
#include <errno.h>
#include <stdlib.h>

#include "row.h"

static enum err open_how(const char *dir, enum db_how how, uint64_t oldest,
			 struct store **ret_store)
{
	struct store *store = calloc(1, sizeof *store);
	enum err err;

	if (!store)
		return ERR_SYSTEM;
	store->oldest = oldest;
	err = db_open(dir, how, &store->db);
	if (err != ERR_OK)
		store_close(&store);
	else
		*ret_store = store;
	return err;
}

enum err store_open_login(const char *dir, struct store **ret_store)
{
	return open_how(dir, DB_LOGIN, STORE_FORMAT_LOGIN, ret_store);
}

enum err store_open_read(const char *dir, struct store **ret_store)
{
	return open_how(dir, DB_TOOL, STORE_FORMAT, ret_store);
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	db_close(&(*store)->db);
	free(*store);
	*store = NULL;
}

const char *store_reason(const struct store *store)
{
	return store->reason[0] ? store->reason : "a rule of the store";
}

bool store_is_unknown(const struct store *store)
{
	return store->reason[0] && store->unknown;
}

bool store_has_reason(const struct store *store, enum err err)
{
	return store->reason[0] && store->refused == err;
}

struct reading {
	struct store *store;
	store_body *body;
	void *arg;
};

static enum err read_body(struct db_txn *db, void *arg)
{
	struct reading *reading = arg;
	struct recent recent;
	struct store_txn txn = {
		.db = db, .store = reading->store, .recent = &recent};
	uint64_t format;
	enum err err = meta_number(&txn, "format", &format);

	recent.handle.name.s[0] = recent.domain.name.s[0] = 0;
	if (err == ERR_OK && (format < reading->store->oldest ||
			      format > STORE_FORMAT))
		err = ERR_SCHEMA;
	return err == ERR_OK ? reading->body(&txn, reading->arg) : err;
}

enum err store_read(struct store *store, store_body *body, void *arg)
{
	struct reading reading = {store, body, arg};

	store->reason[0] = 0;
	return db_read(store->db, read_body, &reading);
}
