#include "intake.h"

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
#include "store/secret.h"

void intake_wipe(struct intake *intake)
{
	secret_wipe(intake, offsetof(struct intake, maildir));
	intake->maildir[0] = 0;
}

const char *intake_blame(struct intake *intake, const char *text,
			 const char *why)
{
	if (why && !intake->bad[0]) /* cut: the file has all of it */
		(void)snprintf(intake->bad, sizeof intake->bad, "%s", text);
	return why;
}

const char *intake_address(struct intake *intake, const char *text)
{
	const char *at = strrchr(text, '@');
	const char *why = idn_address(text, true, &intake->address);

	if (!why)
		why = idn_domain(at + 1, &intake->address.domain,
				 intake->utf8);
	intake->has_address = !why;
	return intake_blame(intake, text, why);
}

const char *intake_local(struct intake *intake, const char *local,
			 const char *domain)
{
	struct name_address *address = &intake->address;
	const char *why = name_local_or_catchall(local, strlen(local),
						 &address->local);
	const char *bad = why ? local : domain;

	if (!why)
		why = idn_domain(domain, &address->domain, intake->utf8);
	intake->has_address = !why;
	return intake_blame(intake, bad, why);
}

const char *intake_handle(struct intake *intake, const char *text)
{
	const char *why = name_handle_read(text, strlen(text),
					   &intake->handle);

	intake->has_handle = !why;
	return intake_blame(intake, text, why);
}

const char *intake_box(struct intake *intake, const char *text)
{
	const char *why = name_box_read(text, strlen(text), &intake->box);

	intake->has_box = !why;
	return intake_blame(intake, text, why);
}

const char *intake_password(struct intake *intake, const char *text)
{
	const size_t len = strlen(text);
	const char *why = pwhash_refuse(text, len);

	if (why)
		return why;
	if (pwhash_resembles(text))
		return "this password looks like a hash: give it as a hash "
		       "(csv: in the column 'hash')";
	memcpy(intake->password, text, len + 1);
	intake->password_len = len;
	intake->secret = INTAKE_PASSWORD;
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
static void lock(struct intake *intake, const char *text)
{
	const char *scheme;

	intake->secret = INTAKE_LOCKED;
	intake->has_login = true;
	intake->login = false;
	text += strspn(text, "!*");
	if (pwhash_judge(text, &scheme) != PWHASH_OK)
		return;
	memcpy(intake->hash, text, strlen(text) + 1); /* at most PWHASH_MAX */
	intake->secret = INTAKE_HASH;
}

const char *intake_hash(struct intake *intake, const char *text)
{
	const char *plain = behind_plain(text), *scheme;
	enum pwhash answer;

	if (plain)
		return intake_password(intake, plain);
	if (strcmp(text, "*") == 0) {
		intake->secret = INTAKE_LOCKED;
		return NULL;
	}
	if (strncasecmp(text, "{CRYPT}", 7) == 0 &&
	    (text[7] == '!' || text[7] == '*' || strcmp(text + 7, "x") == 0)) {
		lock(intake, text + 7); /* as directories have it */
		return NULL;
	}
	if (text[0] == '!' || text[0] == '*') {
		lock(intake, text);
		return NULL;
	}
	answer = pwhash_judge(text, &scheme);
	intake->unusable = refuse_hash(answer, scheme);
	if (intake->unusable)
		return NULL;
	if (answer == PWHASH_UNKNOWN)
		return "this is no hash (a password belongs into another "
		       "column)";
	if (answer != PWHASH_OK)
		return "the hash is malformed";
	memcpy(intake->hash, text, strlen(text) + 1); /* at most PWHASH_MAX */
	intake->secret = INTAKE_HASH;
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

const char *intake_title(struct intake *intake, const char *text)
{
	const char *why = take_text(text, intake->title, sizeof intake->title);

	intake->has_title = !why;
	return intake_blame(intake, text, why);
}

const char *intake_reason(struct intake *intake, const char *text)
{
	const char *why = take_text(text, intake->reason,
				    sizeof intake->reason);

	intake->has_reason = !why;
	return intake_blame(intake, text, why);
}

const char *intake_maildir(struct intake *intake, const char *text)
{
	const size_t len = strlen(text);

	if (len >= sizeof intake->maildir)
		return "the Maildir's path is too long";
	for (const char *at = text; (at = strstr(at, "..")) != NULL; at += 2) {
		if ((at == text || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return "the Maildir's path goes upwards ('..')";
	}
	memcpy(intake->maildir, text, len + 1);
	return NULL;
}

const char *intake_quota(struct intake *intake, const char *text,
			 uint64_t unit)
{
	intake->has_quota = true;
	if (bytesize_read(text, unit, &intake->quota))
		return NULL;
	return intake_blame(intake, text,
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

static const char *const yes[] = {"on", "yes", "true", "1", "y", NULL};
static const char *const no[] = {"off", "no", "false", "0", "n", NULL};

const char *intake_login(struct intake *intake, const char *text)
{
	intake->login = is_one_of(text, yes);
	intake->has_login = intake->login || is_one_of(text, no);
	return intake->has_login
		       ? NULL
		       : intake_blame(intake, text, "login is on or off");
}

const char *intake_delivery(struct intake *intake, const char *text)
{
	intake->has_delivery = true;
	if (is_one_of(text, yes))
		intake->delivery = STORE_DELIVER;
	else if (is_one_of(text, no))
		intake->delivery = STORE_BOUNCE;
	else if (strcasecmp(text, "hold") == 0)
		intake->delivery = STORE_HOLD;
	else
		return intake_blame(intake, text,
				    "delivery is on, off or hold");
	return NULL;
}

const char *intake_forward(struct intake *intake, const char *text)
{
	char forward[NAME_ADDRESS_TEXT];
	const char *why = idn_forward(text, forward);
	size_t len;

	if (why)
		return intake_blame(intake, text, why);
	for (size_t at = 0; at < intake->forwards_len;
	     at += strlen(intake->forwards + at) + 1) {
		if (strcmp(intake->forwards + at, forward) == 0)
			return NULL;
	}
	len = strlen(forward) + 1;
	if (len > sizeof intake->forwards - intake->forwards_len)
		return "it has more than 8192 bytes of forwards (use a mailing "
		       "list)";
	memcpy(intake->forwards + intake->forwards_len, forward, len);
	intake->forwards_len += len;
	intake->has_forwards = true;
	return NULL;
}

void intake_no_login(struct intake *intake)
{
	intake->has_login = true;
	intake->login = false;
}

void intake_no_mail(struct intake *intake)
{
	intake->has_delivery = true;
	intake->delivery = STORE_BOUNCE;
}

void intake_note(struct intake *intake, const char *format, ...)
{
	size_t len = strlen(intake->note);
	va_list args;

	if (len && len + 3 < sizeof intake->note) {
		memcpy(intake->note + len, "; ", 3);
		len += 2;
	}
	va_start(args, format);
	/* A text that does not fit is cut: the row's line shows all of it. */
	(void)vsnprintf(intake->note + len, sizeof intake->note - len, format,
			args);
	va_end(args);
}

void intake_expire(struct intake *intake, int64_t now)
{
	const time_t at = (time_t)intake->expires;
	char day[16] = "";
	struct tm tm;

	if (!intake->expires)
		return;
	if (gmtime_r(&at, &tm))
		(void)strftime(day, sizeof day, "%Y-%m-%d", &tm);
	if (intake->expires > now) {
		intake_note(intake, "it expires on %s", day);
		return;
	}
	intake_no_login(intake);
	if (intake->expires_mail) {
		intake_no_mail(intake);
		if (intake->has_forwards)
			intake_note(intake, "its forwards, since it has "
					    "expired");
		intake->has_forwards = false;
		intake->forwards_len = 0;
	}
	intake->has_reason = true; /* at most 10 + 11 bytes */
	(void)snprintf(intake->reason, sizeof intake->reason, "expired on %s",
		       day);
}
