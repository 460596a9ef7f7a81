/* SPDX-License-Identifier: MIT */
/* cmd_stats.c: popbox stats: counts, of all or of one customer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/say.h"
#include "check/stats.h"
#include "check/statsprint.h"
#include "cli/box_usage.h"
#include "cli/commands.h"
#include "cli/metrics.h"
#include "cli/operand.h"
#include "qmail/dotqmail.h"

const struct args_option cmd_stats_options[] = {
	{"--handle", "H", "only this customer"},
	{"--mail", NULL, "also the bytes of mail in all Maildirs"},
	{"--prometheus", NULL, "metrics for Prometheus's node_exporter"},
	{"--log", "FILE", "with --prometheus: the mail log to read"},
	{NULL, NULL, NULL},
};

/* Has it room for another message? One that is not full by its file is not. */
static void weigh(struct site *site, const struct stats_seen *box,
		  struct stats *stats)
{
	const struct maildirsize limit = dotqmail_limit(&box->quota);
	const struct maildirsize more = {0, 1};
	struct box_usage usage = {.limit = limit};

	box_usage_look(site, &box->name, 100, &usage);
	if (usage.known && maildirsize_is_over(&limit, &usage.used, &more))
		stats_full(stats, box->handle);
}

/* What popusr sees of a box. One that cannot be looked at is said. */
static void look(struct site *site, const struct stats_seen *box,
		 struct stats *stats)
{
	char ip[MAILROOT_IP_MAX + 1], path[PATH_MAX];
	int64_t last = 0, bytes = 0;
	int rc = asuser_lastlogin(site->asuser, &box->name, &last, ip, path);

	if (rc != 0 && rc != ENOENT) {
		stats->unknown++;
		say_error(0, "cannot read '%s': %s", path, strerror(rc));
	} else {
		stats_login(stats, box->handle, rc == 0 ? last : 0);
	}
	weigh(site, box, stats);
	if (!stats->mail)
		return;
	rc = asuser_bytes(site->asuser, &box->name, &bytes, path);
	if (rc != 0 && rc != ENOENT) {
		stats->unknown++;
		say_error(0, "cannot read '%s': %s", path, strerror(rc));
	} else if (rc == 0) {
		stats_mail(stats, box->handle, (uint64_t)bytes);
	}
}

/* Without the helper the boxes are not looked at, only the store. */
static int count(struct site *site, struct stats *stats)
{
	enum err err = store_read(site->store, stats_start_body, stats);

	while (err == ERR_OK) {
		err = store_read(site->store, stats_boxes_body, stats);
		for (size_t i = 0; site->asuser && i < stats->seen; i++)
			look(site, &stats->box[i], stats);
	}
	if (err != ERR_NOTFOUND)
		return site_failed(site, err, "stats");
	return CODE_DONE;
}

static int print_tables(struct site *site, const struct args *args,
			struct stats *stats)
{
	const char *handle = args_get(args, "--handle");
	int code = CODE_DONE;

	stats->mail = args_has(args, "--mail");
	stats->one = handle != NULL;
	if (handle)
		code = operand_handle(handle, &stats->only);
	if (code == CODE_DONE)
		code = site_open_look(site);
	if (code == CODE_DONE)
		code = count(site, stats);
	if (code == CODE_DONE && handle && !stats->handles)
		code = say_error_as(
			CODE_REFUSED, SAY_UNKNOWN,
			"%s: there is no such handle ('popbox handle "
			"list' shows all)",
			handle);
	if (code == CODE_DONE)
		statsprint(site, stats);
	return code == CODE_DONE && stats->unknown ? CODE_LATER : code;
}

static int print_metrics(struct site *site, const char *log,
			 struct stats *stats)
{
	struct status *status = calloc(1, sizeof *status);
	int code = status ? site_open_read(site)
			  : say_error(CODE_LATER, "no memory");

	if (code == CODE_DONE)
		code = count(site, stats);
	if (code == CODE_DONE)
		code = status_collect(site, log, status);
	if (code == CODE_DONE)
		metrics_print(stats, status);
	if (status)
		pending_free(&status->pending);
	free(status);
	return code;
}

static int judge_options(const struct site *site, const struct args *args)
{
	const bool metrics = args_has(args, "--prometheus");

	if (metrics && (site->json || args_has(args, "--handle") ||
			args_has(args, "--mail")))
		return say_error(CODE_USAGE, "--prometheus counts the whole "
					     "store in a format of its own: "
					     "leave out --json, --handle and "
					     "--mail");
	if (!metrics && args_has(args, "--log"))
		return say_error(CODE_USAGE, "--log needs --prometheus");
	return CODE_DONE;
}

int cmd_stats(struct site *site, const struct args *args)
{
	struct stats *stats;
	int code = judge_options(site, args);

	if (code != CODE_DONE)
		return code;
	stats = calloc(1, sizeof *stats);
	if (!stats)
		return say_error(CODE_LATER, "no memory");
	stats->now = (int64_t)time(NULL);
	if (args_has(args, "--prometheus"))
		code = print_metrics(site, args_get(args, "--log"), stats);
	else
		code = print_tables(site, args, stats);
	stats_free(stats);
	free(stats);
	return code;
}
