/* SPDX-License-Identifier: MIT */
/* qmail-newu.c: stand-in for qmail-newu: users/assign to users/cdb.
 *
 * Rejects what the real one rejects (no line that begins with a dot, a blank
 * or comment line, too few colons, a NUL), with 111, the old cdb kept and
 * cdb.tmp left behind. Takes no lock. Needs no signal.
 *
 * Keys: `!local` NUL for `=` lines, `!prefix` for `+` lines, and the empty key
 * with the characters in which prefixes end. Of duplicates all are there, and
 * the first is found.
 */
#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

static struct cdb_make cdbm;
static bool ends[256];

static void add(const char *key, size_t key_len, const char *value,
		size_t value_len)
{
	if (cdb_make_add(&cdbm, key, (unsigned)key_len, value,
			 (unsigned)value_len) != 0)
		common_die(111, "unable to write to users/cdb.tmp");
}

/* One line: + or any other character, which stands for =; local, then
 * user:uid:gid:homedir:dash:ext: */
static void take(char *line, size_t len)
{
	char *colon = memchr(line, ':', len);
	char *value;
	size_t key_len, value_len;
	int fields = 0;

	if (!colon || colon == line || memchr(line, 0, len))
		common_die(111, "bad format in users/assign");
	value = colon + 1;
	value_len = len - (size_t)(value - line);
	for (size_t i = 0; i < value_len; i++) {
		if (value[i] != ':')
			continue;
		value[i] = 0;
		/* No NUL behind the last: the rest is appended there. */
		if (++fields == 6)
			value_len = i;
	}
	if (fields < 6)
		common_die(111, "bad format in users/assign");
	*colon = 0;
	common_lower(line);
	key_len = (size_t)(colon - line);
	if (line[0] == '+' && key_len > 1)
		ends[(unsigned char)line[key_len - 1]] = true;
	if (line[0] != '+')
		key_len++; /* with its NUL */
	line[0] = '!';
	add(line, key_len, value, value_len);
}

int main(void)
{
	char set[256];
	size_t len, sets = 0;
	char *text = common_read("users/assign", &len);
	char *end = text ? text + len : NULL;
	bool dot = false;
	int fd;

	if (!text)
		common_die(111, "unable to open users/assign");
	fd = open(common_path("users/cdb.tmp"),
		  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || cdb_make_start(&cdbm, fd) != 0)
		common_die(111, "unable to open users/cdb.tmp");
	for (char *line = text; line < end && !dot;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));

		if (line[0] == '.') {
			dot = true;
			break;
		}
		if (!newline)
			break; /* an unfinished line is none */
		take(line, (size_t)(newline - line));
		line = newline + 1;
	}
	if (!dot)
		common_die(111, "bad format in users/assign");
	for (int c = 0; c < 256; c++) {
		if (ends[c])
			set[sets++] = (char)c;
	}
	add("", 0, set, sets);
	if (cdb_make_finish(&cdbm) != 0 || fsync(fd) != 0 || close(fd) != 0)
		common_die(111, "unable to write to users/cdb.tmp");
	{
		char *from = strdup(common_path("users/cdb.tmp"));

		if (!from || rename(from, common_path("users/cdb")) != 0)
			common_die(111, "unable to move users/cdb.tmp");
		free(from);
	}
	free(text);
	return 0;
}
