/* SPDX-License-Identifier: MIT */
#include "fmt_flags.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "accounts/dovecot.h"
#include "store/login.h"

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcasecmp(text, *words) == 0)
			return true;
	}
	return false;
}

static void suspend(struct import_account *account, const char *reason,
		    bool mail)
{
	import_account_no_login(account);
	if (mail)
		import_account_no_mail(account);
	if (!account->has_reason)
		(void)import_account_reason(account, reason); /* a good one */
}

static const char *const off[] = {"0",  "f",	"false",    "n",
				  "no", "off", "inactive", NULL};

bool fmt_flags_inactive(const char *text)
{
	return is_one_of(text, off);
}

const char *fmt_flags_active(struct import_account *account, const char *text)
{
	static const char *const on[] = {"1",	"t",  "true",	"y",
					 "yes", "on", "active", NULL};

	if (strcmp(text, "2") == 0)
		suspend(account, "logins were off at the old site", false);
	else if (is_one_of(text, off))
		suspend(account, "not active at the old site", true);
	else if (text[0] && !is_one_of(text, on))
		return import_account_blame(
			account, text,
			"active is 1, 0, or 2 (mail without "
			"logins)");
	return NULL;
}

const char *fmt_flags_status(struct import_account *account, const char *text)
{
	static const char *const on[] = {"active", "enabled", NULL};
	static const char *const gone[] = {"suspended", "archived", "disabled",
					   "inactive",	"deleted",  NULL};

	if (strcasecmp(text, "noaccess") == 0)
		suspend(account, "logins were off at the old site", false);
	else if (is_one_of(text, gone))
		suspend(account, "suspended at the old site", true);
	else if (text[0] && !is_one_of(text, on))
		return import_account_blame(
			account, text,
			"the status is none of active, suspended "
			"and archived");
	return NULL;
}

static const char *const bit_names[] = {
	"password changes are off", /* 0x1 */
	NULL,			    /* 0x2: POP */
	NULL, /* 0x4: webmail */
	NULL, /* 0x8: IMAP */
	NULL, /* 0x10: bounce */
	"relaying is off",
	"dial-up is off",
	"V_USER0",
	"V_USER1", /* 0x100 */
	"V_USER2",
	"V_USER3",
	NULL,			       /* 0x800: SMTP */
	"administrator of the domain", /* 0x1000 */
	NULL,			       /* 0x2000: override */
	"SpamAssassin is off",
	"spam is deleted",
	"administrator of the server", /* 0x10000 */
	"may edit .qmail files",
	"maildrop is off",
};

const char *fmt_flags_vpopmail_name(unsigned long bit)
{
	for (size_t i = 0; i < sizeof bit_names / sizeof *bit_names; i++) {
		if (bit == 1UL << i)
			return bit_names[i];
	}
	return NULL;
}

static const struct {
	unsigned long bit;
	enum store_service service;
} switches[] = {
	{FMT_FLAGS_NO_POP, STORE_SERVICE_POP},
	{FMT_FLAGS_NO_WEBMAIL, STORE_SERVICE_WEBMAIL},
	{FMT_FLAGS_NO_IMAP, STORE_SERVICE_IMAP},
	{FMT_FLAGS_NO_SMTP, STORE_SERVICE_SMTP},
};

unsigned fmt_flags_vpopmail_off(unsigned services)
{
	unsigned long bits = 0;

	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
		bits |= services & switches[i].service ? switches[i].bit : 0;
	return (unsigned)bits;
}

unsigned fmt_flags_services_off(unsigned long bits)
{
	unsigned services = 0;

	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
		services |= bits & switches[i].bit
				    ? (unsigned)switches[i].service
				    : 0;
	return services;
}

void fmt_flags_vpopmail(struct import_account *account, unsigned long bits)
{
	const size_t known = sizeof bit_names / sizeof *bit_names;
	const unsigned services = fmt_flags_services_off(bits);

	if (services)
		import_account_services(account, services);
	if (bits & FMT_FLAGS_BOUNCE)
		import_account_no_mail(account);
	for (size_t i = 0; i < known; i++) {
		if (bits & 1UL << i && bit_names[i])
			import_account_note(account, "%s", bit_names[i]);
	}
	if (bits >> known)
		import_account_note(account, "unknown flags 0x%lx",
				    bits >> known << known);
}

/* Neither logins nor delivery depend on these. */
static const char *const harmless[] = {
	"userdb_uid",  "userdb_gid",
	"userdb_home", "userdb_quota_bytes",
	"nodelay",     "userdb_system_groups_user",
	NULL,
};

/* As popbox writes it. */
static bool take_nets(struct import_account *account, const char *value)
{
	const char *begin = strchr(DOVECOT_NETS_BEGIN, '=') + 1;
	const char *end = strstr(value, DOVECOT_NETS_END);
	unsigned services = 0;

	if (strncmp(value, begin, strlen(begin)) != 0 || !end ||
	    end[strlen(DOVECOT_NETS_END)])
		return false;
	for (value += strlen(begin); value < end; value++) {
		const size_t len = strcspn(value, "|)");
		char name[16] = "";

		if (len >= sizeof name)
			return false;
		memcpy(name, value, len);
		if (!login_service(name))
			return false;
		services |= login_service(name);
		value += len;
	}
	import_account_services(account, services);
	return true;
}

void fmt_flags_dovecot(struct import_account *account, const char *key,
		       const char *value)
{
	static const char *const no[] = {"n", "no", "0", NULL};

	if (is_one_of(key, harmless))
		return;
	if (strcasecmp(key, "nologin") == 0) {
		if (!is_one_of(value, no))
			import_account_no_login(account);
		return;
	}
	if (strcasecmp(key, "nopassword") == 0)
		import_account_note(account,
				    "any password was accepted (nopassword)");
	else if (strcasecmp(key, "allow_nets") == 0 &&
		 take_nets(account, value))
		return;
	else if (strcasecmp(key, "allow_nets") == 0)
		import_account_note(account, "logins from %s alone", value);
	else /* its value may be a secret */
		import_account_note(account, "the field '%s'", key);
}

static bool days(const char *text, int64_t *ret_days)
{
	char *end;

	*ret_days = strtoll(text, &end, 10);
	return text[0] && !*end && *ret_days >= 0 && *ret_days < 1000000;
}

enum { LAST_CHANGE, MINIMUM, MAXIMUM, WARNING, INACTIVE, EXPIRY };

void fmt_flags_shadow(struct import_account *account,
		      const char *const field[FMT_FLAGS_SHADOW])
{
	enum { DAY = 86400 };
	int64_t change, most, grace, expiry;

	if (days(field[EXPIRY], &expiry))
		account->expires = expiry ? expiry * DAY : 1;
	if (!days(field[LAST_CHANGE], &change))
		return;
	if (change == 0)
		import_account_note(account,
				    "the password must be changed at the next "
				    "login");
	/* An old password is taken until it has been inactive for so long. */
	else if (days(field[MAXIMUM], &most) && days(field[INACTIVE], &grace)) {
		expiry = (change + most + grace + 1) * DAY;
		if (!account->expires || expiry < account->expires)
			account->expires = expiry;
	}
}
