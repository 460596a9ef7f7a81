/* SPDX-License-Identifier: MIT */
/* idn.h: domains as people write them, in ASCII or in UTF-8 (IDNA2008, RFC
 * 5891), to the names of the store.
 */
#ifndef POPBOX_IDN_H
#define POPBOX_IDN_H

#include <stdbool.h>

#include "store/name.h"

/* The A-label form, and the UTF-8 form if it is another one (else ""). NULL,
 * or why not; static. */
MUST_USE const char *idn_domain(const char *text, struct name_domain *ret_name,
				char ret_utf8[NAME_DOMAIN_MAX + 1]);

/* The same for a domain that is to be made: each A-label must encode back to
 * itself and have letters that IDNA2008 allows. A store may have others from
 * earlier, which can still be named. */
MUST_USE const char *idn_new_domain(const char *text,
				    struct name_domain *ret_name,
				    char ret_utf8[NAME_DOMAIN_MAX + 1]);

/* An address whose domain may be in UTF-8; with catch_all also *@domain. */
MUST_USE const char *idn_address(const char *text, bool catch_all,
				 struct name_address *ret_name);

/* Somebody's address anywhere, to be written into a .qmail file behind '&': the
 * local part as it is (its case may matter there), the domain in A-labels. */
MUST_USE const char *idn_forward(const char *text,
				 char ret_text[NAME_ADDRESS_TEXT]);

/* A domain or an address of the store as people write it: in UTF-8 where that
 * encodes back to it, else as it is. */
enum { IDN_WRITTEN = NAME_LOCAL_MAX + 1 + NAME_DOMAIN_MAX + 1 };
const char *idn_written(const char *name, char ret_text[IDN_WRITTEN]);

#endif
