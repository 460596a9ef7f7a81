/* cmd_check.c: popbox check. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit.h"
#include "commands.h"
#include "json.h"
#include "publish.h"
#include "say.h"

const struct args_option cmd_check_options[] = {
	{"--repair", NULL, "mend what can be mended without loss"},
	{"--store-only", NULL, "the store alone, not the files"},
	{"--fix-locals", NULL, "take domains out of control/locals, to repair"},
	{NULL, NULL, NULL},
};

struct checking {
	const struct site *site;
	unsigned long found;
	bool silent;
};

static void print_rule(const struct site *site, unsigned rule,
		       const char *object, const char *what)
{
	if (site->json)
		json_print(json_pack("{s:i, s:s, s:s, s:s, s:b}", "rule",
				     (int)rule, "check", "store", "object",
				     object, "finding", what, "mends", 0));
	else
		say_out("%s: %s (rule %u)", object, what, rule);
}

static void on_rule(void *arg, unsigned rule, const char *object,
		    const char *what)
{
	const struct checking *checking = arg;

	print_rule(checking->site, rule, object, what);
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	struct checking *checking = arg;

	return store_check(txn, on_rule, checking, &checking->found);
}

static int check_here(struct site *site)
{
	struct checking checking = {.site = site};
	int code = site_open_read(site);
	enum err err;

	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, check_body, &checking);
	if (err == ERR_DAMAGED) {
		print_rule(site, 1, "store", "a page or table is damaged");
		return CODE_NO;
	}
	if (err != ERR_OK)
		return site_failed(site, err, "check");
	return checking.found ? CODE_NO : CODE_DONE;
}

/* A damaged page can fault inside LMDB, so a child scans: its death is a
 * finding. Nothing is open yet. */
static int check_store(struct site *site)
{
	const struct rlimit cpu = {3600, 3600};
	pid_t pid = fork(), waited;
	int status;

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
	print_rule(site, 1, "store", "the scan was ended by a signal: a page "
				     "is damaged");
	return CODE_NO;
}

static void on_finding(void *arg, const struct finding *finding)
{
	struct checking *checking = arg;

	checking->found++;
	if (checking->silent)
		return;
	if (checking->site->json)
		json_print(json_pack("{s:n, s:s, s:n, s:s, s:b}", "rule",
				     "check", finding->check, "object",
				     "finding", finding->what, "mends",
				     (int)finding->mends));
	else
		say_out("%s (%s%s)", finding->what, finding->check,
			finding->mends ? ", --repair mends it" : "");
}

/* Mends, publishes everything, and looks again: what is left is printed. */
static int repair(struct site *site, unsigned long found)
{
	struct checking mending = {.site = site, .silent = true};
	struct checking left = {.site = site};
	int code = audit(site, true, on_finding, &mending);

	if (code == CODE_DONE || code == CODE_LATER) {
		int published = publish(site, true);

		code = code == CODE_DONE ? published : code;
	}
	if (code == CODE_DONE || code == CODE_LATER) {
		say_note("findings: %lu; after mending:", found);
		(void)audit(site, false, on_finding, &left); /* says why not */
	}
	if (code != CODE_DONE)
		return code;
	say_note("%lu mended, %lu left", found - left.found, left.found);
	return left.found ? CODE_NO : CODE_DONE;
}

static int check_files(struct site *site, bool mend)
{
	struct checking checking = {.site = site, .silent = mend};
	int code = mend ? site_open_write(site) : site_open_look(site);

	if (code == CODE_DONE)
		code = audit(site, false, on_finding, &checking);
	if ((code == CODE_DONE || code == CODE_LATER) && checking.found &&
	    mend) {
		int mended = repair(site, checking.found);

		return code == CODE_DONE ? mended : code;
	}
	if (code != CODE_DONE)
		return code;
	return checking.found ? CODE_NO : CODE_DONE;
}

int cmd_check(struct site *site, const struct args *args)
{
	const bool store_only = args_has(args, "--store-only");
	const bool mend = args_has(args, "--repair");
	int code, files = CODE_DONE;

	if (store_only && mend)
		return say_error(CODE_USAGE, "--repair mends files, not the "
					     "store (a backup does)");
	code = check_store(site);
	if (code != CODE_DONE && code != CODE_NO)
		return code;
	/* Files are compared with a store that is sound, or not at all. */
	if (code == CODE_NO && !store_only)
		say_note("the store is damaged: its files were not looked at");
	if (code == CODE_DONE && !store_only)
		files = check_files(site, mend);
	if (code == CODE_DONE && files == CODE_DONE)
		say_note("no finding");
	return code != CODE_DONE ? code : files;
}
