/* SPDX-License-Identifier: MIT */
/* deliver.h: deliver.c's other half, what qmail-local does for one recipient.
 */
#ifndef STANDIN_DELIVER_H
#define STANDIN_DELIVER_H

#include <stdbool.h>
#include <stddef.h>

/* The text of the .qmail file of an extension, or of a default, below the
 * working directory; malloc'ed. */
char *local_find(const char *dash, const char *ext);

/* Does what its lines say. only_say: prints each target instead. */
void local_obey(char *qmail, const char *message, size_t len, bool only_say);

#endif
