/* SPDX-License-Identifier: MIT */
/* stored.h: what a store holds, as a login would find it after a power cut.
 */
#ifndef DEEP_STORED_H
#define DEEP_STORED_H

#include <stdio.h>

/* Opens the store in a child of its own and prints one line:
 *
 *	store DIGEST ENTRIES MARK FINDINGS	of all rows but the journal's
 *	store broken WHY
 */
void stored_print(const char *dir, FILE *out);

#endif
