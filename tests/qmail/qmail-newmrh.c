/* SPDX-License-Identifier: MIT */
/* qmail-newmrh.c: stand-in for qmail-newmrh: control/morercpthosts to
 * control/morercpthosts.cdb, one key a line, lower-case, without data;
 * duplicates, too. A missing morercpthosts is an error, and the old cdb stays.
 */
#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

static void add(struct cdb_make *cdbm, char *line, size_t len)
{
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	if (len == 0 || line[0] == '#')
		return;
	for (size_t i = 0; i < len; i++) {
		if (line[i] >= 'A' && line[i] <= 'Z')
			line[i] = (char)(line[i] + 32);
	}
	if (cdb_make_add(cdbm, line, (unsigned)len, "", 0) != 0)
		common_die(111, "unable to write to morercpthosts.tmp");
}

int main(void)
{
	static const char name[] = "control/morercpthosts.cdb";
	struct cdb_make cdbm;
	size_t len;
	char *text = common_read("control/morercpthosts", &len);
	char *from = strdup(common_path("control/morercpthosts.tmp"));
	int fd;

	if (!text || !from)
		common_die(111, "unable to read control/morercpthosts: file "
				"does not exist");
	fd = open(from, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || cdb_make_start(&cdbm, fd) != 0)
		common_die(111, "unable to open morercpthosts.tmp");
	for (size_t at = 0; at < len;) {
		char *newline = memchr(text + at, '\n', len - at);
		size_t end = newline ? (size_t)(newline - text) : len;

		add(&cdbm, text + at, end - at);
		at = end + 1;
	}
	if (cdb_make_finish(&cdbm) != 0 || fsync(fd) != 0 || close(fd) != 0 ||
	    rename(from, common_path(name)) != 0)
		common_die(111, "unable to write %s", name);
	free(from);
	free(text);
	return 0;
}
