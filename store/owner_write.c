/* SPDX-License-Identifier: MIT */
#include "row_write.h"

static enum err put_key(struct store_txn *txn, const struct row_key *key)
{
	struct row empty;
	enum err err = bybox_encode(key, &empty);

	return err == ERR_OK ? row_write(txn, DB_BYOWNER, key, &empty) : err;
}

static enum err drop_key(struct store_txn *txn, const struct row_key *key)
{
	return row_drop(txn, DB_BYOWNER, key);
}

static enum err put(struct store_txn *txn, const struct store_domain *domain)
{
	struct row_key owned = row_key_owned(&domain->handle, &domain->name);
	struct row_key alias = row_key_alias(&domain->target, &domain->name);
	enum err err = put_key(txn, &owned);

	return err == ERR_OK && domain->kind == STORE_ALIAS
		       ? put_key(txn, &alias)
		       : err;
}

/* A store made before there was this table, or built of the rows of one. */
static enum err fill(struct store_txn *txn)
{
	struct store_domain domain;
	bool known;
	enum err err = owner_known(txn, &known);

	if (err != ERR_OK || known)
		return err;
	err = store_domain_next(txn, NULL, &domain);
	while (err == ERR_OK) {
		err = put(txn, &domain);
		if (err == ERR_OK)
			err = store_domain_next(txn, &domain.name, &domain);
	}
	return err == ERR_NOTFOUND ? meta_set(txn, owner_word, 1) : err;
}

enum err owner_put(struct store_txn *txn, const struct store_domain *domain)
{
	enum err err = fill(txn);

	return err == ERR_OK ? put(txn, domain) : err;
}

enum err owner_drop(struct store_txn *txn, const struct store_domain *domain)
{
	struct row_key owned = row_key_owned(&domain->handle, &domain->name);
	struct row_key alias = row_key_alias(&domain->target, &domain->name);
	enum err err = fill(txn);

	if (err == ERR_OK)
		err = drop_key(txn, &owned);
	return err == ERR_OK && domain->kind == STORE_ALIAS
		       ? drop_key(txn, &alias)
		       : err;
}
