#include "login.h"

#include <arpa/inet.h>
#include <string.h>

#include "secret.h"

struct asked {
	const struct config *config;
	const char *bytes;
	size_t len;
	const char *local_ip;
	struct login login;
};

/* The switches of all three levels, and-ed; the first that is off gives the
 * reason. Everything else was the same up to here. */
static void judge(struct login *login, bool box, bool domain, bool handle)
{
	login->reason = NULL;
	if (!login->hash[0])
		login->reason = "no-password";
	else if (!box)
		login->reason = "box-suspended";
	else if (!domain)
		login->reason = "domain-suspended";
	else if (!handle)
		login->reason = "handle-suspended";
	login->found = !login->reason;
}

/* The account of a box whose domain, if there is one, lets it log in. */
static enum err take_account(struct store_txn *txn, const struct name_box *name,
			     bool domain_login, struct login *login)
{
	struct store_account account;
	struct store_handle handle;
	enum err err = store_login(txn, name, &account);

	if (err != ERR_OK)
		return err;
	err = store_handle_get(txn, &name->handle, &handle);
	/* A box without its handle is a damaged store, not an unknown user. */
	if (err == ERR_NOTFOUND)
		err = ERR_DAMAGED;
	if (err == ERR_OK) {
		login->box = *name;
		memcpy(login->hash, account.hash, sizeof login->hash);
		judge(login, account.box.state.login, domain_login,
		      handle.state.login);
	}
	secret_wipe(&account, sizeof account);
	return err;
}

/* The domain itself, or the one that an alias stands for; *ret_login is
 * whether both let their users log in. */
static enum err resolve(struct store_txn *txn, struct store_domain *domain,
			bool *ret_login)
{
	struct name_domain target = domain->target;
	enum err err;

	*ret_login = domain->state.login;
	if (domain->kind != STORE_ALIAS)
		return ERR_OK;
	err = store_domain_get(txn, &target, domain);
	if (err == ERR_OK)
		*ret_login = *ret_login && domain->state.login;
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* A domain of one customer may lead to a box of another: then both handles
 * count, that of the box in take_account. */
static enum err and_owner(struct store_txn *txn,
			  const struct store_domain *domain,
			  const struct name_box *box, bool *login)
{
	struct store_handle owner;
	enum err err;

	if (strcmp(domain->handle.s, box->handle.s) == 0)
		return ERR_OK;
	err = store_handle_get(txn, &domain->handle, &owner);
	if (err == ERR_OK)
		*login = *login && owner.state.login;
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* A user, as bytes from a stranger, of a domain that is there. */
static enum err find_user(struct store_txn *txn, struct store_domain *domain,
			  const char *bytes, size_t len, struct login *login)
{
	struct store_address address;
	struct name_address name;
	bool may_login;
	enum err err = resolve(txn, domain, &may_login);

	if (err != ERR_OK)
		return err;
	name.domain = domain->name;
	if (name_local_read(bytes, len, &name.local))
		return ERR_NOTFOUND;
	err = store_address_get(txn, &name, &address);
	if (err != ERR_OK)
		return err;
	if (!address.has_box)
		return ERR_NOTFOUND;
	err = and_owner(txn, domain, &address.box, &may_login);
	if (err != ERR_OK)
		return err;
	err = take_account(txn, &address.box, may_login, login);
	if (err == ERR_NOTFOUND)
		return ERR_DAMAGED; /* it leads to a box that is not there */
	login->domain = name.domain;
	name_address_text(&name, login->user);
	return err;
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

/* The box's first address, in the order of its keys, is its canonical one. */
static enum err find_box(struct store_txn *txn, const struct name_box *name,
			 struct login *login)
{
	struct store_domain domain;
	struct name_address first;
	enum err err = store_box_address_next(txn, name, NULL, &first);

	if (err == ERR_NOTFOUND) {
		name_box_text(name, login->user);
		return take_account(txn, name, true, login);
	}
	if (err != ERR_OK)
		return err;
	login->domain = first.domain;
	name_address_text(&first, login->user);
	err = store_domain_get(txn, &first.domain, &domain);
	if (err == ERR_OK)
		err = take_account(txn, name, domain.state.login, login);
	/* An address leads to it: what is not there has been lost. */
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
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
