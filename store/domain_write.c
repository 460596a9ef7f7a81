/* SPDX-License-Identifier: MIT */
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
		bool any = true;
		enum err err;

		if (name_domain_read(name->s, (size_t)(dash - name->s), &head))
			continue;
		err = store_domain_get(txn, &head, &other);
		/* The line of a parked one is in users/assign yet. */
		if (err == ERR_NOTFOUND)
			err = store_parked_domain_any(txn, &head, &any);
		if (err != ERR_OK)
			return err;
		if (!any)
			continue;
		return store_refuse(txn, ERR_INVALID,
				    "its name is that of the domain '%s' and "
				    "'-': users/assign would mix their mail",
				    head.s);
	}
	return ERR_OK;
}

/* Is there a key that begins like this? Its name stands behind skip bytes. */
static enum err refuse_begin(struct store_txn *txn, enum db_table table,
			     const struct row_key *head, size_t skip)
{
	struct db_bytes key, row;
	enum err err = db_next(txn->db, table, row_key_bytes(head), false, &key,
			       &row);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	if (key.len < head->len || memcmp(key.at, head->bytes, head->len) != 0)
		return ERR_OK;
	return store_refuse(txn, ERR_INVALID,
			    "the domain '%.*s' is its name and '-': "
			    "users/assign would mix their mail",
			    (int)(key.len - skip),
			    (const char *)key.at + skip);
}

/* The same the other way round: any domain that is this name, '-' and more. */
static enum err refuse_longer(struct store_txn *txn,
			      const struct name_domain *name)
{
	struct row_key from = row_key_domain(name);
	enum err err;

	from.bytes[from.len++] = '-';
	err = refuse_begin(txn, DB_DOMAIN, &from, 0);
	if (err != ERR_OK)
		return err;
	from = row_key_parked(STORE_DOMAINS, &from);
	return refuse_begin(txn, DB_PARKED, &from, 1);
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
		return store_unknown(txn, "there is no handle '%s'",
				     domain->handle.s);
	if (err == ERR_OK)
		err = refuse_shorter(txn, &domain->name);
	if (err == ERR_OK)
		err = refuse_longer(txn, &domain->name);
	return err == ERR_OK ? limit_note(txn, &domain->handle, STORE_DOMAINS)
			     : err;
}

/* Does it take over all that was left of the old one? A backup leaves nothing; a
 * relay a route, which a backup does away with; and the same again is what it
 * was. */
static bool replaces(const struct store_domain *is,
		     const struct store_domain *was)
{
	if (was->kind == STORE_BACKUP ||
	    (was->kind == STORE_RELAY && is->kind == STORE_BACKUP))
		return true;
	return is->kind == was->kind && !store_kind_is_local(is->kind) &&
	       strcmp(is->handle.s, was->handle.s) == 0 &&
	       strcmp(is->target.s, was->target.s) == 0 &&
	       strcmp(is->host, was->host) == 0 && is->port == was->port;
}

/* Mail on its way keeps the route it was given, so another kind may take the
 * name if it needs no line that the old one needs as well. */
static bool may_follow(enum store_kind is, enum store_kind was)
{
	if (is == was)
		return false;
	return !store_kind_is_local(is) ||
	       !(store_kind_is_local(was) || was == STORE_ALIAS);
}

/* What of this name is parked: stays, is replaced, or is in the way. */
static enum err judge_parked(struct store_txn *txn,
			     const struct store_domain *domain)
{
	struct store_domain was;
	struct store_parked parked;
	enum err err = ERR_OK;

	for (int kind = 0; err == ERR_OK && kind < STORE_KINDS; kind++) {
		struct row_key key =
			row_key_was(&domain->name, (enum store_kind)kind);

		err = store_parked_domain_get(txn, &domain->name,
					      (enum store_kind)kind, &was,
					      &parked);
		if (err == ERR_NOTFOUND)
			err = ERR_OK;
		else if (err == ERR_OK && replaces(domain, &was))
			err = store_domain_purge(txn, &was);
		else if (err == ERR_OK &&
			 !may_follow(domain->kind, (enum store_kind)kind))
			err = parked_refuse(txn, STORE_DOMAINS, &key,
					    "this domain");
	}
	return err;
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
		return store_unknown(txn, "there is no domain '%s'",
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

/* With its second keys. */
static enum err insert(struct store_txn *txn, const struct store_domain *domain)
{
	struct row_key key = row_key_domain(&domain->name);
	struct row row;
	enum err err = judge_alias(txn, domain);

	if (err == ERR_OK)
		err = judge_ip(txn, domain);
	if (err == ERR_OK)
		err = domain_encode(domain, &row);
	if (err == ERR_OK)
		err = owner_put(txn, domain);
	if (err == ERR_OK)
		err = row_write(txn, DB_DOMAIN, &key, &row);
	if (err == ERR_OK && domain->utf8[0])
		err = put_pointer(txn, domain->utf8, &domain->name);
	if (err == ERR_OK && domain->ip[0])
		err = put_pointer(txn, domain->ip, &domain->name);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_DOMAINS, &key, NULL,
				     &row);
	return err;
}

enum err store_domain_add(struct store_txn *txn,
			  const struct store_domain *domain)
{
	struct store_domain new = *domain;
	enum err err = judge(txn, domain);

	if (err == ERR_OK)
		err = judge_parked(txn, domain);
	if (err != ERR_OK)
		return err;
	new.ip[0] = 0;
	new.from.s[0] = 0;
	if (new.kind != STORE_POP) {
		new.extension = 0;
		new.quota = (struct store_quota){0, 0};
	}
	new.state = store_state_new(txn);
	new.state.expires = domain->state.expires;
	return insert(txn, &new);
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
		err = row_drop(txn, DB_DOMAIN, &key);
	if (err == ERR_OK && is->ip[0])
		err = put_pointer(txn, is->ip, &is->name);
	return err;
}

static bool is_of(const struct store_domain *domain,
		  const struct name_handle *handle)
{
	return strcmp(domain->handle.s, handle->s) == 0;
}

/* An alias may become one of another domain; any may get another handle. */
static enum err move_owner(struct store_txn *txn,
			   const struct store_domain *was,
			   const struct store_domain *is)
{
	enum err err = ERR_OK;

	if (strcmp(was->target.s, is->target.s) != 0 ||
	    !is_of(was, &is->handle)) {
		err = owner_drop(txn, was);
		if (err == ERR_OK)
			err = owner_put(txn, is);
	}
	return err;
}

/* The aliases of a domain that has got another handle. */
static enum err move_aliases(struct store_txn *txn,
			     const struct store_domain *domain)
{
	struct store_domain alias;
	enum err err = domain->kind == STORE_POP
			       ? store_alias_next(txn, &domain->name, NULL,
						  &alias)
			       : ERR_NOTFOUND;

	while (err == ERR_OK) {
		const struct name_domain name = alias.name;

		alias.handle = domain->handle;
		err = store_domain_set(txn, &alias);
		if (err == ERR_OK)
			err = store_alias_next(txn, &domain->name, &name,
					       &alias);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err judge_handle(struct store_txn *txn,
			     const struct name_handle *name)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, name, &handle);

	return err == ERR_NOTFOUND
		       ? store_unknown(txn, "there is no handle '%s'", name->s)
		       : err;
}

enum err store_domain_set(struct store_txn *txn,
			  const struct store_domain *domain)
{
	struct row_key key = row_key_domain(&domain->name);
	struct store_domain was, is = *domain;
	struct row before, after;
	bool moves = false;
	enum err err = store_domain_get(txn, &domain->name, &was);

	if (err == ERR_OK && !is_of(&was, &domain->handle))
		err = judge_handle(txn, &domain->handle);
	if (err == ERR_OK && !is_of(&was, &domain->handle))
		err = limit_note(txn, &domain->handle, STORE_DOMAINS);
	if (err == ERR_OK && !is_of(&was, &domain->handle))
		err = limit_note(txn, &domain->handle, STORE_ADDRESSES);
	if (err == ERR_OK)
		err = judge_ip(txn, domain);
	if (err == ERR_OK)
		err = judge_alias(txn, domain);
	if (err == ERR_OK)
		err = move_ip(txn, &was, domain);
	if (err != ERR_OK)
		return err;
	moves = !is_of(&was, &domain->handle);
	is.from = was.from;
	if (moves && is.kind == STORE_POP)
		is.from = was.handle;
	is.state.created = was.state.created;
	is.state.changed = was.state.changed;
	err = domain_encode(&was, &before);
	if (err == ERR_OK)
		err = domain_encode(&is, &after);
	if (err != ERR_OK || row_same(&before, &after))
		return err;
	is.state.changed = txn->now;
	err = domain_encode(&is, &after);
	if (err == ERR_OK)
		err = move_owner(txn, &was, &is);
	if (err == ERR_OK)
		err = row_update(txn, DB_DOMAIN, STORE_DOMAINS, &key, &before,
				 &after);
	return err == ERR_OK && moves ? move_aliases(txn, &is) : err;
}

static enum err refuse_needed(struct store_txn *txn,
			      const struct store_domain *domain)
{
	const struct name_address none = {{""}, domain->name};
	struct store_address address;
	struct store_domain other;
	char text[NAME_ADDRESS_TEXT];
	enum err err;

	if (domain->kind != STORE_POP)
		return ERR_OK;
	err = store_address_next(txn, &none, &address);
	if (err == ERR_OK &&
	    strcmp(address.name.domain.s, domain->name.s) == 0) {
		name_address_text(&address.name, text);
		return store_refuse(txn, ERR_INUSE,
				    "it still has the address '%s'", text);
	}
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = store_alias_next(txn, &domain->name, NULL, &other);
	if (err == ERR_OK)
		return store_refuse(txn, ERR_INUSE,
				    "the domain '%s' is an alias of it",
				    other.name.s);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err drop_pointer(struct store_txn *txn, const char *text)
{
	struct row_key key = row_key_text(text);

	return text[0] ? row_drop(txn, DB_DOMAIN, &key)
		       : ERR_OK;
}

enum err store_domain_del(struct store_txn *txn, const struct name_domain *name)
{
	struct row_key key = row_key_domain(name), was;
	struct store_domain domain = {.kind = STORE_POP};
	struct row row;
	enum err err = store_domain_get(txn, name, &domain);

	if (err == ERR_OK)
		err = refuse_needed(txn, &domain);
	if (err == ERR_OK)
		err = domain_encode(&domain, &row);
	was = row_key_was(name, domain.kind);
	if (err == ERR_OK)
		err = parked_put(txn, STORE_DOMAINS, &was, &row, STORE_GOES_ON);
	if (err == ERR_OK)
		err = owner_drop(txn, &domain);
	if (err == ERR_OK)
		err = drop_pointer(txn, domain.utf8);
	if (err == ERR_OK)
		err = drop_pointer(txn, domain.ip);
	return err == ERR_OK ? row_delete(txn, DB_DOMAIN, STORE_DOMAINS, &key,
					  &row)
			     : err;
}

enum err store_domain_restore(struct store_txn *txn,
			      const struct store_domain *domain)
{
	struct row_key was = row_key_was(&domain->name, domain->kind);
	struct parked parked;
	enum err err = parked_get(txn, STORE_DOMAINS, &was, &parked);

	if (err == ERR_OK)
		err = parked_drop(txn, STORE_DOMAINS, &was);
	/* Of one that has no files there is no more than its row. */
	else if (err == ERR_NOTFOUND && !store_kind_is_local(domain->kind))
		err = ERR_OK;
	if (err == ERR_OK)
		err = judge(txn, domain);
	return err == ERR_OK ? insert(txn, domain) : err;
}
