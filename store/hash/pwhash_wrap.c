/* SPDX-License-Identifier: MIT */
/* pwhash_wrap.c: the form of wrapped hashes. The setting of the inner one is
 * judged by giving it a sum of zeros and reading that.
 */
#include <stdio.h>
#include <string.h>

#include "pwhash_private.h"

/* Sums of libcrypt end in '.', which is zero, whatever their length. */
static const char dots[] = "......................................"
			   "................................................";
static const char zeros[] = "0000000000000000000000000000000000000000"
			    "0000000000000000000000000000000000000000"
			    "000000000000000000000000000000000000000000000000";

/* {SSHA256.HEX}SALT: the sum comes before the salt. */
static bool with_digest(const char *setting, char text[PWHASH_MAX + 1])
{
	const char *salt = strchr(setting, '}');
	int sum, len;

	if (!salt)
		return false;
	salt++;
	/* In the tag alone: a salt may have these digits, too. */
	sum = memmem(setting, (size_t)(salt - setting), "512", 3) ? 128 : 64;
	len = snprintf(text, PWHASH_MAX + 1, "%.*s%.*s%s",
		       (int)(salt - setting), setting, sum, zeros, salt);
	return len > 0 && len <= PWHASH_MAX;
}

static bool with_sum(const char *setting, char text[PWHASH_MAX + 1])
{
	size_t sum = pwhash_form_sum(setting);
	int len;

	if (setting[0] == '{')
		return with_digest(setting, text);
	len = snprintf(text, PWHASH_MAX + 1, "%s%.*s", setting, (int)sum, dots);
	return sum && len > 0 && len <= PWHASH_MAX;
}

/* The last: a salt of libcrypt may be the eight letters of this name. */
static const char *find_outer(const char *at)
{
	const char *found = NULL;

	while ((at = strstr(at, "$argon2id$")) != NULL)
		found = at++;
	return found;
}

enum pwhash pwhash_wrap_form(const char *at, struct pwhash_form *form)
{
	const char *outer = find_outer(at);
	size_t len = outer ? (size_t)(outer - at) : 0;
	char text[PWHASH_MAX + 1];
	struct pwhash_form inner;
	enum pwhash answer;

	if (!len || len > PWHASH_MAX)
		return PWHASH_MALFORMED;
	memcpy(form->setting, at, len);
	form->setting[len] = 0;
	inner = (struct pwhash_form){.text = form->setting};
	answer = form->setting[0] == '{'
			 ? pwhash_foreign_get(form->setting, &inner)
			 : PWHASH_UNKNOWN;
	if (answer == PWHASH_UNKNOWN && !with_sum(form->setting, text))
		return PWHASH_MALFORMED;
	if (answer == PWHASH_UNKNOWN)
		answer = pwhash_form(text, &inner);
	if (answer != PWHASH_OK)
		return answer == PWHASH_UNKNOWN ? PWHASH_MALFORMED : answer;
	answer = pwhash_form_argon2(outer, form);
	if (answer == PWHASH_OK && form->how != PWHASH_BY_ARGON2)
		answer = PWHASH_MALFORMED; /* we make no others */
	form->wrapped = true;
	form->how = inner.how;
	form->rounds = inner.rounds;
	form->digest = inner.digest;
	form->old = inner.old;
	return answer;
}
