#include "pwhash.h"

#include <crypt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

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
	unsigned char salt[ARGON2_SALT];
	unsigned char want[ARGON2_SUM_MAX], got[ARGON2_SUM_MAX];
	const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	enum pwhash answer = PWHASH_MALFORMED;
	size_t n, sum;

	if (sodium_base642bin(salt, sizeof salt, form->salt, form->salt_len,
			      NULL, &n, NULL, variant) != 0 ||
	    n != sizeof salt ||
	    sodium_base642bin(want, sizeof want, form->sum, form->sum_len, NULL,
			      &sum, NULL, variant) != 0 ||
	    sum < ARGON2_SUM_MIN)
		goto out;
	if (crypto_pwhash(got, sum, password, len, salt, form->cost.passes,
			  (size_t)form->cost.kib * 1024,
			  form->argon2i ? crypto_pwhash_ALG_ARGON2I13
					: crypto_pwhash_ALG_ARGON2ID13) != 0)
		answer = PWHASH_NOMEM;
	else
		answer = secret_equal(got, want, sum) ? PWHASH_OK : PWHASH_NO;
out:
	secret_wipe(got, sizeof got);
	secret_wipe(want, sizeof want);
	return answer;
}

/* Other lanes and salts can only be had through str_verify, which answers a
 * lack of memory like a wrong password; so first it is proved that what it is
 * going to take is there. Nothing else of this process takes any meanwhile. */
static enum pwhash verify_lanes(const struct pwhash_form *form,
				const void *password, size_t len)
{
	const size_t slack = 1 << 20; /* for what malloc takes beside */
	const size_t size = (size_t)form->cost.kib * 1024 + slack;
	void *proof = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (proof == MAP_FAILED)
		return PWHASH_NOMEM;
	(void)munmap(proof, size); /* of our own map */
	rc = form->argon2i
		     ? crypto_pwhash_argon2i_str_verify(form->text, password,
							len)
		     : crypto_pwhash_argon2id_str_verify(form->text, password,
							 len);
	return rc == 0 ? PWHASH_OK : PWHASH_NO;
}

/* What libcrypt makes of a password and a setting, or a whole hash, which it
 * takes for one. crypt_rn answers NULL on failure, where crypt_r would answer
 * "*0". The string has the exact form of its scheme here, so a failure is a lack
 * of memory (yescrypt: NULL and EINVAL). errno after a success means nothing. */
static enum pwhash run_crypt(const char *setting, const void *password,
			     size_t len, char ret_hash[PWHASH_MAX + 1])
{
	/* 32 KiB, more than a stack wants; one a thread (hasher.h). */
	static _Thread_local struct crypt_data data;
	char text[CRYPT_PASSWORD_MAX + 1] = {0};
	enum pwhash answer = PWHASH_NOMEM;
	const char *got;

	/* No hash of libcrypt was ever made of these. (Of bcrypt's it looks at
	 * the first 72 bytes alone, of DES at 8, whatever follows.) */
	if (len > CRYPT_PASSWORD_MAX || memchr(password, 0, len))
		return PWHASH_NO;
	memcpy(text, password, len);
	memset(&data, 0, sizeof data);
	got = crypt_rn(text, setting, &data, (int)sizeof data);
	if (got && got[0] != '*' && strlen(got) <= PWHASH_MAX) {
		memcpy(ret_hash, got, strlen(got) + 1);
		answer = PWHASH_OK;
	}
	secret_wipe(text, sizeof text);
	secret_wipe(&data, sizeof data);
	return answer;
}

static enum pwhash verify_crypt(const char *hash, const void *password,
				size_t len)
{
	char got[PWHASH_MAX + 1];
	enum pwhash answer = run_crypt(hash, password, len, got);
	size_t want = strlen(hash);

	if (answer == PWHASH_OK &&
	    (strlen(got) != want || !secret_equal(got, hash, want)))
		answer = PWHASH_NO;
	secret_wipe(got, sizeof got);
	return answer;
}

static enum pwhash verify_digest(const struct pwhash_digest *digest,
				 const void *password, size_t len)
{
	unsigned char sum[DIGEST_MAX];
	bool same;

	pwhash_digest_compute(digest, password, len, sum);
	same = secret_equal(sum, digest->sum, digest->bits / 8);
	secret_wipe(sum, sizeof sum);
	return same ? PWHASH_OK : PWHASH_NO;
}

/* The old hash first, as a text; then the outer one of that. */
static enum pwhash verify_wrapped(const struct pwhash_form *form,
				  const void *password, size_t len)
{
	char inner[PWHASH_MAX + 1];
	unsigned char sum[DIGEST_MAX];
	enum pwhash answer = PWHASH_OK;

	if (form->how == PWHASH_BY_CRYPT) {
		answer = run_crypt(form->setting, password, len, inner);
	} else {
		pwhash_digest_compute(&form->digest, password, len, sum);
		(void)sodium_bin2hex(inner, sizeof inner, sum,
				     form->digest.bits / 8);
	}
	if (answer == PWHASH_OK)
		answer = verify_argon2(form, inner, strlen(inner));
	secret_wipe(inner, sizeof inner);
	secret_wipe(sum, sizeof sum);
	return answer;
}

static enum pwhash verify_form(const struct pwhash_form *form,
			       const void *password, size_t len)
{
	if ((uint64_t)form->rounds * (64 + len) > PWHASH_SHA_WORK_MAX)
		return PWHASH_TOODEAR;
	if (form->wrapped)
		return verify_wrapped(form, password, len);
	switch (form->how) {
	case PWHASH_BY_ARGON2:
		return verify_argon2(form, password, len);
	case PWHASH_BY_STR_VERIFY:
		return verify_lanes(form, password, len);
	case PWHASH_BY_CRYPT:
		return verify_crypt(form->text, password, len);
	case PWHASH_BY_DIGEST:
		break;
	}
	return verify_digest(&form->digest, password, len);
}

enum pwhash pwhash_verify(const char *hash, const void *password, size_t len)
{
	struct pwhash_form form;
	enum pwhash answer = pwhash_form(hash, &form);

	if (answer == PWHASH_OK)
		answer = verify_form(&form, password, len);
	secret_wipe(&form, sizeof form);
	return answer;
}

enum pwhash_weakness pwhash_weakness(const char *hash)
{
	struct pwhash_form form;

	/* One that cannot be read is as strong as it is useless. */
	(void)!pwhash_form(hash, &form);
	return form.weakness;
}

/* What is left of a hash without its sum. */
static bool make_setting(const struct pwhash_form *form,
			 char ret_setting[PWHASH_MAX + 1])
{
	char hex[2 * DIGEST_SALT_MAX + 1];
	size_t len = strlen(form->text);
	int made;

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
	if (form->how == PWHASH_BY_DIGEST)
		*ret_inner = sodium_bin2hex(hex, 2 * DIGEST_MAX + 1,
					    form->digest.sum,
					    form->digest.bits / 8);
	return PWHASH_OK;
}

enum pwhash pwhash_wrap(struct pwhash_cost cost, const char *hash,
			char ret_hash[PWHASH_MAX + 1])
{
	char setting[PWHASH_MAX + 1], outer[PWHASH_MAX + 1];
	char hex[2 * DIGEST_MAX + 1];
	struct pwhash_form form;
	const char *inner;
	enum pwhash answer = take_apart(hash, &form, setting, hex, &inner);
	int len;

	if (answer == PWHASH_OK)
		answer = pwhash_make(cost, inner, strlen(inner), outer);
	if (answer == PWHASH_OK) {
		len = snprintf(ret_hash, PWHASH_MAX + 1, "$wrap$%s%s", setting,
			       outer);
		if (len <= 0 || len > PWHASH_MAX)
			answer = PWHASH_MALFORMED;
	}
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
		answer = verify_argon2(&outer, inner, strlen(inner));
	secret_wipe(hex, sizeof hex);
	secret_wipe(&form, sizeof form);
	return answer;
}

enum pwhash pwhash_judge(const char *hash, const char **ret_scheme)
{
	struct pwhash_form form;
	enum pwhash answer = pwhash_form(hash, &form);

	*ret_scheme = form.scheme;
	return answer;
}

bool pwhash_resembles(const char *text)
{
	const char *scheme;

	if (text[0] != '$' && text[0] != '{')
		return false;
	return pwhash_judge(text, &scheme) != PWHASH_UNKNOWN || scheme;
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
