/* SPDX-License-Identifier: MIT */
/* popbox-quota: a program line of a .qmail file, before that of the Maildir, see
 * popbox-quota(8) and qmail-command(8). qmail-local runs it as popusr, with the
 * message on standard input, and goes on with 0, bounces with 100, tries again
 * later with anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/inherited.h"
#include "quota.h"
#include "warning.h"

enum { EXIT_ROOM = 0, EXIT_BOUNCE = 100, EXIT_LATER = 111 };

struct call {
	const char *path;
	struct quota_rules rules;
	unsigned warn; /* percent; 0: never */
};

/* qmail-send's log and the bounce have what is said. */
static int say(int code, const char *text, int rc)
{
	(void)fprintf(stderr, "popbox-quota: %s%s%s\n", text, rc ? ": " : "",
		      rc ? strerror(rc) : "");
	return code;
}

/* Mail waits until the line is right. */
static int misused(const char *why)
{
	(void)fprintf(stderr,
		      "popbox-quota: %s\n"
		      "usage: popbox-quota [-g seconds] [-w percent] "
		      "maildir limit\n",
		      why);
	return EXIT_LATER;
}

static bool read_number(const char *text, unsigned long max,
			unsigned long *ret_number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret_number = strtoul(text, &end, 10);
	return errno == 0 && *end == 0 && *ret_number <= max;
}

static const char *parse(int argc, char **argv, struct call *call)
{
	unsigned long number;
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "+g:w:")) != -1) {
		if (option == 'g' && read_number(optarg, INT32_MAX, &number))
			call->rules.grace = (int64_t)number;
		else if (option == 'w' && read_number(optarg, 100, &number))
			call->warn = (unsigned)number;
		else
			return "no such option, or its number is none";
	}
	if (argc - optind != 2)
		return "a Maildir and its limit are needed";
	call->path = argv[optind];
	if (!maildirsize_limit_read(argv[optind + 1], strlen(argv[optind + 1]),
				    &call->rules.limit))
		return "the limit is not like 524288000S,10000C";
	return NULL;
}

static size_t length_of(const char *name)
{
	const char *text = getenv(name);

	return text ? strlen(text) : 0;
}

/* What qmail-local will write: the message, and two lines before it. */
static int look_at_message(struct quota_message *message)
{
	struct stat st;
	off_t at;

	if (fstat(STDIN_FILENO, &st) != 0)
		return errno;
	at = S_ISREG(st.st_mode) ? lseek(STDIN_FILENO, 0, SEEK_CUR) : -1;
	if (at < 0 || at > st.st_size)
		return EINVAL;
	message->bytes = (uint64_t)(st.st_size - at) + length_of("RPLINE") +
			 length_of("DTLINE");
	/* The file's clock may be a tick ahead of time(2). */
	message->age = (int64_t)time(NULL) - st.st_mtime;
	if (message->age < 0)
		message->age = 0;
	return 0;
}

static void warn(const struct call *call, int dir,
		 const struct maildirsize *used)
{
	uint64_t bytes = 0;
	int rc;

	if (!call->warn ||
	    maildirsize_percent(&call->rules.limit, used) < call->warn)
		return;
	rc = warning_give(dir, getenv("EXT"), getenv("HOST"),
			  &call->rules.limit, used, &bytes);
	if (rc == 0 && bytes)
		rc = quota_record(dir, bytes);
	if (rc != 0)
		(void)say(0, "no warning was given", rc);
}

static int judge(const struct call *call, int dir,
		 const struct quota_message *message)
{
	struct maildirsize used = {0, 0};
	int rc = 0;

	switch (quota_judge(dir, &call->rules, message, &used, &rc)) {
	case QUOTA_ROOM:
		if (rc != 0)
			(void)say(0, "the size was not recorded", rc);
		warn(call, dir, &used);
		return EXIT_ROOM;
	case QUOTA_WAIT:
		(void)puts("The mailbox of this recipient is full. (#4.2.2)");
		return EXIT_LATER;
	case QUOTA_FULL:
		(void)puts("Sorry, the mailbox of this recipient is full. "
			   "(#5.2.2)");
		return EXIT_BOUNCE;
	case QUOTA_LARGE:
		(void)puts("Sorry, this message is larger than the mailbox of "
			   "this recipient may be. (#5.2.3)");
		return EXIT_BOUNCE;
	case QUOTA_UNKNOWN:
		break;
	}
	return say(EXIT_LATER, "cannot tell what the Maildir holds", rc);
}

int main(int argc, char **argv)
{
	struct quota_message message;
	struct call call = {.warn = 0};
	const char *why;
	int dir, rc;

	if (!inherited_settle())
		return EXIT_LATER; /* nobody could be told */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("popbox-quota " POPBOX_VERSION); /* the flush tells */
		return fflush(stdout) == 0 ? 0 : EXIT_LATER;
	}
	why = parse(argc, argv, &call);
	if (why)
		return misused(why);
	rc = look_at_message(&message);
	if (rc != 0)
		return say(EXIT_LATER,
			   "standard input is not a message's file", rc);
	dir = open(call.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return say(EXIT_LATER, call.path, errno);
	return judge(&call, dir, &message);
}
