/* SPDX-License-Identifier: MIT */
/* cmd_breach.c: popbox breach build, show: the filter of breached passwords. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "accounts/breached.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/say.h"
#include "breach/breach_build.h"
#include "cli/commands.h"
#include "store/secret.h"

const struct args_option cmd_breach_build_options[] = {
	{"--output", "PATH", "where the filter is written [the setting 'breached']"},
	{"--words", NULL, "the list has words [by its first line]"},
	{NULL, NULL, NULL},
};

const struct args_option cmd_breach_show_options[] = {
	{"--verify", NULL, "read all of it"},
	{NULL, NULL, NULL},
};

static int start(struct site *site)
{
	int code = site_config(site);

	if (code == CODE_DONE && secret_start() != ERR_OK)
		code = say_error(CODE_LATER, "no random numbers here");
	return code;
}

static void print_built(const struct site *site, const char *path,
			const struct breach_built *built)
{
	const struct breached_head *head = &built->head;
	char count[SAY_COUNT_TEXT];

	if (site->json)
		json_print(json_pack(
			"{s:s, s:I, s:I, s:I, s:I}", "path", path, "entries",
			(json_int_t)head->entries, "lines",
			(json_int_t)built->lines, "skipped",
			(json_int_t)built->skipped, "bytes",
			(json_int_t)built->bytes));
	if (built->skipped)
		say_note("lines that can be no password: %llu, skipped",
			 (unsigned long long)built->skipped);
	say_note("'%s': %s of %s, %.1f bits each", path,
		 say_count(head->entries, "entry", count),
		 built->words ? "a list of words" : "a list of sums",
		 8.0 * (double)built->bytes / (double)head->entries);
	if (strcmp(site->config.breached, path) != 0)
		say_note("nobody asks it yet (popbox config set breached %s)",
			 path);
}

int cmd_breach_build(struct site *site, const struct args *args)
{
	const char *output = args_get(args, "--output");
	char standard[CONFIG_TEXT_MAX + 1];
	struct breach_how how = {.list = args->operand[0],
				 .filter = standard,
				 .words = args_has(args, "--words")};
	struct breach_built built;
	int len, code = start(site);

	if (code != CODE_DONE)
		return code;
	if (output)
		how.filter = output;
	else if (config_has_breached(&site->config))
		how.filter = site->config.breached;
	/* Beside the store, whose directory a restore replaces. */
	len = snprintf(standard, sizeof standard, "%s-breached", site->dir);
	if (len < 0 || (size_t)len >= sizeof standard)
		return say_error(CODE_REFUSED, "'%s' is too long", site->dir);
	interrupt_start();
	code = breach_build(&how, &built);
	if (code == CODE_DONE)
		print_built(site, how.filter, &built);
	return code;
}

static void show(const struct site *site, const struct breached *filter)
{
	const struct breached_head *head = &filter->head;
	const uint64_t bytes = breached_data_at(head) + head->data;
	char time[SAY_TIME_TEXT];

	(void)say_time((int64_t)head->built, time);
	if (site->json) {
		json_print(json_pack("{s:s, s:I, s:I, s:s, s:s}", "path",
				     site->config.breached, "entries",
				     (json_int_t)head->entries, "bytes",
				     (json_int_t)bytes, "built", time,
				     "source", head->source));
		return;
	}
	say_out("path     %s", site->config.breached);
	say_out("entries  %llu", (unsigned long long)head->entries);
	say_out("bytes    %llu", (unsigned long long)bytes);
	say_out("built    %s", time);
	say_out("source   %s", head->source);
}

static void step(void *arg)
{
	progress_step(arg, 1);
}

static const char *verify(const struct breached *filter)
{
	struct progress progress = progress_start(
		"verifying", (unsigned long)breached_buckets(&filter->head));
	const char *why = breached_verify(filter, step, &progress);

	progress_end(&progress);
	return why;
}

int cmd_breach_show(struct site *site, const struct args *args)
{
	struct breached filter = {.open = false};
	const char *why;
	bool missing = false;
	int code = start(site);

	if (code != CODE_DONE)
		return code;
	if (!config_has_breached(&site->config)) {
		say_note("no filter of breached passwords is set ('popbox breach "
			 "build FILE' makes one)");
		return CODE_NO;
	}
	why = breached_open(site->config.breached, &filter, &missing);
	if (!why && args_has(args, "--verify"))
		why = verify(&filter);
	if (!why)
		show(site, &filter);
	breached_close(&filter);
	if (!why)
		return CODE_DONE;
	return say_error_as(missing ? CODE_NO : CODE_LATER,
			    missing ? SAY_UNKNOWN : SAY_DAMAGED,
			    "'%s': %s (make it anew with 'popbox breach build "
			    "FILE')",
			    site->config.breached, why);
}
