/* SPDX-License-Identifier: MIT */
/* mailroot_vacation.c: the files of a box by which popbox-vacation answers mail. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/replace.h"
#include "maildir/vacation_file.h"
#include "mailroot_private.h"
#include "store/path.h"

static const char temporary[] = MAILROOT_TEMPORARY_PREFIX "." VACATION_FILE;

static int put(int dir, const char *text, size_t len)
{
	const struct replace_text like = {
		.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	int rc;

	(void)unlinkat(dir, temporary, 0); /* of a killed run */
	if (mailroot_is_same(dir, VACATION_FILE, text, len, 0600))
		return 0;
	rc = replace_file(dir, VACATION_FILE, temporary, &like, text, len);
	/* A directory that a customer's program made there. */
	if (rc == EISDIR)
		rc = mailroot_remove_tree(dir, VACATION_FILE);
	else
		return rc;
	return rc == 0 ? replace_file(dir, VACATION_FILE, temporary, &like,
				      text, len)
		       : rc;
}

/* Who was answered is forgotten with it. */
static int drop(int dir)
{
	static const char *const names[] = {temporary, VACATION_FILE,
					    VACATION_SEEN};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (unlinkat(dir, names[i], 0) != 0 && errno != ENOENT &&
		    errno != EISDIR)
			return errno;
	}
	return 0;
}

int mailroot_vacation(const char *home, const struct name_box *box,
		      const char *text, size_t len, bool durable,
		      char ret_path[PATH_MAX])
{
	int dir, rc;

	path_box(home, box, ret_path);
	dir = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = dir < 0 ? errno : 0;
	mailroot_add_name(ret_path, VACATION_FILE);
	if (rc == 0)
		rc = len ? put(dir, text, len) : drop(dir);
	if (rc == 0 && durable && fsync(dir) != 0)
		rc = errno;
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return rc;
}
