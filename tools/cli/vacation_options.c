/* SPDX-License-Identifier: MIT */
#include "vacation_options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "expiry.h"
#include "maildir/vacation_file.h"

enum { READ_MAX = 2 * STORE_VACATION_MAX }; /* ends of lines may be two bytes */

/* At most READ_MAX bytes; more are as much too long as those. */
static int read_all(int fd, char bytes[READ_MAX], size_t *ret_len)
{
	size_t len = 0;

	while (len < READ_MAX) {
		const ssize_t got = read(fd, bytes + len, READ_MAX - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_len = len;
	return 0;
}

static int take_text(const char *name, const char *bytes, size_t len,
		     struct vacation_options *options)
{
	const char *why = vacation_text_read(bytes, len, options->text);

	return why ? say_error(CODE_REFUSED, "the vacation reply%s%s%s %s",
			       name[0] ? " in '" : "", name,
			       name[0] ? "'" : "", why)
		   : CODE_DONE;
}

static int read_file(const char *path, struct vacation_options *options)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	const int fd = is_stdin ? STDIN_FILENO
				: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char bytes[READ_MAX];
	size_t len = 0;
	int rc = fd < 0 ? errno : read_all(fd, bytes, &len);

	if (fd >= 0 && !is_stdin)
		(void)close(fd); /* read only */
	return rc ? say_error(CODE_LATER, "cannot read '%s': %s", path,
			      strerror(rc))
		  : take_text(is_stdin ? "" : path, bytes, len, options);
}

static int read_text(const struct args *args, struct vacation_options *options)
{
	const char *path = args_get(args, "--vacation");
	const char *text = args_get(args, "--vacation-text");

	options->set_text = path || text;
	if (path && text)
		return say_error(CODE_USAGE,
				 "--vacation and --vacation-text exclude each "
				 "other");
	if (!options->set_text || strcmp(path ? path : text, "none") == 0)
		return CODE_DONE;
	return path ? read_file(path, options)
		    : take_text("", text, strlen(text), options);
}

/* always is the word for no limit. */
static int read_time(const char *option, const char *text, const char *always,
		     int64_t now, int64_t *ret_time)
{
	*ret_time = 0;
	if (!text || strcmp(text, always) == 0 ||
	    expiry_moment(text, now, ret_time))
		return CODE_DONE;
	return say_error(CODE_USAGE,
			 "%s takes a date like 2027-01-31 or "
			 "2027-01-31T12:00:00Z, a span like +14d, or %s, not "
			 "'%s'",
			 option, always, text);
}

int vacation_options_read(const struct args *args,
			  struct vacation_options *ret_options)
{
	const char *from = args_get(args, "--from");
	const char *until = args_get(args, "--until");
	struct vacation_options *options = ret_options;
	const int64_t now = time(NULL);
	int code;

	*options = (struct vacation_options){.set_from = from,
					     .set_until = until};
	code = read_time("--from", from, "now", now, &options->from);
	if (code == CODE_DONE)
		code = read_time("--until", until, "never", now,
				 &options->until);
	if (code == CODE_DONE && options->until && options->until <= now)
		code = say_error(CODE_REFUSED,
				 "--until '%s' is not in the future "
				 "('--vacation none' turns the reply off)",
				 until);
	return code == CODE_DONE ? read_text(args, options) : code;
}

bool vacation_options_any(const struct vacation_options *options)
{
	return options->set_text || options->set_from || options->set_until;
}

enum err vacation_options_apply(struct store_txn *txn,
				const struct vacation_options *options,
				struct store_box *box)
{
	if (options->set_text) {
		memcpy(box->vacation, options->text, sizeof box->vacation);
		box->vacation_from = box->vacation_until = 0;
	}
	if (options->set_from)
		box->vacation_from = options->from;
	if (options->set_until)
		box->vacation_until = options->until;
	if ((options->set_from || options->set_until) && !box->vacation[0])
		return store_refuse(txn, ERR_INVALID,
				    "the box '%s-%04u' has no vacation reply "
				    "(--vacation FILE gives it one)",
				    box->name.handle.s, box->name.number);
	return ERR_OK;
}
