/* SPDX-License-Identifier: MIT */
/* cmd_batch.c: popbox batch: many commands in one process, popbox-batch(8). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/answer.h"
#include "base/interrupt.h"
#include "base/say.h"
#include "cli/batch_reader.h"
#include "cli/commands.h"
#include "cli/dispatch.h"
#include "cli/scope.h"
#include "store/secret.h"

const struct args_option cmd_batch_options[] = {
	{"--scope", "HANDLE|DOMAIN", "refuse what is not of this handle or domain"},
	{"--stop", NULL, "end at the first command that fails"},
	{NULL, NULL, NULL},
};

/* Where the store and its settings were when they were opened. */
struct place {
	struct stat store, config;
};

struct batch {
	struct site *site;
	struct scope *scope; /* NULL: everything is allowed */
	struct batch_reader reader;
	struct place place;
	struct batch_line line;
	bool stops;
	int worst; /* the highest code of a line */
};

static bool look_place(const struct site *site, struct place *ret_place)
{
	char path[PATH_MAX];
	const int len = snprintf(path, sizeof path, "%s/config", site->dir);

	return len < (int)sizeof path && stat(site->dir, &ret_place->store) == 0 &&
	       stat(path, &ret_place->config) == 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return same_file(&a->store, &b->store) &&
	       same_file(&a->config, &b->config) &&
	       a->config.st_size == b->config.st_size &&
	       a->config.st_mtim.tv_sec == b->config.st_mtim.tv_sec &&
	       a->config.st_mtim.tv_nsec == b->config.st_mtim.tv_nsec;
}

/* Where another store or other settings are there by now, `restore` or `config set`
 * have been at work: all is opened again, before the line is read, since it may have
 * a password, which the helper must not be born with. */
static int freshen(struct batch *batch)
{
	struct site *site = batch->site;
	struct place now;
	const bool looked = look_place(site, &now);

	if (!looked || !same_place(&now, &batch->place))
		site_close(site);
	if (site->store)
		return CODE_DONE;
	if (looked)
		batch->place = now;
	return site_open_local(site); /* each change takes the newest rows */
}

/* As if the process had just begun. */
static void forget(struct site *site)
{
	site->entry = 0;
	site->same = site->told = site->outside = false;
	site->dry_run = site->no_sync = site->fix_locals = false;
	site->fed = NULL;
	site->fed_len = 0;
	interrupt_says("what was answered is done; of the line that was being "
		       "worked on 'popbox log' shows whether it is");
}

/* A password or a hash stands for the option that says where to read it. */
static bool feed(struct site *site, const struct batch_line *line,
		 struct batch_parts *parts)
{
	static char from_stdin[] = "--stdin", hash_stdin[] = "--hash-stdin";

	if (!parts->password && !parts->hash)
		return true;
	site->fed = parts->password ? parts->password : parts->hash;
	site->fed_len = parts->password ? line->password_len : line->hash_len;
	if (parts->options == ARGS_OPTIONS_MAX)
		return false;
	parts->option[parts->options++] = parts->password ? from_stdin
							  : hash_stdin;
	return true;
}

static int answer_fault(const struct batch_line *line)
{
	const enum batch_fault fault = (enum batch_fault)line->fault;

	say_about(NULL);
	if (fault == BATCH_NOT_JSON)
		return say_error(CODE_USAGE, "%s, from byte %u on",
				 batch_line_text(fault), (unsigned)line->at);
	return say_error(fault == BATCH_MEMORY ? CODE_LATER : CODE_USAGE, "%s",
			 batch_line_text(fault));
}

/* False: nobody takes the answers any more. */
static bool answer(struct batch *batch, struct batch_parts *parts, int *ret_code)
{
	struct site *site = batch->site;
	bool written;

	answer_begin(parts->id, !site->scoped); /* notes name what is others' */
	forget(site);
	if (batch->line.fault != BATCH_GOOD)
		*ret_code = answer_fault(&batch->line);
	else if (!feed(site, &batch->line, parts))
		*ret_code = say_error(CODE_USAGE, "too many options");
	else
		*ret_code = dispatch_line(site, batch->scope, parts);
	*ret_code = answer_end(*ret_code, &written);
	forget(site);
	return written;
}

/* One line, answered. *ret_more: there may be another. */
static int take(struct batch *batch, bool *ret_more)
{
	struct batch_parts parts;
	int code = CODE_DONE;

	*ret_more = false;
	batch_reader_wait(&batch->reader);
	code = freshen(batch);
	if (code != CODE_DONE)
		return code;
	switch (batch_reader_next(&batch->reader, &batch->line)) {
	case BATCH_END:
		return CODE_DONE;
	case BATCH_BROKEN:
		return CODE_LATER;
	case BATCH_CAME:
		break;
	}
	if (!batch_line_split(&batch->line, &parts))
		return say_error(CODE_LATER, "the process that reads the lines "
					     "did not say what it must");
	*ret_more = answer(batch, &parts, &code);
	secret_wipe(&batch->line, sizeof batch->line);
	batch->worst = code > batch->worst ? code : batch->worst;
	/* Whatever it was, the next line begins with a store and a helper that
	 * are new. */
	if (code == CODE_LATER)
		site_close(batch->site);
	*ret_more = *ret_more && (code == CODE_DONE || !batch->stops);
	return CODE_DONE;
}

static int run(struct batch *batch)
{
	bool more = true;
	int code = CODE_DONE;

	answer_start();
	while (code == CODE_DONE && more)
		code = take(batch, &more);
	return code == CODE_DONE ? batch->worst : code;
}

static int begin(struct batch *batch, const char *scope)
{
	struct site *site = batch->site;
	int code = scope ? scope_new(scope, site, &batch->scope) : CODE_DONE;

	site->batch = site->json = site->no_input = true;
	if (code == CODE_DONE)
		code = site_config(site);
	if (code == CODE_DONE)
		code = batch_reader_start(&batch->reader);
	if (code == CODE_DONE)
		code = freshen(batch);
	if (code == CODE_DONE && scope)
		code = scope_exists(batch->scope, site);
	say_in_json(true);
	return code;
}

int cmd_batch(struct site *site, const struct args *args)
{
	struct batch *batch = calloc(1, sizeof *batch);
	int code;

	if (!batch)
		return say_error(CODE_LATER, "no memory");
	batch->site = site;
	batch->reader = (struct batch_reader){.watch = {.pid = -1}, .fd = -1};
	batch->stops = args_has(args, "--stop");
	code = begin(batch, args_get(args, "--scope"));
	if (code == CODE_DONE)
		code = run(batch);
	batch_reader_stop(&batch->reader);
	site_close(site); /* its guard goes next */
	site->guard = NULL;
	site->told = true; /* each line said its own */
	scope_free(&batch->scope);
	secret_wipe(batch, sizeof *batch);
	free(batch);
	return code;
}
