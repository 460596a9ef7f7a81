/* SPDX-License-Identifier: MIT */
#include "round.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/json.h"
#include "base/replace.h"
#include "base/say.h"
#include "base/text.h"
#include "popusr/child.h"
#include "popusr/relay.h"

enum { WORDS_MAX = 16, TICK_NS = 20000000, MERCY_S = 5 };

struct job {
	pid_t pid; /* 0: none */
	struct name_domain host;
	int dir;
	int lock[2]; /* RELAYHOST, Maildir */
	int out, err; /* what the sender prints */
	unsigned long waiting;
	struct timespec start;
	bool asked; /* to end */
};

static volatile sig_atomic_t told_to_end;

struct round {
	const struct site *site;
	const struct serialmail *how;
	int root;
	int own; /* our own sender, opened while we could reach it */
	char helo[NAME_DOMAIN_MAX + 1];
	struct timespec alive; /* when we said so */
	struct job *job;
	int code;
};

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there */
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* A sign of life for serialmail.c, at most one a second: so that it does not
 * wait for a round that hangs. */
static void say_alive(struct round *round)
{
	if (seconds_since(&round->alive) < 1)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &round->alive); /* as above */
	(void)!write(STDERR_FILENO, "", 1); /* the next one says so */
}

/* Messages in a part of the directory; with first, no more than one. */
static unsigned long count(int dir, const char *part, bool first)
{
	int fd = openat(dir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
					   O_NOFOLLOW);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned long found = 0;
	int rc; /* whatever it is, what waits is seen next time */

	while (list && !(first && found) &&
	       (entry = dir_next(list, &rc)) != NULL)
		found += entry->d_name[0] != '.';
	if (list)
		(void)closedir(list); /* read only */
	else if (fd >= 0)
		(void)close(fd); /* read only */
	return found;
}

static unsigned long count_waiting(int dir)
{
	return count(dir, "Maildir/new", false) +
	       count(dir, "Maildir/cur", false);
}

static struct job no_job(void)
{
	return (struct job){.dir = -1, .out = -1, .err = -1, .lock = {-1, -1}};
}

static void release(struct job *job)
{
	const int fds[] = {job->lock[0], job->lock[1], job->out, job->err,
			   job->dir};

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]); /* read only; unlocks */
	}
	*job = no_job();
}

static int open_locked(int dir, const char *name, int flags)
{
	int fd = openat(dir, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		(void)close(fd); /* somebody else's at the moment */
		fd = -1;
	}
	return fd;
}

/* Takes the directory, if mail waits in it and nobody else has it. */
static bool take(const struct round *round, const char *name, struct job *job)
{
	*job = no_job();
	if (name_domain_read(name, strlen(name), &job->host))
		return false;
	job->dir = openat(round->root, name,
			  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (job->dir >= 0 && (count(job->dir, "Maildir/new", true) ||
			      count(job->dir, "Maildir/cur", true)))
		job->lock[0] = open_locked(job->dir, "RELAYHOST", 0);
	if (job->lock[0] >= 0)
		job->lock[1] = open_locked(job->dir, "Maildir", O_DIRECTORY);
	if (job->lock[1] >= 0) {
		job->waiting = count_waiting(job->dir);
		if (job->waiting)
			return true; /* nobody took it meanwhile */
	}
	release(job);
	return false;
}

/* The one line of RELAYHOST; of plain characters, for it becomes part of a
 * command and of a URL. */
static bool read_relay(const struct job *job, char *ret_relay, size_t room)
{
	ssize_t got = pread(job->lock[0], ret_relay, room - 1, 0);
	size_t len;

	ret_relay[got > 0 ? got : 0] = 0;
	len = strcspn(ret_relay, "\n");
	ret_relay[len] = 0;
	return len > 0 && strspn(ret_relay, "abcdefghijklmnopqrstuvwxyz"
					    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "0123456789.:-") == len &&
	       ret_relay[0] != '-';
}

static void become_sender(const struct round *round, const struct job *job,
			  char *relay)
{
	char text[PATH_MAX], dir[PATH_MAX], prefix[NAME_DOMAIN_MAX + 2];
	char inject[PATH_MAX];
	char *words[WORDS_MAX + 5] = {NULL};
	size_t count = 1;

	(void)snprintf(dir, sizeof dir, "%s/%s/Maildir",
		       round->site->config.serialmail, job->host.s);
	(void)snprintf(prefix, sizeof prefix, "%s-", job->host.s);
	(void)snprintf(text, sizeof text, "%s",
		       round->how->command ? round->how->command
					   : "popbox-maildirsmtp");
	words[0] = text;
	if (round->how->command)
		count = text_words(text, words, WORDS_MAX);
	if (count > WORDS_MAX)
		_exit(127);
	words[count++] = dir;
	words[count++] = prefix;
	words[count++] = relay;
	words[count] = (char *)(uintptr_t)round->helo;
	/* The locks stay as long as the sender lives, should we not. */
	for (size_t i = 0; i < 2; i++)
		(void)fcntl(job->lock[i], F_SETFD, 0);
	(void)snprintf(inject, sizeof inject, "%s/bin/qmail-inject",
		       round->site->config.qmail);
	if (config_has_qmail(&round->site->config) &&
	    setenv("POPBOX_INJECT", inject, 1) != 0)
		_exit(127);
	if (round->how->command)
		execvp(words[0], words);
	else
		fexecve(round->own, words, environ);
	_exit(127);
}

static bool start(struct round *round, struct job *job)
{
	char relay[NAME_DOMAIN_MAX + 16];

	if (!read_relay(job, relay, sizeof relay)) {
		round->code = say_error(CODE_LATER,
					"'%s/%s/RELAYHOST' names no host",
					round->site->config.serialmail,
					job->host.s);
		return false;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &job->start); /* always there */
	job->out = relay_file();
	job->err = relay_file();
	(void)fflush(NULL); /* say_finish looks at stdout */
	if (job->out >= 0 && job->err >= 0)
		job->pid = child_fork(&(struct child_keep){
			job->out, job->err,
			{job->lock[0], job->lock[1], round->own}});
	if (job->pid == 0 && job->out >= 0 && job->err >= 0)
		become_sender(round, job, relay);
	if (job->pid > 0)
		return true;
	job->pid = 0;
	round->code = say_error(CODE_LATER, "cannot start a sender: %s",
				strerror(errno));
	return false;
}

/* The counts of our own sender, its last line. Another one's are those of its
 * Maildir: what is no more there was sent. */
static void read_counts(const struct job *job, unsigned long counts[3])
{
	static char text[RELAY_MAX + 1];
	const char *line;
	size_t len;

	relay_text(job->out, text, &len);
	for (line = strstr(text, "sent "); line; line = strstr(line + 1, "sent ")) {
		if (sscanf(line, "sent %lu failed %lu left %lu", &counts[0],
			   &counts[1], &counts[2]) == 3)
			return;
	}
	counts[1] = 0;
	counts[2] = count_waiting(job->dir);
	counts[0] = job->waiting > counts[2] ? job->waiting - counts[2] : 0;
}

static void report(struct round *round, const struct job *job, int status)
{
	const double took = seconds_since(&job->start);
	unsigned long counts[3];

	relay_all(job->err);
	read_counts(job, counts);
	if (round->site->json)
		json_print(json_pack("{s:s, s:I, s:I, s:I, s:f}", "domain",
				     job->host.s, "sent",
				     (json_int_t)counts[0], "failed",
				     (json_int_t)counts[1], "left",
				     (json_int_t)counts[2], "seconds", took));
	say_note("%s: %lu sent, %lu failed, %lu left, %.1f seconds%s",
		 job->host.s, counts[0], counts[1], counts[2], took,
		 job->asked ? ", ended at its time limit" : "");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		round->code = say_error(CODE_LATER, "cannot run the sender "
						    "(is it there?)");
}

/* With all that it has started: its session is its own. */
static void end_job(const struct job *job, int number)
{
	if (kill(-job->pid, number) != 0)
		(void)kill(job->pid, number); /* our own, not waited for */
}

/* Senders that ended, or must. Returns how many go on. */
static unsigned reap(struct round *round)
{
	unsigned running = 0;

	for (unsigned i = 0; i < round->how->jobs; i++) {
		struct job *job = &round->job[i];
		int status;

		if (!job->pid)
			continue;
		if (waitpid(job->pid, &status, WNOHANG) == job->pid) {
			report(round, job, status);
			release(job);
			continue;
		}
		running++;
		if (seconds_since(&job->start) < round->how->limit)
			continue;
		end_job(job, seconds_since(&job->start) <
					     round->how->limit + MERCY_S
				     ? SIGTERM
				     : SIGKILL);
		job->asked = true;
	}
	return running;
}

/* Until fewer than most run, and for at least that many seconds. */
static void wait_until(struct round *round, unsigned most, unsigned seconds)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};
	struct timespec begin;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin); /* always there */
	while (!told_to_end &&
	       (reap(round) >= most || seconds_since(&begin) < seconds)) {
		say_alive(round);
		(void)nanosleep(&tick, NULL); /* cut short: asked sooner */
	}
}

/* No sender outlives a round, nor what it has started. */
static void end_all(struct round *round)
{
	for (unsigned i = 0; i < round->how->jobs; i++) {
		if (round->job[i].pid)
			end_job(&round->job[i], SIGTERM);
	}
}

static struct job *free_job(struct round *round)
{
	for (unsigned i = 0; i < round->how->jobs; i++) {
		if (!round->job[i].pid)
			return &round->job[i];
	}
	return NULL;
}

/* The grace comes before a start, so that the last one is not waited for. */
static void deliver_all(struct round *round)
{
	DIR *list = fdopendir(dup(round->root));
	const struct dirent *entry;
	bool started = false;
	int rc = errno;

	while (list && !told_to_end && (entry = dir_next(list, &rc)) != NULL) {
		struct job job, *place;

		say_alive(round);
		if (entry->d_name[0] == '.' ||
		    !take(round, entry->d_name, &job))
			continue;
		wait_until(round, round->how->jobs,
			   started ? round->how->grace : 0);
		place = free_job(round);
		started = (!told_to_end && start(round, &job)) || started;
		if (place && job.pid)
			*place = job;
		else
			release(&job);
	}
	if (list)
		(void)closedir(list); /* read only */
	if (rc)
		round->code = say_error(CODE_LATER, "cannot list '%s': %s",
					round->site->config.serialmail,
					strerror(rc));
	wait_until(round, 1, 0);
}

/* What we call ourselves: control/me, else the machine's name. */
static void read_helo(struct round *round)
{
	struct replace_text text = {0};
	int dir = open(round->site->config.qmail,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct name_domain name;
	size_t len = 0;

	if (gethostname(round->helo, sizeof round->helo - 1) != 0)
		memcpy(round->helo, "localhost", sizeof "localhost");
	if (dir >= 0 && replace_read(dir, "control/me", &text) == 0)
		len = strcspn(text.bytes, " \t\n");
	if (len && !name_domain_read(text.bytes, len, &name))
		memcpy(round->helo, name.s, sizeof name.s);
	replace_free(&text);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
}

static int open_root(struct round *round)
{
	const char *path = round->site->config.serialmail;

	round->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (round->root < 0)
		return say_error(CODE_LATER, "cannot open '%s': %s", path,
				 strerror(errno));
	if (flock(round->root, LOCK_EX | LOCK_NB) == 0)
		return CODE_DONE;
	(void)close(round->root); /* a directory, read only */
	round->root = -1;
	if (errno != EWOULDBLOCK)
		return say_error(CODE_LATER, "cannot lock '%s': %s", path,
				 strerror(errno));
	say_note("another round is under way: it is left to that one");
	return CODE_DONE;
}

static void on_end(int number)
{
	told_to_end = number;
}

int round_run(const struct site *site, const struct serialmail *how, int own)
{
	const struct sigaction end = {.sa_handler = on_end};
	struct round round = {.site = site, .how = how, .root = -1, .own = own};
	const char *why = child_drop(site->config.uid, site->config.gid);
	int code;

	if (why)
		return say_error(CODE_LATER, "cannot become popusr: %s: %s (run "
					     "popbox as root)",
				 why, strerror(errno));
	(void)sigaction(SIGTERM, &end, NULL); /* a valid number */
	(void)umask(077);
	read_helo(&round);
	round.job = calloc(how->jobs, sizeof *round.job);
	if (!round.job)
		return say_error(CODE_LATER, "no memory");
	code = open_root(&round);
	if (round.root >= 0) {
		deliver_all(&round);
		end_all(&round);
		(void)close(round.root); /* gives the lock up */
		code = round.code;
	}
	free(round.job);
	return told_to_end ? CODE_LATER : code;
}
