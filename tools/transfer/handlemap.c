/* SPDX-License-Identifier: MIT */
#include "handlemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "base/say.h"
#include "csvfile.h"
#include "fmt_clean.h"

static int bad(const struct csvfile *csv, const char *why)
{
	return say_error(CODE_REFUSED, "%s:%lu: %s", csv->input->name,
			 csv->line, why);
}

static char *field(const struct csvfile *csv, size_t i)
{
	return fmt_clean_field(csvfile_field(csv, i));
}

/* Which of the two columns is first? */
static int read_header(struct csvfile *csv, size_t *ret_domain)
{
	enum input_got got = csvfile_next(csv);

	if (got == INPUT_FAILED)
		return say_error(CODE_LATER, "cannot read '%s': %s",
				 csv->input->name, strerror(errno));
	if (got == INPUT_LINE && csv->why)
		return bad(csv, csv->why);
	for (size_t i = 0; got == INPUT_LINE && csv->count == 2 && i < 2; i++) {
		*ret_domain = i;
		if (fmt_clean_same(field(csv, i), "domain") &&
		    fmt_clean_same(field(csv, 1 - i), "handle"))
			return CODE_DONE;
	}
	return say_error(CODE_REFUSED,
			 "'%s' has no header domain,handle in its first line",
			 csv->input->name);
}

static int add(struct handlemap *map, const struct csvfile *csv, size_t at)
{
	char utf8[NAME_DOMAIN_MAX + 1];
	struct name_domain domain;
	struct name_handle handle, *more;
	const char *name, *why = csv->why;
	const size_t count = map->domains.count;
	size_t number;

	if (!why && csv->count != 2)
		why = "it has not the two fields domain and handle";
	if (!why)
		why = idn_domain(fmt_clean_domain(csvfile_field(csv, at)),
				 &domain, utf8);
	name = why ? "" : field(csv, 1 - at);
	if (!why)
		why = name_handle_read(name, strlen(name), &handle);
	if (why)
		return bad(csv, why);
	if (!strtab_add(&map->domains, domain.s, &number))
		return say_error(CODE_LATER, "no memory");
	if (number < count)
		return strcmp(map->handle[number].s, handle.s) == 0
			       ? CODE_DONE
			       : bad(csv, "this domain has another handle in a "
					  "line before");
	more = reallocarray(map->handle, map->domains.count, sizeof *more);
	if (!more)
		return say_error(CODE_LATER, "no memory");
	map->handle = more;
	map->handle[number] = handle;
	return CODE_DONE;
}

static int read_all(struct csvfile *csv, struct handlemap *map)
{
	size_t domain = 0;
	enum input_got got;
	int code = read_header(csv, &domain);

	while (code == CODE_DONE && (got = csvfile_next(csv)) != INPUT_END)
		code = got == INPUT_LINE
			       ? add(map, csv, domain)
			       : say_error(CODE_LATER, "cannot read '%s': %s",
					   csv->input->name, strerror(errno));
	return code;
}

int handlemap_read(const char *path, struct handlemap *ret_map)
{
	struct csvfile csv;
	struct input input;
	int code;

	*ret_map = (struct handlemap){.handle = NULL};
	if (!input_open(&input, path))
		return say_error(errno == ENOENT ? CODE_REFUSED : CODE_LATER,
				 "cannot read '%s': %s", path, strerror(errno));
	if (csvfile_open(&csv, &input, 0)) {
		code = read_all(&csv, ret_map);
		csvfile_close(&csv);
	} else {
		code = say_error(CODE_LATER, "no memory");
	}
	input_close(&input);
	return code;
}

void handlemap_free(struct handlemap *map)
{
	strtab_free(&map->domains);
	free(map->handle);
	*map = (struct handlemap){.handle = NULL};
}

const struct name_handle *handlemap_find(const struct handlemap *map,
					 const struct name_domain *domain)
{
	size_t number;

	return strtab_find(&map->domains, domain->s, &number)
		       ? &map->handle[number]
		       : NULL;
}
