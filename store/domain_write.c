#include <string.h>

#include "row_write.h"

/* users/assign matches prefixes: mail for 'b.org' below 'a' and for a domain
 * 'a-b.org' would meet in one line. Looks for a domain that is shorter: every
 * head of the name that ends before a hyphen. */
static enum err refuse_shorter(struct store_txn *txn,
			       const struct name_domain *name)
{
	struct store_domain other;
	struct name_domain head;

	for (const char *dash = strchr(name->s, '-'); dash;
	     dash = strchr(dash + 1, '-')) {
		enum err err;

		if (name_domain_read(name->s, (size_t)(dash - name->s), &head))
			continue;
		err = store_domain_get(txn, &head, &other);
		if (err == ERR_NOTFOUND)
			continue;
		if (err != ERR_OK)
			return err;
		return store_refuse(txn, ERR_INVALID,
				    "its name is that of the domain '%s' and "
				    "'-': users/assign would mix their mail",
				    head.s);
	}
	return ERR_OK;
}

/* The same the other way round: any domain that is this name, '-' and more. */
static enum err refuse_longer(struct store_txn *txn,
			      const struct name_domain *name)
{
	struct row_key from = row_key_domain(name);
	struct db_bytes key, row;
	enum err err;

	from.bytes[from.len++] = '-';
	err = db_next(txn->db, DB_DOMAIN, row_key_bytes(&from), false, &key,
		      &row);
	if (err == ERR_NOTFOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	if (key.len < from.len || memcmp(key.at, from.bytes, from.len) != 0)
		return ERR_OK;
	return store_refuse(txn, ERR_INVALID,
			    "the domain '%.*s' is its name and '-': "
			    "users/assign would mix their mail",
			    (int)key.len, (const char *)key.at);
}

static enum err judge(struct store_txn *txn, const struct store_domain *domain)
{
	struct row_key key = row_key_domain(&domain->name);
	struct store_handle handle;
	bool exists;
	enum err err = row_exists(txn, DB_DOMAIN, &key, &exists);

	if (err != ERR_OK)
		return err;
	if (exists)
		return store_refuse(txn, ERR_EXISTS,
				    "there is a domain '%s' already",
				    domain->name.s);
	err = store_handle_get(txn, &domain->handle, &handle);
	if (err == ERR_NOTFOUND)
		return store_refuse(txn, ERR_INVALID, "there is no handle '%s'",
				    domain->handle.s);
	if (err == ERR_OK)
		err = refuse_shorter(txn, &domain->name);
	return err == ERR_OK ? refuse_longer(txn, &domain->name) : err;
}

/* A second key, which only points to the domain. */
static enum err put_pointer(struct store_txn *txn, const char *text,
			    const struct name_domain *to)
{
	struct row_key key = row_key_text(text);
	struct row row;
	enum err err = domain_encode_pointer(text, to, &row);

	return err == ERR_OK ? row_write(txn, DB_DOMAIN, &key, &row) : err;
}

static enum err judge_alias(struct store_txn *txn,
			    const struct store_domain *domain)
{
	struct store_domain target;
	enum err err;

	if (domain->kind != STORE_ALIAS)
		return ERR_OK;
	err = store_domain_get(txn, &domain->target, &target);
	if (err == ERR_NOTFOUND)
		return store_refuse(txn, ERR_INVALID, "there is no domain '%s'",
				    domain->target.s);
	if (err == ERR_OK && target.kind != STORE_POP)
		return store_refuse(txn, ERR_INVALID,
				    "the domain '%s' is not of kind pop: it "
				    "has no boxes to share",
				    target.name.s);
	if (err == ERR_OK && strcmp(target.handle.s, domain->handle.s) != 0)
		return store_refuse(txn, ERR_INVALID,
				    "the domain '%s' belongs to the handle "
				    "'%s'",
				    target.name.s, target.handle.s);
	return err;
}

/* One local address leads to one domain. */
static enum err judge_ip(struct store_txn *txn,
			 const struct store_domain *domain)
{
	struct store_domain other;
	enum err err;

	if (!domain->ip[0])
		return ERR_OK;
	err = store_domain_find(txn, domain->ip, strlen(domain->ip), &other);
	if (err == ERR_NOTFOUND)
		return ERR_OK;
	if (err == ERR_OK && strcmp(other.name.s, domain->name.s) != 0)
		return store_refuse(txn, ERR_INUSE,
				    "the address %s is that of the domain "
				    "'%s' already",
				    domain->ip, other.name.s);
	return err;
}

enum err store_domain_add(struct store_txn *txn,
			  const struct store_domain *domain)
{
	struct store_domain new = *domain;
	struct row_key key = row_key_domain(&domain->name);
	struct row row;
	enum err err = judge(txn, domain);

	if (err == ERR_OK)
		err = judge_alias(txn, domain);
	if (err != ERR_OK)
		return err;
	new.ip[0] = 0;
	new.state = store_state_new(txn);
	err = domain_encode(&new, &row);
	if (err == ERR_OK)
		err = row_write(txn, DB_DOMAIN, &key, &row);
	if (err == ERR_OK && new.utf8[0])
		err = put_pointer(txn, new.utf8, &new.name);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_DOMAINS, &key, NULL,
				     &row);
	return err;
}

/* The second key of the old address goes, that of the new one comes. */
static enum err move_ip(struct store_txn *txn, const struct store_domain *was,
			const struct store_domain *is)
{
	struct row_key key = row_key_text(was->ip);
	enum err err = ERR_OK;

	if (strcmp(was->ip, is->ip) == 0)
		return ERR_OK;
	if (was->ip[0])
		err = db_del(txn->db, DB_DOMAIN, row_key_bytes(&key));
	if (err == ERR_OK && is->ip[0])
		err = put_pointer(txn, is->ip, &is->name);
	return err;
}

enum err store_domain_set(struct store_txn *txn,
			  const struct store_domain *domain)
{
	struct row_key key = row_key_domain(&domain->name);
	struct store_domain was, is = *domain;
	struct row before, after;
	enum err err = store_domain_get(txn, &domain->name, &was);

	if (err == ERR_OK)
		err = judge_ip(txn, domain);
	if (err == ERR_OK)
		err = move_ip(txn, &was, domain);
	is.state.changed = txn->now;
	if (err == ERR_OK)
		err = domain_encode(&was, &before);
	if (err == ERR_OK)
		err = domain_encode(&is, &after);
	if (err == ERR_OK)
		err = row_write(txn, DB_DOMAIN, &key, &after);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_SET, STORE_DOMAINS, &key,
				     &before, &after);
	return err;
}
