/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "store/secret.h"

#define DIR "/run/popbox"
#define NAME "seen"
#define TOLD "/run/popbox.told"

enum {
	HEAD = 4096,
	SETS = 32768, /* 8 MiB, 196,608 entries */
	WAYS = 6,     /* entries of a set */
};

static const char magic[16] = "popbox seen 1\n";

/* The time is in the digest as well, by exclusive or: parts of two entries, or an
 * entry whose time was changed, match nothing. */
struct entry {
	uint64_t time_ms;
	uint64_t digest[SEEN_DIGEST_WORDS];
};

/* 256 bytes at a multiple of 256, so that a set is in one page. */
struct seen_set {
	struct entry entries[WAYS];
	uint64_t unused[2];
};

struct head {
	char magic[sizeof magic];
	unsigned char key[SECRET_KEY];
};

struct table {
	struct head head;
	char unused[HEAD - sizeof(struct head)];
	struct seen_set sets[SETS];
};

static bool is_in_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* In its whole length from the start: a page that cannot be had later would end
 * a login by SIGBUS. */
static bool fill(int fd)
{
	struct head head;
	bool done;

	errno = posix_fallocate(fd, 0, sizeof(struct table));
	if (errno || fchmod(fd, 0600) != 0) /* whatever the umask is */
		return false;
	memcpy(head.magic, magic, sizeof magic);
	secret_random(head.key, sizeof head.key);
	done = pwrite(fd, &head, sizeof head, 0) == sizeof head;
	secret_wipe(&head, sizeof head);
	return done;
}

/* A table gets its name when it is complete: no login finds a part of it, and a
 * login that is killed leaves nothing. EEXIST: another login was first. */
static bool name_it(int fd, int dir)
{
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* it fits */
	return linkat(fd, "", dir, NAME, AT_EMPTY_PATH) == 0 ||
	       errno == EEXIST || /* else: it may need a capability */
	       linkat(AT_FDCWD, path, dir, NAME, AT_SYMLINK_FOLLOW) == 0 ||
	       errno == EEXIST;
}

static const char *make_table(int dir)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction size;
	bool done;
	int fd, saved;

	errno = 0;
	if (!is_in_memory(dir))
		return "/run/popbox is not in memory (tmpfs)";
	fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return "/run/popbox/seen cannot be made";
	/* A limit on the size of files must not end the login. */
	(void)sigaction(SIGXFSZ, &ignore, &size); /* a valid number */
	done = fill(fd) && name_it(fd, dir);
	saved = errno;
	(void)sigaction(SIGXFSZ, &size, NULL);
	(void)close(fd); /* in memory: nothing can be lost */
	errno = saved;
	return done ? NULL : "/run/popbox/seen cannot be made";
}

static const char *open_dir(int *ret_dir)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int dir = open(DIR, flags);
	struct stat st;

	/* chmod: whatever the umask is. EEXIST: another login was first. */
	if (dir < 0 && errno == ENOENT &&
	    (mkdir(DIR, 0700) == 0 ? chmod(DIR, 0700) == 0 : errno == EEXIST))
		dir = open(DIR, flags);
	if (dir < 0)
		return "/run/popbox cannot be opened";
	errno = 0;
	if (fstat(dir, &st) == 0 && st.st_uid == 0 &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH))) {
		*ret_dir = dir;
		return NULL;
	}
	(void)close(dir); /* a path only */
	return "others than root may write to /run/popbox";
}

static const char *open_table(int dir, int *ret_fd)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
			  O_CLOEXEC;
	int fd = openat(dir, NAME, flags);

	if (fd < 0 && errno == ENOENT) {
		const char *why = make_table(dir);

		if (why)
			return why;
		fd = openat(dir, NAME, flags);
	}
	if (fd < 0)
		return "/run/popbox/seen cannot be opened";
	*ret_fd = fd;
	return NULL;
}

/* NULL, or why this file is not to be used. */
static const char *judge(int fd)
{
	char found[sizeof magic];
	struct stat st;

	errno = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 07777) != 0600 || st.st_uid != 0 || st.st_nlink != 1)
		return "/run/popbox/seen is not root's alone, mode 0600";
	if (!is_in_memory(fd))
		return "/run/popbox/seen is not in memory (tmpfs)";
	if (st.st_size != sizeof(struct table) ||
	    pread(fd, found, sizeof found, 0) != sizeof found ||
	    memcmp(found, magic, sizeof magic) != 0)
		return "/run/popbox/seen is damaged";
	return NULL;
}

/* Sealed: what a stranger sends is parsed while it is mapped. */
static const char *map_table(int fd, struct seen *seen)
{
	void *map = mmap(NULL, sizeof(struct table), PROT_NONE, MAP_SHARED, fd,
			 0);

	if (map == MAP_FAILED)
		return "/run/popbox/seen cannot be mapped";
	seen->map = map;
	seen->len = sizeof(struct table);
	return NULL;
}

const char *seen_open(uint32_t seconds, struct seen *ret_seen)
{
	int at = -1, fd = -1;
	const char *why;

	*ret_seen = (struct seen){.lasts_ms = (uint64_t)seconds * 1000};
	if (seconds == 0 || geteuid() != 0)
		return NULL;
	why = open_dir(&at);
	if (!why)
		why = open_table(at, &fd);
	if (!why)
		why = judge(fd);
	if (!why)
		why = map_table(fd, ret_seen);
	if (fd >= 0)
		(void)close(fd); /* in memory: nothing can be lost */
	if (at >= 0)
		(void)close(at); /* a path only */
	return why;
}

bool seen_untold(void)
{
	int fd = open(TOLD, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd); /* empty */
	return fd >= 0;
}

/* Since the machine started, and never set back: a clock that is set changes the
 * age of no entry. */
static uint64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail on Linux */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void digest(struct seen *seen, const struct login *login,
		   const void *password, size_t len)
{
	const struct table *table = seen->map;
	char box[NAME_BOX_TEXT];

	_Static_assert(sizeof seen->digest == SECRET_DIGEST, "its length");
	name_box_text(&login->box, box);
	secret_digest(table->head.key,
		      (const struct secret_part[]){
			      {box, strlen(box)},
			      {login->hash, strlen(login->hash)},
			      {password, len},
		      },
		      3, (unsigned char *)seen->digest);
}

/* Other logins write meanwhile, so each word is read once. */
static bool matches(const struct entry *entry, const struct seen *seen)
{
	uint64_t time = __atomic_load_n(&entry->time_ms, __ATOMIC_RELAXED);
	uint64_t found[SEEN_DIGEST_WORDS];

	if (time > seen->now_ms || seen->now_ms - time >= seen->lasts_ms)
		return false;
	for (int i = 0; i < SEEN_DIGEST_WORDS; i++)
		found[i] = __atomic_load_n(&entry->digest[i],
					   __ATOMIC_RELAXED);
	found[0] ^= time;
	return secret_equal(found, seen->digest, sizeof found);
}

/* What is mapped from now on is the page of the set alone, and not the key. */
static void keep_set(struct seen *seen)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *start = seen->map;
	const size_t len = seen->len;
	const size_t before = (size_t)((char *)seen->set - start) / page * page;

	seen->map = start + before;
	seen->len = page;
	/* Whole pages, of ours. Nothing is on the side where it was the end. */
	(void)munmap(start, before);
	(void)munmap(start + before + page, len - before - page);
}

/* The oldest; what is of the future is none. */
static struct entry *oldest(struct seen_set *set, uint64_t now)
{
	struct entry *found = &set->entries[0];
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < WAYS; i++) {
		struct entry *entry = &set->entries[i];
		uint64_t time = __atomic_load_n(&entry->time_ms,
						__ATOMIC_RELAXED);

		if (time > now)
			time = 0;
		if (time < least) {
			least = time;
			found = entry;
		}
	}
	return found;
}

bool seen_holds(struct seen *seen, const struct login *login,
		const void *password, size_t len)
{
	struct table *table = seen->map;
	bool found = false;

	if (!table)
		return false;
	if (mprotect(table, seen->len, PROT_READ) != 0) {
		seen_close(seen);
		return false;
	}
	seen->now_ms = clock_ms();
	digest(seen, login, password, len);
	seen->set = &table->sets[seen->digest[0] % SETS];
	for (int i = 0; i < WAYS && !found; i++)
		found = matches(&seen->set->entries[i], seen);
	if (found)
		seen_close(seen);
	else
		keep_set(seen);
	return found;
}

void seen_add(struct seen *seen)
{
	struct entry *entry;

	if (!seen->map ||
	    mprotect(seen->map, seen->len, PROT_READ | PROT_WRITE) != 0)
		return;
	entry = oldest(seen->set, seen->now_ms);
	__atomic_store_n(&entry->time_ms, seen->now_ms, __ATOMIC_RELAXED);
	for (int i = 0; i < SEEN_DIGEST_WORDS; i++)
		__atomic_store_n(&entry->digest[i],
				 seen->digest[i] ^ (i == 0 ? seen->now_ms : 0),
				 __ATOMIC_RELAXED);
}

void seen_close(struct seen *seen)
{
	if (seen->map)
		(void)munmap(seen->map, seen->len); /* ours, and whole */
	secret_wipe(seen, sizeof *seen);
}
