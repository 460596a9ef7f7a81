/* SPDX-License-Identifier: MIT */
#include "expiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/moment.h"
#include "base/say.h"
#include "base/text.h"
#include "operand.h"
#include "publish/change.h"

bool expiry_moment(const char *text, int64_t now, int64_t *ret_time)
{
	int64_t span;

	if (text[0] == '+')
		return moment_span(text + 1, &span) &&
		       !__builtin_add_overflow(now, span, ret_time);
	return text[0] >= '0' && text[0] <= '9' &&
	       !strchr("dhms", text[strlen(text) - 1]) &&
	       moment_read(text, now, false, ret_time);
}

int expiry_read(const char *text, int64_t now, int64_t *ret_expires)
{
	int64_t expires;

	if (strcmp(text, "never") == 0) {
		*ret_expires = 0;
		return CODE_DONE;
	}
	if (!expiry_moment(text, now, &expires))
		return say_error(CODE_USAGE,
				 "'%s' is no date like 2027-01-31 or "
				 "2027-01-31T12:00:00Z, no span like +30d, nor "
				 "'never'",
				 text);
	if (expires <= now)
		return say_error(CODE_REFUSED,
				 "'%s' is not in the future (suspend it to "
				 "end it now)",
				 text);
	*ret_expires = expires;
	return CODE_DONE;
}

struct ending {
	struct store_txn *txn;
	int64_t now;
	struct text due; /* names of addresses, each as it lies in memory */
	int64_t next;	 /* when the first of the others ends */
};

static enum err look(void *arg, const struct store_address *address)
{
	struct ending *ending = arg;

	if (address->expires > ending->now) {
		if (address->expires < ending->next)
			ending->next = address->expires;
		return ERR_OK;
	}
	return text_put(&ending->due, (const char *)&address->name,
			sizeof address->name)
		       ? ERR_OK
		       : ERR_SYSTEM;
}

static enum err look_body(struct store_txn *txn, void *arg)
{
	struct ending *ending = arg;

	ending->due.len = 0; /* a body may be run again */
	ending->next = INT64_MAX;
	return store_expiring(txn, INT64_MAX, look, ending);
}

static struct name_address name_at(const struct ending *ending, size_t at)
{
	struct name_address name;

	memcpy(&name, ending->due.bytes + at, sizeof name);
	return name;
}

static enum err end_one(struct store_txn *txn, const struct name_address *name)
{
	struct store_address address;
	char when[SAY_TIME_TEXT];
	enum err err = store_address_get(txn, name, &address);

	if (err != ERR_OK)
		return err;
	address.delivery = STORE_BOUNCE;
	(void)snprintf(address.reason, sizeof address.reason, "expired at %s",
		       say_time(address.expires, when));
	return store_address_set(txn, &address);
}

static enum err end_body(struct store_txn *txn, void *arg)
{
	struct ending *ending = arg;
	enum err err = look_body(txn, ending);

	for (size_t at = 0; err == ERR_OK && at < ending->due.len;
	     at += sizeof(struct name_address)) {
		const struct name_address name = name_at(ending, at);

		err = end_one(txn, &name);
	}
	return err == ERR_OK ? store_first_end_set(txn, ending->next) : err;
}

static void say_due(const struct ending *ending, const char *what)
{
	char text[NAME_ADDRESS_TEXT];

	for (size_t at = 0; at < ending->due.len;
	     at += sizeof(struct name_address)) {
		const struct name_address name = name_at(ending, at);

		name_address_text(&name, text);
		say_note("address '%s' has expired: %s", text, what);
	}
}

static enum err first_body(struct store_txn *txn, void *arg)
{
	return store_first_end(txn, arg);
}

static int end_all(struct site *site, struct ending *ending)
{
	const bool no_sync = site->no_sync;
	bool changed = false;
	int code;

	if (site->dry_run) {
		code = site_failed(site,
				   store_read(site->store, look_body, ending),
				   "sync");
		if (code == CODE_DONE)
			say_due(ending, "mail for it would bounce");
		return code == CODE_DONE && ending->due.len ? CODE_NO : code;
	}
	site->no_sync = true; /* whoever calls publishes it all */
	code = change(site, end_body, ending, "sync", &changed);
	site->no_sync = no_sync;
	if (changed)
		say_due(ending, "mail for it bounces ('popbox address resume' "
				"ends that)");
	return code;
}

int expiry_end(struct site *site)
{
	struct ending ending = {.now = time(NULL)};
	int64_t first = INT64_MAX;
	int code = site_failed(site,
			       store_read(site->store, first_body, &first),
			       "sync");

	if (code == CODE_DONE && first <= ending.now)
		code = end_all(site, &ending);
	free(ending.due.bytes);
	return code;
}
