/* pwhash_form.c: the grammar of hash strings, and their cost.
 *
 * libcrypt's own judgement (crypt_checksalt) is a hint only: it accepts
 * rounds=999999999, $2b$31$ and strings that were cut. Here every scheme has
 * its exact form, and a cost beyond the caps is found before anything is
 * computed.
 */
#include <stdbool.h>
#include <string.h>

#include "pwhash_private.h"

static const char b64_phc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_crypt[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz";

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
	size_t len = strspn(*at, "0123456789");

	if (len == 0 || len > 10 || (len > 1 && **at == '0'))
		return false;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (uint64_t)((*at)[i] - '0');
	*at += len;
	*ret_number = number;
	return true;
}

/* Takes all characters of the alphabet; how many. */
static size_t take_span(const char **at, const char *alphabet)
{
	size_t len = strspn(*at, alphabet);

	*at += len;
	return len;
}

/* A character carries six bits; the last one of a salt or sum has bits to
 * spare, which are zero in every string that was ever made. One with others is
 * computed to something else than it says, so a right password would look like
 * a wrong one. */
static bool ends_in(const char *end, const char *allowed)
{
	return strchr(allowed, end[-1]) != NULL;
}

/* $argon2id$v=19$m=KIB,t=PASSES,p=1$SALT$SUM */
static enum pwhash form_argon2(const char *at, struct pwhash_form *form)
{
	uint64_t kib, passes, lanes;

	if (!take(&at, "v=19$m=") || !take_number(&at, &kib) ||
	    !take(&at, ",t=") || !take_number(&at, &passes) ||
	    !take(&at, ",p=") || !take_number(&at, &lanes) || !take(&at, "$"))
		return PWHASH_MALFORMED;
	form->salt = at;
	form->salt_len = take_span(&at, b64_phc);
	if (!take(&at, "$"))
		return PWHASH_MALFORMED;
	form->sum = at;
	form->sum_len = take_span(&at, b64_phc);
	if (*at || kib < 8 || passes < 1 || lanes < 1 || !form->salt_len ||
	    !form->sum_len)
		return PWHASH_MALFORMED;
	if (kib > PWHASH_ARGON2_KIB_MAX || passes > PWHASH_ARGON2_WORK_MAX ||
	    kib * passes > PWHASH_ARGON2_WORK_MAX)
		return PWHASH_TOODEAR;
	/* libsodium computes one lane, 16 bytes of salt, as it makes them. */
	if (lanes != 1 || form->salt_len != 22 || form->sum_len != 43)
		return PWHASH_UNKNOWN;
	if (!ends_in(form->salt + form->salt_len, "AQgw") ||
	    !ends_in(form->sum + form->sum_len, "AEIMQUYcgkosw048"))
		return PWHASH_MALFORMED;
	form->cost = (struct pwhash_cost){(uint32_t)kib, (uint32_t)passes};
	return PWHASH_OK;
}

/* [rounds=N$]SALT$SUM, with a sum of so many characters, ending in these. */
static enum pwhash form_sha(const char *at, size_t sum, const char *last,
			    struct pwhash_form *form)
{
	uint64_t rounds = 5000;

	if (take(&at, "rounds=") &&
	    (!take_number(&at, &rounds) || !take(&at, "$")))
		return PWHASH_MALFORMED;
	if (take_span(&at, b64_crypt) > 16 || !take(&at, "$") ||
	    take_span(&at, b64_crypt) != sum || *at || !ends_in(at, last))
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
	if (take_span(&at, b64_crypt) != 53 || *at || cost < 4 ||
	    !ends_in(at - 31, ".Oeu") || !ends_in(at, ".CGKOSWaeimquy26"))
		return PWHASH_MALFORMED;
	return cost > PWHASH_BCRYPT_MAX ? PWHASH_TOODEAR : PWHASH_OK;
}

/* Three numbers of one character each, $SALT$SUM. The block size r and the
 * binary logarithm of the count N make 128 * N * r bytes. Longer numbers and
 * further parameters are legal and dearer than our cap, or never made. */
static enum pwhash form_yescrypt(const char *at, struct pwhash_form *form)
{
	uint64_t log2n, r;
	const char *param = at;

	(void)form;
	if (take_span(&at, b64_crypt) < 3 || !take(&at, "$") ||
	    take_span(&at, b64_crypt) > 86 || !take(&at, "$") ||
	    take_span(&at, b64_crypt) != 43 || *at ||
	    !ends_in(at, "./0123456789ABCD"))
		return PWHASH_MALFORMED;
	if (param[3] != '$')
		return PWHASH_UNKNOWN;
	log2n = (uint64_t)(strchr(b64_crypt, param[1]) - b64_crypt) + 1;
	r = (uint64_t)(strchr(b64_crypt, param[2]) - b64_crypt) + 1;
	if (log2n > 40 || (r << log2n) / 8 > PWHASH_YESCRYPT_KIB_MAX)
		return PWHASH_TOODEAR;
	return PWHASH_OK;
}

static const struct {
	const char *prefix;
	const char *scheme;
	enum pwhash_how how;
	enum pwhash (*form)(const char *at, struct pwhash_form *form);
} schemes[] = {
	{"$argon2id$", "argon2id", PWHASH_BY_ARGON2, form_argon2},
	{"$y$", "yescrypt", PWHASH_BY_CRYPT, form_yescrypt},
	{"$2b$", "bcrypt", PWHASH_BY_CRYPT, form_bcrypt},
	{"$6$", "sha512crypt", PWHASH_BY_CRYPT, form_sha512},
	{"$5$", "sha256crypt", PWHASH_BY_CRYPT, form_sha256},
};

enum pwhash pwhash_form(const char *hash, struct pwhash_form *ret_form)
{
	*ret_form = (struct pwhash_form){0};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		const char *at = hash;

		if (!take(&at, schemes[i].prefix))
			continue;
		ret_form->scheme = schemes[i].scheme;
		ret_form->how = schemes[i].how;
		if (strlen(hash) > PWHASH_MAX)
			return PWHASH_MALFORMED;
		return schemes[i].form(at, ret_form);
	}
	return PWHASH_UNKNOWN;
}
