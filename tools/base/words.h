/* SPDX-License-Identifier: MIT */
/* words.h: the words for the store's values on the command line, in lists and in
 * JSON. They are static.
 */
#ifndef POPBOX_WORDS_H
#define POPBOX_WORDS_H

#include "store/store.h"

const char *word_kind(enum store_kind kind);
const char *word_delivery(enum store_delivery delivery);
const char *word_op(enum store_op op);
const char *word_table(enum store_table table);
/* NULL: there are no more. */
const char *word_service(size_t number, enum store_service *ret_service);
/* "smtp,imap", in their order; "" for none. */
enum { WORD_SERVICES = 32 };
const char *word_services(unsigned services, char ret_text[WORD_SERVICES]);

/* "pop,smtp"; the reverse. False: no such list. */
bool word_services_list(const char *text, unsigned *ret_services);

/* "smtp=off,imap=off" */
enum { WORD_SWITCHES = 64 };
const char *word_switches(unsigned off, char ret_text[WORD_SWITCHES]);

/* "pop=off,smtp=on": which are said, and which of those are off. False: no such
 * list. */
bool word_services_read(const char *text, unsigned *ret_said,
			unsigned *ret_off);

#endif
