/* SPDX-License-Identifier: MIT */
/* qmail-pop3d.c: stand-in for qmail-pop3d DIRECTORY.
 *
 * One Maildir over descriptors 0 and 1: STAT LIST UIDL RETR TOP DELE NOOP RSET
 * LAST QUIT. Mail of the current second is not shown. The unique name is the
 * file's, up to its colon.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

struct mail {
	char *path; /* new/name or cur/name */
	size_t size;
	time_t time;
	bool deleted;
};

static struct mail *mails;
static size_t count;

static void say(const char *text)
{
	if (fputs(text, stdout) < 0 || fputs("\r\n", stdout) < 0 ||
	    fflush(stdout) != 0)
		_exit(0);
}

static void add(const char *part, const char *name, time_t now)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", part, name);
	if (stat(path, &st) != 0 || st.st_mtime >= now)
		return;
	mails = reallocarray(mails, count + 1, sizeof *mails);
	if (!mails)
		_exit(1);
	mails[count++] = (struct mail){strdup(path), (size_t)st.st_size,
				       st.st_mtime, false};
}

static bool scan(const char *part, time_t now)
{
	DIR *dir = opendir(part);
	const struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			add(part, entry->d_name, now);
	}
	closedir(dir);
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct mail *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return strcmp(x->path + 4, y->path + 4);
}

/* The number a client gave; says what is wrong with it. */
static struct mail *find(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (!isdigit((unsigned char)text[0]))
		say("-ERR syntax error");
	else if (number == 0)
		say("-ERR messages are counted from 1");
	else if (number > count)
		say("-ERR not that many messages");
	else if (mails[number - 1].deleted)
		say("-ERR already deleted");
	else
		return &mails[number - 1];
	return NULL;
}

/* One line of LIST or UIDL. */
static void print_one(const struct mail *mail, bool unique, const char *prefix)
{
	const char *name = mail->path + 4;

	printf("%s%zu ", prefix, (size_t)(mail - mails) + 1);
	if (unique)
		printf("%.*s\r\n", (int)strcspn(name, ":"), name);
	else
		printf("%zu\r\n", mail->size);
}

static void list(const char *text, bool unique)
{
	if (*text) {
		const struct mail *mail = find(text);

		if (mail)
			print_one(mail, unique, "+OK ");
		return;
	}
	printf("+OK \r\n");
	for (size_t i = 0; i < count; i++) {
		if (!mails[i].deleted)
			print_one(&mails[i], unique, "");
	}
	say(".");
}

/* All of a message, or its head and some lines: lines < 0 is all. */
static void retrieve(const struct mail *mail, long lines)
{
	FILE *file = fopen(mail->path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	bool body = false;

	if (!file) {
		say("-ERR unable to open that message");
		return;
	}
	printf("+OK \r\n");
	while ((len = getline(&line, &room, file)) > 0) {
		if (line[len - 1] == '\n')
			len--;
		if (body && lines >= 0 && lines-- == 0)
			break;
		printf("%s%.*s\r\n", line[0] == '.' ? "." : "", (int)len,
		       line);
		if (len == 0)
			body = true;
	}
	free(line);
	fclose(file);
	say(""); /* as the real one does */
	say(".");
}

/* TOP and RETR are one: a second number says how many lines. */
static void top(const char *text)
{
	const struct mail *mail = find(text);

	text += strspn(text, "0123456789");
	text += strspn(text, " ");
	if (mail)
		retrieve(mail, isdigit((unsigned char)text[0])
				       ? strtol(text, NULL, 10)
				       : -1);
}

static void stat_all(void)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += mails[i].deleted ? 0 : mails[i].size;
	printf("+OK %zu %zu\r\n", count, size); /* deleted ones counted */
}

static void quit(void)
{
	for (size_t i = 0; i < count; i++) {
		char path[4200];

		if (mails[i].deleted) {
			(void)unlink(mails[i].path);
		} else if (strncmp(mails[i].path, "new/", 4) == 0) {
			(void)snprintf(path, sizeof path, "cur/%s:2,",
				       mails[i].path + 4);
			(void)rename(mails[i].path, path);
		}
	}
	say("+OK ");
}

/* False: the session is over. */
static bool command(const char *word, const char *text)
{
	struct mail *mail;

	if (strcasecmp(word, "stat") == 0) {
		stat_all();
	} else if (strcasecmp(word, "list") == 0) {
		list(text, false);
	} else if (strcasecmp(word, "uidl") == 0) {
		list(text, true);
	} else if (strcasecmp(word, "retr") == 0 ||
		   strcasecmp(word, "top") == 0) {
		top(text);
	} else if (strcasecmp(word, "dele") == 0) {
		mail = find(text);
		if (mail)
			mail->deleted = true;
		if (mail)
			say("+OK ");
	} else if (strcasecmp(word, "rset") == 0) {
		for (size_t i = 0; i < count; i++)
			mails[i].deleted = false;
		say("+OK ");
	} else if (strcasecmp(word, "noop") == 0) {
		say("+OK ");
	} else if (strcasecmp(word, "last") == 0) {
		say("+OK 0");
	} else if (strcasecmp(word, "quit") == 0) {
		quit();
		return false;
	} else {
		say("-ERR unimplemented");
	}
	return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	time_t now = time(NULL);
	ssize_t len;

	if (argc != 2 || chdir(argv[1]) != 0) {
		say("-ERR this user has no $HOME/Maildir");
		return 0;
	}
	if (getuid() == 0) {
		(void)fputs("qmail-pop3d invoked as uid 0, terminating\n",
			    stderr);
		return 1;
	}
	if (!scan("cur", now) || !scan("new", now)) {
		say("-ERR unable to scan $HOME/Maildir");
		return 0;
	}
	if (count)
		qsort(mails, count, sizeof *mails, by_time);
	say("+OK ");
	while ((len = getline(&line, &room, stdin)) > 0) {
		char *text;

		if (line[len - 1] != '\n')
			break; /* an unfinished line is none */
		line[--len] = 0;
		if (len && line[len - 1] == '\r')
			line[--len] = 0;
		text = line + strcspn(line, " ");
		if (*text)
			*text++ = 0;
		if (!command(line, text + strspn(text, " ")))
			break;
	}
	free(line);
	return 0;
}
