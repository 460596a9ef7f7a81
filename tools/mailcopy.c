#include "mailcopy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drop.h"
#include "interrupt.h"
#include "mailcopy_ends.h"
#include "nolink.h"
#include "progress.h"
#include "say.h"

struct sums {
	unsigned long boxes, failed, copied, there, left;
};

static void close_pair(int pair[2])
{
	if (pair[0] >= 0)
		(void)close(pair[0]); /* a pipe of ours */
	if (pair[1] >= 0)
		(void)close(pair[1]); /* the same */
}

/* One end of a copy: as whom, and on what. */
struct end {
	uid_t uid;
	gid_t gid;
	const char *path;
	int dir; /* of the old Maildir, for the reader; else -1 */
};

/* Never returns. What it has to say goes to why. */
static void run_end(const struct end *end, int in, int out, int why)
{
	struct mailcopy_result result = {.rc = 0};
	const char *failed;

	(void)signal(SIGPIPE, SIG_IGN); /* a valid number */
	(void)umask(077);
	failed = drop_to(end->uid, end->gid);
	/* With the import gone there is nobody to copy for. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (failed)
		result.rc = errno ? errno : EPERM;
	else if (end->dir >= 0)
		mailcopy_read(end->path, end->dir, out, &result);
	else
		mailcopy_write(end->path, in, &result);
	/* Who waits for it sees a short answer, if any, as a failure. */
	(void)!write(why, &result, sizeof result);
	_exit(0);
}

static pid_t start_end(const struct end *end, const int data[2],
		       const int answer[2])
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)close(answer[0]);			  /* the parent's */
	(void)close(data[end->dir >= 0 ? 0 : 1]); /* the other end's */
	run_end(end, data[0], data[1], answer[1]);
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
static bool copy(const struct end *from, const struct end *to,
		 struct sums *sums)
{
	int data[2] = {-1, -1}, in[2] = {-1, -1}, out[2] = {-1, -1};
	struct mailcopy_result reader = {.rc = 0}, writer = {.rc = 0};
	pid_t reads = -1, writes = -1;
	int rc_in, rc_out;
	bool good;

	if (pipe2(data, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0 &&
	    pipe2(out, O_CLOEXEC) == 0) {
		reads = start_end(from, data, in);
		writes = start_end(to, data, out);
	}
	close_pair(data);
	rc_in = take_answer(reads, in, &reader);
	rc_out = take_answer(writes, out, &writer);
	close_pair(in);
	close_pair(out);
	/* Of two that failed, a broken pipe is the other one's doing. */
	good = said(rc_in == EPIPE && rc_out ? 0 : rc_in, "cannot read",
		    from->path, &reader);
	good = said(rc_out == EPIPE && rc_in ? 0 : rc_out, "cannot write",
		    to->path, &writer) &&
	       good && rc_in == 0 && rc_out == 0;
	sums->copied += writer.copied;
	sums->there += writer.there;
	sums->left += reader.left;
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
	int fd = nolink_open(base, path, O_DIRECTORY);
	const char *why = NULL;

	if (fd < 0 || fstat(fd, ret_owner) != 0) {
		say_error(0, "%s: cannot look at '%s': %s", box, path,
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
	mailroot_box_path(site->config.home, &name, new);
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
	say_note("%lu messages copied from %lu Maildirs, %lu were copied "
		 "before",
		 sums.copied, sums.boxes, sums.there);
	if (sums.left)
		say_note("%lu files were left: their names are none of "
			 "messages",
			 sums.left);
	if (!sums.failed)
		return CODE_DONE;
	return say_error(CODE_LATER,
			 "the mail of %lu boxes could not be copied: mend what "
			 "is said above, then import again with --maildir (what "
			 "is there is not copied twice)",
			 sums.failed);
}
