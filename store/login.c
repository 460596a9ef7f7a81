/* SPDX-License-Identifier: MIT */
#include "login.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "secret.h"

const char login_no_password[] = "no-password";
const char login_expired[] = "expired";
const char login_apps_only[] = "apps-only";

struct asked {
	const struct config *config;
	const char *bytes;
	size_t len;
	const char *local_ip;
	unsigned service;
	struct login login;
};

bool login_is_service(const char *name)
{
	const size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= 16 && !name[len];
}

unsigned login_service(const char *name)
{
	static const struct {
		const char *name;
		enum store_service service;
	} services[] = {
		{"pop", STORE_SERVICE_POP},	 {"pop3", STORE_SERVICE_POP},
		{"smtp", STORE_SERVICE_SMTP},	 {"submission", STORE_SERVICE_SMTP},
		{"imap", STORE_SERVICE_IMAP},	 {"webmail", STORE_SERVICE_WEBMAIL},
	};

	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		if (strcmp(name, services[i].name) == 0)
			return services[i].service;
	}
	return 0;
}

/* What all levels say together. */
struct said {
	bool box, domain, handle; /* their logins are on */
	struct login_terms terms;
};

static void and_state(struct said *said, bool *login,
		      const struct store_state *state)
{
	struct login_terms *terms = &said->terms;

	*login = *login && state->login;
	if (state->expires &&
	    (!terms->expires || state->expires < terms->expires))
		terms->expires = state->expires;
	terms->off |= state->off;
}

/* A box or domain without its handle is a damaged store, not an unknown
 * user. */
static enum err and_handle(struct store_txn *txn,
			   const struct name_handle *name, struct said *said)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, name, &handle);

	if (err == ERR_OK)
		and_state(said, &said->handle, &handle.state);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* An alias counts together with its target, which has the same handle. */
static enum err and_target(struct store_txn *txn,
			   const struct store_domain *domain, struct said *said)
{
	struct store_domain target;
	enum err err;

	if (domain->kind != STORE_ALIAS)
		return ERR_OK;
	err = store_domain_get(txn, &domain->target, &target);
	if (err == ERR_OK)
		and_state(said, &said->domain, &target.state);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* All that counts for a login to this box under a name of this domain; NULL: none. */
static enum err collect(struct store_txn *txn, const struct store_box *box,
			const struct store_domain *domain,
			struct said *ret_said)
{
	const struct name_handle *handle = &box->name.handle;
	struct said said = {.box = true, .domain = true, .handle = true};
	enum err err;

	and_state(&said, &said.box, &box->state);
	if (domain)
		and_state(&said, &said.domain, &domain->state);
	err = and_handle(txn, handle, &said);
	if (err == ERR_OK && domain)
		err = and_target(txn, domain, &said);
	/* A domain of one handle may lead to a box of another: then both
	 * handles count. */
	if (err == ERR_OK && domain &&
	    strcmp(domain->handle.s, handle->s) != 0)
		err = and_handle(txn, &domain->handle, &said);
	*ret_said = said;
	return err;
}

bool login_ended(int64_t expires)
{
	return expires && expires <= (int64_t)time(NULL);
}

static bool is_off(unsigned off, unsigned service)
{
	return service ? off & service : off == STORE_SERVICES;
}

/* Webmail and what stands behind it go on with the box's own. */
unsigned login_barred(const struct store_box *box)
{
	return box->apps_only ? STORE_SERVICE_POP | STORE_SERVICE_SMTP : 0;
}

/* The switches of all three levels; the first that is off is the reason. Of what is
 * the box's own password alone: own_password. */
static enum err judge(struct store_txn *txn, const struct login_name *name,
		      const struct store_domain *domain,
		      const char **ret_reason)
{
	const struct store_account *account = name->account;
	const char *reason = NULL;
	struct said said;
	enum err err = collect(txn, &account->box, domain, &said);

	if (err != ERR_OK)
		return err;
	if (!said.box)
		reason = "box-suspended";
	else if (!said.domain)
		reason = "domain-suspended";
	else if (!said.handle)
		reason = "handle-suspended";
	else if (login_ended(said.terms.expires))
		reason = login_expired;
	else if (is_off(said.terms.off, name->service))
		reason = "service-off";
	*ret_reason = reason;
	return ERR_OK;
}

static const char *own_password(const struct login_name *name)
{
	const struct store_account *account = name->account;

	if (is_off(login_barred(&account->box), name->service))
		return login_apps_only;
	return account->hash[0] ? NULL : login_no_password;
}

/* Judges the domain of one address of the box. */
static enum err judge_address(struct store_txn *txn,
			      const struct login_name *name,
			      const struct name_address *address,
			      const char **ret_reason)
{
	struct store_domain domain;
	enum err err = store_domain_get(txn, &address->domain, &domain);

	if (err == ERR_OK)
		return judge(txn, name, &domain, ret_reason);
	/* An address leads to it: a missing domain has been lost. */
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* The addresses of a box are sorted by domain: each domain is judged once. */
static enum err judge_box(struct store_txn *txn, const struct login_name *name,
			  const char **ret_reason,
			  struct name_address *ret_address)
{
	const struct name_box *box = &name->account->box.name;
	struct name_address next = {{""}, {""}}, address;
	const char *reason;
	enum err err = store_box_address_next(txn, box, NULL, &next);

	*ret_address = next;
	if (err == ERR_NOTFOUND)
		return judge(txn, name, NULL, ret_reason);
	if (err == ERR_OK)
		err = judge_address(txn, name, &next, ret_reason);
	while (err == ERR_OK && *ret_reason) {
		address = next;
		err = store_box_address_next(txn, box, &address, &next);
		if (err == ERR_NOTFOUND)
			return ERR_OK;
		if (err != ERR_OK ||
		    strcmp(next.domain.s, address.domain.s) == 0)
			continue;
		err = judge_address(txn, name, &next, &reason);
		if (err == ERR_OK && !reason) {
			*ret_reason = NULL;
			*ret_address = next;
		}
	}
	return err;
}

enum err login_allowed(struct store_txn *txn, const struct login_name *name,
		       const char **ret_reason,
		       struct name_address *ret_address)
{
	enum err err = name->domain
			       ? judge(txn, name, name->domain, ret_reason)
			       : judge_box(txn, name, ret_reason, ret_address);

	if (err == ERR_OK && !*ret_reason)
		*ret_reason = own_password(name);
	return err;
}

/* By whichever name it lasts longest, and by whichever a service is on. */
static void or_terms(struct login_terms *all, const struct login_terms *one)
{
	if (!one->expires || (all->expires && one->expires > all->expires))
		all->expires = one->expires;
	all->off &= one->off;
}

static enum err terms_by_address(struct store_txn *txn,
				 const struct store_box *box,
				 const struct name_domain *name,
				 struct login_terms *ret_terms)
{
	struct store_domain domain;
	struct said said = {.box = false};
	enum err err = store_domain_get(txn, name, &domain);

	if (err == ERR_OK)
		err = collect(txn, box, &domain, &said);
	*ret_terms = said.terms;
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

static enum err terms_of_box(struct store_txn *txn, const struct store_box *box,
			     struct login_terms *ret_terms)
{
	struct name_address next, address;
	struct login_terms one;
	enum err err = store_box_address_next(txn, &box->name, NULL, &next);

	if (err == ERR_OK)
		err = terms_by_address(txn, box, &next.domain, ret_terms);
	while (err == ERR_OK) {
		address = next;
		err = store_box_address_next(txn, &box->name, &address, &next);
		if (err != ERR_OK ||
		    strcmp(next.domain.s, address.domain.s) == 0)
			continue;
		err = terms_by_address(txn, box, &next.domain, &one);
		or_terms(ret_terms, &one);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err login_terms(struct store_txn *txn, const struct store_box *box,
		     const struct store_domain *domain,
		     struct login_terms *ret_terms)
{
	struct name_address first;
	struct said said;
	enum err err = domain ? ERR_NOTFOUND
			      : store_box_address_next(txn, &box->name, NULL,
						       &first);

	if (err == ERR_OK)
		return terms_of_box(txn, box, ret_terms);
	if (err == ERR_NOTFOUND)
		err = collect(txn, box, domain, &said);
	if (err == ERR_OK)
		*ret_terms = said.terms;
	return err;
}

/* Is it about nothing but the box's own password? */
static bool is_own(const char *reason)
{
	return !reason || reason == login_apps_only ||
	       reason == login_no_password;
}

/* domain: that of the login as it was sent, or NULL: it is the box's name. */
static enum err take_account(struct store_txn *txn, const struct name_box *name,
			     const struct store_domain *domain,
			     struct name_address *address, struct asked *asked)
{
	struct login *login = &asked->login;
	struct store_account account;
	const struct login_name as = {&account, domain, asked->service};
	enum err err = store_login(txn, name, &account);

	if (err != ERR_OK)
		return err;
	err = login_allowed(txn, &as, &login->reason, address);
	if (err == ERR_OK) {
		login->found = !login->reason;
		login->box = *name;
		login->domain = address->domain;
		if (address->domain.s[0])
			name_address_text(address, login->user);
		else
			name_box_text(name, login->user);
		memcpy(login->hash, account.hash, sizeof login->hash);
		login->service = asked->service;
		if (is_own(login->reason))
			login->apps = account.apps;
	}
	secret_wipe(&account, sizeof account);
	return err;
}

/* A user, as bytes from a stranger, of a domain that is there. */
static enum err find_user(struct store_txn *txn,
			  const struct store_domain *domain, const char *bytes,
			  size_t len, struct asked *asked)
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
	err = take_account(txn, &address.box, domain, &name, asked);
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
		return find_user(txn, &domain, asked->bytes, before, asked);
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
	return find_user(txn, &domain, asked->bytes, asked->len, asked);
}

/* A box that is missing although an address leads to it has been lost. */
static enum err find_box(struct store_txn *txn, const struct name_box *name,
			 struct asked *asked)
{
	struct name_address address;
	enum err err = take_account(txn, name, NULL, &address, asked);

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
		return find_box(txn, &box, asked);
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
		    unsigned service, struct login *ret_login)
{
	struct asked asked = {.config = config,
			      .bytes = bytes,
			      .len = len,
			      .local_ip = local_ip,
			      .service = service};
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

/* NULL, or why this one is not taken. One that is for some services alone is not for
 * one that has no name. */
static const char *refuse_app(const struct store_app *app, unsigned service)
{
	if (login_ended(app->expires))
		return "app-expired";
	if (app->services != STORE_SERVICES && !(app->services & service))
		return "app-service-off";
	return NULL;
}

bool login_by_app(struct login *login, const void *password, size_t len)
{
	struct store_app app;
	const char *reason;

	if (!app_find(&login->apps, password, len, &app))
		return false;
	reason = refuse_app(&app, login->service);
	if (reason) { /* and it is not the box's own */
		login->found = false;
		login->reason = reason;
		return false;
	}
	memcpy(login->app, app.name, sizeof login->app);
	login->app_number = app.number;
	login->app_created = app.created;
	return true;
}

enum verdict login_judge(struct login *login, const void *password, size_t len,
			 const char **ret_reason)
{
	*ret_reason = "";
	return login_by_app(login, password, len)
		       ? VERDICT_ACCEPT
		       : login_decide(login, password, len, ret_reason);
}

void login_forget(struct login *login)
{
	secret_wipe(login->hash, sizeof login->hash);
	secret_wipe(&login->apps, sizeof login->apps);
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
