/* SPDX-License-Identifier: MIT */
/* password_rules.h: what every password of popbox is like, wherever it comes from:
 * a command line, or a file.
 */
#ifndef POPBOX_PASSWORD_RULES_H
#define POPBOX_PASSWORD_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "store/hash/pwhash.h"

/* Random, so many characters that nobody guesses, of an alphabet that everybody
 * can read aloud. Not NUL-ended. The caller wipes it. */
enum { PASSWORD_GENERATE = 20 };
void password_generate(char *ret_bytes, size_t len);

/* Are all bytes of a password ASCII? Mail programs send others in different
 * encodings. */
MUST_USE bool password_is_ascii(const char *bytes, size_t len);

/* Prints why a hash could not be made or wrapped although all input was right;
 * returns the exit code. */
int password_unmade(const struct pwhash_cost *cost, enum pwhash answer);

#endif
