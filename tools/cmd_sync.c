/* cmd_sync.c: popbox sync and popbox check. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "json.h"
#include "publish.h"
#include "rehearse.h"
#include "say.h"

const struct args_option cmd_sync_options[] = {
	{"--dry-run", NULL, "show what is owed; exit 1 if anything is"},
	{"--full", NULL, "compare everything, not only what is owed"},
	{"--fix-locals", NULL, "take domains out of control/locals"},
	{NULL, NULL, NULL},
};

struct showing {
	const struct site *site;
	bool full;
	unsigned long steps;
};

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct showing *showing = arg;

	return rehearse(showing->site, txn, showing->full,
			    &showing->steps);
}

int cmd_sync(struct site *site, const struct args *args)
{
	struct showing showing = {site, args_has(args, "--full"), 0};
	int code = site->dry_run ? site_open_read(site) : site_open_write(site);
	enum err err;

	if (code != CODE_DONE)
		return code;
	if (!site->dry_run)
		return publish(site, showing.full);
	err = store_read(site->store, show_body, &showing);
	if (err != ERR_OK)
		return site_failed(site, err, "sync");
	return showing.steps ? CODE_NO : CODE_DONE;
}

static void report(void *arg, unsigned rule, const char *object,
		   const char *what)
{
	const struct site *site = arg;

	if (site->json)
		json_print(json_pack("{s:i, s:s, s:s}", "rule", (int)rule,
				     "object", object, "finding", what));
	else
		say_out("%s: %s (rule %u)", object, what, rule);
}

struct checking {
	struct site *site;
	unsigned long found;
};

static enum err check_body(struct store_txn *txn, void *arg)
{
	struct checking *checking = arg;

	return store_check(txn, report, checking->site, &checking->found);
}

static int check_here(struct site *site)
{
	struct checking checking = {site, 0};
	int code = site_open_read(site);
	enum err err;

	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, check_body, &checking);
	if (err == ERR_DAMAGED) {
		report(site, 1, "store", "a page or table is damaged");
		return CODE_NO;
	}
	if (err != ERR_OK)
		return site_failed(site, err, "check");
	if (checking.found == 0)
		say_note("no finding");
	return checking.found ? CODE_NO : CODE_DONE;
}

/* A damaged page can fault inside LMDB, so a child scans: its death is a
 * finding. Nothing is open yet. */
int cmd_check(struct site *site, const struct args *args)
{
	const struct rlimit cpu = {3600, 3600};
	pid_t pid = fork(), waited;
	int status;

	(void)args;
	if (pid < 0)
		return say_error(CODE_LATER, "cannot start the scan: %s",
				 strerror(errno));
	if (pid == 0) {
		int code;

		/* A loop in a damaged tree must end some day. */
		(void)setrlimit(RLIMIT_CPU, &cpu);
		code = check_here(site);
		site_close(site);
		_exit(say_finish(code));
	}
	do
		waited = waitpid(pid, &status, 0);
	while (waited < 0 && errno == EINTR);
	if (waited == pid && WIFEXITED(status))
		return WEXITSTATUS(status);
	report(site, 1, "store", "the scan was ended by a signal: a page is "
				 "damaged");
	return CODE_NO;
}
