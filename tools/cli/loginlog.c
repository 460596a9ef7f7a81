/* SPDX-License-Identifier: MIT */
#include "loginlog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* More of a file is not read: some 300,000 lines. A day of a file that nobody
 * writes any more. Seconds for journalctl. */
enum { TAIL = 32 << 20, STALE = 86400, PATIENCE = 10 };

static const char *const files[] = {"/var/log/mail.log", "/var/log/maillog"};
static const char *const journals[] = {"/run/log/journal",
				       "/var/log/journal"};
static const char *const programs[] = {"/usr/bin/journalctl",
				       "/bin/journalctl"};

struct reading {
	struct loginlog *log;
	int64_t since;
	int64_t now;
	bool timed; /* a line had a time that is understood */
};

static void add_reason(struct loginlog *log, const char *text)
{
	static const char mark[] = " reason=";
	const char *at = strstr(text, mark);
	char word[LOGINLOG_WORD] = "?";
	size_t i = 0;

	if (at)
		(void)snprintf(word, sizeof word, "%.*s",
			       (int)strcspn(at + sizeof mark - 1, " \r\n"),
			       at + sizeof mark - 1);
	while (i + 1 < LOGINLOG_REASONS && log->reason[i].count &&
	       strcmp(log->reason[i].word, word) != 0)
		i++;
	if (!log->reason[i].count)
		memcpy(log->reason[i].word, word, sizeof word);
	log->reason[i].count++;
}

/* What stands before the user's part of a line is ours (log.h). */
static void count(struct loginlog *log, const char *text)
{
	if (strncmp(text, "accept ip=", 10) == 0)
		log->accepted++;
	else if (strncmp(text, "error ip=", 9) == 0)
		log->failed++;
	if (strncmp(text, "refuse ip=", 10) != 0)
		return;
	log->refused++;
	add_reason(log, text);
}

/* 2026-01-31T12:00:00.123+01:00 */
static bool read_rfc3339(const char *text, int64_t *ret_time)
{
	struct tm tm = {0};
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0, minutes = 0;
	char sign = '+';

	if (!at)
		return false;
	if (*at == '.')
		at += 1 + strspn(at + 1, "0123456789");
	if (*at != 'Z' && sscanf(at, "%c%2d:%2d", &sign, &hours, &minutes) != 3)
		return false;
	if (sign != '+' && sign != '-')
		return false;
	*ret_time = timegm(&tm) -
		    (sign == '-' ? -1 : 1) *
			    (hours * INT64_C(3600) + minutes * INT64_C(60));
	return true;
}

/* Jan 31 12:00:00, without a year, in this machine's zone. */
static bool read_traditional(const char *text, int64_t now, int64_t *ret_time)
{
	const time_t seconds = (time_t)now;
	struct tm tm, today;

	if (!localtime_r(&seconds, &today))
		return false;
	tm = (struct tm){.tm_year = today.tm_year, .tm_isdst = -1};
	if (!strptime(text, "%b %d %H:%M:%S", &tm))
		return false;
	*ret_time = mktime(&tm);
	if (*ret_time > now + STALE) { /* of December, read in January */
		tm.tm_year--;
		tm.tm_isdst = -1;
		*ret_time = mktime(&tm);
	}
	return true;
}

/* @ and 24 hexadecimal digits, as multilog(8) writes it. */
static bool read_tai64n(const char *text, int64_t *ret_time)
{
	static const uint64_t base = (UINT64_C(1) << 62) + 10;
	unsigned long long label;

	if (text[0] != '@' || sscanf(text + 1, "%16llx", &label) != 1 ||
	    label < base)
		return false;
	*ret_time = (int64_t)(label - base);
	return true;
}

static void read_line(struct reading *reading, const char *line)
{
	static const char name[] = "popbox-checkpw";
	const char *at = strstr(line, name);
	int64_t when;

	if (!at || !(at = strstr(at, ": ")))
		return;
	if (!read_rfc3339(line, &when) && !read_tai64n(line, &when) &&
	    !read_traditional(line, reading->now, &when))
		return;
	reading->timed = true;
	if (when >= reading->since)
		count(reading->log, at + 2);
}

/* The end of the file, line by line. 0 or an errno. */
static int read_tail(const char *path, struct reading *reading)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	struct stat st = {.st_size = 0};
	int rc = 0;

	if (!file || fstat(fileno(file), &st) != 0)
		rc = errno;
	if (rc == 0 && st.st_size > TAIL) {
		reading->log->cut = true;
		if (fseeko(file, st.st_size - TAIL, SEEK_SET) != 0)
			rc = errno;
	}
	while (rc == 0 && getline(&line, &room, file) > 0)
		read_line(reading, line);
	if (rc == 0 && ferror(file))
		rc = EIO;
	free(line);
	if (file)
		(void)fclose(file); /* read only */
	return rc;
}

static bool read_file(const char *path, struct reading *reading,
		      char ret_why[LOGINLOG_WHY])
{
	struct stat st;
	int rc = stat(path, &st) == 0 ? 0 : errno;

	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = EINVAL;
	if (rc == 0)
		rc = read_tail(path, reading);
	(void)snprintf(reading->log->source, sizeof reading->log->source, "%s",
		       path);
	if (rc != 0)
		(void)snprintf(ret_why, LOGINLOG_WHY, "'%.150s': %s", path,
			       rc == EINVAL ? "it is not a regular file"
					    : strerror(rc));
	return rc == 0;
}

/* Until the program has closed its output, or patience ends. */
static bool read_pipe(int fd, struct loginlog *log)
{
	const time_t end = time(NULL) + PATIENCE;
	static char bytes[16384];
	size_t len = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		const time_t left = end - time(NULL);
		char *line = bytes, *stop;
		ssize_t got;

		if (left <= 0 || poll(&ready, 1, (int)left * 1000) <= 0)
			return false;
		got = read(fd, bytes + len, sizeof bytes - 1 - len);
		if (got <= 0)
			return got == 0;
		len += (size_t)got;
		bytes[len] = 0;
		while ((stop = strchr(line, '\n')) != NULL) {
			*stop = 0;
			count(log, line);
			line = stop + 1;
		}
		len -= (size_t)(line - bytes);
		memmove(bytes, line, len);
		if (len == sizeof bytes - 1)
			len = 0; /* no line of ours is so long */
	}
}

/* posix_spawn takes words that it may not change as if it could. */
enum { WORDS = 9, WORD = 32 };

static void fill_words(const char *program, int64_t since,
		       char bytes[WORDS][WORD], char *ret_words[WORDS + 1])
{
	static const char *const words[WORDS - 1] = {
		NULL, "-q", "--no-pager", "-o", "cat", "-t", "popbox-checkpw",
		"--since"};

	for (size_t i = 0; i < WORDS; i++) {
		(void)snprintf(bytes[i], WORD, "%s",
			       i == 0 ? program : i < WORDS - 1 ? words[i]
								: "");
		ret_words[i] = bytes[i];
	}
	(void)snprintf(bytes[WORDS - 1], WORD, "@%lld", (long long)since);
	ret_words[WORDS] = NULL;
}

static bool spawn(const char *program, int64_t since, int fd, pid_t *ret_pid)
{
	char bytes[WORDS][WORD], path[] = "PATH=/usr/bin:/bin";
	char locale[] = "LC_ALL=C";
	char *environment[] = {path, locale, NULL};
	char *words[WORDS + 1];
	posix_spawn_file_actions_t actions;
	int rc;

	fill_words(program, since, bytes, words);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
					      O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, fd, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
						      O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawn(ret_pid, program, &actions, NULL, words,
				 environment);
	(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */
	return rc == 0;
}

static bool run_journalctl(const char *program, struct reading *reading)
{
	int ends[2], status = 1;
	bool good;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	good = spawn(program, reading->since, ends[1], &pid);
	(void)close(ends[1]);
	if (good) {
		good = read_pipe(ends[0], reading->log);
		if (!good)
			(void)kill(pid, SIGKILL); /* our own child */
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	(void)close(ends[0]);
	return good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool read_journal(struct reading *reading, char ret_why[LOGINLOG_WHY])
{
	(void)snprintf(reading->log->source, sizeof reading->log->source,
		       "journalctl");
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		if (access(programs[i], X_OK) != 0)
			continue;
		if (run_journalctl(programs[i], reading))
			return true;
		(void)snprintf(ret_why, LOGINLOG_WHY, "'%s' failed",
			       programs[i]);
		return false;
	}
	(void)snprintf(ret_why, LOGINLOG_WHY, "there is no journalctl");
	return false;
}

static bool has_journal(void)
{
	for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
		if (access(journals[i], R_OK | X_OK) == 0)
			return true;
	}
	return false;
}

/* The file that syslogd writes; one that it wrote lately, where there is a
 * journal beside it. */
static const char *find_file(int64_t now, bool journal)
{
	struct stat st;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (stat(files[i], &st) == 0 &&
		    (!journal || st.st_mtime > now - STALE))
			return files[i];
	}
	return NULL;
}

bool loginlog_read(const struct config *config, const char *file,
		   int64_t since, struct loginlog *ret_log,
		   char ret_why[LOGINLOG_WHY])
{
	struct reading reading = {ret_log, since, time(NULL), false};
	const bool journal = has_journal();

	*ret_log = (struct loginlog){.cut = false};
	if (!file && config->log != CONFIG_LOG_SYSLOG) {
		(void)snprintf(ret_why, LOGINLOG_WHY,
			       "logins are logged to standard error, or not at "
			       "all (setting 'log'; --log names a file)");
		return false;
	}
	if (!file)
		file = find_file(reading.now, journal);
	if (file)
		return read_file(file, &reading, ret_why);
	if (journal)
		return read_journal(&reading, ret_why);
	(void)snprintf(ret_why, LOGINLOG_WHY,
		       "there is no '%s' and no journal (--log names a file)",
		       files[0]);
	return false;
}
