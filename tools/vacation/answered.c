/* SPDX-License-Identifier: MIT */
#include "answered.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "maildir/vacation_file.h"

struct entry {
	uint64_t hash;
	uint64_t time;
};

/* FNV-1a. Two senders with one hash are one: whoever makes such names takes away
 * an answer, and no more. */
static uint64_t hash_of(const char *sender)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *sender; sender++) {
		hash ^= (uint64_t)tolower((unsigned char)*sender);
		hash *= 0x100000001b3u;
	}
	return hash;
}

static int open_seen(int dir, int *ret_fd)
{
	struct stat st;
	int fd = openat(dir, VACATION_SEEN,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				O_CLOEXEC,
			0600);
	int rc = fd < 0 ? errno : 0;

	if (rc == 0 && fstat(fd, &st) != 0)
		rc = errno;
	if (rc == 0 && (!S_ISREG(st.st_mode) || st.st_nlink != 1))
		rc = EINVAL;
	if (rc == 0)
		*ret_fd = fd;
	else if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return rc;
}

/* Not for ever: mail waits meanwhile, and who reads mail there may hold it. */
static int lock(int fd)
{
	const struct timespec pause = {.tv_nsec = 20000000};

	for (int left = ANSWERED_WAIT / 20; left > 0; left--) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return errno;
		(void)nanosleep(&pause, NULL); /* a shorter one as well */
	}
	return EBUSY;
}

static int read_all(int fd, struct entry entries[ANSWERED_MAX],
		    size_t *ret_count)
{
	const size_t room = ANSWERED_MAX * sizeof *entries;
	size_t len = 0;

	while (len < room) {
		const ssize_t got = pread(fd, (char *)entries + len, room - len,
					  (off_t)len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_count = len / sizeof *entries; /* the rest is torn */
	return 0;
}

/* Was it within the pause? A time to come is of a damaged entry, or of a clock that
 * was set back. */
static bool is_late(const struct entry *entry, int64_t now)
{
	const int64_t then = (int64_t)le64toh(entry->time);

	return then > 0 && then <= now && now - then < ANSWERED_PAUSE;
}

static int put(int fd, size_t at, uint64_t hash, int64_t now)
{
	const struct entry entry = {htole64(hash), htole64((uint64_t)now)};

	errno = ENOSPC;
	if (pwrite(fd, &entry, sizeof entry, (off_t)(at * sizeof entry)) !=
		    (ssize_t)sizeof entry ||
	    fdatasync(fd) != 0)
		return errno;
	return 0;
}

/* In the file that is locked. */
static enum answered note(int fd, uint64_t hash, int64_t now, int *ret_rc)
{
	static struct entry entries[ANSWERED_MAX];
	size_t count = 0, place;

	*ret_rc = read_all(fd, entries, &count);
	place = count;
	for (size_t i = 0; *ret_rc == 0 && i < count; i++) {
		if (!is_late(&entries[i], now))
			place = place == count ? i : place;
		else if (le64toh(entries[i].hash) == hash)
			return ANSWERED_LATELY;
	}
	if (*ret_rc == 0 && place == ANSWERED_MAX)
		return ANSWERED_FULL;
	if (*ret_rc == 0)
		*ret_rc = put(fd, place, hash, now);
	return *ret_rc == 0 ? ANSWERED_NEVER : ANSWERED_UNKNOWN;
}

enum answered answered_note(int dir, const char *sender, int64_t now,
			    int *ret_rc)
{
	enum answered answer = ANSWERED_UNKNOWN;
	int fd = -1;

	*ret_rc = open_seen(dir, &fd);
	if (*ret_rc != 0)
		return answer;
	*ret_rc = lock(fd);
	if (*ret_rc == 0)
		answer = note(fd, hash_of(sender), now, ret_rc);
	(void)close(fd); /* what was written is on the disk */
	return answer;
}
