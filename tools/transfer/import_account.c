/* SPDX-License-Identifier: MIT */
#include "import_account.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/bytesize.h"
#include "base/idn.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/words.h"
#include "maildir/vacation_file.h"
#include "store/secret.h"

void import_account_wipe(struct import_account *account)
{
	secret_wipe(account, offsetof(struct import_account, maildir));
	account->maildir[0] = account->vacation[0] = 0;
}

const char *import_account_blame(struct import_account *account,
				 const char *text, const char *why)
{
	if (why && !account->bad[0]) /* cut: the file has all of it */
		(void)snprintf(account->bad, sizeof account->bad, "%s", text);
	return why;
}

const char *import_account_address(struct import_account *account,
				   const char *text)
{
	const char *at = strrchr(text, '@');
	const char *why = idn_address(text, true, &account->address);

	if (!why)
		why = idn_domain(at + 1, &account->address.domain,
				 account->utf8);
	account->has_address = !why;
	return import_account_blame(account, text, why);
}

const char *import_account_local(struct import_account *account,
				 const char *local, const char *domain)
{
	struct name_address *address = &account->address;
	const char *why = name_local_or_catchall(local, strlen(local),
						 &address->local);
	const char *bad = why ? local : domain;

	if (!why)
		why = idn_domain(domain, &address->domain, account->utf8);
	account->has_address = !why;
	return import_account_blame(account, bad, why);
}

const char *import_account_handle(struct import_account *account,
				  const char *text)
{
	const char *why =
		name_handle_read(text, strlen(text), &account->handle);

	account->has_handle = !why;
	return import_account_blame(account, text, why);
}

const char *import_account_box(struct import_account *account, const char *text)
{
	const char *why = name_box_read(text, strlen(text), &account->box);

	account->has_box = !why;
	return import_account_blame(account, text, why);
}

const char *import_account_password(struct import_account *account,
				    const char *text)
{
	const size_t len = strlen(text);
	const char *why = pwhash_refuse(text, len);

	if (why)
		return why;
	if (pwhash_resembles(text))
		return "this password looks like a hash: give it as a hash "
		       "(csv: in the column 'hash')";
	memcpy(account->password, text, len + 1);
	account->password_len = len;
	account->secret = IMPORT_ACCOUNT_PASSWORD;
	return NULL;
}

/* {PLAIN}secret, as some passwd-files have it. */
static const char *behind_plain(const char *text)
{
	static const char *const tags[] = {"{PLAIN}", "{CLEAR}",
					   "{CLEARTEXT}"};

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		size_t len = strlen(tags[i]);

		if (strncasecmp(text, tags[i], len) == 0)
			return text + len;
	}
	return NULL;
}

static const char *refuse_hash(enum pwhash answer, const char *scheme)
{
	if (answer == PWHASH_TOODEAR)
		return "the hash costs more than a login may";
	if (answer == PWHASH_UNKNOWN && scheme)
		return "the hash is of a scheme that is not computed here, "
		       "like LANMAN or DIGEST-MD5";
	return NULL;
}

/* !$6$... is how passwd(1) locks one that may come back. */
static void lock(struct import_account *account, const char *text)
{
	const char *scheme;

	account->secret = IMPORT_ACCOUNT_LOCKED;
	account->has_login = true;
	account->login = false;
	text += strspn(text, "!*");
	if (pwhash_judge(text, &scheme) != PWHASH_OK)
		return;
	memcpy(account->hash, text, strlen(text) + 1); /* at most PWHASH_MAX */
	account->secret = IMPORT_ACCOUNT_HASH;
}

const char *import_account_hash(struct import_account *account,
				const char *text)
{
	const char *plain = behind_plain(text), *scheme;
	enum pwhash answer;

	if (plain)
		return import_account_password(account, plain);
	if (strcmp(text, "*") == 0) {
		account->secret = IMPORT_ACCOUNT_LOCKED;
		return NULL;
	}
	if (strncasecmp(text, "{CRYPT}", 7) == 0 &&
	    (text[7] == '!' || text[7] == '*' || strcmp(text + 7, "x") == 0)) {
		lock(account, text + 7); /* as directories have it */
		return NULL;
	}
	if (text[0] == '!' || text[0] == '*') {
		lock(account, text);
		return NULL;
	}
	answer = pwhash_judge(text, &scheme);
	account->unusable = refuse_hash(answer, scheme);
	if (account->unusable)
		return NULL;
	if (answer == PWHASH_UNKNOWN)
		return "this is no hash (a password belongs into another "
		       "column)";
	if (answer != PWHASH_OK)
		return "the hash is malformed";
	memcpy(account->hash, text, strlen(text) + 1); /* at most PWHASH_MAX */
	account->secret = IMPORT_ACCOUNT_HASH;
	return NULL;
}

static const char *take_text(const char *text, char *ret_text, size_t room)
{
	if (strlen(text) >= room)
		return "the text has more than 200 bytes";
	if (!json_text_good(text))
		return "the text has control characters";
	memcpy(ret_text, text, strlen(text) + 1);
	return NULL;
}

const char *import_account_title(struct import_account *account,
				 const char *text)
{
	const char *why =
		take_text(text, account->title, sizeof account->title);

	account->has_title = !why;
	return import_account_blame(account, text, why);
}

const char *import_account_reason(struct import_account *account,
				  const char *text)
{
	const char *why =
		take_text(text, account->reason, sizeof account->reason);

	account->has_reason = !why;
	return import_account_blame(account, text, why);
}

const char *import_account_maildir(struct import_account *account,
				   const char *text)
{
	const size_t len = strlen(text);

	if (len >= sizeof account->maildir)
		return "the Maildir's path is too long";
	for (const char *at = text; (at = strstr(at, "..")) != NULL; at += 2) {
		if ((at == text || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return "the Maildir's path goes upwards ('..')";
	}
	memcpy(account->maildir, text, len + 1);
	return NULL;
}

const char *import_account_quota(struct import_account *account,
				 const char *text, uint64_t unit)
{
	account->has_quota = true;
	if (bytesize_read(text, unit, &account->quota))
		return NULL;
	return import_account_blame(
		account, text,
		"a quota is a size like 500M or 1.5 GB, or 'none'");
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcasecmp(text, *words) == 0)
			return true;
	}
	return false;
}

/* "12", or a word or number for none. */
const char *import_account_messages(struct import_account *account,
				    const char *text)
{
	static const char *const none[] = {"none", "unlimited", "-1", NULL};
	const size_t digits = strspn(text, "0123456789");

	account->has_messages = true;
	account->messages = 0;
	if (!text[0] || is_one_of(text, none))
		return NULL;
	if (text[digits] || digits > 18) /* 64 bits hold as many */
		return import_account_blame(
			account, text,
			"a limit of messages is a number, or 'none'");
	account->messages = strtoull(text, NULL, 10);
	return NULL;
}

const char *import_account_vacation(struct import_account *account,
				    const char *text)
{
	const char *why;

	account->has_vacation = true;
	account->vacation[0] = 0;
	if (strcasecmp(text, "none") == 0)
		return NULL;
	why = vacation_text_read(text, strlen(text), account->vacation);
	return why ? "the vacation reply is empty, is not UTF-8, has more than "
		     "7168 bytes, or a control character"
		   : NULL;
}

/* None of those words and spans that depend on when they are read. */
static bool is_date(const char *text, int64_t *ret_time)
{
	return text[0] >= '0' && text[0] <= '9' &&
	       moment_read(text, 0, false, ret_time) && *ret_time > 0;
}

static const char *take_time(struct import_account *account, const char *text,
			     int64_t *ret_time)
{
	return is_date(text, ret_time)
		       ? NULL
		       : import_account_blame(account, text,
					      "a time of a vacation reply is no "
					      "date like 2027-01-31");
}

const char *import_account_vacation_from(struct import_account *account,
					 const char *text)
{
	return take_time(account, text, &account->vacation_from);
}

const char *import_account_vacation_until(struct import_account *account,
					  const char *text)
{
	return take_time(account, text, &account->vacation_until);
}

static const char *const yes[] = {"on", "yes", "true", "1", "y", NULL};
static const char *const no[] = {"off", "no", "false", "0", "n", NULL};

const char *import_account_login(struct import_account *account,
				 const char *text)
{
	unsigned said, off;

	account->login = is_one_of(text, yes);
	account->has_login = account->login || is_one_of(text, no);
	if (account->has_login)
		return NULL;
	if (!word_services_read(text, &said, &off))
		return import_account_blame(account, text,
					    "login is on, off, or a list like "
					    "pop=off,smtp=on");
	import_account_services(account, off);
	return NULL;
}

const char *import_account_delivery(struct import_account *account,
				    const char *text)
{
	account->has_delivery = true;
	if (is_one_of(text, yes))
		account->delivery = STORE_DELIVER;
	else if (is_one_of(text, no))
		account->delivery = STORE_BOUNCE;
	else if (strcasecmp(text, "hold") == 0)
		account->delivery = STORE_HOLD;
	else
		return import_account_blame(account, text,
					    "delivery is on, off or hold");
	return NULL;
}

const char *import_account_forward(struct import_account *account,
				   const char *text)
{
	char forward[NAME_ADDRESS_TEXT];
	const char *why = idn_forward(text, forward);
	size_t len;

	if (why)
		return import_account_blame(account, text, why);
	for (size_t at = 0; at < account->forwards_len;
	     at += strlen(account->forwards + at) + 1) {
		if (strcmp(account->forwards + at, forward) == 0)
			return NULL;
	}
	len = strlen(forward) + 1;
	if (len > sizeof account->forwards - account->forwards_len)
		return "it has more than 8192 bytes of forwards (use a mailing "
		       "list)";
	memcpy(account->forwards + account->forwards_len, forward, len);
	account->forwards_len += len;
	account->has_forwards = true;
	return NULL;
}

void import_account_services(struct import_account *account, unsigned off)
{
	account->has_login = true;
	account->login = off != STORE_SERVICES;
	account->has_services = account->login;
	account->services_off = account->login ? off : 0;
}

const char *import_account_end(struct import_account *account, const char *text)
{
	int64_t seconds = 0;

	if (strcmp(text, "never") != 0 && !is_date(text, &seconds))
		return import_account_blame(account, text,
					    "expires is a date like 2027-01-31 "
					    "or 2027-01-31T12:00:00Z, or never");
	account->has_expires = true;
	account->expires = seconds;
	return NULL;
}

void import_account_no_login(struct import_account *account)
{
	account->has_login = true;
	account->login = false;
}

void import_account_no_mail(struct import_account *account)
{
	account->has_delivery = true;
	account->delivery = STORE_BOUNCE;
}

void import_account_note(struct import_account *account, const char *format,
			 ...)
{
	size_t len = strlen(account->note);
	va_list args;

	if (len && len + 3 < sizeof account->note) {
		memcpy(account->note + len, "; ", 3);
		len += 2;
	}
	va_start(args, format);
	/* A text that does not fit is cut: the row's line shows all of it. */
	(void)vsnprintf(account->note + len, sizeof account->note - len, format,
			args);
	va_end(args);
}

void import_account_expire(struct import_account *account, int64_t now)
{
	const time_t at = (time_t)account->expires;
	char day[16] = "";
	struct tm tm;

	if (!account->expires || account->has_expires)
		return;
	if (account->expires > now && !account->expires_mail) {
		account->has_expires = true;
		return;
	}
	if (gmtime_r(&at, &tm))
		(void)strftime(day, sizeof day, "%Y-%m-%d", &tm);
	if (account->expires > now) {
		import_account_note(account, "it expires on %s", day);
		return;
	}
	import_account_no_login(account);
	if (account->expires_mail) {
		import_account_no_mail(account);
		if (account->has_forwards)
			import_account_note(account,
					    "its forwards, since it has "
					    "expired");
		account->has_forwards = false;
		account->forwards_len = 0;
	}
	account->has_reason = true; /* at most 10 + 11 bytes */
	(void)snprintf(account->reason, sizeof account->reason, "expired on %s",
		       day);
}
