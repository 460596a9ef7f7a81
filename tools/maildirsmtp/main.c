/* SPDX-License-Identifier: MIT */
/* popbox-maildirsmtp: sends what lies in a Maildir to one host, see
 * popbox-maildirsmtp(8). Runs as popusr.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/inherited.h"
#include "bounce.h"
#include "letter.h"

enum { SENT = 0, USAGE = 2, LEFT = 111 };

enum { MESSAGE_MAX = 1 << 30 }; /* bytes; a larger one is none */

enum outcome {
	GONE,	 /* the server took it */
	REFUSED, /* for good: 5xx, or it is no message */
	LATER,	 /* this one later: 4xx */
	NOBODY,	 /* nobody there, or he went: all later */
};

struct run {
	CURL *curl;
	const char *prefix;
	const char *helo;
	const char *inject; /* qmail-inject, or NULL */
	char url[1200];
	char why[CURL_ERROR_SIZE];
	unsigned long sent, failed, left;
};

/* Names of files may be anything. */
static void complain(const char *what, const char *why)
{
	char line[2 * NAME_MAX + CURL_ERROR_SIZE];

	(void)snprintf(line, sizeof line, "%s: %s", what, why); /* cut is enough */
	for (char *c = line; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	(void)fprintf(stderr, "popbox-maildirsmtp: %s\n", line);
}

/* What is sent, with nothing but CR LF at the ends of lines: each line end
 * becomes one, and a CR elsewhere a blank, or a server that takes it for a line
 * end would see lines that we did not send. */
struct source {
	FILE *file;
	bool owed;  /* the LF of a CR LF of which the CR is out */
	bool begun; /* somebody asked: the server wants the message */
};

/* The next byte that goes out, or EOF. */
static int next_byte(struct source *source)
{
	int c = source->owed ? '\n' : getc_unlocked(source->file);

	if (source->owed) {
		source->owed = false;
	} else if (c == '\n') {
		source->owed = true;
		c = '\r';
	} else if (c == '\r') {
		c = getc_unlocked(source->file);
		source->owed = c == '\n';
		if (!source->owed && c != EOF)
			(void)ungetc(c, source->file); /* one always fits */
		c = source->owed ? '\r' : ' ';
	}
	return c;
}

static size_t on_read(char *out, size_t size, size_t count, void *arg)
{
	struct source *source = arg;
	size_t room = size * count, at = 0;

	source->begun = true;
	while (at < room) {
		int c = next_byte(source);

		if (c == EOF)
			break;
		out[at++] = (char)c;
	}
	return ferror(source->file) ? CURL_READFUNC_ABORT : at;
}

/* What the last reply, or the lack of one, means for this message. */
static enum outcome judge(struct run *run, CURLcode rc, bool begun)
{
	long code = 0;

	(void)curl_easy_getinfo(run->curl, CURLINFO_RESPONSE_CODE, &code);
	/* libcurl takes 250 alone for the message's success. */
	if (rc == CURLE_OK || (rc == CURLE_WEIRD_SERVER_REPLY && begun &&
			       code >= 200 && code < 300))
		return GONE;
	if (!run->why[0])
		(void)snprintf(run->why, sizeof run->why, "%s",
			       curl_easy_strerror(rc));
	/* Of the greeting it says nothing about the message. */
	if (code >= 500 && code < 600 &&
	    (rc == CURLE_SEND_ERROR ||
	     (rc == CURLE_WEIRD_SERVER_REPLY && begun)))
		return REFUSED;
	if (code >= 400 && code < 500 && code != 421 &&
	    (rc == CURLE_SEND_ERROR || rc == CURLE_WEIRD_SERVER_REPLY))
		return LATER;
	return NOBODY;
}

static enum outcome send_letter(struct run *run, FILE *file,
				const struct letter *letter)
{
	struct source source = {.file = file};
	struct curl_slist *to = curl_slist_append(NULL, letter->recipient);
	CURL *curl = run->curl;
	CURLcode rc;

	run->why[0] = 0;
	if (!to)
		return NOBODY;
	/* Options of one message; the connection stays. They cannot fail but
	 * for memory, and then the transfer does. */
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, letter->sender);
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	(void)curl_easy_setopt(curl, CURLOPT_READDATA, &source);
	rc = curl_easy_perform(curl);
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
	return judge(run, rc, source.begun);
}

static bool put_reason(int dir, const char *name, const char *why)
{
	char path[NAME_MAX + 32];
	FILE *file;
	bool good;
	int fd;

	if (snprintf(path, sizeof path, "failed/%s.reason", name) >=
	    (int)sizeof path)
		return false;
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return false;
	(void)fprintf(file, "%s\n", why); /* fclose tells */
	good = fflush(file) == 0 && fsync(fd) == 0;
	return fclose(file) == 0 && good;
}

/* Kept beside the others with its reason; nothing is thrown away. */
static bool park(int dir, const char *part, const char *name, const char *why)
{
	char from[NAME_MAX + 32], to[NAME_MAX + 32];

	if (mkdirat(dir, "failed", 0700) != 0 && errno != EEXIST)
		return false;
	return put_reason(dir, name, why) &&
	       snprintf(from, sizeof from, "%s/%s", part, name) <
		       (int)sizeof from &&
	       snprintf(to, sizeof to, "failed/%s", name) < (int)sizeof to &&
	       renameat(dir, from, dir, to) == 0;
}

/* After 250 it must go: kept, it would be sent again. */
static bool settle(struct run *run, int dir, const char *part, const char *name,
		   enum outcome outcome, bool told)
{
	char path[NAME_MAX + 32];

	(void)snprintf(path, sizeof path, "%s/%.255s", part, name);
	switch (outcome) {
	case GONE:
		run->sent++;
		if (unlinkat(dir, path, 0) != 0) {
			complain(path, "was sent, but cannot be removed");
			return false;
		}
		return true;
	case REFUSED:
		complain(path, run->why);
		run->failed++;
		if (told ? unlinkat(dir, path, 0) == 0 : park(dir, part, name, run->why))
			return true;
		complain(path, strerror(errno));
		return false;
	case LATER:
		complain(path, run->why);
		run->left++;
		return true;
	case NOBODY:
		complain(run->url, run->why);
		run->left++;
		break;
	}
	return false;
}

/* Opens what may be a message. With *ret_why set it can never be sent; else
 * NULL is errno's. */
static FILE *open_letter(const struct run *run, int dir, const char *path,
			 struct letter *ret_letter, const char **ret_why)
{
	int fd = openat(dir, path,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char head[LETTER_HEAD_MAX];
	struct stat st;
	size_t got;

	*ret_why = fd < 0 && errno == ELOOP ? "it is no regular file" : NULL;
	if (!file && fd >= 0)
		(void)close(fd); /* read only */
	if (!file || fstat(fd, &st) != 0)
		return file;
	if (!S_ISREG(st.st_mode))
		*ret_why = "it is no regular file";
	else if (st.st_size > MESSAGE_MAX)
		*ret_why = "it is larger than 1 GiB";
	if (*ret_why)
		return file;
	got = fread(head, 1, sizeof head, file);
	if (!ferror(file))
		*ret_why = letter_read(head, got, run->prefix, ret_letter);
	return file;
}

/* False: no more of them now. */
static bool send_one(struct run *run, int dir, const char *part,
		     const char *name)
{
	enum outcome outcome = REFUSED;
	char path[NAME_MAX + 32];
	struct letter letter = {.head = 0};
	const char *why;
	bool told = false;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%.255s", part, name);
	file = open_letter(run, dir, path, &letter, &why);
	if (why) {
		(void)snprintf(run->why, sizeof run->why, "%s", why);
	} else if (!file || ferror(file) ||
		   fseek(file, (long)letter.head, SEEK_SET) != 0) {
		(void)snprintf(run->why, sizeof run->why, "%s",
			       strerror(errno));
		outcome = LATER;
	} else {
		outcome = send_letter(run, file, &letter);
		told = outcome == REFUSED &&
		       bounce(run->inject, run->helo, run->why, file, &letter);
	}
	if (file)
		(void)fclose(file); /* read only */
	return settle(run, dir, part, name, outcome, told);
}

static int by_age(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool send_part(struct run *run, int dir, const char *part)
{
	struct dirent **list = NULL;
	int count = scandirat(dir, part, &list, visible, by_age);
	bool more = count >= 0;

	if (count < 0)
		complain(part, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (more)
			more = send_one(run, dir, part, list[i]->d_name);
		else
			run->left++;
		free(list[i]);
	}
	free(list);
	return more;
}

static bool set_up(struct run *run, const char *host, const char *helo)
{
	CURL *curl = curl_easy_init();

	if (!curl ||
	    snprintf(run->url, sizeof run->url, "smtp://%s/%s", host, helo) >=
		    (int)sizeof run->url)
		return false;
	run->curl = curl;
	/* STARTTLS when it is offered; without a name to hold it to, a
	 * certificate proves nothing. */
	return curl_easy_setopt(curl, CURLOPT_URL, run->url) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp") ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 60L) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 300L) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, 300L) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, run->why) ==
		       CURLE_OK;
}

int main(int argc, char **argv)
{
	struct run run = {.curl = NULL};
	int dir;

	if (!inherited_settle())
		return LEFT; /* nobody could be told */
	if (!inherited_seal()) {
		complain("cannot close it to other processes", strerror(errno));
		return LEFT;
	}
	if (argc != 5) {
		complain("usage", "popbox-maildirsmtp DIR PREFIX RELAYHOST "
				  "HELO");
		return USAGE;
	}
	run.prefix = argv[2];
	run.helo = argv[4];
	run.inject = getenv("POPBOX_INJECT");
	(void)signal(SIGPIPE, SIG_IGN); /* a valid number: cannot fail */
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		complain(argv[1], strerror(errno));
		return LEFT;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    !set_up(&run, argv[3], argv[4])) {
		complain(argv[3], "cannot begin");
		return LEFT;
	}
	if (send_part(&run, dir, "new"))
		(void)send_part(&run, dir, "cur"); /* counted */
	curl_easy_cleanup(run.curl);
	curl_global_cleanup();
	(void)printf("sent %lu failed %lu left %lu\n", run.sent, run.failed,
		     run.left);
	if (fflush(stdout) != 0)
		return LEFT;
	return run.failed || run.left ? LEFT : SENT;
}
