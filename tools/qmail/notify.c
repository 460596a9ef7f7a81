/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/say.h"
#include "base/text.h"

enum { WORDS_MAX = 16 };

/* Runs a program by its path, without a shell, and waits for it. */
static bool run(char *const *words)
{
	pid_t pid, waited;
	int status;

	(void)fflush(NULL); /* say_finish looks at stdout */
	pid = fork();
	if (pid == 0) {
		execvp(words[0], words);
		_exit(127);
	}
	if (pid < 0)
		return say_error(0, "cannot run '%s': %s", words[0],
				 strerror(errno));
	do
		waited = waitpid(pid, &status, 0);
	while (waited < 0 && errno == EINTR);
	if (waited == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (waited == pid && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return say_error(0, "cannot run '%s' (is it there?)", words[0]);
	if (waited == pid && WIFEXITED(status))
		return say_error(0, "'%s' failed with exit code %d", words[0],
				 WEXITSTATUS(status));
	return say_error(0, "'%s' was ended by a signal", words[0]);
}

/* qmail's own programs sync the file that they make, but not its name: after a
 * power cut the old one would be there, of which nothing is owed any more. */
static bool sync_names(const struct config *config, const char *part)
{
	char path[PATH_MAX];
	int rc;

	(void)snprintf(path, sizeof path, "%s/%s", config->qmail, part);
	rc = replace_sync(path);
	return rc == 0 || say_error(0, "cannot sync '%s': %s", path,
				    strerror(rc));
}

static bool run_own(const struct config *config, const char *name,
		    const char *part)
{
	char path[PATH_MAX];
	char *words[] = {path, NULL};

	(void)snprintf(path, sizeof path, "%s/bin/%s", config->qmail, name);
	return run(words) && sync_names(config, part);
}

bool notify_newu(const struct config *config)
{
	return run_own(config, "qmail-newu", "users");
}

bool notify_newmrh(const struct config *config)
{
	return run_own(config, "qmail-newmrh", "control");
}

/* The setting, cut at blanks. */
static bool run_setting(const char *setting)
{
	char text[CONFIG_TEXT_MAX + 1];
	char *words[WORDS_MAX + 1] = {NULL};

	(void)snprintf(text, sizeof text, "%s", setting);
	if (text_words(text, words, WORDS_MAX) > WORDS_MAX)
		return say_error(0, "setting 'qmail_hup' has more than %d "
				    "words",
				 WORDS_MAX);
	return run(words);
}

/* A file of one process in /proc, read to its end or until the room is full.
 * Returns the length; 0 if the file cannot be read. */
static size_t read_proc(const char *pid, const char *name, char *bytes,
			size_t room)
{
	char path[64];
	ssize_t len;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%.20s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, bytes, room - 1);
	(void)close(fd); /* read only */
	bytes[len > 0 ? len : 0] = 0;
	return len > 0 ? (size_t)len : 0;
}

/* The path of the program that a process runs; empty if root alone may know
 * it. A program that was replaced or removed keeps its former path, and the
 * kernel appends " (deleted)". */
static void read_program(const char *pid, char *program)
{
	static const char mark[] = " (deleted)";
	char link[64], *end;
	ssize_t len;

	(void)snprintf(link, sizeof link, "/proc/%.20s/exe", pid);
	len = readlink(link, program, PATH_MAX - 1);
	program[len > 0 ? len : 0] = 0;
	if (len < (ssize_t)sizeof mark)
		return;
	end = program + len - (sizeof mark - 1);
	if (strcmp(end, mark) == 0)
		*end = 0;
}

/* Is the program called qmail-send, or was it called so when it was started?
 * An upgrade may have renamed it to qmail-send.old. */
static bool has_name(const char *pid, const char *program)
{
	static const char name[] = "qmail-send";
	const size_t len = sizeof name - 1;
	const char *slash = strrchr(program, '/');
	char comm[64];

	if (slash && strncmp(slash + 1, name, len) == 0 &&
	    (slash[1 + len] == 0 || slash[1 + len] == '.'))
		return true;
	return read_proc(pid, "comm", comm, sizeof comm) == sizeof name &&
	       strncmp(comm, name, len) == 0 && comm[len] == '\n';
}

/* Does the program lie in this qmail's directory, or where its bin leads? */
static bool lies_in(const char *program, const char *path)
{
	char bin[PATH_MAX], real[PATH_MAX];
	size_t len;

	if (realpath(path, real)) {
		len = strlen(real);
		if (strncmp(program, real, len) == 0 && program[len] == '/')
			return true;
	}
	(void)snprintf(bin, sizeof bin, "%s/bin", path);
	if (!realpath(bin, real))
		return false;
	len = strlen(real);
	return strncmp(program, real, len) == 0 && program[len] == '/' &&
	       !strchr(program + len + 1, '/');
}

/* Was the process started by the path of this qmail's program? This holds where
 * a symbolic link has led elsewhere since then, and for a script. */
static bool started_as(const char *pid, const char *path)
{
	char words[PATH_MAX], program[PATH_MAX];
	size_t len = read_proc(pid, "cmdline", words, sizeof words);

	(void)snprintf(program, sizeof program, "%s/bin/qmail-send", path);
	for (size_t at = 0; at < len; at += strlen(words + at) + 1) {
		if (strcmp(words + at, program) == 0)
			return true;
	}
	return false;
}

/* Is what a link of the process leads to the same file as ours? Unknown is
 * returned as given. */
static bool sees(const char *pid, const char *link, const char *ours,
		 bool unknown)
{
	char path[PATH_MAX + 64];
	struct stat theirs, own;

	(void)snprintf(path, sizeof path, "/proc/%.20s/%s", pid, link);
	if (stat(path, &theirs) != 0 || stat(ours, &own) != 0)
		return unknown;
	return theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino;
}

/* Is this process the qmail-send of the qmail at path? Its name alone would be
 * anybody's to take; a path alone is not enough either: the program may have
 * been replaced since, and a container has the same paths. */
static bool runs(const char *pid, const char *path)
{
	char program[PATH_MAX], control[PATH_MAX], queue[PATH_MAX];
	char link[PATH_MAX + 8];

	read_program(pid, program);
	if (!has_name(pid, program))
		return false;
	(void)snprintf(queue, sizeof queue, "%s/queue", path);
	if (sees(pid, "cwd", queue, false))
		return true; /* where qmail-send works */
	if (!lies_in(program, path) && !started_as(pid, path))
		return false;
	(void)snprintf(control, sizeof control, "%s/control", path);
	(void)snprintf(link, sizeof link, "root%s", control);
	return sees(pid, link, control, true);
}

/* Signals one process, if it still is what it was when it was found. */
static bool hup_process(const char *pid_text, const char *path)
{
	pid_t pid = (pid_t)strtol(pid_text, NULL, 10); /* digits of /proc */
	int fd = pidfd_open(pid, 0);
	bool done;

	if (fd < 0)
		return false;
	done = runs(pid_text, path) &&
	       pidfd_send_signal(fd, SIGHUP, NULL, 0) == 0;
	(void)close(fd); /* a handle only */
	return done;
}

/* Signals each qmail-send of the qmail at path, or only looks for one.
 * ret_known: could all processes be looked at? */
static bool find_process(const char *path, bool hup, bool *ret_known,
			 pid_t *ret_pid)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool done = false, any = false;

	while (proc && (entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		any = true;
		if (runs(entry->d_name, path) &&
		    (!hup || hup_process(entry->d_name, path))) {
			*ret_pid = (pid_t)strtol(entry->d_name, NULL, 10);
			done = true;
		}
	}
	if (proc)
		(void)closedir(proc); /* read only */
	*ret_known = any; /* an empty directory is no /proc */
	return done;
}

/* qmail-send keeps the reading end of this pipe open, and every qmail-queue
 * opens it as we do here. That needs no process to be seen. known: could all
 * processes be looked at? */
static enum notify_state ask_trigger(const char *path, bool known)
{
	const struct timespec moment = {0, 1000000};
	char trigger[PATH_MAX];
	struct stat st;
	int fd;

	(void)snprintf(trigger, sizeof trigger, "%s/queue/lock/trigger", path);
	if (lstat(trigger, &st) != 0)
		return known && (errno == ENOENT || errno == ENOTDIR)
			       ? NOTIFY_STOPPED
			       : NOTIFY_UNKNOWN;
	if (!S_ISFIFO(st.st_mode))
		return NOTIFY_UNKNOWN;
	/* qmail-send closes it for an instant whenever a message came. */
	for (int tries = 0; tries < 3; tries++) {
		fd = open(trigger,
			  O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0) {
			(void)close(fd); /* nothing was written */
			return NOTIFY_HIDDEN;
		}
		if (errno != ENXIO)
			return NOTIFY_UNKNOWN;
		(void)nanosleep(&moment, NULL); /* cut short: no harm */
	}
	return NOTIFY_STOPPED;
}

enum notify_state notify_find(const struct config *config, pid_t *ret_pid)
{
	bool known;

	if (find_process(config->qmail, false, &known, ret_pid))
		return NOTIFY_RUNS;
	return ask_trigger(config->qmail, known);
}

enum notify_state notify_state(const struct config *config)
{
	pid_t pid;

	return notify_find(config, &pid);
}

bool notify_hup(const struct config *config)
{
	bool known;
	pid_t pid;

	if (config->qmail_hup[0])
		return run_setting(config->qmail_hup);
	if (find_process(config->qmail, true, &known, &pid))
		return true;
	switch (notify_state(config)) {
	case NOTIFY_STOPPED:
		say_note("qmail-send is not running: it will read "
			 "control/virtualdomains when it starts");
		return true;
	case NOTIFY_RUNS:
		return say_error(0, "cannot send HUP to qmail-send (run popbox "
				    "as root or set 'qmail_hup')");
	case NOTIFY_HIDDEN:
		return say_error(0, "qmail-send is running, but its process "
				    "was not found (set 'qmail_hup', or "
				    "restart it)");
	case NOTIFY_UNKNOWN:
		break;
	}
	return say_error(0, "cannot find out whether qmail-send is running "
			    "(run popbox as root, with /proc mounted, or set "
			    "'qmail_hup')");
}
