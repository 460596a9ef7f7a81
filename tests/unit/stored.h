/* SPDX-License-Identifier: MIT */
/* stored.h: a store of a test's own, in a directory that is made and removed. */
#ifndef POPBOX_STORED_H
#define POPBOX_STORED_H

#include <fcntl.h>
#include <unistd.h>

#include "store/row_write.h"
#include "unit.h"

static char dir[64];
static struct store *store;
static const struct store_actor actor = {0, "unit", "test"};

static inline enum err change(store_body *body, void *arg)
{
	uint64_t last;

	return store_write(store, &actor, body, arg, true, &last);
}

/* With what fill puts into it, or empty; 0 is success, as cmocka has it. */
static inline int stored_start(store_body *fill)
{
	(void)snprintf(dir, sizeof dir, "/tmp/popbox-unit.XXXXXX");
	return !mkdtemp(dir) || store_create(dir) != ERR_OK ||
	       store_open_write(dir, &store) != ERR_OK ||
	       (fill && change(fill, NULL) != ERR_OK);
}

static inline int stored_end(void **state)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	store_close(&store);
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlinkat(fd, names[i], 0);
	close(fd);
	return rmdir(dir);
}

#endif
