/* SPDX-License-Identifier: MIT */
/* synonym.h: what other programs call our commands: vpopmail, vmailmgr,
 * doveadm, adduser, and what people try first. Pure.
 */
#ifndef POPBOX_SYNONYM_H
#define POPBOX_SYNONYM_H

#include <stddef.h>

/* The command, "box add", for a word that stands where a noun should; NULL:
 * none is known. */
const char *synonym_noun(const char *word);

/* The at-th verb, "add", that a noun may have for another word; a command
 * begins with "popbox ". NULL: no more. A noun need not have the verb. */
const char *synonym_verb(const char *noun, const char *word, size_t at);

/* What an option of another name is called here, "--yes"; NULL: none is
 * known. */
const char *synonym_option(const char *word);

#endif
