/* SPDX-License-Identifier: MIT */
#include "mailcopy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/progress.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "mailcopy_ends.h"
#include "popusr/child.h"
#include "store/path.h"

enum { TICK_MS = 200 };

struct sums {
	unsigned long boxes, failed, copied, there, left;
};

/* One end of a copy: as whom, and on what. */
struct end {
	uid_t uid;
	gid_t gid;
	const char *path;
	int dir; /* of the old Maildir, for the reader; else -1 */
};

/* Never returns. What it has to say goes to answer. */
static void run_end(const struct end *end, int data, int answer)
{
	struct mailcopy_result result = {.rc = 0};
	const char last = MAILCOPY_RESULT;
	const char *failed;

	(void)signal(SIGPIPE, SIG_IGN); /* a valid number */
	(void)umask(077);
	failed = child_drop(end->uid, end->gid);
	if (failed)
		result.rc = errno ? errno : EPERM;
	else if (end->dir >= 0)
		mailcopy_read(end->path, end->dir, data, answer, &result);
	else
		mailcopy_write(end->path, data, answer, &result);
	/* Who waits for it sees a short answer, if any, as a failure. */
	(void)!write(answer, &last, 1);
	(void)!write(answer, &result, sizeof result);
	_exit(0);
}

static pid_t start_end(const struct end *end, int data, int answer)
{
	const pid_t pid =
		child_fork(&(struct child_keep){-1, -1, {data, answer, end->dir}});

	if (pid == 0)
		run_end(end, data, answer);
	return pid;
}

/* What comes from one end. */
struct answer {
	int fd;
	int failed; /* errno, where it could not be started */
	struct child_watch watch;
	bool last; /* signs of life are over */
	size_t got; /* of the result */
	union {
		struct mailcopy_result result;
		char bytes[sizeof(struct mailcopy_result)];
	};
};

static void take_bytes(struct answer *answer, const char *bytes, size_t len)
{
	size_t at = 0;

	while (!answer->last && at < len)
		answer->last = bytes[at++] == MAILCOPY_RESULT;
	len -= at;
	if (len > sizeof answer->bytes - answer->got)
		len = sizeof answer->bytes - answer->got;
	memcpy(answer->bytes + answer->got, bytes + at, len);
	answer->got += len;
}

/* Both, to their ends. While one goes on the other one may wait for it. */
static void take_answers(struct answer answer[2])
{
	char bytes[4096];

	while (answer[0].fd >= 0 || answer[1].fd >= 0) {
		struct pollfd from[2] = {
			{.fd = answer[0].fd, .events = POLLIN},
			{.fd = answer[1].fd, .events = POLLIN}};
		int ready = poll(from, 2, TICK_MS);

		for (size_t i = 0; i < 2; i++) {
			struct answer *a = &answer[i];
			ssize_t got;

			if (a->fd >= 0 && !child_goes_on(&a->watch))
				a->fd = -1;
			if (ready <= 0 || a->fd < 0 || !from[i].revents)
				continue;
			got = read(a->fd, bytes, sizeof bytes);
			if (got > 0)
				take_bytes(a, bytes, (size_t)got);
			else if (got == 0 || errno != EINTR)
				a->fd = -1;
			child_heard(&answer[0].watch);
			child_heard(&answer[1].watch);
		}
	}
}

/* After its end: an errno, ETIMEDOUT for one that was killed. */
static int settle(struct answer *answer)
{
	struct mailcopy_result *result = &answer->result;

	if (answer->watch.pid < 0)
		return answer->failed;
	(void)child_end(&answer->watch); /* its answer tells */
	result->path[sizeof result->path - 1] = 0;
	if (answer->watch.why)
		return ETIMEDOUT;
	return answer->got == sizeof *result ? result->rc : EPIPE;
}

static bool said(int rc, const char *what, const char *from,
		 const struct answer *answer)
{
	const char *path = answer->result.path;

	if (rc == 0)
		return true;
	if (answer->watch.why)
		return say_error(0, "%s '%s': its process %s and was ended",
				 what, from, answer->watch.why);
	return say_error(0, "%s '%s': %s", what, path[0] ? path : from,
			 strerror(rc));
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* a pipe of ours */
	*fd = -1;
}

/* Starts both, with a pipe between. What fails here settle tells. */
static void start(const struct end *from, const struct end *to,
		  struct answer answer[2])
{
	int data[2] = {-1, -1}, in[2] = {-1, -1}, out[2] = {-1, -1};
	pid_t reads = -1, writes = -1;

	if (pipe2(data, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0 &&
	    pipe2(out, O_CLOEXEC) == 0) {
		reads = start_end(from, data[1], in[1]);
		writes = start_end(to, data[0], out[1]);
	}
	answer[0] = (struct answer){.fd = in[0], .failed = errno};
	answer[1] = (struct answer){.fd = out[0], .failed = errno};
	child_watch(&answer[0].watch, reads, 0);
	child_watch(&answer[1].watch, writes, 0);
	for (size_t i = 0; i < 2; i++)
		close_end(&data[i]);
	close_end(&in[1]);
	close_end(&out[1]);
}

/* Reader and writer with a pipe between; root only waits. */
static bool copy(const struct end *from, const struct end *to,
		 struct sums *sums)
{
	static struct answer answer[2];
	int rc_in, rc_out, fds[2];
	bool good;

	start(from, to, answer);
	for (size_t i = 0; i < 2; i++)
		fds[i] = answer[i].fd;
	take_answers(answer);
	for (size_t i = 0; i < 2; i++)
		close_end(&fds[i]);
	rc_in = settle(&answer[0]);
	rc_out = settle(&answer[1]);
	/* Of two that failed, a broken pipe is the other one's doing. */
	good = said(rc_in == EPIPE && rc_out ? 0 : rc_in, "cannot read",
		    from->path, &answer[0]);
	good = said(rc_out == EPIPE && rc_in ? 0 : rc_out, "cannot write",
		    to->path, &answer[1]) &&
	       good && rc_in == 0 && rc_out == 0;
	sums->copied += answer[1].result.copied;
	sums->there += answer[1].result.there;
	sums->left += answer[0].result.left;
	return good;
}

static bool locate(const char *base, const char *path, char ret_path[PATH_MAX])
{
	int len = path[0] == '/' || !base[0]
			  ? snprintf(ret_path, PATH_MAX, "%s", path)
			  : snprintf(ret_path, PATH_MAX, "%s/%s", base, path);

	return len > 0 && len < PATH_MAX;
}

/* The directory itself, behind no link, so that whose it is and what is read of
 * it are the same thing. */
static int open_old(const char *box, const char *base, const char *path,
		    const struct config *config, struct stat *ret_owner)
{
	int fd = safe_open_below(base, path, O_DIRECTORY);
	const char *why = NULL;

	if (fd < 0 || fstat(fd, ret_owner) != 0) {
		say_error(0, "%s: cannot access '%s': %s", box, path,
			  errno == ELOOP ? "a link is in the way (give its own "
					   "path)"
					 : strerror(errno));
		return -1;
	}
	if (ret_owner->st_uid == 0 || ret_owner->st_gid == 0)
		why = "root, who reads no mail";
	else if (ret_owner->st_uid == config->uid)
		why = "popusr, as all boxes do, so it may be anybody's";
	if (!why)
		return fd;
	say_error(0, "%s: '%s' belongs to %s: 'chown -R' it to whose it was",
		  box, path, why);
	(void)close(fd); /* a directory, read only */
	return -1;
}

static bool copy_box(const struct site *site, const char *box,
		     const char *path, const char *base, struct sums *sums)
{
	char old[PATH_MAX], new[PATH_MAX];
	struct end from = {.path = old};
	struct end to = {site->config.uid, site->config.gid, new, -1};
	struct name_box name;
	struct stat owner;
	bool good;

	if (name_box_read(box, strlen(box), &name) || !locate(base, path, old))
		return say_error(0, "%s: the path of its old mail is too long",
				 box);
	path_box(site->config.home, &name, new);
	if (lstat(old, &owner) != 0 && errno == ENOENT) {
		say_note("%s: there is no old mail: '%s' is not there", box,
			 old);
		return true;
	}
	from.dir = open_old(box, path[0] == '/' ? "" : base, old,
			    &site->config, &owner);
	if (from.dir < 0)
		return false;
	from.uid = owner.st_uid;
	from.gid = owner.st_gid;
	sums->boxes++;
	good = copy(&from, &to, sums);
	(void)close(from.dir); /* a directory, read only */
	return good;
}

int mailcopy(struct site *site, const struct text *list, const char *base)
{
	char count[SAY_COUNT_TEXT], from[SAY_COUNT_TEXT];
	struct progress progress = progress_start("copying mail", list->len);
	struct sums sums = {.boxes = 0};

	interrupt_says("the accounts are there, but not all of their old mail: "
		       "import again with --maildir");
	for (size_t at = 0; at < list->len;) {
		const char *box = list->bytes + at;
		const char *path = box + strlen(box) + 1;
		size_t len = (size_t)(path + strlen(path) + 1 - box);

		progress_step(&progress, len);
		if (!copy_box(site, box, path, base, &sums))
			sums.failed++;
		at += len;
	}
	progress_end(&progress);
	say_note("%s copied from %s", say_count(sums.copied, "message", count),
		 say_count(sums.boxes, "Maildir", from));
	if (sums.there)
		say_note("%s copied before",
			 say_count(sums.there, "message", count));
	if (sums.left)
		say_note("%s skipped: the name is not that of a message",
			 say_count(sums.left, "file", count));
	if (!sums.failed)
		return CODE_DONE;
	return say_error(CODE_LATER,
			 "the mail of %s could not be copied: correct the "
			 "problem above, then import again with --maildir (mail "
			 "that is there is not copied twice)",
			 say_count(sums.failed, "box", count));
}
