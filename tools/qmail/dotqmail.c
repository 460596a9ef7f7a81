/* SPDX-License-Identifier: MIT */
#include "dotqmail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lines.h"
#include "store/path.h"

static bool fits(int len, size_t room)
{
	return len >= 0 && (size_t)len < room;
}

/* A mail root without qmail is used by one that lies where it usually does. */
static const char *home_of(const struct config *config)
{
	return config_has_qmail(config) ? config->qmail : "/var/qmail";
}

/* A program line of qmail's. */
static bool put_program(struct text *out, const struct config *config,
			const char *program)
{
	char line[LINES_LINE_MAX];
	int len = snprintf(line, sizeof line, "|%s/bin/%s\n", home_of(config),
			   program);

	return fits(len, sizeof line) && text_put(out, line, (size_t)len);
}

static bool put_bounce(struct text *out, const struct config *config)
{
	return put_program(out, config,
			   "bouncesaying 'This address does not take mail. "
			   "(#5.2.1)'");
}

/* No more than a file maildirsize takes. */
static uint64_t at_most(uint64_t number)
{
	return number < MAILDIRSIZE_LIMIT_MAX ? number : MAILDIRSIZE_LIMIT_MAX;
}

struct maildirsize dotqmail_limit(const struct store_quota *quota)
{
	return (struct maildirsize){at_most(quota->bytes),
				    at_most(quota->messages)};
}

static const char quota_name[] = "popbox-quota ";
static const char vacation_name[] = "popbox-vacation ";

/* The settings and the limit are on the line, since its program is popusr's and
 * cannot read them elsewhere; and what lies in the box is in the customer's hands.
 * None of these words has a letter that a shell minds (config.h). */
static bool put_quota(struct text *out, const struct config *config,
		      const char *path, const struct maildirsize *limit)
{
	char line[LINES_LINE_MAX], text[MAILDIRSIZE_LINE];
	char grace[24] = "", warn[24] = "";
	int len;

	maildirsize_limit_text(limit, text);
	if (config->quota_grace)
		(void)snprintf(grace, sizeof grace, " -g %u",
			       config->quota_grace); /* ten digits */
	if (config->quota_warn)
		(void)snprintf(warn, sizeof warn, " -w %u",
			       config->quota_warn); /* the same */
	len = snprintf(line, sizeof line, "|%s%s%s %s %s\n",
		       config->quota_path, grace, warn, path, text);
	return config->quota_path[0] && fits(len, sizeof line) && text_put(out, line, (size_t)len);
}

/* The message is delivered by then. Whatever becomes of the program, also if it is not
 * there, the line must not fail: qmail-local would deliver it once more. */
static bool put_vacation(struct text *out, const struct config *config,
			 const char *path)
{
	char line[LINES_LINE_MAX];
	const int len = snprintf(line, sizeof line,
				 "|%s %s %s/bin/qmail-queue || exit 0\n",
				 config->vacation_path, path, home_of(config));

	return config->vacation_path[0] && fits(len, sizeof line) &&
	       text_put(out, line, (size_t)len);
}

/* What stands behind the first file name of a program line, if that is the name, which
 * ends in a blank. */
static const char *behind(const char *line, const char *name)
{
	const char *blank = strchr(line, ' ');
	const size_t len = strlen(name);

	if (line[0] != '|' || !blank)
		return NULL;
	if ((size_t)(blank + 1 - line) <= len ||
	    memcmp(blank + 1 - len, name, len) != 0 ||
	    blank[-(ptrdiff_t)len] != '/')
		return NULL;
	return blank + 1;
}

bool dotqmail_is_vacation(const char *line)
{
	return behind(line, vacation_name) != NULL;
}

bool dotqmail_is_quota(const char *line, struct maildirsize *ret_limit)
{
	const char *rest = behind(line, quota_name), *last;

	last = rest ? strrchr(rest, ' ') : NULL;
	return last && maildirsize_limit_read(last + 1, strlen(last + 1),
					      ret_limit);
}

static bool put_targets(struct text *out, const struct config *config,
			const struct store_address *address, bool with_box,
			const struct maildirsize *limit, bool answers)
{
	char path[PATH_MAX];
	bool good = true;

	if (with_box) {
		path_box(config->home, &address->box, path);
		if (limit->bytes || limit->messages)
			good = put_quota(out, config, path, limit);
		good = good && text_put(out, path, strlen(path)) &&
		       text_put(out, "/\n", 2) &&
		       (!answers || put_vacation(out, config, path));
	}
	for (size_t at = 0; good && at < address->forwards_len;) {
		const char *forward = address->forwards + at;
		size_t len = strlen(forward);

		good = text_put(out, "&", 1) && text_put(out, forward, len) &&
		       text_put(out, "\n", 1);
		at += len + 1;
	}
	return good;
}

static bool finish(struct text *out, bool good, char **ret_text,
		   size_t *ret_len)
{
	if (!good || out->len == 0) {
		free(out->bytes);
		return false;
	}
	*ret_text = out->bytes;
	*ret_len = out->len;
	return true;
}

bool dotqmail_address(const struct config *config,
		      const struct store_address *address,
		      enum store_delivery all, enum store_delivery box,
		      const struct store_quota *quota, bool answers,
		      char **ret_text, size_t *ret_len, mode_t *ret_mode)
{
	const struct maildirsize limit = dotqmail_limit(quota);
	bool with_box = address->has_box && box != STORE_BOUNCE;
	bool bounce = all == STORE_BOUNCE ||
		      (address->has_box && !with_box && !address->forwards_len);
	bool hold = !bounce && (all == STORE_HOLD ||
				(with_box && box == STORE_HOLD));
	struct text out = {0};
	bool good = !hold || text_put(&out, "\n", 1);

	if (bounce)
		good = put_bounce(&out, config);
	else
		good = good && put_targets(&out, config, address, with_box,
					   &limit, answers);
	*ret_mode = with_box || bounce ? 0644 : 0744;
	return finish(&out, good, ret_text, ret_len);
}

bool dotqmail_dialup(const struct config *config, enum store_delivery delivery,
		     char **ret_text, size_t *ret_len)
{
	static const char maildir[] = "./Maildir/\n";
	struct text out = {0};
	bool good = delivery != STORE_HOLD || text_put(&out, "\n", 1);

	if (delivery == STORE_BOUNCE)
		good = put_bounce(&out, config);
	else
		good = good && text_put(&out, maildir, sizeof maildir - 1);
	return finish(&out, good, ret_text, ret_len);
}

/* condredirect hands the message to the address if the program ends with 0, and
 * then no line behind it counts. The shell takes from EXT the shortest head that
 * ends in a plus, or nothing. */
static const char extension[] =
	"condredirect \"${EXT%%+*}@$HOST\" test \"${EXT#[!+]*+}\" != \"$EXT\"";
static const char hold[] = "|exit 111";

bool dotqmail_extension(const struct config *config, char **text, size_t *len,
			mode_t *mode)
{
	const bool holds = *text && (*text)[0] == '\n';
	struct text out = {0};
	bool good = put_program(&out, config, extension);

	if (good && holds)
		good = text_put(&out, hold, sizeof hold - 1);
	if (good && *text)
		good = text_put(&out, *text, *len);
	else if (good)
		good = put_program(&out, config,
				   "bouncesaying 'Sorry, no mailbox here by "
				   "that name. (#5.1.1)'");
	free(*text);
	*text = NULL;
	*mode = 0644;
	return finish(&out, good, text, len);
}

bool dotqmail_is_extension(const struct config *config, const char *line)
{
	struct text out = {0};
	const bool same = put_program(&out, config, extension) &&
			  strlen(line) + 1 == out.len &&
			  memcmp(line, out.bytes, out.len - 1) == 0;

	free(out.bytes);
	return same;
}

bool dotqmail_is_hold(const char *line)
{
	return strcmp(line, hold) == 0;
}

bool dotqmail_is_bounce(const struct config *config, const char *line)
{
	char own[CONFIG_TEXT_MAX + 32];
	int len = snprintf(own, sizeof own, "|%s/bin/bouncesaying ",
			   home_of(config)); /* it fits */

	return strncmp(line, own, (size_t)len) == 0;
}

size_t dotqmail_base(const char *local, size_t len)
{
	const char *plus = len ? memchr(local, '+', len) : NULL;

	return plus ? (size_t)(plus - local) : 0;
}
