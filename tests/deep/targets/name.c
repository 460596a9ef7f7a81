/* SPDX-License-Identifier: MIT */
/* Names: whatever a validator lets through is one safe path component and one
 * field of a line, and reads back as itself. */
#include "fuzz.h"

#include "store/name.h"

static bool safe(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~' || *s == '/' || *s == ':' ||
		    (*s >= 'A' && *s <= 'Z'))
			return false;
	}
	return true;
}

static bool ends(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && strcmp(s + len - n, end) == 0;
}

static void local_holds(const char *s)
{
	HOLDS(*s && safe(s) && strlen(s) <= NAME_LOCAL_MAX);
	HOLDS(s[0] != '.' && !strstr(s, "..") && !ends(s, "."));
	HOLDS(strcmp(s, "default") != 0 && strcmp(s, "owner") != 0);
	HOLDS(!ends(s, "-default") && !ends(s, "-owner"));
	HOLDS(!strchr(s, '@') && !strchr(s, '*') && !strchr(s, '"'));
}

static void domain_holds(const char *s)
{
	HOLDS(*s && safe(s) && strlen(s) <= NAME_DOMAIN_MAX);
	HOLDS(strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(s));
	HOLDS(s[0] != '.' && s[0] != '-' && !ends(s, ".") && !ends(s, "-"));
	HOLDS(!strstr(s, "..") && !strstr(s, ".-") && !strstr(s, "-."));
	for (const char *label = s; label; label = strchr(label, '.')) {
		label += *label == '.';
		HOLDS(strcspn(label, ".") <= NAME_LABEL_MAX);
	}
}

static void address(const char *bytes, size_t len)
{
	struct name_address a, again;
	char text[NAME_ADDRESS_TEXT];

	if (name_address_read(bytes, len, &a))
		return;
	local_holds(a.local.s);
	domain_holds(a.domain.s);
	name_address_text(&a, text);
	HOLDS(strlen(text) == len);
	HOLDS(!name_address_read(text, len, &again));
	HOLDS(strcmp(a.local.s, again.local.s) == 0);
	HOLDS(strcmp(a.domain.s, again.domain.s) == 0);
}

static void box(const char *bytes, size_t len)
{
	struct name_box b, again;
	char text[NAME_BOX_TEXT];

	if (name_box_read(bytes, len, &b))
		return;
	name_box_text(&b, text);
	HOLDS(strlen(text) == len && strncasecmp(text, bytes, len) == 0);
	HOLDS(!name_box_read(text, len, &again));
	HOLDS(b.number == again.number &&
	      strcmp(b.handle.s, again.handle.s) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1); /* no NUL behind it */
	struct name_handle handle;
	struct name_domain domain;
	struct name_local local;

	if (size)
		memcpy(bytes, data, size);
	if (!name_handle_read(bytes, size, &handle)) {
		HOLDS(strlen(handle.s) == size && size <= NAME_HANDLE_MAX);
		HOLDS(safe(handle.s) && handle.s[0] >= 'a' &&
		      handle.s[0] <= 'z' && !strpbrk(handle.s, ".-"));
	}
	if (!name_domain_read(bytes, size, &domain)) {
		HOLDS(strlen(domain.s) == size);
		domain_holds(domain.s);
	}
	if (!name_local_read(bytes, size, &local)) {
		HOLDS(strlen(local.s) == size);
		local_holds(local.s);
		HOLDS(!name_foreign_local(bytes, size));
	}
	address(bytes, size);
	box(bytes, size);
	free(bytes);
	return 0;
}
