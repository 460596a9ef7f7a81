/* SPDX-License-Identifier: MIT */
/* cmd_cluster_status.c: popbox cluster status: do all hosts have what there is? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "base/table.h"
#include "cli/commands.h"
#include "cli/sharing.h"

const struct args_option cmd_cluster_status_options[] = {
	{"--max-lag", "SECONDS", "how old the word of a host may be, not 60"},
	{NULL, NULL, NULL},
};

enum { NUMBER_TEXT = 24, LAG = 60, LAG_MAX = 1000000 };

struct state {
	const struct site *site;
	struct table table;
	uint64_t newest, lag;
	char settings[FRAMES_TEXT];
	size_t makers, waiters; /* of Maildirs, heard of lately */
	bool behind; /* some host is */
	bool connected;
};

static bool read_lag(const char *text, uint64_t *ret_lag)
{
	uint64_t lag = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || lag > LAG_MAX)
			return false;
		lag = lag * 10 + (uint64_t)(*c - '0');
	}
	*ret_lag = lag;
	return text[0] && lag <= LAG_MAX;
}

/* The names of settings that differ. */
struct differ {
	const char *host;
	bool says;
	char names[FRAMES_TEXT];
};

static void take_name(void *arg, const char *name, const char *here,
		      const char *there)
{
	struct differ *differ = arg;
	const size_t len = strlen(differ->names);

	(void)snprintf(differ->names + len, sizeof differ->names - len, "%s%s",
		       len ? " " : "", name); /* all of them have room */
	if (differ->says)
		say_note("the setting '%s' of '%s' is '%s', here it is '%s' "
			 "('popbox config set %s VALUE' on one of them)",
			 name, differ->host, there, here, name);
}

/* What is wrong with a host, in one word. */
static const char *judge(const struct state *state,
			 const struct central_is_host *host, bool differs)
{
	if (host->seen > state->lag)
		return "silent";
	if (host->number < state->newest && host->seen > 1)
		return "behind";
	if (differs)
		return "settings";
	return host->pending ? "pending" : "";
}

static void number(uint64_t n, char text[NUMBER_TEXT])
{
	(void)snprintf(text, NUMBER_TEXT, "%llu", (unsigned long long)n);
}

static void show(void *arg, const struct central_is_host *host)
{
	struct state *state = arg;
	const bool awaits = sharing_awaits(host->said);
	struct differ differ = {host->name, !state->site->json, ""};
	const bool differs = sharing_differences(state->settings, host->said,
						 take_name, &differ) > 0;
	const char *wrong = judge(state, host, differs);
	const char *mailroot = awaits ? "await" : "make";
	char change[NUMBER_TEXT], pending[NUMBER_TEXT], seen[NUMBER_TEXT];
	const char *const cells[] = {host->name, change,   pending, seen,
				     host->version, mailroot, wrong};

	state->behind = state->behind || wrong[0];
	state->makers += !awaits && host->seen <= state->lag;
	state->waiters += awaits;
	if (state->site->json) {
		json_print(json_pack(
			"{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "host",
			host->name,
			"change", (json_int_t)host->number, "pending",
			(json_int_t)host->pending, "seen",
			(json_int_t)host->seen, "version", host->version,
			"mailroot", mailroot, "settings", differ.names, "wrong",
			wrong));
		return;
	}
	number(host->number, change);
	number(host->pending, pending);
	number(host->seen, seen);
	table_row(&state->table, cells);
}

static enum err head_body(struct store_txn *txn, void *arg)
{
	return store_head_get(txn, arg);
}

/* Before anything is asked of the network: what is here. */
static int show_here(struct site *site, struct store_head *ret_head)
{
	enum err err = store_read(site->store, head_body, ret_head);

	if (err == ERR_NOTFOUND)
		return say_error(CODE_LATER,
				 "this store is no copy of a central database "
				 "yet ('popbox cluster join' makes it one)");
	if (err != ERR_OK)
		return site_failed(site, err, "the store");
	if (!site->json)
		say_out("this host stands at change %llu",
			(unsigned long long)ret_head->number);
	return CODE_DONE;
}

static int show_there(struct site *site, struct state *state)
{
	static const char *const header[] = {"HOST",	"CHANGE",  "PENDING",
					     "SEEN (S)", "VERSION",
					     "MAILROOT", "WRONG", NULL};
	int code = site_central_failed(site, copy_pull(&site->copy),
				       "cluster status");

	if (code != CODE_DONE)
		return code;
	state->newest = site->copy.there.number;
	if (!site->json) {
		say_out("the central database is at change %llu",
			(unsigned long long)state->newest);
		table_begin(&state->table, header);
	}
	if (central_hosts(site->copy.central, show, state) != CENTRAL_OK)
		code = say_error(CODE_LATER, "cluster status: %s",
				 central_why(site->copy.central));
	if (!site->json)
		table_end(&state->table);
	if (code == CODE_DONE && state->waiters && !state->makers)
		code = say_error(CODE_NO,
				 "no host makes Maildirs: those with 'mailroot = "
				 "await' take no mail for new boxes (start 'popbox "
				 "follow' on the one that makes, or 'popbox config "
				 "set mailroot make' on another)");
	return code;
}

int cmd_cluster_status(struct site *site, const struct args *args)
{
	struct state state = {.site = site, .lag = LAG};
	const char *lag = args_get(args, "--max-lag");
	struct store_head head;
	int code;

	if (lag && !read_lag(lag, &state.lag))
		return say_error(CODE_REFUSED, "'%s' is no number of seconds",
				 lag);
	code = sharing_open(site);
	if (code == CODE_DONE)
		code = show_here(site, &head);
	sharing_settings(&site->config, state.settings);
	if (code == CODE_DONE)
		code = show_there(site, &state);
	return code == CODE_DONE && state.behind ? CODE_NO : code;
}
