/* SPDX-License-Identifier: MIT */
#include "sharing.h"

#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "publish/errand.h"
#include "store/secret.h"

int sharing_open(struct site *site)
{
	int code = site_config(site);

	if (code == CODE_DONE && !site->config.central[0])
		return say_error(CODE_REFUSED,
				 "this store has no central database ('popbox "
				 "cluster init' makes one, 'popbox cluster "
				 "join' takes one)");
	return code == CODE_DONE
		       ? site_open_central(site, site->config.central)
		       : code;
}

struct counting {
	uint64_t count;
	bool fresh, awaits;
};

static enum err count_body(struct store_txn *txn, void *arg)
{
	struct counting *c = arg;
	struct store_pending row;
	enum err err = store_pending_all(txn, &c->fresh);

	c->count = c->fresh;
	if (err == ERR_OK)
		err = store_pending_next(txn, NULL, &row);
	while (err == ERR_OK) {
		c->count++;
		c->fresh = c->fresh || store_pending_fresh(&row);
		c->awaits = c->awaits || errand_is_awaited(row.why);
		err = store_pending_next(txn, &row, &row);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err sharing_pending(struct site *site, struct sharing_pending *ret_pending)
{
	struct counting counting = {0, false, false};
	enum err err = store_read(site->store, count_body, &counting);

	*ret_pending = (struct sharing_pending){counting.count, counting.fresh,
						counting.awaits};
	return err;
}

/* What a login means, what a password and its hash may be, and when a box is full; and
 * where the mail root is, for hosts that share one. */
static const struct {
	const char *name;
	bool layout;
} shared[] = {
	{"mailroot", false}, /* told, and may differ */
	{"separators", false},	     {"default_domain", false},
	{"login_by_box", false},     {"refuse_delay_ms", false},
	{"argon2_kib", false},	     {"argon2_passes", false},
	{"password_min", false},     {"password_letters", false},
	{"quota_grace", false},	     {"quota_warn", false},
	{"uid", true},		     {"gid", true},
	{"home", true},		     {"serialmail", true},
	{"quota_program", true},
};
enum { SHARED = sizeof shared / sizeof *shared, WHOLE = 63 };

/* A long value is told as its digest, so that all fit. */
static void shorten(char value[CONFIG_TEXT_MAX + 1])
{
	static const unsigned char key[SECRET_KEY];
	unsigned char digest[SECRET_DIGEST];
	struct secret_part part = {value, strlen(value)};

	if (part.len <= WHOLE)
		return;
	secret_digest(key, &part, 1, digest);
	value[0] = '#';
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(value + 1 + 2 * i, 3, "%02x", digest[i]);
}

void sharing_settings(const struct config *config, char ret_text[FRAMES_TEXT])
{
	char value[CONFIG_TEXT_MAX + 1];
	size_t len = 0;

	ret_text[0] = 0;
	for (size_t i = 0; i < SHARED; i++) {
		if (config_value(config, shared[i].name, value) != ERR_OK)
			value[0] = 0; /* each is a setting */
		shorten(value);
		/* Numbers and choices but for five of them: it has room. */
		len += (size_t)snprintf(ret_text + len, FRAMES_TEXT - len,
					"%s=%s\n", shared[i].name, value);
		if (len >= FRAMES_TEXT)
			return;
	}
}

/* The value of a setting in such a text. False: it has none. */
static bool value_in(const char *text, const char *name,
		     char ret_value[WHOLE + 1])
{
	const size_t len = strlen(name);

	while (text && *text) {
		if (strncmp(text, name, len) == 0 && text[len] == '=') {
			(void)snprintf(ret_value, WHOLE + 1, "%.*s",
				       (int)strcspn(text + len + 1, "\n"),
				       text + len + 1);
			return true;
		}
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return false;
}

bool sharing_awaits(const char *text)
{
	char value[WHOLE + 1];

	return value_in(text, "mailroot", value) && strcmp(value, "await") == 0;
}

size_t sharing_differences(const char *here, const char *there,
			   sharing_sink *sink, void *arg)
{
	const bool one_root = sharing_awaits(here) || sharing_awaits(there);
	char ours[WHOLE + 1], theirs[WHOLE + 1];
	size_t count = 0;

	for (size_t i = 1; i < SHARED; i++) {
		if ((shared[i].layout && !one_root) ||
		    !value_in(here, shared[i].name, ours))
			continue;
		if (!value_in(there, shared[i].name, theirs))
			(void)snprintf(theirs, sizeof theirs, "unknown");
		else if (strcmp(ours, theirs) == 0)
			continue;
		sink(arg, shared[i].name, ours, theirs);
		count++;
	}
	return count;
}
