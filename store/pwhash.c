#include "pwhash.h"

#include <crypt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "pwhash_private.h"
#include "secret.h"

/* libcrypt refuses 512 bytes and more. */
enum { CRYPT_PASSWORD_MAX = 511 };

const char *pwhash_text(enum pwhash answer)
{
	switch (answer) {
	case PWHASH_OK:
		return "match";
	case PWHASH_NO:
		return "mismatch";
	case PWHASH_NOMEM:
		return "no memory for the hash";
	case PWHASH_UNKNOWN:
		return "a hash scheme that is not computed here";
	case PWHASH_TOODEAR:
		return "beyond the cost caps";
	case PWHASH_MALFORMED:
		return "a malformed hash";
	}
	return "unknown answer";
}

/* libsodium 1.0.18's crypto_pwhash_str_verify answers a wrong password and a
 * lack of memory alike (-1 and EINVAL). crypto_pwhash fails for lack of memory
 * only, so the sum is computed and compared here. */
static enum pwhash verify_argon2(const struct pwhash_form *form,
				 const void *password, size_t len)
{
	unsigned char salt[ARGON2_SALT], want[ARGON2_HASH], got[ARGON2_HASH];
	const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	enum pwhash answer = PWHASH_MALFORMED;
	size_t n;

	if (sodium_base642bin(salt, sizeof salt, form->salt, form->salt_len,
			      NULL, &n, NULL, variant) != 0 ||
	    n != sizeof salt ||
	    sodium_base642bin(want, sizeof want, form->sum, form->sum_len, NULL,
			      &n, NULL, variant) != 0 ||
	    n != sizeof want)
		goto out;
	if (crypto_pwhash(got, sizeof got, password, len, salt,
			  form->cost.passes, (size_t)form->cost.kib * 1024,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		answer = PWHASH_NOMEM;
	else
		answer = secret_equal(got, want, sizeof want) ? PWHASH_OK
							      : PWHASH_NO;
out:
	secret_wipe(got, sizeof got);
	secret_wipe(want, sizeof want);
	return answer;
}

/* crypt_rn answers NULL on failure, where crypt_r would answer "*0". The
 * string has the exact form of its scheme here, so a failure is a lack of
 * memory (yescrypt: NULL and EINVAL). errno after a success means nothing. */
static enum pwhash verify_crypt(const char *hash, const void *password,
				size_t len)
{
	static struct crypt_data data; /* 32 KiB, more than a stack wants */
	char text[CRYPT_PASSWORD_MAX + 1] = {0};
	enum pwhash answer = PWHASH_NO;
	size_t want = strlen(hash);
	const char *got;

	/* No hash of libcrypt was ever made of these. (Of bcrypt's it looks at
	 * the first 72 bytes alone, whatever follows.) */
	if (len > CRYPT_PASSWORD_MAX || memchr(password, 0, len))
		return PWHASH_NO;
	memcpy(text, password, len);
	memset(&data, 0, sizeof data);
	got = crypt_rn(text, hash, &data, (int)sizeof data);
	if (!got || got[0] == '*')
		answer = PWHASH_NOMEM;
	else if (strlen(got) == want && secret_equal(got, hash, want))
		answer = PWHASH_OK;
	secret_wipe(text, sizeof text);
	secret_wipe(&data, sizeof data);
	return answer;
}

enum pwhash pwhash_verify(const char *hash, const void *password, size_t len)
{
	struct pwhash_form form;
	enum pwhash answer = pwhash_form(hash, &form);

	if (answer != PWHASH_OK)
		return answer;
	switch (form.how) {
	case PWHASH_BY_ARGON2:
		return verify_argon2(&form, password, len);
	case PWHASH_BY_CRYPT:
		if ((uint64_t)form.rounds * (64 + len) > PWHASH_SHA_WORK_MAX)
			return PWHASH_TOODEAR;
		return verify_crypt(hash, password, len);
	}
	return PWHASH_UNKNOWN;
}

enum pwhash pwhash_judge(const char *hash, const char **ret_scheme)
{
	struct pwhash_form form;
	enum pwhash answer = pwhash_form(hash, &form);

	*ret_scheme = form.scheme;
	return answer;
}

enum pwhash pwhash_make(struct pwhash_cost cost, const void *password,
			size_t len, char ret_hash[PWHASH_MAX + 1])
{
	char hash[crypto_pwhash_STRBYTES];

	_Static_assert(sizeof hash <= PWHASH_MAX + 1, "a hash fits");
	if (crypto_pwhash_str_alg(hash, password, len, cost.passes,
				  (size_t)cost.kib * 1024,
				  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return PWHASH_NOMEM;
	memcpy(ret_hash, hash, sizeof hash);
	secret_wipe(hash, sizeof hash);
	return PWHASH_OK;
}

void pwhash_decoy(struct pwhash_cost cost, char ret_hash[PWHASH_MAX + 1])
{
	/* Salt and sum of zeros: no known password leads to them, and the
	 * caller does not believe a match anyway. */
	(void)snprintf(ret_hash, PWHASH_MAX + 1,
		       "$argon2id$v=19$m=%u,t=%u,p=1$%.22s$%.43s", cost.kib,
		       cost.passes, "AAAAAAAAAAAAAAAAAAAAAA",
		       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
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
