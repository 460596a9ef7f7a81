/* SPDX-License-Identifier: MIT */
/* columns.h: how much room a text takes on a terminal. Pure.
 */
#ifndef POPBOX_COLUMNS_H
#define POPBOX_COLUMNS_H

#include <stddef.h>

/* Columns of UTF-8: none for marks that combine, two for wide letters of East
 * Asia and pictures, one for all else; a byte that is no UTF-8 is one. */
size_t columns_of(const char *text);

/* How many bytes of text fit into so many columns. */
size_t columns_fit(const char *text, size_t columns);

#endif
