/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <string.h>

#include "base/say.h"

/* HELP and TYPE stand once before the samples of a name. All are gauges: a
 * restore, or a log that is rotated, takes numbers back. */
static void family(const char *name, const char *help)
{
	say_out("# HELP popbox_%s %s", name, help);
	say_out("# TYPE popbox_%s gauge", name);
}

static void single(const char *name, const char *help, uint64_t value)
{
	family(name, help);
	say_out("popbox_%s %llu", name, (unsigned long long)value);
}

/* The label's value has no quote, backslash or line end. */
static void labelled(const char *name, const char *label, const char *value,
		     uint64_t number)
{
	say_out("popbox_%s{%s=\"%s\"} %llu", name, label, value,
		(unsigned long long)number);
}

static uint64_t seconds(int64_t time)
{
	return time > 0 ? (uint64_t)time : 0;
}

static void print_accounts(const struct stats *stats,
			   const struct status *status)
{
	uint64_t off = 0, without = 0;

	for (size_t i = 0; i < stats->handles; i++) {
		const struct stats_handle *h = &stats->handle[i];

		off += h->suspended ? h->boxes : h->off;
		without += h->without_password;
	}
	single("handles", "Handles (customers).", status->handles);
	single("handles_suspended", "Handles whose logins are disabled.",
	       status->handles_off);
	single("domains", "Domains of all kinds.", status->domains);
	single("domains_suspended", "Domains whose logins are disabled.",
	       status->domains_off);
	single("boxes", "Boxes (accounts).", status->boxes);
	single("boxes_login_off",
	       "Boxes whose logins are disabled at any level.", off);
	single("boxes_without_password", "Boxes without a password.", without);
	family("boxes_by_hash", "Boxes by the scheme of their password hash.");
	for (size_t i = 0; i < STATS_SCHEMES && stats->scheme[i].boxes; i++)
		labelled("boxes_by_hash", "scheme", stats->scheme[i].name,
			 stats->scheme[i].boxes);
	single("addresses", "Addresses.", status->addresses);
	single("addresses_expired", "Addresses that have expired and are "
				    "still on.",
	       status->ended);
	family("deleted", "Deleted objects that are retained.");
	labelled("deleted", "object", "domain", status->gone_domains);
	labelled("deleted", "object", "address", status->gone_addresses);
	labelled("deleted", "object", "box", status->gone_boxes);
}

static int64_t oldest(const struct status *status)
{
	const int64_t failed = status->pending.count
				       ? pending_since(&status->pending)
				       : 0;
	const int64_t untried = status->pending.untried
					? status->pending.untried_since
					: 0;

	if (!failed || !untried)
		return failed + untried;
	return failed < untried ? failed : untried;
}

static void print_pending(const struct status *status)
{
	const int64_t since = oldest(status);

	family("pending_changes",
	       "Committed changes that qmail's files do not show yet: failed "
	       "(at most 1000 are counted), or untried.");
	labelled("pending_changes", "state", "failed", status->pending.count);
	labelled("pending_changes", "state", "untried",
		 status->pending.untried);
	single("pending_age_seconds",
	       "Age of the oldest pending change; 0 if there is none.",
	       since && since < status->now ? seconds(status->now - since)
					    : 0);
	single("last_publish_timestamp_seconds",
	       "When qmail's files were last written; 0 if never.",
	       seconds(status->published));
	single("last_backup_timestamp_seconds",
	       "When the whole store was last backed up; 0 if never.",
	       seconds(status->backup));
	if (status->qmail && status->send != NOTIFY_UNKNOWN)
		single("qmail_send_running", "1 if qmail-send runs.",
		       status->send != NOTIFY_STOPPED);
}

static void print_store(const struct stats *stats)
{
	family("store_bytes", "Size of the store: pages in use, pages to be "
			      "used again, the file.");
	labelled("store_bytes", "part", "used", stats->size.used);
	labelled("store_bytes", "part", "freed", stats->size.freed);
	labelled("store_bytes", "part", "file", stats->size.file);
	single("journal_entries", "Number of the last entry of the journal.",
	       stats->journal);
}

/* Anybody on this machine can write into the mail log. A word that popbox would
 * not write is counted under "other", so that it cannot spoil the format. */
static bool is_ours(const char *word)
{
	return word[0] && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz-")] &&
	       strcmp(word, "other") != 0;
}

static void print_logins(const struct status *status)
{
	const struct loginlog *log = &status->log;
	uint64_t other = 0;

	single("login_log_readable",
	       "1 if the log of logins could be read; without it the numbers "
	       "of logins are absent.",
	       status->has_log);
	if (!status->has_log)
		return;
	family("logins_last_hour", "Logins of the last hour by verdict, as the "
				   "mail log has them.");
	labelled("logins_last_hour", "verdict", "accept", log->accepted);
	labelled("logins_last_hour", "verdict", "refuse", log->refused);
	labelled("logins_last_hour", "verdict", "error", log->failed);
	family("refused_logins_last_hour",
	       "Refused logins of the last hour by reason.");
	for (size_t i = 0; i < LOGINLOG_REASONS && log->reason[i].count; i++) {
		if (is_ours(log->reason[i].word))
			labelled("refused_logins_last_hour", "reason",
				 log->reason[i].word, log->reason[i].count);
		else
			other += log->reason[i].count;
	}
	labelled("refused_logins_last_hour", "reason", "other", other);
}

void metrics_print(const struct stats *stats, const struct status *status)
{
	family("info", "The version of popbox.");
	labelled("info", "version", POPBOX_VERSION, 1);
	print_accounts(stats, status);
	print_pending(status);
	print_store(stats);
	print_logins(status);
	single("collected_timestamp_seconds", "When these numbers were "
					      "collected.",
	       seconds(status->now));
}
