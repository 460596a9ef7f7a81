/* SPDX-License-Identifier: MIT */
/* pwhash_foreign.c: how other programs write the hashes that pwhash_old.c
 * computes, and how what is left of one is written inside of ours:
 *
 *	{NAME}SALT, {NAME:ROUNDS}SALT	SALT in hexadecimal
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pwhash_private.h"
#include "store/secret.h"

static const char itoa64[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz";

static const struct kind {
	const char *name; /* inside of ours */
	const char *scheme; /* for people */
	enum pwhash_old_kind kind;
} kinds[] = {
	{"MD5", "MD5", PWHASH_OLD_MD5},
	{"SHA", "SHA-1", PWHASH_OLD_SHA1},
	{"NT", "NT", PWHASH_OLD_NT},
	{"CRAM-MD5", "CRAM-MD5", PWHASH_OLD_CRAM_MD5},
	{"PBKDF2-SHA1", "PBKDF2-SHA1", PWHASH_OLD_PBKDF2_SHA1},
	{"PBKDF2-SHA256", "PBKDF2-SHA256", PWHASH_OLD_PBKDF2_SHA256},
	{"PBKDF2-SHA512", "PBKDF2-SHA512", PWHASH_OLD_PBKDF2_SHA512},
	{"SCRAM-SHA-1", "SCRAM-SHA-1", PWHASH_OLD_SCRAM_SHA1},
	{"SCRAM-SHA-256", "SCRAM-SHA-256", PWHASH_OLD_SCRAM_SHA256},
	{"PHPASS", "phpass", PWHASH_OLD_PHPASS},
	{"APR1", "apr1", PWHASH_OLD_APR1},
};

static const struct kind *kind_of(enum pwhash_old_kind kind)
{
	const struct kind *at = kinds;

	while (at->kind != kind)
		at++; /* each has its line */
	return at;
}

static bool has_rounds(enum pwhash_old_kind kind)
{
	switch (kind) {
	case PWHASH_OLD_PBKDF2_SHA1:
	case PWHASH_OLD_PBKDF2_SHA256:
	case PWHASH_OLD_PBKDF2_SHA512:
	case PWHASH_OLD_SCRAM_SHA1:
	case PWHASH_OLD_SCRAM_SHA256:
	case PWHASH_OLD_PHPASS:
		return true;
	case PWHASH_OLD_MD5:
	case PWHASH_OLD_SHA1:
	case PWHASH_OLD_NT:
	case PWHASH_OLD_CRAM_MD5:
	case PWHASH_OLD_APR1:
		break;
	}
	return false;
}

/* text[0..len) as bytes, with its padding or without. passlib has '.' for
 * base64's '+'. */
static bool base64(const char *text, size_t len, unsigned char *ret_bytes,
		   size_t room, size_t *ret_len)
{
	const int variant = memchr(text, '=', len)
				    ? sodium_base64_VARIANT_ORIGINAL
				    : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	char copy[2 * PWHASH_MAX];
	bool good;

	if (len >= sizeof copy)
		return false;
	for (size_t i = 0; i < len; i++) {
		copy[i] = text[i] == '.' ? '+' : text[i];
		if (!text[i] || (!strchr(itoa64, text[i]) &&
				 text[i] != '+' && text[i] != '='))
			return false;
	}
	good = sodium_base642bin(ret_bytes, room, copy, len, NULL, ret_len,
				 NULL, variant) == 0;
	secret_wipe(copy, sizeof copy);
	return good;
}

static bool hexadecimal(const char *text, size_t len, unsigned char *ret_bytes,
			size_t room, size_t *ret_len)
{
	return len % 2 == 0 && len / 2 <= room &&
	       sodium_hex2bin(ret_bytes, room, text, len, NULL, ret_len,
			      NULL) == 0 &&
	       *ret_len == len / 2;
}

static bool take_salt(struct pwhash_old *old, const char *text, size_t len)
{
	if (len > sizeof old->salt)
		return false;
	memcpy(old->salt, text, len);
	old->salt_len = len;
	return true;
}

/* AS_EITHER: base64, but hexadecimal where the length is that of a sum. */
enum coding { AS_TEXT, AS_BASE64, AS_HEX, AS_EITHER };

/* A sum, and with salted a salt behind it. */
static bool take_sum(struct pwhash_old *old, const char *text, size_t len,
		     enum coding coding, bool salted)
{
	const size_t size = pwhash_old_size(old->kind);
	unsigned char bytes[PWHASH_OLD_MAX + PWHASH_OLD_SALT];
	size_t n = 0;
	bool good;

	if (coding == AS_EITHER)
		coding = len == 2 * size ? AS_HEX : AS_BASE64;
	good = coding == AS_HEX
		       ? hexadecimal(text, len, bytes, sizeof bytes, &n)
		       : base64(text, len, bytes, sizeof bytes, &n);
	if (good && salted)
		good = n > size && take_salt(old, (const char *)bytes + size,
					     n - size);
	else
		good = good && n == size;
	if (good)
		memcpy(old->sum, bytes, size);
	secret_wipe(bytes, sizeof bytes);
	return good;
}

/* A number up to the first byte that is none, which has to be end. */
static bool take_rounds(const char **at, char end, uint32_t *ret_rounds)
{
	unsigned long number;
	char *behind;

	if (**at < '1' || **at > '9')
		return false;
	number = strtoul(*at, &behind, 10);
	if (*behind != end || number > UINT32_MAX || behind - *at > 10)
		return false;
	*ret_rounds = (uint32_t)number;
	*at = behind + 1;
	return true;
}

static enum pwhash settle(struct pwhash_form *form, bool good)
{
	form->scheme = kind_of(form->old.kind)->scheme;
	form->how = PWHASH_BY_OLD;
	form->weakness = PWHASH_WEAK;
	if (!good)
		return PWHASH_MALFORMED;
	return has_rounds(form->old.kind) &&
			       form->old.rounds > PWHASH_PBKDF2_ROUNDS_MAX
		       ? PWHASH_TOODEAR
		       : PWHASH_OK;
}

/* ROUNDS, SALT and SUM; the salt is text, or written as the sum is. */
static enum pwhash pbkdf2_parts(const char *rounds, const char *salt,
				bool text_salt, enum coding coding,
				struct pwhash_form *form)
{
	struct pwhash_old *old = &form->old;
	const char *sum = strchr(salt, '$');
	size_t len = sum ? (size_t)(sum - salt) : 0;
	unsigned char bytes[PWHASH_OLD_SALT];
	bool good = sum && take_rounds(&rounds, '$', &old->rounds);

	if (good && text_salt)
		good = strspn(salt, itoa64) == len && take_salt(old, salt, len);
	else if (good)
		good = base64(salt, len, bytes, sizeof bytes, &len) &&
		       take_salt(old, (const char *)bytes, len);
	return settle(form, good && take_sum(old, sum + 1, strlen(sum + 1),
					     coding, false));
}

/* $pbkdf2-sha256$ROUNDS$SALT$SUM; in LDAP with braces for the first part. */
static enum pwhash pbkdf2_form(enum pwhash_old_kind kind, const char *at,
			       bool text_salt, enum coding coding,
			       struct pwhash_form *form)
{
	const char *salt = strchr(at, '$');

	form->old.kind = kind;
	return salt ? pbkdf2_parts(at, salt + 1, text_salt, coding, form)
		    : settle(form, false);
}

/* Dovecot's: $1$SALT$ROUNDS$SUM in hexadecimal */
static enum pwhash dovecot_pbkdf2(const char *at, struct pwhash_form *form)
{
	struct pwhash_old *old = &form->old;
	const char *salt = at + 3, *rounds, *end;
	bool good;

	old->kind = PWHASH_OLD_PBKDF2_SHA1;
	if (!pwhash_begins(at, "$1$"))
		return pbkdf2_form(old->kind, at + (*at == '$'), false,
				   AS_BASE64, form);
	end = strchr(salt, '$');
	rounds = end ? end + 1 : "";
	good = end && strspn(salt, itoa64) == (size_t)(end - salt) &&
	       take_salt(old, salt, (size_t)(end - salt)) &&
	       take_rounds(&rounds, '$', &old->rounds);
	return settle(form, good && take_sum(old, rounds, strlen(rounds),
					     AS_HEX, false));
}

/* ROUNDS,SALT,STOREDKEY,SERVERKEY; what the last is is not needed. */
static enum pwhash scram_form(enum pwhash_old_kind kind, const char *at,
			      struct pwhash_form *form)
{
	struct pwhash_old *old = &form->old;
	const char *salt = strchr(at, ',');
	const char *key = salt ? strchr(salt + 1, ',') : NULL;
	const char *end = key ? strchr(key + 1, ',') : NULL;
	unsigned char bytes[PWHASH_OLD_SALT];
	size_t len;
	bool good;

	old->kind = kind;
	good = end && take_rounds(&at, ',', &old->rounds) &&
	       base64(end + 1, strlen(end + 1), bytes, sizeof bytes, &len) &&
	       len == pwhash_old_size(kind) &&
	       take_sum(old, key + 1, (size_t)(end - key - 1), AS_BASE64,
			false) &&
	       base64(salt + 1, (size_t)(key - salt - 1), bytes, sizeof bytes,
		      &len) &&
	       take_salt(old, (const char *)bytes, len);
	return settle(form, good);
}

/* One of libcrypt's alphabets: three bytes make four characters, the lowest six
 * bits first. */
static bool from_itoa64(const char *text, unsigned char *ret_bytes, size_t size)
{
	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = 0;
		size_t left = size - i < 3 ? size - i : 3;

		for (size_t k = 0; k <= left; k++) {
			const char *digit = *text ? strchr(itoa64, *text) : NULL;

			if (!digit)
				return false;
			bits |= (uint32_t)(digit - itoa64) << 6 * k;
			text++;
		}
		for (size_t k = 0; k < left; k++)
			ret_bytes[i + k] = (unsigned char)(bits >> 8 * k);
		if (left < 3 && bits >> 8 * left)
			return false;
	}
	return *text == 0;
}

/* LOG, eight characters of salt, 22 of the sum */
static enum pwhash phpass_form(const char *at, struct pwhash_form *form)
{
	struct pwhash_old *old = &form->old;
	const char *log = *at ? strchr(itoa64, *at) : NULL;
	size_t log2n = log ? (size_t)(log - itoa64) : 0;
	bool good = log2n >= 7 && log2n <= 30 && strlen(at) == 1 + 8 + 22 &&
		    strspn(at, itoa64) == 1 + 8 + 22 &&
		    take_salt(old, at + 1, 8) &&
		    from_itoa64(at + 9, old->sum, 16);

	old->kind = PWHASH_OLD_PHPASS;
	old->rounds = (uint32_t)1 << (log2n & 31);
	return settle(form, good);
}

/* SALT$SUM, whose bytes md5crypt writes in an order of its own. */
static enum pwhash apr1_form(const char *at, struct pwhash_form *form)
{
	/* Three bytes to each four characters, the last first. */
	static const unsigned char order[] = {12, 6, 0,	 13, 7, 1,  14, 8,
					      2,  15, 9, 3,  5,	10, 4,  11};
	struct pwhash_old *old = &form->old;
	const char *sum = strchr(at, '$');
	size_t len = sum ? (size_t)(sum - at) : 0;
	unsigned char bytes[16];
	bool good = sum && len >= 1 && len <= 8 &&
		    strspn(at, itoa64) == len && take_salt(old, at, len) &&
		    strlen(sum + 1) == 22 && from_itoa64(sum + 1, bytes, 16);

	old->kind = PWHASH_OLD_APR1;
	for (size_t i = 0; good && i < sizeof bytes; i++)
		old->sum[order[i]] = bytes[i];
	secret_wipe(bytes, sizeof bytes);
	return settle(form, good);
}

static enum pwhash plain_form(enum pwhash_old_kind kind, const char *at,
			      enum coding coding, bool salted,
			      struct pwhash_form *form)
{
	form->old.kind = kind;
	return settle(form, take_sum(&form->old, at, strlen(at), coding,
				     salted));
}

enum pwhash pwhash_foreign_form(const char *hash, struct pwhash_form *form)
{
	static const struct {
		const char *prefix;
		enum pwhash_old_kind kind;
		bool text_salt;
		enum coding coding;
	} pbkdf2[] = {
		{"$pbkdf2$", PWHASH_OLD_PBKDF2_SHA1, false, AS_BASE64},
		{"$pbkdf2-sha1$", PWHASH_OLD_PBKDF2_SHA1, false, AS_BASE64},
		{"$pbkdf2-sha256$", PWHASH_OLD_PBKDF2_SHA256, false, AS_BASE64},
		{"$pbkdf2-sha512$", PWHASH_OLD_PBKDF2_SHA512, false, AS_BASE64},
		/* Django's and Werkzeug's */
		{"pbkdf2_sha1$", PWHASH_OLD_PBKDF2_SHA1, true, AS_BASE64},
		{"pbkdf2_sha256$", PWHASH_OLD_PBKDF2_SHA256, true, AS_BASE64},
		{"pbkdf2:sha1:", PWHASH_OLD_PBKDF2_SHA1, true, AS_HEX},
		{"pbkdf2:sha256:", PWHASH_OLD_PBKDF2_SHA256, true, AS_HEX},
		{"pbkdf2:sha512:", PWHASH_OLD_PBKDF2_SHA512, true, AS_HEX},
	};

	for (size_t i = 0; i < sizeof pbkdf2 / sizeof *pbkdf2; i++) {
		size_t len = strlen(pbkdf2[i].prefix);

		if (strncmp(hash, pbkdf2[i].prefix, len) == 0)
			return pbkdf2_form(pbkdf2[i].kind, hash + len,
					   pbkdf2[i].text_salt,
					   pbkdf2[i].coding, form);
	}
	if (pwhash_begins(hash, "$P$") || pwhash_begins(hash, "$H$"))
		return phpass_form(hash + 3, form);
	if (pwhash_begins(hash, "$apr1$"))
		return apr1_form(hash + 6, form);
	if (pwhash_begins(hash, "$3$$"))
		return plain_form(PWHASH_OLD_NT, hash + 4, AS_HEX, false, form);
	return PWHASH_UNKNOWN;
}

enum pwhash pwhash_foreign_tagged(const char *tag, size_t len,
				  const char *body, struct pwhash_form *form)
{
	static const struct {
		const char *name;
		enum pwhash_old_kind kind;
		enum coding coding; /* unless the tag's end says another */
		bool salted;
	} tags[] = {
		{"MD5", PWHASH_OLD_MD5, AS_EITHER, false},
		{"PLAIN-MD5", PWHASH_OLD_MD5, AS_HEX, false},
		{"LDAP-MD5", PWHASH_OLD_MD5, AS_BASE64, false},
		{"SMD5", PWHASH_OLD_MD5, AS_BASE64, true},
		{"SHA", PWHASH_OLD_SHA1, AS_EITHER, false},
		{"SHA1", PWHASH_OLD_SHA1, AS_EITHER, false},
		{"SSHA", PWHASH_OLD_SHA1, AS_BASE64, true},
		{"SSHA1", PWHASH_OLD_SHA1, AS_BASE64, true},
		{"NT", PWHASH_OLD_NT, AS_HEX, false},
		{"NTLM", PWHASH_OLD_NT, AS_HEX, false},
		{"CRAM-MD5", PWHASH_OLD_CRAM_MD5, AS_HEX, false},
		{"HMAC-MD5", PWHASH_OLD_CRAM_MD5, AS_HEX, false},
		{"SCRAM-SHA-1", PWHASH_OLD_SCRAM_SHA1, AS_TEXT, false},
		{"SCRAM-SHA-256", PWHASH_OLD_SCRAM_SHA256, AS_TEXT, false},
		{"PBKDF2", PWHASH_OLD_PBKDF2_SHA1, AS_TEXT, false},
		{"PBKDF2-SHA1", PWHASH_OLD_PBKDF2_SHA1, AS_TEXT, false},
		{"PBKDF2-SHA256", PWHASH_OLD_PBKDF2_SHA256, AS_TEXT, false},
		{"PBKDF2-SHA512", PWHASH_OLD_PBKDF2_SHA512, AS_TEXT, false},
	};
	const char *dot = memchr(tag, '.', len);
	size_t name = dot ? (size_t)(dot - tag) : len;
	enum coding said = !dot ? AS_TEXT
			   : strncasecmp(dot, ".hex", 4) == 0 ? AS_HEX
							      : AS_BASE64;

	if (!pwhash_digest_coded(dot, len - name))
		return PWHASH_UNKNOWN;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		const enum pwhash_old_kind kind = tags[i].kind;

		if (strlen(tags[i].name) != name ||
		    strncasecmp(tag, tags[i].name, name) != 0)
			continue;
		if (strcmp(tags[i].name, "PBKDF2") == 0)
			return dovecot_pbkdf2(body, form);
		if (pwhash_begins(tags[i].name, "PBKDF2"))
			return pbkdf2_form(kind, body, false, AS_BASE64, form);
		if (pwhash_begins(tags[i].name, "SCRAM"))
			return scram_form(kind, body, form);
		return plain_form(kind, body, dot ? said : tags[i].coding,
				  tags[i].salted, form);
	}
	return PWHASH_UNKNOWN;
}

bool pwhash_foreign_put(const struct pwhash_old *old,
			char ret_setting[PWHASH_MAX + 1])
{
	const char *name = kind_of(old->kind)->name;
	char hex[2 * PWHASH_OLD_SALT + 1], rounds[16] = "";
	int len;

	if (has_rounds(old->kind))
		(void)snprintf(rounds, sizeof rounds, ":%u", old->rounds);
	len = snprintf(ret_setting, PWHASH_MAX + 1, "{%s%s}%s", name, rounds,
		       sodium_bin2hex(hex, sizeof hex, old->salt,
				      old->salt_len));
	return len > 0 && len <= PWHASH_MAX;
}

enum pwhash pwhash_foreign_get(const char *setting, struct pwhash_form *form)
{
	struct pwhash_old *old = &form->old;
	const char *end = strchr(setting, '}');
	size_t len = strcspn(setting, ":}");

	for (size_t i = 0; end && i < sizeof kinds / sizeof *kinds; i++) {
		const char *at = setting + len + 1;
		bool good = true;

		if (strlen(kinds[i].name) != len - 1 ||
		    strncmp(setting + 1, kinds[i].name, len - 1) != 0)
			continue;
		old->kind = kinds[i].kind;
		if (has_rounds(old->kind))
			good = setting[len] == ':' &&
			       take_rounds(&at, '}', &old->rounds);
		else
			good = setting[len] == '}';
		return settle(form, good && hexadecimal(end + 1, strlen(end + 1),
							old->salt,
							sizeof old->salt,
							&old->salt_len));
	}
	return PWHASH_UNKNOWN;
}
