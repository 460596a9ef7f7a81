/* SPDX-License-Identifier: MIT */
/* The grammar of hashes: what is good is within the caps, as this file reads
 * them by itself, and is not good any more when its end is cut. */
#include "fuzz.h"

#include "store/hash/pwhash_private.h"

static void cap(const char *text, const char *prefix, unsigned long most)
{
	const char *found = strstr(text, prefix);

	/* Where a scheme's name stands: a salt may look like one too. */
	if (found && (found == text || found[-1] == '}' ||
		      (found == text + 6 && strncmp(text, "$wrap$", 6) == 0)))
		HOLDS(strtoul(found + strlen(prefix), NULL, 10) <= most);
}

static bool fixed_length(const struct pwhash_form *form)
{
	return form->how == PWHASH_BY_CRYPT && !form->wrapped;
}

static bool inside(const char *part, size_t len, const char *text, size_t size)
{
	return part >= text && part + len <= text + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pwhash_form form;
	const size_t len = strlen(text);

	if (pwhash_form(text, &form) == PWHASH_OK) {
		HOLDS(len <= PWHASH_MAX && form.scheme);
		for (size_t i = 0; i < len; i++)
			HOLDS(text[i] > ' ' && text[i] <= '~');
		cap(text, "$2a$", PWHASH_BCRYPT_MAX);
		cap(text, "$2b$", PWHASH_BCRYPT_MAX);
		cap(text, "$2y$", PWHASH_BCRYPT_MAX);
		cap(text, "$5$rounds=", PWHASH_SHA_ROUNDS_MAX);
		cap(text, "$6$rounds=", PWHASH_SHA_ROUNDS_MAX);
		cap(text, "$argon2i$v=19$m=", PWHASH_ARGON2_KIB_MAX);
		cap(text, "$argon2id$v=19$m=", PWHASH_ARGON2_KIB_MAX);
		HOLDS((uint64_t)form.cost.kib * form.cost.passes <=
		      PWHASH_ARGON2_WORK_MAX);
		HOLDS(inside(form.text, strlen(form.text), text, len));
		if (form.salt)
			HOLDS(inside(form.salt, form.salt_len, text, len) &&
			      inside(form.sum, form.sum_len, text, len));
		HOLDS(form.digest.salt_len <= DIGEST_SALT_MAX);
		HOLDS(strlen(form.setting) <= PWHASH_MAX);
		if (fixed_length(&form)) {
			text[len - 1] = 0;
			HOLDS(pwhash_form(text, &form) != PWHASH_OK);
		}
	}
	free(text);
	return 0;
}
