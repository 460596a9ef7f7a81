/* SPDX-License-Identifier: MIT */
#include "numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD_MAX = 1024 }; /* numbers that one look goes ahead */

/* Numbers without a directory, one after the other. */
struct numbers_run {
	uint32_t from;
	size_t count;
	size_t ahead; /* how many the next look asks for */
};

static struct numbers_run *run_of(struct numbers *numbers,
				  const struct name_handle *handle)
{
	size_t at;

	if (!strtab_add(&numbers->handles, handle->s, &at))
		return NULL;
	if (at >= numbers->room) {
		size_t room = numbers->room ? numbers->room * 2 : 4;
		struct numbers_run *more =
			reallocarray(numbers->run, room, sizeof *more);

		if (!more)
			return NULL;
		memset(more + numbers->room, 0,
		       (room - numbers->room) * sizeof *more);
		numbers->run = more;
		numbers->room = room;
	}
	return &numbers->run[at];
}

/* Many boxes of one handle are looked for in ever larger strides. */
static enum err look(struct store_txn *txn, struct numbers *numbers,
		     const struct name_box *from, struct numbers_run *run)
{
	char path[PATH_MAX] = "";
	int rc;

	run->ahead = !run->ahead		 ? 1
		     : run->ahead < AHEAD_MAX ? run->ahead * 2
						 : AHEAD_MAX;
	rc = asuser_free(numbers->asuser, from, run->ahead, &run->from,
			 &run->count, path);
	if (rc == 0)
		return ERR_OK;
	run->count = 0;
	if (rc == ERANGE)
		return store_refuse(txn, ERR_INVALID,
				    "the handle '%s' has no number left",
				    from->handle.s);
	errno = rc;
	return store_refuse(txn, ERR_SYSTEM,
			    "cannot find out which box numbers are in use: "
			    "cannot access '%s': %s: nothing was changed",
			    path, strerror(rc));
}

static enum err next_from(struct store_txn *txn, struct numbers *numbers,
			  const struct name_box *from, uint32_t *ret_number)
{
	struct numbers_run *run = run_of(numbers, &from->handle);
	enum err err = run ? ERR_OK : ERR_SYSTEM;

	if (run && (from->number < run->from ||
		    from->number - run->from >= run->count)) {
		err = look(txn, numbers, from, run);
		*ret_number = run->from;
	} else if (run) {
		*ret_number = from->number;
	}
	return err;
}

enum err numbers_next(struct store_txn *txn, struct numbers *numbers,
		      const struct name_handle *handle, uint32_t *ret_number)
{
	struct name_box box = {.handle = *handle};
	enum err err = store_box_number(txn, handle, &box.number);

	return err == ERR_OK ? next_from(txn, numbers, &box, ret_number) : err;
}

enum err numbers_first(struct store_txn *txn, struct numbers *numbers,
		       const struct name_handle *handle, uint32_t *ret_number)
{
	struct name_box box = {.handle = *handle};
	enum err err = store_box_number(txn, handle, &box.number);

	if (err == ERR_OK && box.number == 1)
		box.number = 0;
	return err == ERR_OK ? next_from(txn, numbers, &box, ret_number) : err;
}

void numbers_free(struct numbers *numbers)
{
	strtab_free(&numbers->handles);
	free(numbers->run);
	numbers->run = NULL;
	numbers->room = 0;
}
