/* SPDX-License-Identifier: MIT */
#include "dovecot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/login.h"
#include "store/path.h"
#include "store/secret.h"

enum { LINE_MAX_BYTES = NAME_ADDRESS_TEXT + STORE_HASH_MAX +
			2 * PATH_BOX_TEXT + 320 };

/* The scheme as Dovecot calls it; "" for what brings its own. NULL: it knows no
 * such hash. */
static const char *scheme_of(const char *hash)
{
	static const struct {
		const char *start, *scheme;
	} schemes[] = {
		{"$argon2id$", "{ARGON2ID}"}, {"$argon2i$", "{ARGON2I}"},
		{"$6$", "{SHA512-CRYPT}"},    {"$5$", "{SHA256-CRYPT}"},
		{"$2", "{BLF-CRYPT}"},	      {"$y$", "{CRYPT}"},
		{"$gy$", "{CRYPT}"},	      {"$7$", "{CRYPT}"},
		{"{", ""},
	};

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		if (strncmp(hash, schemes[i].start,
			    strlen(schemes[i].start)) == 0)
			return schemes[i].scheme;
	}
	return NULL;
}

bool dovecot_knows(const char *hash)
{
	return scheme_of(hash) != NULL;
}

enum { QUOTA_TEXT = 96 };

/* As its file maildirsize has it, else Dovecot would write another limit there. */
static void put_quota(const struct store_quota *quota, char text[QUOTA_TEXT])
{
	char bytes[32] = "", messages[32] = "";

	if (quota->bytes)
		(void)snprintf(bytes, sizeof bytes, ":bytes=%llu",
			       (unsigned long long)quota->bytes);
	if (quota->messages)
		(void)snprintf(messages, sizeof messages, ":messages=%llu",
			       (unsigned long long)quota->messages);
	text[0] = 0;
	if (bytes[0] || messages[0])
		(void)snprintf(text, QUOTA_TEXT, " userdb_quota_rule=*%s%s",
			       bytes, messages);
}

enum { NETS = 160 };

/* Dovecot fills the service in at each login; no client has that address. */
static const char *services_of(unsigned off, char text[NETS])
{
	static const struct {
		enum store_service service;
		const char *names;
	} words[] = {{STORE_SERVICE_POP, "pop3"},
		     {STORE_SERVICE_SMTP, "smtp|submission"},
		     {STORE_SERVICE_IMAP, "imap"}};
	char names[64];
	size_t len = 0;

	names[0] = text[0] = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (off & words[i].service) /* all of them fit */
			len += (size_t)snprintf(names + len, sizeof names - len,
						"%s%s", len ? "|" : "",
						words[i].names);
	}
	if (len)
		(void)snprintf(text, NETS, "%s%s%s", DOVECOT_NETS_BEGIN, names,
			       DOVECOT_NETS_END);
	return text;
}

bool dovecot_line(struct text *out, const struct config *config,
		  const struct store_account *account, const char *user,
		  bool locked, unsigned off)
{
	const char *scheme = locked ? "{CRYPT}" : scheme_of(account->hash);
	char path[PATH_BOX_TEXT], quota[QUOTA_TEXT], line[LINE_MAX_BYTES];
	char nets[NETS];
	bool good;
	int len;

	/* The setting home has neither a colon nor a blank (config.c). */
	path_box(config->home, &account->box.name, path);
	put_quota(&account->box.quota, quota);
	len = snprintf(line, sizeof line,
		       "%s:%s%s:%u:%u::%s::userdb_mail=maildir:%s%s%s\n", user,
		       scheme, locked ? "*" : account->hash, config->uid,
		       config->gid, path, path, quota,
		       services_of(off | login_barred(&account->box), nets));
	good = len > 0 && (size_t)len < sizeof line &&
	       text_put(out, line, (size_t)len);
	secret_wipe(line, sizeof line);
	return good;
}

struct lines {
	struct store_txn *txn;
	const struct config *config;
	const struct store_domain *named; /* in whose name they are */
	dovecot_found *found;
	void *arg;
	struct text *out;
};

static enum err put_line(const struct lines *lines,
			 const struct store_address *address,
			 const struct store_account *account)
{
	struct name_address first;
	char user[NAME_ADDRESS_TEXT];
	const struct login_name name = {account, lines->named, 0};
	struct login_terms terms;
	const char *off;
	enum err err = login_allowed(lines->txn, &name, &off, &first);

	if (err == ERR_OK)
		err = login_terms(lines->txn, &account->box, lines->named,
				  &terms);
	if (err != ERR_OK)
		return err;
	name_address_text(&(struct name_address){address->name.local,
						 lines->named->name},
			  user);
	if (!off && !dovecot_knows(account->hash)) {
		off = "wrapped";
		if (lines->found)
			lines->found(lines->arg, user);
	}
	if (dovecot_line(lines->out, lines->config, account, user, off,
			 terms.off))
		return ERR_OK;
	errno = ENOMEM;
	return ERR_SYSTEM;
}

static enum err put_address(const struct lines *lines,
			    const struct store_address *address)
{
	struct store_account account;
	enum err err;

	if (!address->has_box || address->name.local.s[0] == '*')
		return ERR_OK;
	err = store_login(lines->txn, &address->box, &account);
	if (err == ERR_OK)
		err = store_box_quota(lines->txn, &account.box,
				      &account.box.quota);
	if (err == ERR_OK)
		err = put_line(lines, address, &account);
	secret_wipe(&account, sizeof account);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

static enum err put_addresses(const struct lines *lines,
			      const struct name_domain *domain)
{
	struct name_address at = {{""}, *domain};
	struct store_address address;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_address_next(lines->txn, &at, &address);
		if (err != ERR_OK ||
		    strcmp(address.name.domain.s, domain->s) != 0)
			break;
		at = address.name;
		err = put_address(lines, &address);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err dovecot_domain(struct store_txn *txn, const struct config *config,
			const struct name_domain *name, dovecot_found *found,
			void *arg, struct text *out)
{
	struct store_domain named;
	const struct lines lines = {txn, config, &named, found, arg, out};
	enum err err = store_domain_get(txn, name, &named);

	if (err != ERR_OK)
		return err;
	if (named.kind != STORE_POP && named.kind != STORE_ALIAS)
		return ERR_NOTFOUND;
	return put_addresses(&lines, named.kind == STORE_ALIAS ? &named.target
							       : &named.name);
}
