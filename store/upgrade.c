/* SPDX-License-Identifier: MIT */
/* upgrade.c: formats of a store, one step after the other. */
#include <time.h>

#include "row_write.h"
#include "store_whole.h"
#include "upgrade.h"

/* A change of a record's form adds a step here, and
 * one to STORE_FORMAT. */
const struct store_step store_steps[] = {
	{1, upgrade_pending},
	{0, NULL},
};

static enum err read_format(struct db_txn *db, void *arg)
{
	struct store_txn txn = {.db = db};

	return meta_number(&txn, "format", arg);
}

enum err store_format(struct store *store, uint64_t *ret_format)
{
	return db_read(store->db, read_format, ret_format);
}

struct stepping {
	struct store *store;
	const struct store_step *step;
};

static enum err step_body(struct db_txn *db, void *arg)
{
	const struct stepping *stepping = arg;
	struct store_txn txn = {.db = db,
				.store = stepping->store,
				.now = (int64_t)time(NULL)};
	uint64_t format;
	enum err err = meta_number(&txn, "format", &format);

	/* Somebody else may have been faster. */
	if (err == ERR_OK && format != stepping->step->from)
		err = ERR_BUSY;
	if (err == ERR_OK)
		err = stepping->step->body(&txn, NULL);
	return err == ERR_OK ? meta_set(&txn, "format", format + 1) : err;
}

enum err store_upgrade(struct store *store, const struct store_step *steps,
		       uint64_t to, uint64_t *ret_format)
{
	struct stepping stepping = {store, steps};
	enum err err = store_format(store, ret_format);

	while (err == ERR_OK && *ret_format != to) {
		for (stepping.step = steps; stepping.step->body &&
					    stepping.step->from != *ret_format;)
			stepping.step++;
		if (!stepping.step->body || *ret_format > to)
			return ERR_SCHEMA;
		err = db_write(store->db, step_body, &stepping, true);
		if (err == ERR_OK)
			++*ret_format;
	}
	return err;
}
