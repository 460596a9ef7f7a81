/* SPDX-License-Identifier: MIT */
#include "warning.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mail_date.h"

#define STATE "quotawarn"
enum { PART_MAX = 255, NAME_ROOM = 80 };

/* Both came from an envelope: only what needs no quotes goes into a header. */
static bool is_plain(const char *part)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._+=-";

	return part && part[0] && strlen(part) <= PART_MAX &&
	       part[strspn(part, plain)] == 0;
}

/* One limit as a sentence, or "". */
static void limit_text(uint64_t limit, uint64_t used, bool is_bytes,
		       char ret_text[160])
{
	const uint64_t unit = is_bytes ? 1 << 20 : 1;

	ret_text[0] = 0;
	if (limit)
		(void)snprintf(ret_text, 160,
			       "It holds %" PRIu64 "%s of at most %" PRIu64
			       "%s.\n",
			       used / unit, is_bytes ? " MB" : " messages",
			       limit / unit, is_bytes ? " MB" : " messages");
}

size_t warning_text(const char *local, const char *domain, long long when,
		    const struct maildirsize *limit,
		    const struct maildirsize *used, char ret_text[WARNING_MAX])
{
	const bool named = is_plain(local) && is_plain(domain);
	char date[MAIL_DATE_TEXT], bytes[160], messages[160];

	limit_text(limit->bytes, used->bytes, true, bytes);
	limit_text(limit->messages, used->messages, false, messages);
	/* Less than 512 bytes of names, and the text. */
	return (size_t)snprintf(
		ret_text, WARNING_MAX,
		"From: postmaster@%s\n"
		"To: %s%s%s\n"
		"Subject: Your mailbox is almost full (%u%%)\n"
		"Date: %s\n"
		"Auto-Submitted: auto-generated\n"
		"MIME-Version: 1.0\n"
		"Content-Type: text/plain; charset=us-ascii\n"
		"\n"
		"Your mailbox is almost full.\n"
		"%s%s"
		"\n"
		"Mail for you will go back to its senders when there is no room left.\n"
		"Please delete what you do not need any more, also on the server if\n"
		"your mail program leaves copies there.\n",
		is_plain(domain) ? domain : "localhost", named ? local : "you",
		named ? "@" : "", named ? domain : "",
		maildirsize_percent(limit, used),
		mail_date_text(when, date), bytes, messages);
}

/* Is it time for one? Then it counts as given: *ret_fd has the lock, until it is
 * closed. Two deliveries at once give one warning. */
static int take_turn(int dir, int *ret_fd)
{
	const int fd = openat(dir, STATE,
			      O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				      O_CLOEXEC);
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const bool is_new = fd < 0 && errno == ENOENT;
	struct stat st;

	*ret_fd = is_new ? openat(dir, STATE, flags, 0600) : fd;
	if (*ret_fd < 0)
		return errno;
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) != 0 || fstat(*ret_fd, &st) != 0)
		return errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return EINVAL;
	if (!is_new && time(NULL) < st.st_mtime + WARNING_PAUSE &&
	    time(NULL) >= st.st_mtime)
		return EAGAIN;
	return futimens(*ret_fd, NULL) == 0 ? 0 : errno;
}

/* A file in tmp that is linked into new, as maildir(5) has it. */
static int deliver(int dir, const char *text, size_t len)
{
	char name[NAME_ROOM], from[NAME_ROOM + 8], to[NAME_ROOM + 8];
	struct timespec now;
	int fd, rc = 0;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* always there */
	(void)snprintf(name, sizeof name, "%lld.M%ldP%ld.warning,S=%zu",
		       (long long)now.tv_sec, now.tv_nsec / 1000,
		       (long)getpid(), len);
	(void)snprintf(from, sizeof from, "tmp/%s", name);
	(void)snprintf(to, sizeof to, "new/%s", name);
	fd = openat(dir, from,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	errno = ENOSPC;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd) != 0 ||
	    renameat2(dir, from, dir, to, RENAME_NOREPLACE) != 0)
		rc = errno;
	if (close(fd) != 0 && rc == 0)
		rc = errno;
	if (rc != 0)
		(void)unlinkat(dir, from, 0); /* old ones in tmp are removed */
	return rc;
}

int warning_give(int dir, const char *local, const char *domain,
		 const struct maildirsize *limit,
		 const struct maildirsize *used, uint64_t *ret_bytes)
{
	char text[WARNING_MAX];
	int fd, rc = take_turn(dir, &fd);
	size_t len = 0;

	if (rc == 0) {
		len = warning_text(local, domain, time(NULL), limit, used,
				   text);
		rc = deliver(dir, text, len);
	}
	if (fd >= 0)
		(void)close(fd); /* nothing was written to it */
	*ret_bytes = rc == 0 ? len : 0;
	return rc == EAGAIN || rc == EWOULDBLOCK || rc == EEXIST ? 0 : rc;
}
