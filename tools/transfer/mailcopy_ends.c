/* SPDX-License-Identifier: MIT */
#include "mailcopy_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/replace.h"
#include "base/strtab.h"
#include "base/text.h"

/* Of messages that were copied, by their names less what follows a colon. */
#define COPIED ".popbox-copied"

enum {
	LOCK_MS = 10000,
	COPIED_MAX = 256 << 20,	 /* bytes of that list: some million names */
	MESSAGE_MAX = 1 << 30,	 /* bytes of a message; a larger one is none */
};

/* Before each message; its name and its bytes follow. */
struct header {
	uint64_t size;
	int64_t time;
	uint16_t name_len;
	uint8_t read; /* it lies in cur */
};

static const char *const parts[] = {"new", "cur"};

/* Whole or not at all. False: errno, or 0 at the end. */
static bool transfer(int fd, void *bytes, size_t len, bool out)
{
	char *at = bytes;

	while (len) {
		ssize_t done = out ? write(fd, at, len) : read(fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = 0;
		if (done <= 0)
			return false;
		at += done;
		len -= (size_t)done;
	}
	return true;
}

static int fail(struct mailcopy_result *result, const char *dir,
		const char *name)
{
	result->rc = errno ? errno : EPIPE;
	(void)snprintf(result->path, sizeof result->path, "%s%s%s", dir,
		       name[0] ? "/" : "", name); /* cut is enough */
	return result->rc;
}

/* At most one sign of life a second. */
static void say_alive(int answer)
{
	const char alive = MAILCOPY_ALIVE;
	static time_t said;
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there */
	if (now.tv_sec == said)
		return;
	said = now.tv_sec;
	(void)!write(answer, &alive, 1); /* the next one says so */
}

struct reading {
	const char *maildir;
	int out, answer;
	struct mailcopy_result *result;
};

/* A file that shrinks meanwhile ends it: ENODATA. */
static bool send_bytes(int file, int out, uint64_t size)
{
	char buffer[65536];

	while (size) {
		size_t part = size < sizeof buffer ? (size_t)size
						   : sizeof buffer;

		if (!transfer(file, buffer, part, false)) {
			errno = errno ? errno : ENODATA;
			return false;
		}
		if (!transfer(out, buffer, part, true))
			return false;
		size -= part;
	}
	return true;
}

/* UIDLs are made of what stands before a colon, and are printable. */
static bool is_name(const char *name)
{
	if (name[0] == ':')
		return false;
	for (; *name; name++) {
		if ((unsigned char)*name <= ' ' || *name == 0x7f)
			return false;
	}
	return true;
}

enum sent { SENT, PASSED_OVER, ENDED };

static enum sent send_message(int dir, const char *name, bool read, int out)
{
	char copy[NAME_MAX + 1];
	int fd = openat(dir, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct header header = {.read = read};
	struct stat st;
	bool good;

	/* Gone since (somebody reads his mail), or a link: not ours. */
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? SENT : PASSED_OVER;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd); /* read only */
		return SENT;
	}
	if (st.st_size > MESSAGE_MAX) {
		(void)close(fd); /* read only */
		errno = EFBIG;
		return PASSED_OVER;
	}
	header.size = (uint64_t)st.st_size;
	header.time = st.st_mtime;
	header.name_len = (uint16_t)strlen(name);
	memcpy(copy, name, header.name_len);
	good = transfer(out, &header, sizeof header, true) &&
	       transfer(out, copy, header.name_len, true) &&
	       send_bytes(fd, out, header.size);
	(void)close(fd); /* read only */
	return good ? SENT : ENDED;
}

/* False: it is over. */
static bool send_part(struct reading *r, int dir, bool read)
{
	struct mailcopy_result *const result = r->result;
	const struct dirent *entry;
	char path[PATH_MAX];
	int fd = openat(dir, parts[read],
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	enum sent sent = SENT;
	int rc = 0;

	(void)snprintf(path, sizeof path, "%s/%s", r->maildir, parts[read]);
	if (!list) {
		(void)fail(result, path, "");
		if (fd >= 0)
			(void)close(fd); /* read only */
		return false;
	}
	while (sent != ENDED && (entry = dir_next(list, &rc)) != NULL) {
		say_alive(r->answer);
		if (entry->d_name[0] == '.')
			continue;
		if (!is_name(entry->d_name)) {
			result->left++;
			continue;
		}
		sent = send_message(fd, entry->d_name, read, r->out);
		if (sent != SENT && !result->rc)
			(void)fail(result, path, entry->d_name);
	}
	if (sent != ENDED && rc) {
		errno = rc;
		(void)fail(result, path, "");
	}
	(void)closedir(list); /* read only */
	return sent != ENDED;
}

void mailcopy_read(const char *maildir, int dir, int out, int answer,
		   struct mailcopy_result *ret_result)
{
	struct reading r = {maildir, out, answer, ret_result};

	if (send_part(&r, dir, false))
		(void)send_part(&r, dir, true);
	(void)close(out); /* its end is the sign that all is said */
}

struct writing {
	const char *maildir;
	int dir, answer;
	struct strtab there; /* copied before, or lying in the box */
	size_t failed; /* which of them came not, + 1 */
	struct mailcopy_result *result;
};

/* UIDLs are made of what stands before a colon. */
static bool note(struct writing *w, const char *name, bool *ret_new)
{
	char base[NAME_MAX + 1];
	size_t len = strcspn(name, ":"), before = w->there.count, number;

	memcpy(base, name, len);
	base[len] = 0;
	if (!strtab_add(&w->there, base, &number)) {
		errno = ENOMEM;
		return false;
	}
	*ret_new = number == before;
	return true;
}

static bool load_part(struct writing *w, const char *part)
{
	int fd = openat(w->dir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool new, good = list != NULL;
	int rc = 0;

	while (good && (entry = dir_next(list, &rc)) != NULL)
		good = entry->d_name[0] == '.' ||
		       note(w, entry->d_name, &new);
	if (rc) {
		errno = rc;
		good = false;
	}
	if (list)
		(void)closedir(list); /* read only */
	else if (fd >= 0)
		(void)close(fd); /* read only */
	return good;
}

static bool load_list(struct writing *w)
{
	struct replace_text text;
	int rc = replace_read_up_to(w->dir, COPIED, COPIED_MAX, &text);
	bool new, good = true;
	char *at, *line;

	errno = rc;
	if (rc == ENOENT)
		return true;
	if (rc != 0)
		return false;
	at = text.bytes;
	while (good && (line = strsep(&at, "\n")) != NULL) {
		if (line[0] && strlen(line) <= NAME_MAX)
			good = note(w, line, &new);
	}
	replace_free(&text);
	return good;
}

static bool save_list(struct writing *w)
{
	const struct replace_text like = {.mode = 0600, .uid = (uid_t)-1,
					  .gid = (gid_t)-1};
	struct text text = {0};
	bool good = true;
	int rc;

	for (size_t i = 0; good && i < w->there.count; i++)
		good = i + 1 == w->failed ||
		       (text_put(&text, w->there.name[i],
				  strlen(w->there.name[i])) &&
			text_put(&text, "\n", 1));
	rc = good ? replace_file(w->dir, COPIED, COPIED ".tmp", &like,
				 text.bytes ? text.bytes : "", text.len)
		  : ENOMEM;
	free(text.bytes);
	errno = rc;
	return rc == 0;
}

static bool take_bytes(int in, int file, uint64_t size)
{
	char buffer[65536];

	while (size) {
		size_t part = size < sizeof buffer ? (size_t)size
						   : sizeof buffer;

		if (!transfer(in, buffer, part, false) ||
		    (file >= 0 && !transfer(file, buffer, part, true)))
			return false;
		size -= part;
	}
	return true;
}

static bool take_message(struct writing *w, int in,
			 const struct header *header, const char *name)
{
	const struct timespec times[2] = {{header->time, 0},
					  {header->time, 0}};
	char tmp[NAME_MAX + 16], final[NAME_MAX + 16];
	bool good;
	int fd;

	(void)snprintf(tmp, sizeof tmp, "tmp/%s", name); /* bounded */
	(void)snprintf(final, sizeof final, "%s/%s", parts[header->read],
		       name);
	/* What a copy that was ended left there. */
	(void)unlinkat(w->dir, tmp, 0);
	fd = openat(w->dir, tmp,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return false;
	good = take_bytes(in, fd, header->size) && futimens(fd, times) == 0;
	if (close(fd) != 0)
		good = false;
	good = good && renameat(w->dir, tmp, w->dir, final) == 0;
	if (!good) {
		int saved = errno;

		(void)unlinkat(w->dir, tmp, 0); /* the reason matters more */
		errno = saved;
	}
	return good;
}

/* The end is where a header would begin. */
static int take_all(struct writing *w, int in)
{
	char name[NAME_MAX + 1];
	struct header header;
	bool new;

	while (transfer(in, &header, sizeof header, false)) {
		say_alive(w->answer);
		name[0] = 0;
		errno = EINVAL;
		if (header.name_len > NAME_MAX ||
		    !transfer(in, name, header.name_len, false))
			return fail(w->result, w->maildir, "");
		name[header.name_len] = 0;
		errno = EINVAL;
		if (strchr(name, '/') || name[0] == '.' || !name[0] ||
		    !note(w, name, &new))
			return fail(w->result, w->maildir, name);
		if (!(new ? take_message(w, in, &header, name)
			  : take_bytes(in, -1, header.size))) {
			w->failed = new ? w->there.count : 0;
			return fail(w->result, w->maildir, name);
		}
		w->result->copied += new;
		w->result->there += !new;
	}
	return errno ? fail(w->result, w->maildir, "") : 0;
}

/* One at a time: what an import that was killed began may go on for a moment.
 * Not for ever, since a session in this box may hold the lock. */
static bool lock_box(int dir)
{
	const struct timespec step = {.tv_nsec = 10000000};

	for (int waited = 0; flock(dir, LOCK_EX | LOCK_NB) != 0;
	     waited += 10) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		if (waited >= LOCK_MS) {
			errno = EBUSY;
			return false;
		}
		(void)nanosleep(&step, NULL); /* cut short: asks sooner */
	}
	return true;
}

void mailcopy_write(const char *maildir, int in, int answer,
		    struct mailcopy_result *ret_result)
{
	struct writing w = {
		.maildir = maildir, .answer = answer, .result = ret_result};
	bool ready;

	w.dir = open(maildir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	ready = w.dir >= 0 && lock_box(w.dir) && load_list(&w) &&
		load_part(&w, "new") && load_part(&w, "cur");
	if (!ready) {
		(void)fail(ret_result, maildir, "");
	} else {
		(void)take_all(&w, in); /* keeps what failed */
		/* What came is listed however it ended, durable before. */
		if ((syncfs(w.dir) != 0 || !save_list(&w)) && !ret_result->rc)
			(void)fail(ret_result, maildir, COPIED);
	}
	strtab_free(&w.there);
	if (w.dir >= 0)
		(void)close(w.dir); /* a directory, read only */
}
