#include "mailcopy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drop.h"
#include "mailcopy_ends.h"
#include "progress.h"
#include "say.h"

struct sums {
	unsigned long boxes, failed, copied, there;
};

static void close_pair(int pair[2])
{
	if (pair[0] >= 0)
		(void)close(pair[0]); /* a pipe of ours */
	if (pair[1] >= 0)
		(void)close(pair[1]); /* the same */
}

/* One end, as whom it is for; never returns. What it says goes to why. */
static void run_end(uid_t uid, gid_t gid, int in, int out, int why,
		    const char *path, bool reads)
{
	struct mailcopy_result result = {.rc = 0};
	const char *failed;

	(void)signal(SIGPIPE, SIG_IGN); /* a valid number */
	(void)umask(077);
	failed = drop_to(uid, gid);
	if (failed)
		result.rc = errno ? errno : EPERM;
	else if (reads)
		mailcopy_read(path, out, &result);
	else
		mailcopy_write(path, in, &result);
	/* Who waits for it sees a short answer, if any, as a failure. */
	(void)!write(why, &result, sizeof result);
	_exit(0);
}

static pid_t start_end(uid_t uid, gid_t gid, const int data[2],
		       const int answer[2], const char *path, bool reads)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)close(answer[0]); /* the parent's */
	(void)close(data[reads ? 0 : 1]); /* the other end's */
	run_end(uid, gid, data[0], data[1], answer[1], path, reads);
	return 0; /* not reached */
}

/* The answer of a child, which then has ended. */
static int take_answer(pid_t pid, int answer[2],
		       struct mailcopy_result *ret_result)
{
	ssize_t got;

	(void)close(answer[1]); /* the child's */
	answer[1] = -1;
	if (pid < 0)
		return errno;
	do
		got = read(answer[0], ret_result, sizeof *ret_result);
	while (got < 0 && errno == EINTR);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	ret_result->path[sizeof ret_result->path - 1] = 0;
	return got == (ssize_t)sizeof *ret_result ? ret_result->rc : EPIPE;
}

static bool said(int rc, const char *what, const char *from,
		 const struct mailcopy_result *result)
{
	char clean[PATH_MAX];

	if (rc == 0)
		return true;
	say_clean(result->path[0] ? result->path : from, clean, sizeof clean);
	return say_error(0, "%s '%s': %s", what, clean, strerror(rc));
}

/* Reader and writer with a pipe between; root only waits. */
static bool copy(const struct config *config, const struct stat *owner,
		 const char *from, const char *to, struct sums *sums)
{
	int data[2] = {-1, -1}, in[2] = {-1, -1}, out[2] = {-1, -1};
	struct mailcopy_result reader = {.rc = 0}, writer = {.rc = 0};
	pid_t reads = -1, writes = -1;
	int rc_in, rc_out;
	bool good;

	if (pipe2(data, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0 &&
	    pipe2(out, O_CLOEXEC) == 0) {
		reads = start_end(owner->st_uid, owner->st_gid, data, in, from,
				  true);
		writes = start_end(config->uid, config->gid, data, out, to,
				   false);
	}
	close_pair(data);
	rc_in = take_answer(reads, in, &reader);
	rc_out = take_answer(writes, out, &writer);
	close_pair(in);
	close_pair(out);
	good = said(rc_in == EPIPE && rc_out ? 0 : rc_in, "cannot read", from,
		    &reader);
	good = said(rc_out, "cannot write", to, &writer) && good &&
	       rc_in == 0;
	sums->copied += writer.copied;
	sums->there += writer.there;
	return good;
}

static bool locate(const char *base, const char *path, char ret_path[PATH_MAX])
{
	int len = path[0] == '/' || !base[0]
			  ? snprintf(ret_path, PATH_MAX, "%s", path)
			  : snprintf(ret_path, PATH_MAX, "%s/%s", base, path);

	return len > 0 && len < PATH_MAX;
}

static bool copy_box(const struct site *site, const char *box,
		     const char *path, const char *base, struct sums *sums)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct name_box name;
	struct stat owner;

	if (name_box_read(box, strlen(box), &name) ||
	    !mailroot_box_path(site->config.home, &name, to) ||
	    !locate(base, path, from))
		return say_error(0, "%s: the path of its old mail is too long",
				 box);
	if (stat(from, &owner) != 0 && errno == ENOENT) {
		say_note("%s: there is no old mail: '%s' is not there", box,
			 from);
		return true;
	}
	if (stat(from, &owner) != 0)
		return say_error(0, "%s: cannot look at '%s': %s", box, from,
				 strerror(errno));
	if (owner.st_uid == 0 || owner.st_gid == 0)
		return say_error(0,
				 "%s: '%s' belongs to root, who reads no mail: "
				 "'chown -R' it to whose it was",
				 box, from);
	sums->boxes++;
	return copy(&site->config, &owner, from, to, sums);
}

int mailcopy(struct site *site, const struct text *list, const char *base)
{
	struct progress progress = progress_start("copying mail", list->len);
	struct sums sums = {0, 0, 0, 0};

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
	say_note("%lu messages copied from %lu Maildirs, %lu were copied "
		 "before",
		 sums.copied, sums.boxes, sums.there);
	if (!sums.failed)
		return CODE_DONE;
	return say_error(CODE_LATER,
			 "the mail of %lu boxes could not be copied: mend what "
			 "is said above, then import again with --maildir (what "
			 "is there is not copied twice)",
			 sums.failed);
}
