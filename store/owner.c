/* SPDX-License-Identifier: MIT */
/* owner.c: the domains of a handle and the aliases of a domain, by the table
 * by-owner. A store has it from its first change of a domain on: then meta has
 * the word. Before that all domains are looked through.
 */
#include <string.h>

#include "row.h"

const char owner_word[] = "by_owner";

enum err owner_known(struct store_txn *txn, bool *ret_known)
{
	struct row_key key = row_key_text(owner_word);
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_META, row_key_bytes(&key), &row);

	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	*ret_known = err == ERR_OK;
	return ERR_OK;
}

/* The domain of the first key behind from that begins like head. */
static enum err next(struct store_txn *txn, const struct row_key *head,
		     const struct row_key *from,
		     struct store_domain *ret_domain)
{
	struct name_domain name;
	struct db_bytes key, row;
	enum err err = db_next(txn->db, DB_BYOWNER, row_key_bytes(from), true,
			       &key, &row);

	if (err != ERR_OK)
		return err;
	if (key.len < head->len || memcmp(key.at, head->bytes, head->len) != 0)
		return ERR_NOTFOUND; /* the next owner begins */
	err = bybox_decode(key, row);
	if (err == ERR_OK &&
	    name_domain_read((const char *)key.at + head->len,
			     key.len - head->len, &name))
		err = ERR_DAMAGED;
	if (err == ERR_OK)
		err = store_domain_get(txn, &name, ret_domain);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

static bool is_owned(const struct store_domain *domain, const char *handle)
{
	return strcmp(domain->handle.s, handle) == 0;
}

static bool is_alias(const struct store_domain *domain, const char *target)
{
	return domain->kind == STORE_ALIAS &&
	       strcmp(domain->target.s, target) == 0;
}

typedef bool judge_domain(const struct store_domain *domain, const char *owner);

/* By the table; or, where it cannot be asked, the next domain that fits. */
static enum err find(struct store_txn *txn, const struct row_key *head,
		     const struct row_key *from,
		     const struct name_domain *after, judge_domain *fits,
		     const char *owner, struct store_domain *ret_domain)
{
	struct store_domain domain;
	bool known;
	enum err err = owner_known(txn, &known);

	if (err == ERR_OK && known) {
		err = next(txn, head, from, &domain);
		if (err == ERR_OK && !fits(&domain, owner))
			err = ERR_DAMAGED;
	} else if (err == ERR_OK) {
		err = store_domain_next(txn, after, &domain);
		while (err == ERR_OK && !fits(&domain, owner))
			err = store_domain_next(txn, &domain.name, &domain);
	}
	if (err == ERR_OK)
		*ret_domain = domain;
	return err;
}

enum err store_handle_domain_next(struct store_txn *txn,
				  const struct name_handle *handle,
				  const struct name_domain *after,
				  struct store_domain *ret_domain)
{
	const struct name_domain none = {""};
	struct row_key head = row_key_owned(handle, &none);
	struct row_key from = row_key_owned(handle, after ? after : &none);

	return find(txn, &head, &from, after, is_owned, handle->s, ret_domain);
}

enum err store_alias_next(struct store_txn *txn,
			  const struct name_domain *target,
			  const struct name_domain *after,
			  struct store_domain *ret_alias)
{
	const struct name_domain none = {""};
	struct row_key head = row_key_alias(target, &none);
	struct row_key from = row_key_alias(target, after ? after : &none);

	return find(txn, &head, &from, after, is_alias, target->s, ret_alias);
}
