/* SPDX-License-Identifier: MIT */
/* qmail's look-ups: an answer lies in the text, its number is the number of its
 * line, and it says what was asked for; a name of a .qmail file is never cut.
 */
#include "fuzz.h"

#include "qmail/route.h"

static void in_text(struct route_text text, struct route_line line)
{
	unsigned long number = 1;

	if (!line.number)
		return;
	HOLDS(line.at >= text.bytes &&
	      line.at + line.len <= text.bytes + text.len);
	HOLDS(line.at == text.bytes || line.at[-1] == '\n');
	for (const char *c = text.bytes; c < line.at; c++)
		number += *c == '\n';
	HOLDS(number == line.number);
	HOLDS(!line.value || (line.value >= line.at &&
			      line.value + line.value_len <=
				      line.at + line.len));
}

/* Is bytes[0..len) the domain, or an end of it from a dot on? */
static bool ends(const char *bytes, size_t len, const char *domain)
{
	size_t whole = strlen(domain);

	return len == 0 ||
	       (len <= whole &&
		strncasecmp(domain + whole - len, bytes, len) == 0 &&
		(len == whole || bytes[0] == '.'));
}

static void files(const char *name, const char *ext)
{
	char path[ROUTE_QMAIL_MAX];
	size_t last = sizeof path;

	for (unsigned n = 0; route_qmail_name(name, ext, n, path); n++) {
		size_t len = strlen(path);

		HOLDS(len < sizeof path && n <= strlen(ext) + 2);
		if (len == 0)
			continue; /* it is too long for a file */
		HOLDS(strncmp(path, ".qmail", 6) == 0);
		HOLDS(n || len == 6 + strlen(name) + strlen(ext));
		HOLDS(n < 2 || len < last);
		HOLDS(n < 1 || strcmp(path + len - 7, "default") == 0);
		HOLDS(strcspn(path + 6 + strlen(name), ".") ==
		      strlen(path + 6 + strlen(name)));
		/* Of the names that end in default each is shorter, though one
		 * between them may have been too long. */
		if (n)
			last = len;
	}
}

static void fields(const char *value, size_t len, char between)
{
	static struct route_user user;

	if (!route_fields(value, len, between, &user))
		return;
	for (int i = 0; i < 6; i++)
		HOLDS(strnlen(user.field[i], ROUTE_FIELD_MAX) <
		      ROUTE_FIELD_MAX);
}

/* Never longer, and at the end of a domain that is in the file. */
static void hack(struct route_text text, const char *domain)
{
	char address[2048];
	int len = snprintf(address, sizeof address, "a%%%s%%%s@%s", domain,
			   domain, domain);

	if (len >= (int)sizeof address)
		return;
	route_percenthack(text, address);
	HOLDS(strlen(address) <= (size_t)len);
	HOLDS(strlen(address) == (size_t)len || !domain[0] ||
	      route_locals(text, text, domain).number || strchr(domain, '%') ||
	      strchr(domain, '@'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t asked = fuzz_byte(&data, &size);
	struct route_text text;
	struct route_line line;
	char *domain, *bytes;

	asked = asked < size ? asked : size;
	domain = fuzz_text(data, asked);
	text.len = size - asked;
	text.bytes = bytes = malloc(text.len ? text.len : 1);
	if (text.len)
		memcpy(bytes, data + asked, text.len);
	line = route_rcpthosts(text, domain);
	in_text(text, line);
	HOLDS(!line.number || ends(line.at, line.len, domain));
	line = route_locals(text, text, domain);
	in_text(text, line);
	HOLDS(!line.number || line.len == strlen(domain));
	line = route_locals((struct route_text){NULL, 0}, text, domain);
	in_text(text, line);
	HOLDS(!line.number || (line.number == 1 && line.len == strlen(domain)));
	hack(text, domain);
	line = route_virtualdomains(text, "joe", domain);
	in_text(text, line);
	line = route_smtproutes(text, domain);
	in_text(text, line);
	HOLDS(!line.number ||
	      ends(line.at, (size_t)(line.value - line.at) - 1, domain));
	line = route_assign(text, domain);
	in_text(text, line);
	HOLDS(!line.number || line.at[0] == '=' || line.at[0] == '+');
	if (line.number)
		fields(line.value, line.value_len, ':');
	fields(text.bytes, text.len, 0);
	files("-", domain);
	free(domain);
	domain = fuzz_text(data, size);
	files("", domain);
	free(domain);
	free(bytes);
	return 0;
}
