/* SPDX-License-Identifier: MIT */
#include "pwhash.h"

#include <crypt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "pwhash_private.h"
#include "store/secret.h"

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
enum pwhash pwhash_argon2_sum(const struct pwhash_form *form,
			      const void *password, size_t len,
			      unsigned char ret_sum[ARGON2_SUM_MAX],
			      size_t *ret_len)
{
	unsigned char salt[ARGON2_SALT];
	const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	enum pwhash answer = PWHASH_OK;
	size_t n;

	if (sodium_base642bin(salt, sizeof salt, form->salt, form->salt_len,
			      NULL, &n, NULL, variant) != 0 ||
	    n != sizeof salt)
		return PWHASH_MALFORMED;
	*ret_len = form->sum_len * 3 / 4;
	if (crypto_pwhash(ret_sum, *ret_len, password, len, salt,
			  form->cost.passes, (size_t)form->cost.kib * 1024,
			  form->argon2i ? crypto_pwhash_ALG_ARGON2I13
					: crypto_pwhash_ALG_ARGON2ID13) != 0)
		answer = PWHASH_NOMEM;
	secret_wipe_frames();
	return answer;
}

enum pwhash pwhash_argon2_compare(const struct pwhash_form *form,
				  const unsigned char *sum, size_t len)
{
	unsigned char want[ARGON2_SUM_MAX];
	enum pwhash answer = PWHASH_MALFORMED;
	size_t n;

	if (sodium_base642bin(want, sizeof want, form->sum, form->sum_len, NULL,
			      &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
	    n == len)
		answer = secret_equal(sum, want, len) ? PWHASH_OK : PWHASH_NO;
	secret_wipe(want, sizeof want);
	return answer;
}

enum pwhash pwhash_argon2_verify(const struct pwhash_form *form,
				 const void *password, size_t len)
{
	unsigned char sum[ARGON2_SUM_MAX];
	size_t n;
	enum pwhash answer = pwhash_argon2_sum(form, password, len, sum, &n);

	if (answer == PWHASH_OK)
		answer = pwhash_argon2_compare(form, sum, n);
	secret_wipe(sum, sizeof sum);
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
	secret_wipe_frames();
	return rc == 0 ? PWHASH_OK : PWHASH_NO;
}

/* What libcrypt makes of a password and a setting, or a whole hash, which it
 * takes for one. crypt_rn answers NULL on failure, where crypt_r would answer
 * "*0". The string has the exact form of its scheme here, so a failure is a lack
 * of memory (yescrypt: NULL and EINVAL). errno after a success means nothing. */
enum pwhash pwhash_run_crypt(const char *setting, const void *password,
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
	secret_wipe_frames();
	return answer;
}

static enum pwhash verify_crypt(const char *hash, const void *password,
				size_t len)
{
	char got[PWHASH_MAX + 1];
	enum pwhash answer = pwhash_run_crypt(hash, password, len, got);
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

static enum pwhash verify_old(const struct pwhash_old *old,
			      const void *password, size_t len)
{
	unsigned char sum[PWHASH_OLD_MAX];
	enum pwhash answer = pwhash_old_compute(old, password, len, sum);

	if (answer == PWHASH_OK &&
	    !secret_equal(sum, old->sum, pwhash_old_size(old->kind)))
		answer = PWHASH_NO;
	secret_wipe(sum, sizeof sum);
	return answer;
}

/* The old hash first, as a text; then the outer one of that. */
static enum pwhash verify_wrapped(const struct pwhash_form *form,
				  const void *password, size_t len)
{
	char inner[PWHASH_MAX + 1];
	unsigned char sum[DIGEST_MAX];
	enum pwhash answer = PWHASH_OK;

	if (form->how == PWHASH_BY_CRYPT) {
		answer = pwhash_run_crypt(form->setting, password, len, inner);
	} else if (form->how == PWHASH_BY_OLD) {
		answer = pwhash_old_compute(&form->old, password, len, sum);
		(void)sodium_bin2hex(inner, sizeof inner, sum,
				     pwhash_old_size(form->old.kind));
	} else {
		pwhash_digest_compute(&form->digest, password, len, sum);
		(void)sodium_bin2hex(inner, sizeof inner, sum,
				     form->digest.bits / 8);
	}
	if (answer == PWHASH_OK)
		answer = pwhash_argon2_verify(form, inner, strlen(inner));
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
		return pwhash_argon2_verify(form, password, len);
	case PWHASH_BY_STR_VERIFY:
		return verify_lanes(form, password, len);
	case PWHASH_BY_CRYPT:
		return verify_crypt(form->text, password, len);
	case PWHASH_BY_OLD:
		return verify_old(&form->old, password, len);
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

enum pwhash pwhash_judge(const char *hash, const char **ret_scheme)
{
	struct pwhash_form form;
	enum pwhash answer = pwhash_form(hash, &form);

	*ret_scheme = form.scheme;
	secret_wipe(&form, sizeof form);
	return answer;
}

void pwhash_decoy(struct pwhash_cost cost, char ret_hash[PWHASH_MAX + 1])
{
	const uint32_t most = PWHASH_ARGON2_WORK_MAX / cost.kib;

	/* Settings beyond the caps make no hash; a decoy of them would cost a
	 * login nothing and answer "cannot tell". */
	if (cost.passes > most)
		cost.passes = most;
	/* Salt and sum of zeros: no known password leads to them, and the
	 * caller does not believe a match anyway. */
	(void)snprintf(ret_hash, PWHASH_MAX + 1,
		       "$argon2id$v=19$m=%u,t=%u,p=1$%.22s$%.43s", cost.kib,
		       cost.passes, "AAAAAAAAAAAAAAAAAAAAAA",
		       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}
