#include "login.h"

#include <string.h>

#include "secret.h"

struct asked {
	const struct config *config;
	const char *bytes;
	size_t len;
	struct login login;
};

/* The switches of all three levels, and-ed; the first that is off gives the
 * reason. Everything else was the same up to here. */
static void judge(struct login *login, bool box, bool domain, bool handle)
{
	login->reason = NULL;
	login->found = box && domain && handle && login->hash[0];
	if (!login->hash[0])
		login->reason = "no-password";
	else if (!box)
		login->reason = "box-suspended";
	else if (!domain)
		login->reason = "domain-suspended";
	else if (!handle)
		login->reason = "handle-suspended";
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

static enum err find_address(struct store_txn *txn,
			     const struct name_address *name,
			     struct login *login)
{
	struct store_address address;
	struct store_domain domain;
	enum err err = store_domain_get(txn, &name->domain, &domain);

	if (err == ERR_OK)
		err = store_address_get(txn, name, &address);
	if (err != ERR_OK)
		return err;
	if (!address.has_box)
		return ERR_NOTFOUND;
	err = take_account(txn, &address.box, domain.state.login, login);
	if (err == ERR_NOTFOUND)
		return ERR_DAMAGED; /* it leads to a box that is not there */
	login->domain = name->domain;
	name_address_text(name, login->user);
	return err;
}

/* The box's first address, in the order of its keys, is its canonical one. */
static enum err find_box(struct store_txn *txn, const struct name_box *name,
			 struct login *login)
{
	struct store_domain domain = {.state.login = true};
	struct name_address first;
	enum err err = store_box_address_next(txn, name, NULL, &first);

	if (err == ERR_OK) {
		login->domain = first.domain;
		name_address_text(&first, login->user);
		err = store_domain_get(txn, &first.domain, &domain);
		if (err == ERR_NOTFOUND)
			return ERR_DAMAGED;
	} else if (err == ERR_NOTFOUND) {
		name_box_text(name, login->user);
		err = ERR_OK;
	}
	return err == ERR_OK ? take_account(txn, name, domain.state.login,
					    login)
			     : err;
}

/* In the order of popbox-checkpw(8); anything of another form is unknown. */
static enum err find(struct store_txn *txn, void *arg)
{
	struct asked *asked = arg;
	struct name_address address;
	struct name_box box;

	asked->login = (struct login){.reason = "unknown"};
	if (!name_address_read(asked->bytes, asked->len, &address))
		return find_address(txn, &address, &asked->login);
	if (asked->config->login_by_box &&
	    !name_box_read(asked->bytes, asked->len, &box))
		return find_box(txn, &box, &asked->login);
	return ERR_NOTFOUND;
}

/* Not found: everything about it is forgotten but the reason. */
static void make_decoy(const struct config *config, struct login *login)
{
	const char *reason = login->reason ? login->reason : "unknown";

	secret_wipe(login->hash, sizeof login->hash);
	pwhash_decoy((struct pwhash_cost){config->argon2_kib,
					  config->argon2_passes},
		     login->hash);
	login->found = false;
	login->reason = reason;
}

enum err login_find(struct store *store, const struct config *config,
		    const void *bytes, size_t len, struct login *ret_login)
{
	struct asked asked = {.config = config, .bytes = bytes, .len = len};
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
		*ret_reason = pwhash_text(answer);
		return VERDICT_CANNOT_TELL;
	}
	*ret_reason = "unknown answer";
	return VERDICT_CANNOT_TELL;
}
