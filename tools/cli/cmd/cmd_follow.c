/* SPDX-License-Identifier: MIT */
/* cmd_follow.c: popbox follow: what changes in the central database comes to this
 * host, and into its files. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "cli/commands.h"
#include "cli/sharing.h"
#include "publish/errand.h"

const struct args_option cmd_follow_options[] = {
	{"--once", NULL, "take what there is, write the files, and end"},
	{NULL, NULL, NULL},
};

enum {
	POLL_MS = 500,
	PAUSE_MS = 50, /* between pulls: a login meets one commit, not two */
	AWAY_MS = 1000,
	SAY_S = 10,
	AGAIN_S = 60, /* what failed is tried again; */
	AWAIT_S = 1,  /* and what another host is to make first */
};

struct following {
	struct site *site;
	pid_t publisher; /* 0: none */
	time_t published, said;
	time_t took; /* the last run */
	time_t awaits; /* since when; 0: nothing is awaited */
	bool told;     /* that it is long */
	bool away, failed;
	char settings[FRAMES_TEXT];
};

static void nap(long ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&pause, NULL); /* cut short: goes on sooner */
}

/* The same popbox, with a helper that was started before any store was opened. */
static pid_t start_sync(const struct site *site)
{
	static char self[] = "/proc/self/exe", quiet[] = "-q", option[] = "-d";
	static char no_input[] = "--no-input", sync_word[] = "sync";
	char dir[PATH_MAX];
	char *words[] = {self, quiet,	  no_input, option,
			 dir,  sync_word, NULL};
	pid_t pid;
	int rc;

	(void)snprintf(dir, sizeof dir, "%s", site->dir);
	rc = posix_spawn(&pid, self, NULL, NULL, words, environ);
	if (rc == 0)
		return pid;
	say_error(0, "cannot start 'popbox sync': %s", strerror(rc));
	return 0;
}

/* False: it goes on. */
static bool reap(struct following *f, bool wait, int *ret_code)
{
	int status = 0;
	pid_t pid;

	if (!f->publisher)
		return true;
	do
		pid = waitpid(f->publisher, &status, wait ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return false;
	f->publisher = 0;
	f->took = time(NULL) - f->published;
	*ret_code = pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status)
						 : CODE_LATER;
	return true;
}

/* The host that makes Maildirs may be down: said once. */
static void watch_waiting(struct following *f, const struct sharing_pending *p)
{
	if (!p->awaits) {
		f->awaits = 0;
		f->told = false;
	} else if (!f->awaits) {
		f->awaits = time(NULL);
	} else if (!f->told && time(NULL) > f->awaits + AGAIN_S) {
		f->told = true;
		say_error(0, "pending for a minute: " ERRAND_AWAITED
			     " ('popbox cluster status' shows whether it "
			     "follows)");
	}
}

/* A long run is not followed by the next at once. */
static bool is_due(const struct following *f, const struct sharing_pending *p)
{
	const time_t pause = p->awaits ? AWAIT_S + f->took : AGAIN_S;

	return p->fresh || time(NULL) >= f->published + f->took + pause;
}

/* One at a time; a reset of a password has no files. */
static int publish_pending(struct following *f, bool wait)
{
	struct sharing_pending pending;
	int code = CODE_DONE;
	enum err err;

	if (!reap(f, wait, &code))
		return CODE_DONE;
	err = sharing_pending(f->site, &pending);
	if (err != ERR_OK)
		return site_failed(f->site, err, "the store");
	watch_waiting(f, &pending);
	if (!pending.count || (!wait && !is_due(f, &pending)))
		return code;
	f->published = time(NULL);
	f->publisher = start_sync(f->site);
	if (wait)
		(void)reap(f, true, &code); /* it waits */
	return code;
}

/* What others see of this host: nothing depends on it. */
static void tell(struct following *f, bool now)
{
	struct copy *copy = &f->site->copy;
	struct sharing_pending pending;

	if (!now && time(NULL) < f->said + SAY_S)
		return;
	if (sharing_pending(f->site, &pending) == ERR_OK &&
	    central_say(copy->central, copy->head.number, pending.count,
			f->settings) == CENTRAL_OK)
		f->said = time(NULL);
}

static void say_rebuilt(const struct copy *copy)
{
	if (copy->rebuilt && copy->was_old)
		say_note("this host was away for so long that deletions are "
			 "forgotten: its copy was made anew (it was at change "
			 "%llu, and is at %llu)",
			 (unsigned long long)copy->was,
			 (unsigned long long)copy->head.number);
	else if (copy->rebuilt)
		say_error(0,
			  "this copy stood on changes that the central "
			  "database has lost: it was made anew (it was at "
			  "change %llu, and is at %llu)",
			  (unsigned long long)copy->was,
			  (unsigned long long)copy->head.number);
}

/* Said once, not twice a second. */
static int say_pull(struct following *f, enum central_answer answer)
{
	const bool away = answer == CENTRAL_AWAY || answer == CENTRAL_BUSY;

	if (answer == CENTRAL_OK) {
		if (f->away)
			say_note("the central database is reached again: this "
				 "host is at change %llu",
				 (unsigned long long)f->site->copy.head.number);
		f->away = f->failed = false;
		say_rebuilt(&f->site->copy);
		return CODE_DONE;
	}
	if (away ? !f->away : !f->failed)
		(void)site_central_failed(f->site, answer, "follow");
	f->away = f->away || away;
	f->failed = !away;
	return CODE_LATER;
}

static int once(struct following *f)
{
	int code = say_pull(f, copy_pull(&f->site->copy)), published;

	published = publish_pending(f, true);
	if (code == CODE_DONE)
		tell(f, true);
	return code > published ? code : published;
}

static int follow(struct following *f)
{
	struct copy *copy = &f->site->copy;

	for (;;) {
		const enum central_answer answer = copy_pull(copy);
		const int code = say_pull(f, answer);

		(void)publish_pending(f, false); /* it is said, and tried again */
		if (answer == CENTRAL_SYSTEM || answer == CENTRAL_STORE)
			return code; /* whoever supervises starts it anew */
		if (code != CODE_DONE) {
			nap(AWAY_MS);
			continue;
		}
		tell(f, false);
		nap(PAUSE_MS);
		/* A connection that is lost is seen by the next pull. */
		if (central_wait(copy->central, POLL_MS) != CENTRAL_OK)
			nap(PAUSE_MS);
	}
}

int cmd_follow(struct site *site, const struct args *args)
{
	struct following f = {.site = site};
	int code = sharing_open(site);

	if (code != CODE_DONE)
		return code;
	sharing_settings(&site->config, f.settings);
	return args_has(args, "--once") ? once(&f) : follow(&f);
}
