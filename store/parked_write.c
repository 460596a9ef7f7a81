/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "row_write.h"
#include "secret.h"

enum err parked_put(struct store_txn *txn, enum store_table table,
		    const struct row_key *key, const struct row *row,
		    enum store_fate fate)
{
	struct row_key place = row_key_parked(table, key);
	struct parked parked = {.since = txn->now, .group = txn->group,
				.fate = (uint8_t)fate, .row = *row};
	struct row whole;
	uint64_t last = 0;
	enum err err = ERR_OK;

	if (!parked.group) { /* the first entry of this change comes next */
		err = store_journal_last(txn, &last);
		parked.group = last + 1;
	}
	if (err == ERR_OK)
		err = parked_encode(&place, &parked, &whole);
	if (err == ERR_OK)
		err = row_write(txn, DB_PARKED, &place, &whole);
	secret_wipe(&parked, sizeof parked);
	secret_wipe(&whole, sizeof whole);
	return err;
}

enum err parked_drop(struct store_txn *txn, enum store_table table,
		     const struct row_key *key)
{
	struct row_key place = row_key_parked(table, key);

	return row_drop(txn, DB_PARKED, &place);
}

enum err parked_refuse(struct store_txn *txn, enum store_table table,
		       const struct row_key *key, const char *what)
{
	struct parked parked;
	struct tm tm = {0};
	time_t since;
	enum err err = parked_get(txn, table, key, &parked);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	since = (time_t)parked.since;
	secret_wipe(&parked, sizeof parked);
	(void)gmtime_r(&since, &tm); /* a year that fits, of our own clock */
	return store_refuse(txn, ERR_EXISTS,
			    "%s was deleted on %04d-%02d-%02d and mail for "
			    "it may be on its way ('popbox undo' undeletes "
			    "it, 'popbox purge' removes it for good)",
			    what, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

enum err row_delete(struct store_txn *txn, enum db_table db_table,
		    enum store_table table, const struct row_key *key,
		    const struct row *shown)
{
	enum err err = row_drop(txn, db_table, key);

	return err == ERR_OK ? journal_append(txn, STORE_DEL, table, key, shown,
					      NULL)
			     : err;
}

/* One parked row goes for good; shown is what the journal says of it. */
static enum err purge(struct store_txn *txn, enum store_table table,
		      const struct row_key *key, const struct row *shown)
{
	enum err err = parked_drop(txn, table, key);

	return err == ERR_OK ? journal_append(txn, STORE_PURGE, table, key,
					      shown, NULL)
			     : err;
}

enum err store_domain_purge(struct store_txn *txn,
			    const struct store_domain *domain)
{
	struct row_key key = row_key_domain(&domain->name);
	struct row_key was = row_key_was(&domain->name, domain->kind);
	struct row row;
	enum err err = parked_drop(txn, STORE_DOMAINS, &was);

	if (err == ERR_OK)
		err = domain_encode(domain, &row);
	return err == ERR_OK ? journal_append(txn, STORE_PURGE, STORE_DOMAINS,
					      &key, &row, NULL)
			     : err;
}

enum err store_box_purge(struct store_txn *txn, const struct name_box *name)
{
	struct row_key key = row_key_box(name);

	return purge(txn, STORE_BOXES, &key, NULL);
}

enum err store_address_purge(struct store_txn *txn,
			     const struct name_address *name)
{
	struct row_key key = row_key_address(name);

	return purge(txn, STORE_ADDRESSES, &key, NULL);
}
