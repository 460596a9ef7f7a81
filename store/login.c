/* SPDX-License-Identifier: MIT */
#include "login.h"

#include <arpa/inet.h>
#include <string.h>

#include "secret.h"

const char login_no_password[] = "no-password";

struct asked {
	const struct config *config;
	const char *bytes;
	size_t len;
	const char *local_ip;
	struct login login;
};

/* A box or domain without its handle is a damaged store, not an unknown
 * user. */
static enum err and_handle(struct store_txn *txn,
			   const struct name_handle *name, bool *login)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, name, &handle);

	if (err == ERR_OK)
		*login = *login && handle.state.login;
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* An alias counts together with its target, which has the same handle. */
static enum err and_target(struct store_txn *txn,
			   const struct store_domain *domain, bool *login)
{
	struct store_domain target;
	enum err err;

	if (domain->kind != STORE_ALIAS)
		return ERR_OK;
	err = store_domain_get(txn, &domain->target, &target);
	if (err == ERR_OK)
		*login = *login && target.state.login;
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* The switches of all three levels; the first that is off is the reason. */
static enum err judge(struct store_txn *txn,
		      const struct store_account *account,
		      const struct store_domain *domain,
		      const char **ret_reason)
{
	const struct name_handle *handle = &account->box.name.handle;
	bool domain_login = !domain || domain->state.login;
	bool handle_login = true;
	const char *reason = NULL;
	enum err err = and_handle(txn, handle, &handle_login);

	if (err == ERR_OK && domain)
		err = and_target(txn, domain, &domain_login);
	/* A domain of one handle may lead to a box of another: then both
	 * handles count. */
	if (err == ERR_OK && domain &&
	    strcmp(domain->handle.s, handle->s) != 0)
		err = and_handle(txn, &domain->handle, &handle_login);
	if (!account->box.state.login)
		reason = "box-suspended";
	else if (!domain_login)
		reason = "domain-suspended";
	else if (!handle_login)
		reason = "handle-suspended";
	else if (!account->hash[0])
		reason = login_no_password;
	*ret_reason = reason;
	return err;
}

/* Judges the domain of one address of the box. */
static enum err judge_address(struct store_txn *txn,
			      const struct store_account *account,
			      const struct name_address *address,
			      const char **ret_reason)
{
	struct store_domain domain;
	enum err err = store_domain_get(txn, &address->domain, &domain);

	if (err == ERR_OK)
		return judge(txn, account, &domain, ret_reason);
	/* An address leads to it: a missing domain has been lost. */
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* The addresses of a box are sorted by domain: each domain is judged once. */
static enum err judge_box(struct store_txn *txn,
			  const struct store_account *account,
			  const char **ret_reason,
			  struct name_address *ret_address)
{
	const struct name_box *box = &account->box.name;
	struct name_address next = {{""}, {""}}, address;
	const char *reason;
	enum err err = store_box_address_next(txn, box, NULL, &next);

	*ret_address = next;
	if (err == ERR_NOTFOUND)
		return judge(txn, account, NULL, ret_reason);
	if (err == ERR_OK)
		err = judge_address(txn, account, &next, ret_reason);
	while (err == ERR_OK && *ret_reason) {
		address = next;
		err = store_box_address_next(txn, box, &address, &next);
		if (err == ERR_NOTFOUND)
			return ERR_OK;
		if (err != ERR_OK ||
		    strcmp(next.domain.s, address.domain.s) == 0)
			continue;
		err = judge_address(txn, account, &next, &reason);
		if (err == ERR_OK && !reason) {
			*ret_reason = NULL;
			*ret_address = next;
		}
	}
	return err;
}

enum err login_allowed(struct store_txn *txn,
		       const struct store_account *account,
		       const struct store_domain *domain,
		       const char **ret_reason,
		       struct name_address *ret_address)
{
	return domain ? judge(txn, account, domain, ret_reason)
		      : judge_box(txn, account, ret_reason, ret_address);
}

/* domain: that of the login as it was sent, or NULL: it is the box's name. */
static enum err take_account(struct store_txn *txn, const struct name_box *name,
			     const struct store_domain *domain,
			     struct name_address *address, struct login *login)
{
	struct store_account account;
	enum err err = store_login(txn, name, &account);

	if (err != ERR_OK)
		return err;
	err = login_allowed(txn, &account, domain, &login->reason, address);
	if (err == ERR_OK) {
		login->found = !login->reason;
		login->box = *name;
		login->domain = address->domain;
		if (address->domain.s[0])
			name_address_text(address, login->user);
		else
			name_box_text(name, login->user);
		memcpy(login->hash, account.hash, sizeof login->hash);
	}
	secret_wipe(&account, sizeof account);
	return err;
}

/* A user, as bytes from a stranger, of a domain that is there. */
static enum err find_user(struct store_txn *txn,
			  const struct store_domain *domain, const char *bytes,
			  size_t len, struct login *login)
{
	const bool alias = domain->kind == STORE_ALIAS;
	struct store_address address;
	struct name_address name;
	enum err err;

	name.domain = alias ? domain->target : domain->name;
	if (name_local_read(bytes, len, &name.local))
		return ERR_NOTFOUND;
	err = store_address_get(txn, &name, &address);
	if (err != ERR_OK)
		return err;
	if (!address.has_box)
		return ERR_NOTFOUND;
	err = take_account(txn, &address.box, domain, &name, login);
	/* It leads to a box that is not there. */
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* *ret_separated: some separator stands in the login at all. */
static enum err find_separated(struct store_txn *txn, struct asked *asked,
			       bool *ret_separated)
{
	*ret_separated = false;
	for (const char *mark = asked->config->separators; *mark; mark++) {
		const char *at = memrchr(asked->bytes, *mark, asked->len);
		struct store_domain domain;
		size_t before;
		enum err err;

		if (!at)
			continue;
		*ret_separated = true;
		before = (size_t)(at - asked->bytes);
		err = store_domain_find(txn, at + 1, asked->len - before - 1,
					&domain);
		if (err == ERR_NOTFOUND)
			continue;
		if (err != ERR_OK)
			return err;
		return find_user(txn, &domain, asked->bytes, before,
				 &asked->login);
	}
	return ERR_NOTFOUND;
}

/* An address as it is written in the store, whatever was sent. */
static enum err find_ip(struct store_txn *txn, const char *ip,
			struct store_domain *ret_domain)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];
	int family = strchr(ip, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, ip, bytes) != 1)
		return ERR_NOTFOUND;
	(void)inet_ntop(family, bytes, text, sizeof text); /* it fits */
	return store_domain_find(txn, text, strlen(text), ret_domain);
}

static enum err find_bare(struct store_txn *txn, struct asked *asked)
{
	const char *fallback = asked->config->default_domain;
	struct store_domain domain;
	enum err err = ERR_NOTFOUND;

	if (asked->local_ip)
		err = find_ip(txn, asked->local_ip, &domain);
	if (err == ERR_NOTFOUND)
		err = store_domain_find(txn, fallback, strlen(fallback),
					&domain);
	if (err != ERR_OK)
		return err;
	return find_user(txn, &domain, asked->bytes, asked->len,
			 &asked->login);
}

/* A box that is missing although an address leads to it has been lost. */
static enum err find_box(struct store_txn *txn, const struct name_box *name,
			 struct login *login)
{
	struct name_address address;
	enum err err = take_account(txn, name, NULL, &address, login);

	if (err != ERR_NOTFOUND)
		return err;
	err = store_box_address_next(txn, name, NULL, &address);
	return err == ERR_OK ? ERR_DAMAGED : err;
}

/* See login.h for the order; anything of another form is unknown. */
static enum err find(struct store_txn *txn, void *arg)
{
	struct asked *asked = arg;
	struct name_box box;
	bool separated;
	enum err err;

	asked->login = (struct login){.reason = "unknown"};
	if (asked->len == 0)
		return ERR_NOTFOUND;
	err = find_separated(txn, asked, &separated);
	if (separated)
		return err;
	if (asked->config->login_by_box &&
	    !name_box_read(asked->bytes, asked->len, &box))
		return find_box(txn, &box, &asked->login);
	return find_bare(txn, asked);
}

/* Not found: everything about it is forgotten but the reason. */
static void make_decoy(const struct config *config, struct login *login)
{
	secret_wipe(login->hash, sizeof login->hash);
	pwhash_decoy((struct pwhash_cost){config->argon2_kib,
					  config->argon2_passes},
		     login->hash);
	login->found = false;
}

enum err login_find(struct store *store, const struct config *config,
		    const void *bytes, size_t len, const char *local_ip,
		    struct login *ret_login)
{
	struct asked asked = {.config = config,
			      .bytes = bytes,
			      .len = len,
			      .local_ip = local_ip};
	enum err err = store_read(store, find, &asked);

	if (err == ERR_NOTFOUND) {
		asked.login = (struct login){.reason = "unknown"};
		err = ERR_OK;
	}
	if (err == ERR_OK) {
		if (!asked.login.hash[0])
			make_decoy(config, &asked.login);
		*ret_login = asked.login;
	}
	secret_wipe(&asked.login, sizeof asked.login);
	return err;
}

enum verdict login_decide(const struct login *login, const void *password,
			  size_t len, const char **ret_reason)
{
	enum pwhash answer = pwhash_verify(login->hash, password, len);

	*ret_reason = "";
	switch (answer) {
	case PWHASH_OK:
		if (login->found)
			return VERDICT_ACCEPT;
		*ret_reason = login->reason;
		return VERDICT_REFUSE;
	case PWHASH_NO:
		*ret_reason = login->found ? "mismatch" : login->reason;
		return VERDICT_REFUSE;
	case PWHASH_NOMEM:
	case PWHASH_UNKNOWN:
	case PWHASH_TOODEAR:
	case PWHASH_MALFORMED:
		break;
	}
	*ret_reason = pwhash_text(answer);
	return VERDICT_CANNOT_TELL;
}
