/* SPDX-License-Identifier: MIT */
#include "quota.h"

#include "maildir/usage.h"

static bool same(const struct maildirsize *a, const struct maildirsize *b)
{
	return a->bytes == b->bytes && a->messages == b->messages;
}

/* What the Maildir holds, counted where the file says so little, another limit, or
 * that there is no room. */
static int find_usage(int dir, const struct quota_rules *rules,
		      const struct maildirsize *more, struct usage *usage,
		      int *ret_rc)
{
	int rc = usage_open(dir, usage);

	*ret_rc = 0;
	if (rc != 0)
		return rc;
	if (usage->good && same(&usage->limit, &rules->limit) &&
	    (!maildirsize_is_over(&rules->limit, &usage->used, more) ||
	     usage_is_fresh(dir, usage)))
		return 0;
	rc = usage_recount(dir, &rules->limit, false, usage, ret_rc);
	if (rc != 0)
		usage_close(usage);
	return rc;
}

enum quota_verdict quota_judge(int dir, const struct quota_rules *rules,
			       const struct quota_message *message,
			       struct maildirsize *ret_used, int *ret_rc)
{
	const struct maildirsize more = {message->bytes, 1};
	const struct maildirsize none = {0, 0};
	enum quota_verdict verdict = QUOTA_ROOM;
	struct usage usage;
	int why;

	if (maildirsize_is_over(&rules->limit, &none, &more))
		return QUOTA_LARGE;
	*ret_rc = find_usage(dir, rules, &more, &usage, &why);
	if (*ret_rc != 0)
		return QUOTA_UNKNOWN;
	if (maildirsize_is_over(&rules->limit, &usage.used, &more))
		verdict = message->age < rules->grace ? QUOTA_WAIT : QUOTA_FULL;
	else
		*ret_rc = why ? why : usage_add(&usage, &more);
	*ret_used = usage.used;
	usage_close(&usage);
	return verdict;
}

int quota_record(int dir, uint64_t bytes)
{
	const struct maildirsize more = {bytes, 1};
	struct usage usage;
	int rc = usage_open(dir, &usage);

	if (rc == 0)
		rc = usage_add(&usage, &more);
	if (rc == 0)
		usage_close(&usage);
	return rc;
}
