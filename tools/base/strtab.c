/* SPDX-License-Identifier: MIT */
#include "strtab.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static size_t slot_of(const char *text, size_t slots)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (size_t)(sum ^ sum >> 32) & (slots - 1);
}

static uint32_t *find(const struct strtab *names, const char *text)
{
	size_t slot = slot_of(text, names->slots);

	while (names->slot[slot] &&
	       strcmp(names->name[names->slot[slot] - 1], text) != 0)
		slot = (slot + 1) & (names->slots - 1);
	return &names->slot[slot];
}

static bool grow(struct strtab *names)
{
	const size_t room = names->room ? names->room * 2 : 16;
	char **name = reallocarray(names->name, room, sizeof *name);
	uint32_t *slot = calloc(room * 2, sizeof *slot);

	if (name) {
		names->name = name;
		names->room = room;
	}
	if (!name || !slot) {
		free(slot);
		return false;
	}
	free(names->slot);
	names->slot = slot;
	names->slots = room * 2;
	for (size_t i = 0; i < names->count; i++)
		*find(names, names->name[i]) = (uint32_t)i + 1;
	return true;
}

bool strtab_add(struct strtab *names, const char *text, size_t *ret_number)
{
	uint32_t *slot;

	if (names->count * 2 >= names->slots && !grow(names))
		return false;
	slot = find(names, text);
	if (!*slot) {
		names->name[names->count] = strdup(text);
		if (!names->name[names->count])
			return false;
		*slot = (uint32_t)++names->count;
	}
	*ret_number = *slot - 1;
	return true;
}

bool strtab_has(const struct strtab *names, const char *text)
{
	return names->slots && *find(names, text);
}

bool strtab_find(const struct strtab *names, const char *text,
		 size_t *ret_number)
{
	const uint32_t *slot = names->slots ? find(names, text) : NULL;

	if (!slot || !*slot)
		return false;
	*ret_number = *slot - 1;
	return true;
}

void strtab_free(struct strtab *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	free(names->slot);
	*names = (struct strtab){.count = 0};
}
