/* SPDX-License-Identifier: MIT */
/* Telling qmail: what its programs answer, what they may answer, and which process
 * is qmail-send. */
#include "failing.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "qmail/notify.h"
#include "qmaildir.h"

FAILING(pid_t, fork, (void), ())
FAILING(pid_t, waitpid, (pid_t pid, int *status, int how), (pid, status, how))
FAILING(int, fsync, (int fd), (fd))
FAILING(int, pidfd_send_signal,
	(int fd, int number, siginfo_t *info, unsigned flags),
	(fd, number, info, flags))

/* What a process runs may change once it was found. */
static bool changes;

int pidfd_open(pid_t pid, unsigned flags)
{
	char path[64], comm[20] = "";
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	if (changes)
		(void)kill(pid, SIGUSR1);
	for (int i = 0; changes && i < 5000 && strcmp(comm, "other\n") != 0; i++) {
		usleep(1000);
		file = fopen(path, "r");
		if (!file || !fgets(comm, sizeof comm, file))
			comm[0] = 0;
		if (file)
			(void)fclose(file);
	}
	return FAILING_REAL(pidfd_open)(pid, flags);
}

DIR *opendir(const char *path)
{
	return failing_now("opendir") ? NULL : FAILING_REAL(opendir)(path);
}

static struct config config;

static int set_up(void **state)
{
	(void)state;
	failing_call = NULL;
	config = (struct config){.uid = 0};
	if (qmaildir_start() != 0)
		return 1;
	(void)snprintf(config.qmail, sizeof config.qmail, "%s", top);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return qmaildir_end();
}

static void says(bool (*call)(const struct config *), bool good,
		 const char *part)
{
	bool done;

	said_start();
	done = call(&config);
	said_end();
	if (done != good || !strstr(said, part) || (!*part && *said))
		fail_msg("%s: '%s', not '%s'", done ? "done" : "failed", said,
			 part);
}

static void programs(void **state)
{
	char path[200];

	(void)state;
	says(notify_newu, false, "/bin/qmail-newu' (is it there?)");
	says(notify_newmrh, false, "/bin/qmail-newmrh' (is it there?)");
	program("bin/qmail-newmrh", "exit 0");
	says(notify_newmrh, true, "");
	program("bin/qmail-newu", "exit 3");
	says(notify_newu, false, "failed with exit code 3");
	program("bin/qmail-newu", "exit 127");
	says(notify_newu, false, "(is it there?)");
	program("bin/qmail-newu", "kill -9 $$");
	says(notify_newu, false, "was ended by a signal");
	program("bin/qmail-newu", "exit 0");
	says(notify_newu, true, "");
	place("users", path);
	assert_int_equal(rmdir(path), 0);
	says(notify_newu, false, "cannot sync '");
}

static void calls(void **state)
{
	(void)state;
	program("bin/qmail-newu", "exit 0");
	failing_start("waitpid", 1, EINTR);
	says(notify_newu, true, "");
	assert_true(failing_end());
	failing_start("waitpid", 1, ECHILD);
	says(notify_newu, false, "qmail-newu'");
	assert_true(failing_end());
	(void)FAILING_REAL(waitpid)(-1, NULL, 0);
	failing_start("fork", 1, EAGAIN);
	says(notify_newu, false, "Resource temporarily unavailable");
	assert_true(failing_end());
	failing_start("fsync", 1, EIO);
	says(notify_newu, false, "/users': Input/output error");
	assert_true(failing_end());
	program("bin/qmail-newmrh", "exit 0");
	failing_start("fsync", 1, EIO);
	says(notify_newmrh, false, "/control': Input/output error");
	assert_true(failing_end());
}

/* So many words, of which the script counts what follows the first. */
static void give_words(int count)
{
	size_t len = (size_t)snprintf(config.qmail_hup, sizeof config.qmail_hup,
				      "%s/bin/hup", top);

	for (int i = 1; i < count; i++)
		len += (size_t)snprintf(config.qmail_hup + len,
					sizeof config.qmail_hup - len, "  w");
}

static void setting(void **state)
{
	(void)state;
	program("bin/hup", "exit $#");
	give_words(1);
	says(notify_hup, true, "");
	give_words(16);
	says(notify_hup, false, "failed with exit code 15");
	give_words(17);
	says(notify_hup, false, "more than 16 words");
}

static enum notify_state state_of(void)
{
	return notify_state(&config);
}

static void trigger(void **state)
{
	char path[200];
	int reader;

	(void)state;
	assert_int_equal(state_of(), NOTIFY_STOPPED);
	says(notify_hup, true, "is not running");
	place("queue/lock/trigger", path);
	assert_int_equal(mkfifo(path, 0622), 0);
	assert_int_equal(state_of(), NOTIFY_STOPPED);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(state_of(), NOTIFY_HIDDEN);
	says(notify_hup, false, "its process was not found");
	close(reader);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(state_of(), NOTIFY_UNKNOWN);
	says(notify_hup, false, "cannot find out whether");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(state_of(), NOTIFY_UNKNOWN);
	assert_int_equal(rmdir(path), 0);
	place("queue/lock", path);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(state_of(), NOTIFY_STOPPED); /* there is no queue */
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	assert_int_equal(state_of(), NOTIFY_STOPPED);
	/* Without /proc that is not known. */
	failing_start("opendir", 1, ENOENT);
	assert_int_equal(state_of(), NOTIFY_UNKNOWN);
	assert_true(failing_end());
}

/* A program of that name, in a directory. */
static pid_t start(const char *program, const char *where)
{
	char path[200], dir[200], now[PATH_MAX], link[64];
	pid_t pid;

	place(program, path);
	place(where, dir);
	(void)unlink(path);
	pid = FAILING_REAL(fork)();
	if (pid == 0) {
		execlp("cp", "cp", "/bin/sleep", path, NULL);
		_exit(127);
	}
	assert_int_equal(FAILING_REAL(waitpid)(pid, NULL, 0), pid);
	pid = FAILING_REAL(fork)();
	if (pid == 0) {
		if (chdir(dir) == 0)
			execl(path, path, "60", NULL);
		_exit(127);
	}
	(void)snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
	for (int i = 0; i < 5000; i++) {
		ssize_t len = readlink(link, now, sizeof now - 1);

		now[len > 0 ? len : 0] = 0;
		if (strcmp(now, path) == 0)
			break;
		usleep(1000);
	}
	assert_string_equal(now, path);
	return pid;
}

/* By which signal it ended; 0: it runs on, and is ended here. */
static int ended(pid_t pid, bool soon)
{
	int status = 0;

	for (int i = 0; i < (soon ? 5000 : 20); i++) {
		if (FAILING_REAL(waitpid)(pid, &status, WNOHANG) == pid)
			return WTERMSIG(status);
		usleep(1000);
	}
	(void)kill(pid, SIGKILL);
	(void)FAILING_REAL(waitpid)(pid, &status, 0);
	return 0;
}

static void processes(void **state)
{
	static const struct {
		const char *program, *where;
		bool ours;
	} cases[] = {
		{"bin/qmail-send", "queue", true},
		{"bin/qmail-send", "control", true},
		{"qmail-send", "queue", true},
		{"qmail-send", "control", true}, /* below qmail */
		{"bin/qmail-send.old", "control", true},
		{"bin/qmail-sender", "queue", false},
		{"bin/qmail-sen", "queue", false},
		{"bin/other", "queue", false},
	};
	pid_t pid, first, second;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("# %s in %s\n", cases[i].program, cases[i].where);
		first = start(cases[i].program, cases[i].where);
		if (cases[i].ours) {
			assert_int_equal(notify_find(&config, &pid),
					 NOTIFY_RUNS);
			assert_int_equal(pid, first);
			says(notify_hup, true, "");
			assert_int_equal(ended(first, true), SIGHUP);
		} else {
			assert_int_equal(state_of(), NOTIFY_STOPPED);
			says(notify_hup, true, "is not running");
			assert_int_equal(ended(first, false), 0);
		}
	}
	/* Each of several is told. */
	first = start("bin/qmail-send", "queue");
	second = start("qmail-send", "queue");
	says(notify_hup, true, "");
	assert_int_equal(ended(first, true), SIGHUP);
	assert_int_equal(ended(second, true), SIGHUP);
	/* One that is there and cannot be told. */
	first = start("bin/qmail-send", "queue");
	failing_start("pidfd_send_signal", 1, EPERM);
	says(notify_hup, false, "cannot send HUP to qmail-send");
	assert_true(failing_end());
	assert_int_equal(ended(first, false), 0);
}

static void become_other(int number)
{
	(void)number;
	(void)prctl(PR_SET_NAME, "other");
}

/* A number that another process has by then is nobody to be told. */
static void changed(void **state)
{
	char queue[200];
	int ready[2];
	pid_t pid;
	char byte;

	(void)state;
	place("queue", queue);
	assert_int_equal(pipe(ready), 0);
	pid = FAILING_REAL(fork)();
	if (pid == 0) {
		(void)signal(SIGUSR1, become_other);
		if (chdir(queue) != 0 || prctl(PR_SET_NAME, "qmail-send") != 0 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(state_of(), NOTIFY_RUNS);
	changes = true;
	says(notify_hup, true, "is not running");
	changes = false;
	assert_int_equal(ended(pid, false), 0);
}

int main(void)
{
#define WITH_QMAIL(sentence, function)                                         \
	{                                                                      \
		sentence, function, set_up, tear_down, NULL                    \
	}
	const struct CMUnitTest tests[] = {
		WITH_QMAIL("a program of qmail's that is not there, fails or is "
			   "killed is told of, each in its words",
			   programs),
		WITH_QMAIL("a call of the system that fails is no success, and "
			   "one that a signal interrupts is made again",
			   calls),
		WITH_QMAIL("a setting of too many words is not run", setting),
		WITH_QMAIL("qmail-send runs, does not, or nobody knows: the "
			   "trigger says which",
			   trigger),
		WITH_QMAIL("each process that is this qmail's qmail-send is "
			   "told, and no other",
			   processes),
		WITH_QMAIL("a process that has become another one is not told",
			   changed),
	};

	return RUN(tests);
}
