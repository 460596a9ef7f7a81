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

#endif
