/* SPDX-License-Identifier: MIT */
#include "box_usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "operand.h"
#include "qmail/dotqmail.h"

enum err box_usage_limit(struct store_txn *txn, const struct store_box *box,
			 struct box_usage *ret_usage)
{
	struct store_quota quota = {0, 0};
	enum err err = store_box_quota(txn, box, &quota);

	*ret_usage = (struct box_usage){.limit = dotqmail_limit(&quota)};
	return err;
}

unsigned box_usage_percent(const struct box_usage *usage)
{
	return usage->known ? maildirsize_percent(&usage->limit, &usage->used)
			    : 0;
}

void box_usage_look(const struct site *site, const struct name_box *box,
		    unsigned over, struct box_usage *usage)
{
	char path[PATH_MAX];
	int rc;

	if (!usage->limit.bytes && !usage->limit.messages)
		return;
	rc = asuser_usage(site->asuser, box, over == 0, &usage->used, path);
	usage->known = rc == 0;
	if (rc == 0 && over && box_usage_percent(usage) >= over)
		rc = asuser_usage(site->asuser, box, true, &usage->used, path);
	if (rc == 0 || rc == ENOENT)
		return;
	usage->known = false;
	say_error(0, "cannot read '%s': %s", path, strerror(rc));
}

void box_usage_text(const struct maildirsize *limit,
		    char ret_text[BOX_USAGE_TEXT])
{
	char bytes[SAY_SIZE_TEXT];
	int len = 0;

	memcpy(ret_text, "none", sizeof "none");
	if (limit->bytes)
		len = snprintf(ret_text, BOX_USAGE_TEXT, "%s",
			       say_size(limit->bytes, bytes));
	if (limit->messages)
		(void)snprintf(ret_text + len, BOX_USAGE_TEXT - (size_t)len,
			       "%s%llu messages", len ? ", " : "",
			       (unsigned long long)limit->messages);
}

static json_t *number(uint64_t number, bool known)
{
	return known ? json_integer((json_int_t)number) : json_null();
}

void box_usage_json(json_t *object, const struct box_usage *usage)
{
	const struct maildirsize *limit = &usage->limit, *used = &usage->used;

	/* A failed set leaves the member out, as in json.c. */
	(void)json_object_set_new(object, "limit_bytes",
				  number(limit->bytes, limit->bytes != 0));
	(void)json_object_set_new(object, "limit_messages",
				  number(limit->messages,
					 limit->messages != 0));
	(void)json_object_set_new(object, "used_bytes",
				  number(used->bytes, usage->known));
	(void)json_object_set_new(object, "used_messages",
				  number(used->messages, usage->known));
	(void)json_object_set_new(object, "used_percent",
				  number(box_usage_percent(usage),
					 usage->known));
}

int box_usage_read_percent(const char *text, unsigned *ret_percent)
{
	char digits[8];
	const size_t len = strcspn(text, "%");
	uint64_t number;

	if (len < sizeof digits && (text[len] == 0 || text[len + 1] == 0)) {
		memcpy(digits, text, len);
		digits[len] = 0;
		if (operand_number(digits, 1, 1000, &number)) {
			*ret_percent = (unsigned)number;
			return CODE_DONE;
		}
	}
	return say_error(CODE_USAGE,
			 "--over takes a percentage like 90%%, not '%s'", text);
}
