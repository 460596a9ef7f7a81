/* SPDX-License-Identifier: MIT */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/outfile.h"
#include "base/replace.h"
#include "base/say.h"
#include "store/store_whole.h"

enum { SAID_MAX = 10 };

void backup_finding(void *arg, unsigned rule, const char *object,
		    const char *what)
{
	struct backup_findings *findings = arg;

	if (rule == STORE_RULE_HASH) {
		if (!findings->looked_again && findings->hashes++ < SAID_MAX)
			say_note("'%s': %s: %s (rule %u)", findings->path,
				 object, what, rule);
	} else if (findings->damage++ < SAID_MAX) {
		say_error(0, "'%s': %s: %s (rule %u)", findings->path, object,
			  what, rule);
	}
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	unsigned long found;

	return store_check(txn, backup_finding, arg, &found);
}

/* In the child: the settings go in, then everything is read. */
static int verify(const struct outfile *file, const struct replace_text *config)
{
	struct backup_findings findings = {.path = file->path};
	struct store *copy = NULL;
	uint64_t format = 0;
	enum err err = fchdir(file->dir) == 0 ? ERR_OK : ERR_SYSTEM;

	if (err == ERR_OK)
		err = store_copy_settings(file->temporary, config->bytes,
					  config->len);
	if (err == ERR_OK)
		err = store_open_copy(file->temporary, &copy);
	if (err == ERR_OK)
		err = store_format(copy, &format);
	/* Of another format the rules are not known here, the rows are. */
	if (err == ERR_OK)
		err = format >= STORE_FORMAT_LOGIN && format <= STORE_FORMAT
			      ? store_read(copy, check_body, &findings)
			      : store_walk(copy);
	store_close(&copy);
	if (err == ERR_OK && !findings.damage)
		return CODE_DONE;
	if (err == ERR_OK || err == ERR_DAMAGED)
		return say_error(CODE_LATER,
				 "'%s': the store is damaged, and a backup "
				 "of it would be: nothing was written "
				 "('popbox check' shows where)",
				 file->path);
	return say_error(CODE_LATER, "cannot verify '%s': %s", file->path,
			 err == ERR_SYSTEM || err == ERR_FULL
				 ? strerror(errno)
				 : err_text(err));
}

/* The store is open for this alone: no environment goes over a fork. */
static int copy(struct site *site, const struct outfile *file)
{
	enum err err = store_open_read(site->dir, &site->store);

	if (err != ERR_OK)
		return site_failed(site, err, "backup");
	err = store_copy(site->store, file->fd);
	store_close(&site->store);
	if (err == ERR_SYSTEM || err == ERR_FULL)
		return say_error(CODE_LATER, "cannot write '%s': %s",
				 file->path, strerror(errno));
	return site_failed(site, err, "backup");
}

/* A damaged page faults inside LMDB, when it is copied or when it is read: only
 * a child dies of it. */
static int copy_apart(struct site *site, const struct outfile *file,
		      const struct replace_text *config)
{
	const struct rlimit cpu = {3600, 3600};
	pid_t pid = fork(), waited;
	int status;

	if (pid < 0)
		return say_error(CODE_LATER, "cannot start the copy of '%s': %s",
				 file->path, strerror(errno));
	if (pid == 0) {
		int code;

		/* A loop in a damaged tree must end some day, and the lock on
		 * the file with whoever wants it. */
		(void)setrlimit(RLIMIT_CPU, &cpu);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		code = copy(site, file);
		if (code == CODE_DONE)
			code = verify(file, config);
		_exit(say_finish(code));
	}
	do
		waited = waitpid(pid, &status, 0);
	while (waited < 0 && errno == EINTR);
	/* A sanitizer ends it with a code of its own. */
	if (waited == pid && WIFEXITED(status) &&
	    (WEXITSTATUS(status) == CODE_DONE ||
	     WEXITSTATUS(status) == CODE_REFUSED ||
	     WEXITSTATUS(status) == CODE_LATER))
		return WEXITSTATUS(status);
	return say_error(CODE_LATER,
			 "'%s': the copy was ended by a signal: a page of "
			 "the store is damaged, nothing was written ('popbox "
			 "check' shows where)",
			 file->path);
}

static int read_settings(const struct site *site, struct replace_text *config)
{
	int dir = open(site->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? errno : replace_read(dir, "config", config);

	if (dir >= 0)
		(void)close(dir); /* read only */
	if (rc == 0 && config->len > CONFIG_SIZE_MAX)
		rc = EFBIG;
	return rc == 0 ? CODE_DONE
		       : say_error(CODE_LATER, "cannot read '%s/config': %s",
				   site->dir, strerror(rc));
}

int backup_store(struct site *site, const char *path)
{
	struct replace_text config = {.bytes = NULL};
	struct outfile file;
	int code = read_settings(site, &config);

	if (code == CODE_DONE)
		code = outfile_open(path, &file);
	if (code == CODE_DONE) {
		code = copy_apart(site, &file, &config);
		if (code == CODE_DONE)
			code = outfile_keep(&file);
		outfile_close(&file);
	}
	replace_free(&config);
	return code;
}
