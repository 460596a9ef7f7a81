/* SPDX-License-Identifier: MIT */
#include "fmt_vpopmail.h"

#include <stdio.h>
#include <string.h>

/* The next word of a shell's line, without its quotes. False: none. */
static bool next_word(const char **at, const char *end, char ret_word[PATH_MAX])
{
	size_t len = 0;
	char quote = 0;
	const char *c = *at;

	while (c < end && (*c == ' ' || *c == '\t'))
		c++;
	if (c == end)
		return false;
	for (; c < end && (quote || (*c != ' ' && *c != '\t')); c++) {
		if (!quote && (*c == '\'' || *c == '"'))
			quote = *c;
		else if (*c == quote)
			quote = 0;
		else if (len + 1 < PATH_MAX)
			ret_word[len++] = *c;
	}
	ret_word[len] = 0;
	*at = c;
	return true;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), part = strlen(end);

	return len >= part && strcmp(text + len - part, end) == 0 &&
	       (len == part || text[len - part - 1] == '/');
}

enum fmt_vpopmail_where fmt_vpopmail_line(const char *line, size_t len,
					  char ret_where[PATH_MAX])
{
	const char *at = line, *end = line + len;
	char word[PATH_MAX];

	while (at < end && (*at == '|' || *at == ' ' || *at == '\t'))
		at++;
	if (len == 0 || line[0] != '|' || !next_word(&at, end, word))
		return FMT_VPOPMAIL_NONE;
	if (ends_in(word, "preline") && !next_word(&at, end, word))
		return FMT_VPOPMAIL_NONE;
	if (!ends_in(word, "vdelivermail") || !next_word(&at, end, word) ||
	    !next_word(&at, end, ret_where))
		return FMT_VPOPMAIL_NONE;
	if (next_word(&at, end, word)) /* a shell's tricks */
		return FMT_VPOPMAIL_NONE;
	if (strcmp(ret_where, "bounce-no-mailbox") == 0)
		return FMT_VPOPMAIL_BOUNCE;
	if (strcmp(ret_where, "delete") == 0)
		return FMT_VPOPMAIL_DELETE;
	return ret_where[0] == '/' ? FMT_VPOPMAIL_DIR : FMT_VPOPMAIL_FORWARD;
}

/* The part of a path that ends at *end, which moves before it. */
static const char *last_part(const char *path, const char **end,
			     size_t *ret_len)
{
	const char *stop = *end, *start;

	while (stop > path && stop[-1] == '/')
		stop--;
	start = stop;
	while (start > path && start[-1] != '/')
		start--;
	*ret_len = (size_t)(stop - start);
	*end = start;
	return start;
}

bool fmt_vpopmail_owner(const char *path, const char *domain,
			char ret_address[NAME_ADDRESS_TEXT])
{
	const char *end = path + strlen(path), *part, *user;
	struct name_domain name;
	size_t len, user_len;
	int made;

	part = last_part(path, &end, &len);
	if (len != 7 || memcmp(part, "Maildir", 7) != 0)
		return false;
	user = last_part(path, &end, &user_len);
	if (user_len == 0 || (user_len == 1 && user[0] == '.'))
		return false;
	do
		part = last_part(path, &end, &len);
	while (len == 1 && part[0] != '.');
	if (len > 1) {
		if (!memchr(part, '.', len) ||
		    name_domain_read(part, len, &name))
			return false;
		domain = name.s;
	}
	made = snprintf(ret_address, NAME_ADDRESS_TEXT, "%.*s@%s",
			(int)user_len, user, domain);
	return made > 0 && made < NAME_ADDRESS_TEXT;
}

/* "name value", "name: value" or "name"; one that says nothing is "-1" or 0. */
static bool is_set(const char *value, size_t len)
{
	while (len && strchr(" \t:", value[0])) {
		value++;
		len--;
	}
	while (len && strchr(" \t\r", value[len - 1]))
		len--;
	return len == 0 || !((len == 2 && memcmp(value, "-1", 2) == 0) ||
			     (len == 1 && value[0] == '0'));
}

static void take_limit(const char *line, size_t len,
		       struct fmt_vpopmail_limits *limits)
{
	static const struct {
		const char *name;
		enum store_service service;
	} switches[] = {{"disable_pop", STORE_SERVICE_POP},
			{"disable_smtp", STORE_SERVICE_SMTP},
			{"disable_imap", STORE_SERVICE_IMAP},
			{"disable_webmail", STORE_SERVICE_WEBMAIL}};
	size_t name = 0, had = strlen(limits->others);
	unsigned service = 0;

	while (name < len && !strchr(" \t:\r", line[name]))
		name++;
	if (name == 0 || line[0] == '#' || memchr(line, 0, name) ||
	    !is_set(line + name, len - name))
		return;
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		if (name == strlen(switches[i].name) &&
		    memcmp(line, switches[i].name, name) == 0)
			service = switches[i].service;
	}
	limits->off |= service;
	if (!service) /* cut, where it is too long for a message */
		(void)snprintf(limits->others + had,
			       sizeof limits->others - had, "%s%.*s",
			       had ? ", " : "", (int)name, line);
}

void fmt_vpopmail_limits(const char *text, size_t len,
			 struct fmt_vpopmail_limits *ret_limits)
{
	*ret_limits = (struct fmt_vpopmail_limits){.off = 0};
	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t part = newline ? (size_t)(newline - text) : len;

		take_limit(text, part, ret_limits);
		part += part < len;
		text += part;
		len -= part;
	}
}
