/* SPDX-License-Identifier: MIT */
/* cmd_status.c: popbox status: is all well? */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "cli/commands.h"
#include "cli/status.h"

const struct args_option cmd_status_options[] = {
	{"--log", "FILE", "the mail log to read, not the usual one"},
	{NULL, NULL, NULL},
};

/* The screen has 24 lines of 80 columns. */
enum { SHOWN = 3, WIDTH = 66, WANTS = 7 };

/* What wants a hand, and is it unknown whether anything does? */
struct wants {
	const char *what[WANTS];
	size_t count;
	bool unknown;
};

static void want(struct wants *wants, bool wanted, const char *what)
{
	if (wanted)
		wants->what[wants->count++] = what;
}

static struct wants judge(const struct site *site,
			  const struct status *status)
{
	struct wants wants = {.count = 0};

	want(&wants, status->pending.count,
	     "changes are pending: 'popbox sync'");
	want(&wants, status->pending.untried && !status->publishing,
	     "changes are not published: 'popbox sync'");
	want(&wants, status->qmail && status->send == NOTIFY_STOPPED,
	     "qmail-send is not running: start its service, or run its rc");
	want(&wants, status->qmail && status->send == NOTIFY_HIDDEN &&
			     !site->config.qmail_hup[0],
	     "the process of qmail-send was not found: set 'qmail_hup'");
	want(&wants, status->has_log && status->log.failed,
	     "logins ended without a verdict: see the log");
	want(&wants, status->ended,
	     "addresses have expired and are on yet: 'popbox sync'");
	want(&wants, status->no_filter,
	     "no password can be set: see 'popbox breach show'");
	wants.unknown = status->qmail && status->send == NOTIFY_UNKNOWN;
	return wants;
}

/* In as many lines as it takes, all but the first without the label. */
__attribute__((format(printf, 2, 3))) static void show(const char *label,
						       const char *format, ...)
{
	char text[2048];
	const char *at = text;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut is enough */
	va_end(args);
	say_clean(text, text, sizeof text);
	do {
		size_t len = strlen(at);

		if (len > WIDTH) {
			len = WIDTH;
			while (len > WIDTH / 2 && at[len] != ' ')
				len--;
			if (at[len] != ' ')
				len = WIDTH;
		}
		say_out("%-12s %.*s", label, (int)len, at);
		at += len + (at[len] == ' ');
		label = "";
	} while (*at);
}

static void show_pending(const struct status *status)
{
	const struct pending *pending = &status->pending;
	char time[SAY_TIME_TEXT], count[SAY_COUNT_TEXT];

	if (pending->count)
		show("pending", "%s%s since %s",
		     pending->cut ? "more than " : "",
		     say_count(pending->count, "change", count),
		     say_time(pending_since(pending), time));
	else
		show("pending", "nothing");
	for (size_t i = 0; i < pending->count && i < SHOWN; i++) {
		const struct pending_item *item = &pending->item[i];

		show("", "%s %s%s%s, by %s: %s", word_table(item->table),
		     item->object, item->handle.s[0] ? " of " : "",
		     item->handle.s, item->actor, item->why);
	}
	if (pending->count > SHOWN)
		show("", "and %zu more: popbox --json status",
		     pending->count - SHOWN);
	if (pending->untried)
		show("unpublished", "%s since %s%s",
		     say_count(pending->untried, "change", count),
		     say_time(pending->untried_since, time),
		     status->publishing ? ", being published now" : "");
}

static const char *state_word(const struct status *status)
{
	if (!status->qmail)
		return "none";
	switch (status->send) {
	case NOTIFY_RUNS:
		return "runs";
	case NOTIFY_STOPPED:
		return "stopped";
	case NOTIFY_HIDDEN:
		return "hidden";
	case NOTIFY_UNKNOWN:
		break;
	}
	return "unknown";
}

static void show_send(const struct status *status)
{
	if (!status->qmail)
		show("qmail-send", "this store has no qmail");
	else if (status->send == NOTIFY_RUNS)
		show("qmail-send", "runs, pid %ld", (long)status->pid);
	else if (status->send == NOTIFY_STOPPED)
		show("qmail-send", "is not running");
	else if (status->send == NOTIFY_HIDDEN)
		show("qmail-send", "runs, but its process was not found");
	else
		show("qmail-send", "unknown (run popbox as root, with /proc "
				   "mounted)");
}

static void show_gone(const struct status *status)
{
	char time[SAY_TIME_TEXT];

	show("deleted", "domains %llu, addresses %llu, boxes %llu",
	     (unsigned long long)status->gone_domains,
	     (unsigned long long)status->gone_addresses,
	     (unsigned long long)status->gone_boxes);
	if (status->ripe || status->next)
		show("", "'popbox purge' takes %llu now%s%s",
		     (unsigned long long)status->ripe,
		     status->next ? ", the next at " : "",
		     status->next ? say_time(status->next, time) : "");
	if (status->lasting)
		show("", "addresses that go on bouncing: %llu",
		     (unsigned long long)status->lasting);
}

/* Of one of the two numbers of handles and domains; nothing where both are 0. */
static void show_logins_end(const char *what, uint64_t handles,
			    uint64_t domains, const char *list)
{
	if (handles || domains)
		show("", "logins %s: handles %llu, domains %llu (boxes: 'popbox "
			 "box list %s')",
		     what, (unsigned long long)handles,
		     (unsigned long long)domains, list);
}

/* Nothing where none does. */
static void show_ends(const struct status *status)
{
	const uint64_t all = status->ending + status->ended;
	char time[SAY_TIME_TEXT];

	for (size_t i = 0; i < STATUS_ENDS && i < all; i++)
		show(i ? "" : "expire", "%s %s %s", status->end[i].address,
		     status->end[i].time <= status->now ? "expired at"
							: "expires at",
		     say_time(status->end[i].time, time));
	if (all > STATUS_ENDS)
		show("", "and %llu more ('popbox address list --expiring')",
		     (unsigned long long)(all - STATUS_ENDS));
}

static void show_log(const struct status *status)
{
	const struct loginlog *log = &status->log;
	char reasons[1024] = "";
	size_t len = 0;

	if (!status->has_log) {
		show("logins", "unknown: %s", status->no_log);
		return;
	}
	for (size_t i = 0; i < LOGINLOG_REASONS && log->reason[i].count; i++)
		len += (size_t)snprintf(reasons + len, sizeof reasons - len,
					"%s%s %llu", len ? ", " : " (",
					log->reason[i].word,
					(unsigned long long)
						log->reason[i].count);
	show("logins", "%s%llu accepted, %llu refused%s%s in the last hour, "
		       "by %s",
	     log->cut ? "at least " : "", (unsigned long long)log->accepted,
	     (unsigned long long)log->refused, reasons, len ? ")" : "",
	     log->source);
	if (log->failed)
		show("", "%llu ended without a verdict",
		     (unsigned long long)log->failed);
}

static void show_all(const struct site *site, const struct status *status,
		     const struct wants *wants)
{
	char time[SAY_TIME_TEXT];

	show("store", "%s: handles %llu, domains %llu, boxes %llu, addresses "
		      "%llu",
	     site->dir, (unsigned long long)status->handles,
	     (unsigned long long)status->domains,
	     (unsigned long long)status->boxes,
	     (unsigned long long)status->addresses);
	show_pending(status);
	show_send(status);
	show("published", "%s", status->published
					? say_time(status->published, time)
					: "unknown");
	show("files", "are compared with the store by 'popbox check' alone");
	show("backup", "%s",
	     status->backup ? say_time(status->backup, time) : "unknown");
	show("suspended", "handles %llu, domains %llu (boxes: 'popbox box list "
			  "--suspended')",
	     (unsigned long long)status->handles_off,
	     (unsigned long long)status->domains_off);
	show_logins_end("expired", status->handles_ended,
			status->domains_ended, "--expired");
	show_logins_end("expiring in a week", status->handles_ending,
			status->domains_ending, "--expiring 7d");
	show_ends(status);
	show_gone(status);
	show_log(status);
	for (size_t i = 0; i < wants->count; i++)
		show(i ? "" : "to do", "%s", wants->what[i]);
	if (!wants->count)
		show("to do", "%s", wants->unknown ? "unknown" : "nothing");
}

static json_t *json_pending(const struct pending *pending)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pending->count; i++) {
		const struct pending_item *item = &pending->item[i];

		(void)json_array_append_new(
			list,
			json_pack("{s:o, s:s, s:s, s:s?, s:s, s:s, s:s}",
				  "since", json_time(item->since), "table",
				  word_table(item->table), "object",
				  item->object, "handle",
				  item->handle.s[0] ? item->handle.s : NULL,
				  "actor", item->actor, "command",
				  item->command, "why", item->why));
	}
	return list;
}

static json_t *json_ends(const struct status *status)
{
	json_t *list = json_array();

	for (size_t i = 0;
	     i < STATUS_ENDS && i < status->ending + status->ended; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:o}", "address",
					status->end[i].address, "expires",
					json_time(status->end[i].time)));
	return list;
}

static json_t *json_log(const struct status *status)
{
	const struct loginlog *log = &status->log;
	json_t *reasons = json_object();

	for (size_t i = 0; i < LOGINLOG_REASONS && log->reason[i].count; i++)
		(void)json_object_set_new(
			reasons, log->reason[i].word,
			json_integer((json_int_t)log->reason[i].count));
	return json_pack("{s:s, s:b, s:I, s:I, s:I, s:o}", "source",
			 log->source, "cut", (int)log->cut, "accepted",
			 (json_int_t)log->accepted, "refused",
			 (json_int_t)log->refused, "failed",
			 (json_int_t)log->failed, "reasons", reasons);
}

static void print_json(const struct status *status, const struct wants *wants)
{
	json_t *what = json_array();
	json_t *object = json_pack(
		"{s:I, s:I, s:I, s:I, s:o, s:b, s:I, s:b, s:s, s:o, s:o, s:o, "
		"s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
		"handles", (json_int_t)status->handles, "domains",
		(json_int_t)status->domains, "boxes",
		(json_int_t)status->boxes, "addresses",
		(json_int_t)status->addresses, "pending",
		json_pending(&status->pending), "pending_more",
		(int)status->pending.cut, "unpublished",
		(json_int_t)status->pending.untried, "publishing",
		(int)status->publishing, "qmail_send", state_word(status),
		"qmail_send_pid",
		status->pid ? json_integer(status->pid) : json_null(),
		"published", json_time(status->published), "backup",
		json_time(status->backup), "handles_suspended",
		(json_int_t)status->handles_off, "domains_suspended",
		(json_int_t)status->domains_off, "domains_deleted",
		(json_int_t)status->gone_domains, "addresses_deleted",
		(json_int_t)status->gone_addresses, "boxes_deleted",
		(json_int_t)status->gone_boxes, "bouncing_on",
		(json_int_t)status->lasting, "purge_now",
		(json_int_t)status->ripe, "purge_next",
		json_time(status->next));

	for (size_t i = 0; i < wants->count; i++)
		(void)json_array_append_new(what,
					    json_string(wants->what[i]));
	(void)json_object_set_new(object, "expiring",
				  json_integer((json_int_t)status->ending));
	(void)json_object_set_new(object, "expired",
				  json_integer((json_int_t)status->ended));
	(void)json_object_set_new(object, "expire_first", json_ends(status));
	(void)json_object_set_new(
		object, "logins_expired",
		json_pack("{s:I, s:I}", "handles",
			  (json_int_t)status->handles_ended, "domains",
			  (json_int_t)status->domains_ended));
	(void)json_object_set_new(
		object, "logins_expiring",
		json_pack("{s:I, s:I}", "handles",
			  (json_int_t)status->handles_ending, "domains",
			  (json_int_t)status->domains_ending));
	(void)json_object_set_new(object, "logins",
				  status->has_log ? json_log(status)
						  : json_null());
	(void)json_object_set_new(object, "to_do", what);
	json_print(object);
}

int cmd_status(struct site *site, const struct args *args)
{
	struct status *status = calloc(1, sizeof *status);
	struct wants wants = {.count = 0};
	int code = status ? site_open_read(site)
			  : say_error(CODE_LATER, "no memory");

	if (code == CODE_DONE)
		code = status_collect(site, args_get(args, "--log"), status);
	if (code == CODE_DONE) {
		wants = judge(site, status);
		if (site->json)
			print_json(status, &wants);
		else
			show_all(site, status, &wants);
		code = wants.count     ? CODE_NO
		       : wants.unknown ? CODE_LATER
				       : CODE_DONE;
	}
	if (status)
		pending_free(&status->pending);
	free(status);
	return code;
}
