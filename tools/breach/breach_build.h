/* SPDX-License-Identifier: MIT */
/* breach_build.h: a list of breached passwords becomes a filter, popbox-breached(5).
 *
 *	child: lines > keys     root: sorts them (breach_sort), writes their places
 *
 * The filter takes the place of an older one when it is whole and on the disk.
 * Memory is bounded whatever the list; beside the filter there are 8 bytes for each
 * line for as long as it works.
 */
#ifndef POPBOX_BREACH_BUILD_H
#define POPBOX_BREACH_BUILD_H

#include "accounts/breached_form.h"

struct breach_how {
	const char *list; /* a path, or "-" */
	const char *filter;
	bool words; /* a list of words, whatever its lines look like */
};

struct breach_built {
	struct breached_head head;
	uint64_t lines, skipped, bytes;
	bool words;
};

/* Says what is wrong; returns the exit code. secret_start was called. */
int breach_build(const struct breach_how *how, struct breach_built *ret_built);

#endif
