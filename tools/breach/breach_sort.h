/* SPDX-License-Identifier: MIT */
/* breach_sort.h: more keys than there is memory for, in order, each once: runs that
 * fit are sorted, written to a file, and merged.
 *
 * Calls answer 0 or an errno.
 */
#ifndef POPBOX_BREACH_SORT_H
#define POPBOX_BREACH_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/err.h"

/* Keys of a run: 64 MiB with what sorting needs beside them. */
#ifndef BREACH_RUN
#define BREACH_RUN ((size_t)4 << 20)
#endif

struct breach_run;

struct breach_sort {
	int fd;	       /* for reading and writing; the caller closes it */
	uint64_t *key; /* BREACH_RUN, and as many for sorting or merging */
	size_t keys;
	struct breach_run *run;
	size_t runs, runs_room;
	size_t *heap; /* runs that have keys left, the least first */
	size_t heaped;
	uint64_t written; /* keys in the file */
	uint64_t last;
	bool begun;
};

MUST_USE int breach_sort_open(int fd, struct breach_sort *ret_sort);
MUST_USE int breach_sort_add(struct breach_sort *sort, uint64_t key);
/* No more come. *ret_keys: how many there are, at least; some may be there twice. */
MUST_USE int breach_sort_end(struct breach_sort *sort, uint64_t *ret_keys);
/* The next, each once; *ret_end: there is none. */
MUST_USE int breach_sort_next(struct breach_sort *sort, uint64_t *ret_key,
			      bool *ret_end);
void breach_sort_close(struct breach_sort *sort);

#endif
