/* qmail-newmrh.c: stand-in for qmail-newmrh: control/morercpthosts to
 * control/morercpthosts.cdb, one key a line, lower-case, without data. A
 * missing morercpthosts is an error, and the old cdb stays.
 */
#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

int main(void)
{
	static const char name[] = "control/morercpthosts.cdb";
	struct cdb_make cdbm;
	size_t len;
	char *text = common_read("control/morercpthosts", &len);
	char *rest = text, *line, *from = strdup(common_path(
					  "control/morercpthosts.tmp"));
	int fd;

	if (!text || !from)
		common_die(111, "unable to open control/morercpthosts");
	fd = open(from, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || cdb_make_start(&cdbm, fd) != 0)
		common_die(111, "unable to open morercpthosts.tmp");
	while ((line = common_control_line(&rest)) != NULL) {
		common_lower(line);
		if (cdb_make_put(&cdbm, line, (unsigned)strlen(line), "", 0,
				 CDB_PUT_INSERT) < 0)
			common_die(111, "unable to write to morercpthosts.tmp");
	}
	if (cdb_make_finish(&cdbm) != 0 || fsync(fd) != 0 || close(fd) != 0 ||
	    rename(from, common_path(name)) != 0)
		common_die(111, "unable to write %s", name);
	free(from);
	free(text);
	return 0;
}
