/* SPDX-License-Identifier: MIT */
#include "switched.h"

#include <stdlib.h>
#include <string.h>

static enum err add(struct switched_names *names, const struct name_box *name)
{
	if (names->count == names->room) {
		size_t room = names->room ? names->room * 2 : 16;
		struct name_box *more =
			reallocarray(names->name, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		names->name = more;
		names->room = room;
	}
	names->name[names->count++] = *name;
	return ERR_OK;
}

enum err switched_handle(struct switched *switched,
			 const struct name_handle *handle)
{
	return add(&switched->handles, &(struct name_box){*handle, 0});
}

enum err switched_box(struct switched *switched, const struct name_box *box)
{
	return add(&switched->boxes, box);
}

static int by_name(const void *a, const void *b)
{
	const struct name_box *x = a, *y = b;
	int order = strcmp(x->handle.s, y->handle.s);

	return order ? order
		     : (x->number > y->number) - (x->number < y->number);
}

static void sort(struct switched_names *names)
{
	if (names->count)
		qsort(names->name, names->count, sizeof *names->name, by_name);
}

void switched_sort(struct switched *switched)
{
	sort(&switched->handles);
	sort(&switched->boxes);
}

static bool has(const struct switched_names *names, const struct name_box *name)
{
	return names->count && bsearch(name, names->name, names->count,
				       sizeof *names->name, by_name);
}

bool switched_has_handle(const struct switched *switched,
			 const struct name_handle *handle)
{
	return has(&switched->handles, &(struct name_box){*handle, 0});
}

bool switched_has_box(const struct switched *switched,
		      const struct name_box *box)
{
	return has(&switched->boxes, box);
}

void switched_free(struct switched *switched)
{
	free(switched->handles.name);
	free(switched->boxes.name);
	*switched = (struct switched){0};
}
