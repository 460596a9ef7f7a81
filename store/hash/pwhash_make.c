/* SPDX-License-Identifier: MIT */
/* pwhash_make.c: hashes for the store: made, wrapped and tried. The login program
 * verifies only and does not have this file; but every hash is computed and
 * read by the code of a login before a caller gets it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pwhash_private.h"
#include "store/secret.h"

/* Characters of a new hash's sum, which has 32 bytes. */
enum { NEW_SUM_TEXT = 43 };

enum pwhash_weakness pwhash_weakness(const char *hash)
{
	struct pwhash_form form;
	enum pwhash_weakness weakness;

	/* One that cannot be read is as strong as it is useless. */
	(void)!pwhash_form(hash, &form);
	weakness = form.weakness;
	secret_wipe(&form, sizeof form);
	return weakness;
}

const char *pwhash_unstorable(const char *hash)
{
	struct pwhash_form form;
	enum pwhash answer = pwhash_form(hash, &form);
	const bool strong = form.weakness == PWHASH_STRONG;

	secret_wipe(&form, sizeof form);
	if (answer != PWHASH_OK)
		return pwhash_text(answer);
	return strong ? NULL : "a weak hash that is not wrapped";
}

bool pwhash_affordable(struct pwhash_cost cost)
{
	return (uint64_t)cost.kib * cost.passes <= PWHASH_ARGON2_WORK_MAX;
}

/* A new salt and a sum of zeros, for the login's grammar to read. */
static void put_setting(struct pwhash_cost cost, char hash[PWHASH_MAX + 1])
{
	unsigned char salt[ARGON2_SALT];
	char text[4 * ARGON2_SALT / 3 + 3];

	secret_random(salt, sizeof salt);
	(void)sodium_bin2base64(text, sizeof text, salt, sizeof salt,
				sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	(void)snprintf(hash, PWHASH_MAX + 1,
		       "$argon2id$v=19$m=%u,t=%u,p=1$%s$%.*s", cost.kib,
		       cost.passes, text,
		       NEW_SUM_TEXT,
		       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

/* The sum is computed from the text as a login reads it, put into that text, and
 * compared with what a login reads then. */
enum pwhash pwhash_make(struct pwhash_cost cost, const void *password,
			size_t len, char ret_hash[PWHASH_MAX + 1])
{
	char hash[PWHASH_MAX + 1], text[NEW_SUM_TEXT + 1];
	unsigned char sum[ARGON2_SUM_MAX];
	struct pwhash_form form;
	enum pwhash answer;
	size_t n;

	put_setting(cost, hash);
	answer = pwhash_form(hash, &form);
	if (answer == PWHASH_OK)
		answer = pwhash_argon2_sum(&form, password, len, sum, &n);
	if (answer == PWHASH_OK) {
		(void)sodium_bin2base64(
			text, sizeof text, sum, n,
			sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
		memcpy(hash + strlen(hash) - NEW_SUM_TEXT, text, sizeof text);
		answer = pwhash_form(hash, &form);
	}
	if (answer == PWHASH_OK)
		answer = pwhash_argon2_compare(&form, sum, n);
	if (answer == PWHASH_OK)
		memcpy(ret_hash, hash, sizeof hash);
	secret_wipe(text, sizeof text);
	secret_wipe(sum, sizeof sum);
	secret_wipe(hash, sizeof hash);
	return answer;
}

/* What is left of a hash without its sum. */
static bool make_setting(const struct pwhash_form *form,
			 char ret_setting[PWHASH_MAX + 1])
{
	char hex[2 * DIGEST_SALT_MAX + 1];
	size_t len = strlen(form->text);
	int made;

	if (form->how == PWHASH_BY_OLD)
		return pwhash_foreign_put(&form->old, ret_setting);
	if (form->how == PWHASH_BY_DIGEST)
		made = snprintf(ret_setting, PWHASH_MAX + 1, "{%sSHA%u.HEX}%s",
				form->digest.salt_len ? "S" : "",
				form->digest.bits,
				sodium_bin2hex(hex, sizeof hex,
					       form->digest.salt,
					       form->digest.salt_len));
	else
		made = snprintf(ret_setting, PWHASH_MAX + 1, "%.*s",
				(int)(len - pwhash_form_sum(form->text)),
				form->text);
	return made > 0 && made <= PWHASH_MAX;
}

/* The text behind so many dollars, or its end. */
static const char *behind(const char *text, unsigned dollars)
{
	for (; *text && dollars; text++)
		dollars -= *text == '$';
	return text;
}

/* A setting of libcrypt with its salt and at the least cost of its scheme. */
static void lower(const char *setting, char ret_setting[PWHASH_MAX + 16])
{
	const char *at = behind(setting, 2);
	const int head = (int)(at - setting);
	char *cost = ret_setting + head;

	(void)snprintf(ret_setting, PWHASH_MAX + 16, "%s", setting);
	if (setting[0] != '$')
		return;
	if (pwhash_begins(setting, "$2")) {
		memcpy(cost, "04", 2);
	} else if (pwhash_begins(setting, "$y$") ||
		   pwhash_begins(setting, "$gy$")) {
		memcpy(cost + 1, "/.", 2);
	} else if (pwhash_begins(setting, "$7$")) {
		memcpy(cost, "0/..../....", 11);
	} else if (pwhash_begins(setting, "$5$") ||
		   pwhash_begins(setting, "$6$")) {
		if (pwhash_begins(at, "rounds="))
			at = behind(at, 1);
		(void)snprintf(ret_setting, PWHASH_MAX + 16, "%.*srounds=1000$%s",
			       head, setting, at);
	}
}

/* Does libcrypt take this setting, and give it back as it is in front of a sum?
 * A login compares with the whole. */
static enum pwhash try_crypt(const char *setting)
{
	char low[PWHASH_MAX + 16], got[PWHASH_MAX + 1];
	enum pwhash answer;

	lower(setting, low);
	answer = pwhash_run_crypt(low, "x", 1, got);
	if (answer == PWHASH_OK && (strncmp(got, low, strlen(low)) != 0 ||
				    strlen(got) != strlen(low) + pwhash_form_sum(setting)))
		answer = PWHASH_MALFORMED;
	return answer;
}

/* One computation of a login, with this salt and at the least cost. */
static enum pwhash try_argon2(const struct pwhash_form *form)
{
	struct pwhash_form low = *form;
	unsigned char sum[ARGON2_SUM_MAX];
	size_t len;

	low.cost = (struct pwhash_cost){8, form->argon2i ? 3 : 1};
	return pwhash_argon2_sum(&low, "x", 1, sum, &len);
}

/* The same for those that libsodium takes as a text alone. */
static enum pwhash try_lanes(const struct pwhash_form *form)
{
	const int head = form->argon2i ? 16 : 17; /* to "$v=19$m=" */
	const char *lanes = strstr(form->text, ",p=");
	char text[PWHASH_MAX + 1];
	enum pwhash answer;

	(void)snprintf(text, sizeof text, "%.*s%lu,t=%u%s", head, form->text,
		       8 * strtoul(lanes + 3, NULL, 10),
		       form->cost.passes < 3 ? form->cost.passes : 3, lanes);
	answer = pwhash_verify(text, "x", 1);
	secret_wipe(text, sizeof text);
	return answer == PWHASH_NO ? PWHASH_OK : answer;
}

static enum pwhash try_old(const struct pwhash_old *old)
{
	struct pwhash_old low = *old;
	unsigned char sum[PWHASH_OLD_MAX];
	enum pwhash answer;

	low.rounds = 1;
	answer = pwhash_old_compute(&low, "x", 1, sum);
	secret_wipe(&low, sizeof low);
	return answer;
}

enum pwhash pwhash_try(const char *hash)
{
	char setting[PWHASH_MAX + 1];
	struct pwhash_form form;
	enum pwhash answer = pwhash_form(hash, &form);

	if (answer == PWHASH_OK && form.how == PWHASH_BY_STR_VERIFY)
		answer = try_lanes(&form);
	else if (answer == PWHASH_OK &&
		 (form.how == PWHASH_BY_ARGON2 || form.wrapped))
		answer = try_argon2(&form);
	if (answer == PWHASH_OK && form.how == PWHASH_BY_OLD)
		answer = try_old(&form.old);
	if (answer == PWHASH_OK && form.how == PWHASH_BY_CRYPT) {
		if (!form.wrapped && !make_setting(&form, setting))
			answer = PWHASH_MALFORMED;
		else
			answer = try_crypt(form.wrapped ? form.setting : setting);
	}
	secret_wipe(&form, sizeof form);
	return answer;
}

/* What is left of an old hash without its sum, and what the outer one is made
 * of: inner points into the form or to hex. */
static enum pwhash take_apart(const char *hash, struct pwhash_form *form,
			      char ret_setting[PWHASH_MAX + 1],
			      char hex[2 * DIGEST_MAX + 1],
			      const char **ret_inner)
{
	enum pwhash answer = pwhash_form(hash, form);

	if (answer != PWHASH_OK)
		return answer;
	if (form->wrapped || form->how == PWHASH_BY_ARGON2 ||
	    form->how == PWHASH_BY_STR_VERIFY ||
	    !make_setting(form, ret_setting))
		return PWHASH_MALFORMED;
	*ret_inner = form->text;
	if (form->how == PWHASH_BY_OLD)
		*ret_inner = sodium_bin2hex(hex, 2 * DIGEST_MAX + 1,
					    form->old.sum,
					    pwhash_old_size(form->old.kind));
	if (form->how == PWHASH_BY_DIGEST)
		*ret_inner = sodium_bin2hex(hex, 2 * DIGEST_MAX + 1,
					    form->digest.sum,
					    form->digest.bits / 8);
	return PWHASH_OK;
}

/* The outer hash is computed and read by the code of a login, and so is what is
 * left of the inner one. */
static enum pwhash join(const struct pwhash_form *form, const char *setting,
			const char *made, char ret_hash[PWHASH_MAX + 1])
{
	struct pwhash_form outer;
	enum pwhash answer;
	int len = snprintf(ret_hash, PWHASH_MAX + 1, "$wrap$%s%s", setting,
			   made);

	if (len <= 0 || len > PWHASH_MAX)
		return PWHASH_MALFORMED;
	answer = pwhash_form(ret_hash, &outer);
	if (answer == PWHASH_OK &&
	    (!outer.wrapped || outer.how != form->how ||
	     outer.rounds != form->rounds ||
	     strcmp(outer.setting, setting) != 0 ||
	     !pwhash_digest_same(&outer.digest, &form->digest) ||
	     !pwhash_old_same(&outer.old, &form->old)))
		answer = PWHASH_MALFORMED;
	secret_wipe(&outer, sizeof outer);
	return answer;
}

enum pwhash pwhash_wrap(struct pwhash_cost cost, const char *hash,
			char ret_hash[PWHASH_MAX + 1])
{
	char setting[PWHASH_MAX + 1], outer[PWHASH_MAX + 1];
	char hex[2 * DIGEST_MAX + 1];
	struct pwhash_form form;
	const char *inner;
	enum pwhash answer = take_apart(hash, &form, setting, hex, &inner);

	if (answer == PWHASH_OK)
		answer = pwhash_try(hash);
	if (answer == PWHASH_OK)
		answer = pwhash_make(cost, inner, strlen(inner), outer);
	if (answer == PWHASH_OK)
		answer = join(&form, setting, outer, ret_hash);
	secret_wipe(hex, sizeof hex);
	secret_wipe(outer, sizeof outer);
	secret_wipe(&form, sizeof form);
	return answer;
}

enum pwhash pwhash_wrap_same(const char *wrapped, const char *hash)
{
	char setting[PWHASH_MAX + 1], hex[2 * DIGEST_MAX + 1];
	struct pwhash_form form, outer;
	const char *inner;
	enum pwhash answer = take_apart(hash, &form, setting, hex, &inner);

	if (answer == PWHASH_OK)
		answer = pwhash_form(wrapped, &outer);
	if (answer == PWHASH_OK &&
	    (!outer.wrapped || strcmp(outer.setting, setting) != 0))
		answer = PWHASH_NO;
	if (answer == PWHASH_OK)
		answer = pwhash_argon2_verify(&outer, inner, strlen(inner));
	secret_wipe(&outer, sizeof outer);
	secret_wipe(hex, sizeof hex);
	secret_wipe(&form, sizeof form);
	return answer;
}

bool pwhash_resembles(const char *text)
{
	struct pwhash_form form;
	const char *scheme;

	if (text[0] != '$' && text[0] != '{') /* pbkdf2_sha256$... */
		return pwhash_foreign_form(text, &form) != PWHASH_UNKNOWN;
	return pwhash_judge(text, &scheme) != PWHASH_UNKNOWN || scheme;
}

const char *pwhash_refuse(const void *password, size_t len)
{
	const char *bytes = password;

	if (len == 0)
		return "it is empty";
	if (len > PWHASH_PASSWORD_MAX)
		return "it has more than 255 bytes, which POP logins may not "
		       "carry";
	if (bytes[0] == ' ')
		return "it begins with a blank, which POP logins do not carry";
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\r' || bytes[i] == '\n' || bytes[i] == 0)
			return "it has a CR, LF or NUL, which POP logins do "
			       "not carry";
	}
	return NULL;
}
