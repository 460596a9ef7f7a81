/* SPDX-License-Identifier: MIT */
/* cmd_tune.c: popbox tune: what a password hash costs on this machine, which
 * is what a login costs, and what a guess costs whoever steals the store.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/say.h"
#include "base/table.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "store/hash/pwhash.h"
#include "store/secret.h"

const struct args_option cmd_tune_options[] = {
	{"--target", "MS", "milliseconds that a login may compute [100]"},
	{NULL, NULL, NULL},
};

/* The least first: 19 MiB and two passes are what OWASP's cheat sheet on
 * storing passwords asks for at least. */
static const struct pwhash_cost costs[] = {
	{19456, 2}, {32768, 2}, {47104, 1}, {65536, 2},
	{65536, 3}, {131072, 2}, {262144, 2},
};

enum { COSTS = sizeof costs / sizeof *costs, TRIES = 3, FAR = 4 };

static double milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there */
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The shortest of a few tries: what else runs makes a try longer, never
 * shorter. A time far above the target needs one try. Negative: no memory for it. */
static double measure(struct pwhash_cost cost, unsigned target)
{
	char hash[PWHASH_MAX + 1];
	double best = -1;

	for (int i = 0; i < TRIES && best <= (double)target * FAR; i++) {
		double start = milliseconds(), took;

		if (pwhash_make(cost, "correct horse", 13, hash) != PWHASH_OK)
			return -1;
		took = milliseconds() - start;
		if (best < 0 || took < best)
			best = took;
	}
	secret_wipe(hash, sizeof hash);
	return best;
}

/* What the machine's cores do in a second when they do nothing else. */
static double logins(double ms)
{
	return (double)sysconf(_SC_NPROCESSORS_ONLN) * 1000 / ms;
}

static void print(const struct site *site, struct table *table,
		  struct pwhash_cost cost, double ms)
{
	const bool now = cost.kib == site->config.argon2_kib &&
			 cost.passes == site->config.argon2_passes;
	char kib[16], passes[16], time[32] = "no memory", rate[32] = "";
	const char *cells[] = {kib, passes, time, rate,
			       now ? "now" : ""};

	if (site->json) {
		json_print(json_pack("{s:i, s:i, s:f, s:f, s:b}", "argon2_kib",
				     (int)cost.kib, "argon2_passes",
				     (int)cost.passes, "ms", ms,
				     "logins_per_second",
				     ms > 0 ? logins(ms) : 0.0, "now",
				     (int)now));
		return;
	}
	(void)snprintf(kib, sizeof kib, "%u", cost.kib);
	(void)snprintf(passes, sizeof passes, "%u", cost.passes);
	if (ms > 0) {
		(void)snprintf(time, sizeof time, "%.1f", ms);
		(void)snprintf(rate, sizeof rate, "%.0f", logins(ms));
	}
	table_row(table, cells);
}

/* Is cost more work for whoever guesses? Memory counts first. */
static bool is_harder(struct pwhash_cost a, struct pwhash_cost b)
{
	return a.kib * a.passes > b.kib * b.passes;
}

static void advise(const struct site *site, bool found,
		   struct pwhash_cost best, double ms, unsigned target)
{
	if (!found)
		say_note("none of them takes less than %u ms: a slow or busy "
			 "machine (measure again; less than 19456 KiB and 2 "
			 "passes is not recommended)",
			 target);
	else
		say_note("the hardest within %u ms: popbox config set "
			 "argon2_kib %u; popbox config set argon2_passes %u "
			 "(for new passwords; one login computes %.0f ms and "
			 "needs %u MiB)",
			 target, best.kib, best.passes, ms, best.kib / 1024);
	if (found && ms > site->config.refuse_delay_ms)
		say_note("then 'refuse_delay_ms' (%u) should be greater than "
			 "that, or the time of a refusal tells more than no",
			 site->config.refuse_delay_ms);
}

static void run(const struct site *site, unsigned target)
{
	static const char *const header[] = {"KIB", "PASSES", "MS",
					     "LOGINS/S", "SETTING", NULL};
	const struct pwhash_cost now = {site->config.argon2_kib,
					site->config.argon2_passes};
	struct pwhash_cost best = {0, 0};
	double best_ms = 0;
	bool listed = false;
	struct table table = {0};

	if (!site->json)
		table_begin(&table, header);
	for (size_t i = 0; i <= COSTS; i++) {
		/* What is set now comes last where it is none of the list. */
		struct pwhash_cost cost = i < COSTS ? costs[i] : now;
		double ms;

		if (i == COSTS && listed)
			break;
		listed = listed ||
			 (cost.kib == now.kib && cost.passes == now.passes);
		ms = measure(cost, target);
		print(site, &table, cost, ms);
		if (ms > 0 && ms <= target && is_harder(cost, best)) {
			best = cost;
			best_ms = ms;
		}
	}
	if (!site->json)
		table_end(&table);
	advise(site, best.kib > 0, best, best_ms, target);
}

int cmd_tune(struct site *site, const struct args *args)
{
	const char *text = args_get(args, "--target");
	uint64_t target = 100;
	int code;

	if (text && !operand_number(text, 1, 10000, &target))
		return say_error(CODE_USAGE, "--target takes milliseconds from "
					     "1 to 10000, not '%s'",
				 text);
	code = site_config(site);
	if (code != CODE_DONE)
		return code;
	if (secret_start() != ERR_OK)
		return say_error(CODE_LATER, "cannot get random numbers");
	run(site, (unsigned)target);
	return CODE_DONE;
}
