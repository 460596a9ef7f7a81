/* list.h: lists of any length, printed while they are read.
 *
 * Rows come in handfuls, each from one short transaction, so that a slow
 * reader of the list (a pager) never keeps a snapshot, and with it the
 * store's old pages, for long.
 */
#ifndef POPBOX_LIST_H
#define POPBOX_LIST_H

#include "site.h"
#include "table.h"

enum { LIST_HANDFUL = 64 };

struct list {
	const char *what; /* for messages: "box list" */
	const char *const *header; /* of the table; NULL-ended */
	/* Fetches the next rows into arg and sets *count, at most
	 * LIST_HANDFUL; remembers in arg where it was. ERR_NOTFOUND with the
	 * last ones. */
	store_body *next;
	/* Prints row number index of the handful, as JSON or into table. */
	void (*print)(const struct site *site, struct table *table,
		      const void *arg, size_t index);
	void *arg;
	size_t *count;
};

/* Prints it all from a store that is open for reading; returns the code. */
int list_print(struct site *site, const struct list *list);

#endif
