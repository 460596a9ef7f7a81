/* SPDX-License-Identifier: MIT */
/* cmd_check.c: popbox check. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accounts/destination.h"
#include "base/json.h"
#include "base/say.h"
#include "base/text.h"
#include "check/check_files.h"
#include "cli/commands.h"
#include "publish/publish.h"

const struct args_option cmd_check_options[] = {
	{"--repair", NULL, "repair what can be repaired without loss"},
	{"--store-only", NULL, "the store alone, not the files"},
	{"--fix-locals", NULL, "take domains out of control/locals, to repair"},
	{NULL, NULL, NULL},
};

/* What one look found: kept, because after a repair the two looks are compared.
 * Two texts each, the check's word and what it found. */
struct looking {
	const struct site *site;
	unsigned long found;
	bool kept; /* not printed yet */
	struct text texts;
	bool no_memory;
};

struct checking {
	const struct site *site;
	unsigned long found;
	unsigned long damage; /* of what was found in the store */
};

/* What the scan's child ends with beside exit codes: findings, and no damage. */
enum { SCAN_UNHARMED = 64 };

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
	struct checking *checking = arg;

	checking->damage += rule < STORE_RULE_HASH;
	print_rule(checking->site, rule, object, what);
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	struct checking *checking = arg;

	enum err err = store_check(txn, on_rule, checking, &checking->found);

	if (err != ERR_OK || checking->damage)
		return err;
	return destination_check(txn, on_rule, checking, &checking->found);
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
	if (checking.found && !checking.damage)
		return SCAN_UNHARMED;
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

static void print_finding(const struct site *site, const char *check,
			  const char *what, bool mends)
{
	if (site->json)
		json_print(json_pack("{s:n, s:s, s:n, s:s, s:b}", "rule",
				     "check", check, "object", "finding", what,
				     "mends", (int)mends));
	else
		say_out("%s (%s%s)", what, check,
			mends ? ", --repair repairs it" : "");
}

static void print_repaired(const struct site *site, const char *check,
			   const char *what)
{
	if (site->json)
		json_print(json_pack("{s:n, s:s, s:n, s:s, s:b, s:b}", "rule",
				     "check", check, "object", "finding", what,
				     "mends", 1, "repaired", 1));
	else
		say_out("repaired: %s (%s)", what, check);
}

static bool keep(struct text *texts, const char *text)
{
	return text_put(texts, text, strlen(text) + 1);
}

static void on_finding(void *arg, const struct finding *finding)
{
	struct looking *look = arg;

	look->found++;
	if (!look->kept)
		print_finding(look->site, finding->check, finding->what,
			      finding->mends);
	else if (!keep(&look->texts, finding->check) ||
		 !keep(&look->texts, finding->what))
		look->no_memory = true;
}

static void on_nothing(void *arg, const struct finding *finding)
{
	(void)arg; /* what is repaired on the way is compared afterwards */
	(void)finding;
}

static const char *after(const char *text)
{
	return text + strlen(text) + 1;
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	int order = strcmp(*x, *y);

	return order ? order : strcmp(after(*x), after(*y));
}

/* The findings in order; NULL for want of memory. */
static const char **sorted(const struct looking *look)
{
	const char **list = malloc((look->found + 1) * sizeof *list);
	const char *at = look->texts.bytes;

	for (size_t i = 0; list && i < look->found; i++) {
		list[i] = at;
		at = after(after(at));
	}
	if (list)
		qsort(list, look->found, sizeof *list, by_text);
	return list;
}

/* Says of each finding before whether the look after has it, too. */
static unsigned long print_outcome(const struct site *site,
				   const char *const *before, size_t many,
				   const char *const *left, size_t few)
{
	unsigned long repaired = 0;

	for (size_t i = 0, j = 0; i < many; i++) {
		while (j < few && by_text(&left[j], &before[i]) < 0)
			j++;
		if (j < few && by_text(&left[j], &before[i]) == 0)
			continue;
		print_repaired(site, before[i], after(before[i]));
		repaired++;
	}
	for (size_t j = 0; j < few; j++)
		print_finding(site, left[j], after(left[j]), false);
	return repaired;
}

static int compare(const struct site *site, const struct looking *before,
		   const struct looking *left)
{
	const bool whole = !before->no_memory && !left->no_memory;
	const char **was = whole ? sorted(before) : NULL;
	const char **is = whole ? sorted(left) : NULL;
	unsigned long repaired;
	int code = left->found ? CODE_NO : CODE_DONE;

	if (!was || !is) {
		code = say_error(CODE_LATER, "no memory to say what was "
					     "repaired (run 'popbox check')");
	} else {
		repaired = print_outcome(site, was, before->found, is,
					 left->found);
		say_note("%lu repaired, %lu remaining", repaired, left->found);
	}
	free(was);
	free(is);
	return code;
}

/* Repairs, publishes everything, looks again, and says what became of what the
 * first look had found. */
static int repair(struct site *site, const struct looking *before)
{
	struct looking left = {.site = site, .kept = true};
	int code = check_files(site, true, on_nothing, NULL), again;

	if (code == CODE_DONE || code == CODE_LATER) {
		int published = publish(site, true);

		code = code == CODE_DONE ? published : code;
	}
	if (code == CODE_DONE || code == CODE_LATER) {
		again = check_files(site, false, on_finding, &left);
		if (again == CODE_DONE || again == CODE_LATER)
			again = compare(site, before, &left);
		code = code == CODE_DONE ? again : code;
	}
	free(left.texts.bytes);
	return code;
}

/* hashes: the scan of the store has found some. */
static int check_machine(struct site *site, bool mend, bool hashes)
{
	struct looking look = {.site = site, .kept = mend};
	char count[SAY_COUNT_TEXT];
	int code = mend ? site_open_local(site) : site_open_look(site);

	if (code == CODE_DONE)
		code = check_files(site, false, on_finding, &look);
	if ((code == CODE_DONE || code == CODE_LATER) && look.found && mend) {
		int mended = repair(site, &look);

		code = code == CODE_DONE ? mended : code;
	} else if (code == CODE_DONE && look.found) {
		say_note("%s found", say_count(look.found, "problem", count));
		code = CODE_NO;
	} else if (code == CODE_DONE) {
		say_note("no problem found%s", hashes ? " in the files" : "");
	}
	free(look.texts.bytes);
	return code;
}

int cmd_check(struct site *site, const struct args *args)
{
	const bool store_only = args_has(args, "--store-only");
	const bool mend = args_has(args, "--repair");
	int code, files = CODE_DONE;
	bool hashes;

	if (store_only && mend)
		return say_error(CODE_USAGE, "--repair repairs files, not "
					     "the store ('popbox restore' "
					     "does)");
	code = check_store(site);
	hashes = code == SCAN_UNHARMED;
	if (hashes)
		code = CODE_DONE;
	if (code != CODE_DONE && code != CODE_NO)
		return code;
	/* Files are compared with a store that is sound, or not at all. */
	if (code == CODE_NO && !store_only)
		say_note("the store is damaged: its files were not looked at");
	if (code == CODE_DONE && store_only && !hashes)
		say_note("no problem found");
	if (code == CODE_DONE && !store_only)
		files = check_machine(site, mend, hashes);
	if (hashes && files == CODE_DONE)
		files = CODE_NO;
	return code != CODE_DONE ? code : files;
}
