/* SPDX-License-Identifier: MIT */
/* pwhash_form.c: the grammar of hash strings, and their cost.
 *
 * libcrypt's own judgement (crypt_checksalt) is a hint only: it accepts
 * rounds=999999999, $2b$31$ and strings that were cut. Here every scheme has
 * its exact form, and a cost beyond the caps is found before anything is
 * computed.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "pwhash_private.h"

static const char b64_crypt[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Takes text if it stands at *at, and moves on. */
static bool take(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

/* Takes a decimal number without leading zeros, at most ten digits. */
static bool take_number(const char **at, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t len = 0;

	for (; is_digit((*at)[len]) && len <= 10; len++)
		number = number * 10 + (uint64_t)((*at)[len] - '0');
	if (len == 0 || len > 10 || (len > 1 && **at == '0'))
		return false;
	*at += len;
	*ret_number = number;
	return true;
}

/* Takes all characters of the alphabet, letters and digits and two more; how many.
 * (strspn makes a table of the alphabet at each call, which was a twentieth of a
 * check.) */
static size_t take_span(const char **at, char more, char last)
{
	const char *from = *at;

	while (is_letter(**at) || is_digit(**at) || **at == more ||
	       **at == last)
		(*at)++;
	return (size_t)(*at - from);
}

static size_t take_phc(const char **at)
{
	return take_span(at, '+', '/');
}

static size_t take_crypt(const char **at)
{
	return take_span(at, '.', '/');
}

/* A character carries six bits; the last one of a salt or sum has bits to
 * spare, which are zero in every string that was ever made. One with others is
 * computed to something else than it says, so a right password would look like
 * a wrong one. */
static bool ends_in(const char *end, const char *allowed)
{
	return strchr(allowed, end[-1]) != NULL;
}

/* Salt or sum in base64 without padding, of so many bytes; the last character
 * has no bits to spare set. */
static bool good_base64(const char *at, size_t len, size_t least, size_t most)
{
	size_t bytes = len * 3 / 4;

	if (len % 4 == 1 || bytes < least || bytes > most)
		return false;
	if (len % 4 == 2)
		return ends_in(at + len, "AQgw");
	return len % 4 != 3 || ends_in(at + len, "AEIMQUYcgkosw048");
}

/* Which of libsodium's two ways computes it. crypto_pwhash has one lane and 16
 * bytes of salt, and of argon2i at least three passes. */
static enum pwhash choose_argon2(struct pwhash_form *form, uint64_t lanes)
{
	if (!good_base64(form->salt, form->salt_len, 8, 48) ||
	    !good_base64(form->sum, form->sum_len, ARGON2_SUM_MIN,
			 ARGON2_SUM_MAX))
		return PWHASH_MALFORMED;
	form->how = lanes == 1 && form->salt_len == 22 &&
				    (!form->argon2i || form->cost.passes >= 3)
			    ? PWHASH_BY_ARGON2
			    : PWHASH_BY_STR_VERIFY;
	return PWHASH_OK;
}

/* v=19$m=KIB,t=PASSES,p=LANES$SALT$SUM */
static enum pwhash form_argon2(const char *at, struct pwhash_form *form)
{
	uint64_t kib, passes, lanes;

	if (!take(&at, "v=19$m=") || !take_number(&at, &kib) ||
	    !take(&at, ",t=") || !take_number(&at, &passes) ||
	    !take(&at, ",p=") || !take_number(&at, &lanes) || !take(&at, "$"))
		return PWHASH_MALFORMED;
	form->salt = at;
	form->salt_len = take_phc(&at);
	if (!take(&at, "$"))
		return PWHASH_MALFORMED;
	form->sum = at;
	form->sum_len = take_phc(&at);
	if (*at || passes < 1 || lanes < 1 || lanes > 255 || kib < 8 * lanes ||
	    !form->salt_len || !form->sum_len)
		return PWHASH_MALFORMED;
	if (kib > PWHASH_ARGON2_KIB_MAX || passes > PWHASH_ARGON2_WORK_MAX ||
	    kib * passes > PWHASH_ARGON2_WORK_MAX)
		return PWHASH_TOODEAR;
	form->cost = (struct pwhash_cost){(uint32_t)kib, (uint32_t)passes};
	return choose_argon2(form, lanes);
}

static enum pwhash form_argon2i(const char *at, struct pwhash_form *form)
{
	form->argon2i = true;
	return form_argon2(at, form);
}

/* [rounds=N$]SALT$SUM, with a sum of so many characters, ending in these. */
static enum pwhash form_sha(const char *at, size_t sum, const char *last,
			    struct pwhash_form *form)
{
	uint64_t rounds = 5000;

	if (take(&at, "rounds=") &&
	    (!take_number(&at, &rounds) || !take(&at, "$")))
		return PWHASH_MALFORMED;
	if (take_crypt(&at) > 16 || !take(&at, "$") ||
	    take_crypt(&at) != sum || *at || !ends_in(at, last))
		return PWHASH_MALFORMED;
	form->rounds = (uint32_t)rounds;
	if (rounds > PWHASH_SHA_ROUNDS_MAX)
		return PWHASH_TOODEAR;
	return rounds < 1000 ? PWHASH_MALFORMED : PWHASH_OK;
}

static enum pwhash form_sha512(const char *at, struct pwhash_form *form)
{
	return form_sha(at, 86, "./01", form);
}

static enum pwhash form_sha256(const char *at, struct pwhash_form *form)
{
	return form_sha(at, 43, "./0123456789ABCD", form);
}

/* NN$ and 22 + 31 characters */
static enum pwhash form_bcrypt(const char *at, struct pwhash_form *form)
{
	unsigned cost;

	(void)form;
	if (strspn(at, "0123456789") != 2 || at[2] != '$')
		return PWHASH_MALFORMED;
	cost = (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
	at += 3;
	if (take_crypt(&at) != 53 || *at || cost < 4 ||
	    !ends_in(at - 31, ".Oeu") || !ends_in(at, ".CGKOSWaeimquy26"))
		return PWHASH_MALFORMED;
	return cost > PWHASH_BCRYPT_MAX ? PWHASH_TOODEAR : PWHASH_OK;
}

/* A salt in libcrypt's base64 is whole bytes, and has no bits to spare set. */
static bool good_salt(const char *end, size_t len)
{
	if (len % 4 == 2)
		return ends_in(end, "./01");
	return len % 4 == 0 || (len % 4 == 3 && ends_in(end, "./0123456789ABCD"));
}

/* Three numbers of one character each, $SALT$SUM. The flags are those of scrypt
 * ('.'), YESCRYPT_WORM ('/') or today's ('j'); libcrypt computes no others. The
 * block size r and the binary logarithm of the count N, at least 2, make
 * 128 * N * r bytes. Longer numbers and further parameters are legal and dearer
 * than our cap, or never made. */
static enum pwhash form_yescrypt(const char *at, struct pwhash_form *form)
{
	uint64_t log2n, r;
	const char *param = at;
	size_t salt;

	(void)form;
	if (take_crypt(&at) < 3 || !take(&at, "$"))
		return PWHASH_MALFORMED;
	salt = take_crypt(&at);
	if (salt > 86 || !good_salt(at, salt) || !take(&at, "$") ||
	    take_crypt(&at) != 43 || *at ||
	    !ends_in(at, "./0123456789ABCD"))
		return PWHASH_MALFORMED;
	if (param[3] != '$' || !strchr("./j", param[0]))
		return PWHASH_UNKNOWN;
	log2n = (uint64_t)(strchr(b64_crypt, param[1]) - b64_crypt) + 1;
	r = (uint64_t)(strchr(b64_crypt, param[2]) - b64_crypt) + 1;
	if (log2n < 2)
		return PWHASH_MALFORMED;
	if (log2n > 40 || (r << log2n) / 8 > PWHASH_YESCRYPT_KIB_MAX)
		return PWHASH_TOODEAR;
	return PWHASH_OK;
}

/* A number of five characters, the lowest six bits first. */
static bool take_five(const char **at, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 5; i++) {
		const char *digit = (*at)[i] ? strchr(b64_crypt, (*at)[i])
					     : NULL;

		if (!digit)
			return false;
		number |= (uint64_t)(digit - b64_crypt) << (6 * i);
	}
	*at += 5;
	*ret_number = number;
	return true;
}

/* Logarithm of N (1 character), r and p (5 each), SALT$SUM */
static enum pwhash form_scrypt(const char *at, struct pwhash_form *form)
{
	const char *log = *at ? strchr(b64_crypt, *at) : NULL;
	uint64_t log2n, r, p;

	(void)form;
	if (!log)
		return PWHASH_MALFORMED;
	at++;
	log2n = (uint64_t)(log - b64_crypt);
	if (!take_five(&at, &r) || !take_five(&at, &p) ||
	    take_crypt(&at) > 86 || !take(&at, "$") ||
	    take_crypt(&at) != 43 || *at ||
	    !ends_in(at, "./0123456789ABCD") || log2n < 2 || r < 1 || p < 1)
		return PWHASH_MALFORMED;
	if (log2n > 30 || r > 1 << 20 || p > 1 << 10 ||
	    ((r * p) << log2n) / 8 > PWHASH_YESCRYPT_KIB_MAX)
		return PWHASH_TOODEAR;
	return PWHASH_OK;
}

/* SALT$SUM */
static enum pwhash form_md5(const char *at, struct pwhash_form *form)
{
	form->weakness = PWHASH_WEAK;
	if (take_crypt(&at) > 8 || !take(&at, "$") ||
	    take_crypt(&at) != 22 || *at || !ends_in(at, "./01"))
		return PWHASH_MALFORMED;
	return PWHASH_OK;
}

static enum pwhash form_refused(const char *at, struct pwhash_form *form)
{
	(void)at;
	(void)form;
	return PWHASH_UNKNOWN;
}

static const struct scheme {
	const char *prefix;
	const char *scheme;
	enum pwhash_how how;
	size_t sum; /* characters at the end; of libcrypt's */
	enum pwhash (*form)(const char *at, struct pwhash_form *form);
} schemes[] = {
	{"$argon2id$", "argon2id", PWHASH_BY_ARGON2, 0, form_argon2},
	{"$argon2i$", "argon2i", PWHASH_BY_ARGON2, 0, form_argon2i},
	{"$wrap$", "wrapped", PWHASH_BY_CRYPT, 0, pwhash_wrap_form},
	{"$y$", "yescrypt", PWHASH_BY_CRYPT, 43, form_yescrypt},
	{"$gy$", "gost-yescrypt", PWHASH_BY_CRYPT, 43, form_yescrypt},
	{"$7$", "scrypt", PWHASH_BY_CRYPT, 43, form_scrypt},
	{"$2b$", "bcrypt", PWHASH_BY_CRYPT, 31, form_bcrypt},
	{"$2a$", "bcrypt", PWHASH_BY_CRYPT, 31, form_bcrypt},
	{"$2y$", "bcrypt", PWHASH_BY_CRYPT, 31, form_bcrypt},
	{"$6$", "sha512crypt", PWHASH_BY_CRYPT, 86, form_sha512},
	{"$5$", "sha256crypt", PWHASH_BY_CRYPT, 43, form_sha256},
	{"$1$", "md5crypt", PWHASH_BY_CRYPT, 22, form_md5},
	/* What neither library computes, or nobody should. */
	{"$argon2d$", "argon2d", PWHASH_BY_CRYPT, 0, form_refused},
	{"$2x$", "bcrypt of the year 2011 ($2x$)", PWHASH_BY_CRYPT, 0,
	 form_refused},
	{"$sha1$", "sha1crypt", PWHASH_BY_CRYPT, 0, form_refused},
	{"$md5", "sun-md5", PWHASH_BY_CRYPT, 0, form_refused},
	{"_", "bsdi-DES", PWHASH_BY_CRYPT, 0, form_refused},
};

/* DES has no prefix: two characters of salt, eleven of the sum. */
enum { DES_LEN = 13, DES_SUM = 11 };

static enum pwhash form_bare(const char *hash, struct pwhash_form *form)
{
	size_t len = strlen(hash);

	if (len == DES_LEN && strspn(hash, b64_crypt) == len) {
		form->scheme = "DES";
		form->how = PWHASH_BY_CRYPT;
		form->weakness = PWHASH_LEGACY;
		return ends_in(hash + len, ".26AEIMQUYcgkosw")
			       ? PWHASH_OK
			       : PWHASH_MALFORMED;
	}
	if (strspn(hash, "0123456789abcdefABCDEF") != len)
		return PWHASH_UNKNOWN;
	if (len == 32)
		form->scheme = "MD5";
	else if (len == 40)
		form->scheme = "SHA-1";
	return PWHASH_UNKNOWN;
}

static enum pwhash form_crypt(const char *hash, struct pwhash_form *form)
{
	enum pwhash answer;

	form->text = hash;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		const char *at = hash;

		if (!take(&at, schemes[i].prefix))
			continue;
		form->scheme = schemes[i].scheme;
		form->how = schemes[i].how;
		return schemes[i].form(at, form);
	}
	answer = pwhash_foreign_form(hash, form);
	return answer == PWHASH_UNKNOWN ? form_bare(hash, form) : answer;
}

enum pwhash pwhash_form_argon2(const char *hash, struct pwhash_form *form)
{
	return take(&hash, "$argon2id$") ? form_argon2(hash, form)
					 : PWHASH_MALFORMED;
}

size_t pwhash_form_sum(const char *hash)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		const char *at = hash;

		if (take(&at, schemes[i].prefix))
			return schemes[i].sum;
	}
	return hash[0] && strchr(b64_crypt, hash[0]) ? DES_SUM : 0;
}

/* Dovecot's tags. What stands behind one must be what it says: a {PBKDF2} hash
 * begins like one of md5crypt. */
static const struct tag {
	const char *name;
	const char *scheme; /* that of the string behind it; NULL: any */
	bool refused;	    /* scheme is its name for people */
} tags[] = {
	{"CRYPT", NULL, false},
	{"BLF-CRYPT", "bcrypt", false},
	{"SHA256-CRYPT", "sha256crypt", false},
	{"SHA512-CRYPT", "sha512crypt", false},
	{"MD5-CRYPT", "md5crypt", false},
	{"DES-CRYPT", "DES", false},
	{"ARGON2", NULL, false},
	{"ARGON2I", "argon2i", false},
	{"ARGON2ID", "argon2id", false},
	{"PLAIN", "plain text", true},
	{"CLEAR", "plain text", true},
	{"CLEARTEXT", "plain text", true},
	{"LANMAN", "LANMAN", true},
	{"DIGEST-MD5", "DIGEST-MD5", true},
	{"OTP", "one-time passwords", true},
	{"SKEY", "one-time passwords", true},
	{"RPA", "RPA", true},
};

static enum pwhash form_behind(const struct tag *tag, const char *body,
			       struct pwhash_form *form)
{
	enum pwhash answer;

	if (tag->refused) {
		form->scheme = tag->scheme;
		return PWHASH_UNKNOWN;
	}
	if (body[0] == '{' || pwhash_begins(body, "$wrap$"))
		return PWHASH_MALFORMED;
	answer = form_crypt(body, form);
	if (tag->scheme &&
	    (!form->scheme || strcmp(form->scheme, tag->scheme) != 0))
		return PWHASH_MALFORMED;
	return answer;
}

static enum pwhash form_tagged(const char *hash, struct pwhash_form *form)
{
	const char *end = strchr(hash, '}');
	size_t len = end ? (size_t)(end - hash) - 1 : 0;
	enum pwhash answer;

	if (!end)
		return PWHASH_UNKNOWN;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		if (strlen(tags[i].name) == len &&
		    strncasecmp(hash + 1, tags[i].name, len) == 0)
			return form_behind(&tags[i], end + 1, form);
	}
	/* {MD5} is Dovecot's name for md5crypt, and LDAP's for MD5. */
	if (strncmp(end + 1, "$1$", 3) == 0 && len == 3 &&
	    strncasecmp(hash + 1, "MD5", 3) == 0)
		return form_crypt(end + 1, form);
	answer = pwhash_foreign_tagged(hash + 1, len, end + 1, form);
	return answer == PWHASH_UNKNOWN
		       ? pwhash_digest_form(hash + 1, len, end + 1, form)
		       : answer;
}

enum pwhash pwhash_form(const char *hash, struct pwhash_form *ret_form)
{
	enum pwhash answer;

	*ret_form = (struct pwhash_form){.text = hash};
	answer = hash[0] == '{' ? form_tagged(hash, ret_form)
				: form_crypt(hash, ret_form);
	if (answer == PWHASH_OK && strlen(hash) > PWHASH_MAX)
		answer = PWHASH_MALFORMED;
	return answer;
}
