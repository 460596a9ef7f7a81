/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512 };

const char *log_ip(const char *text)
{
	unsigned char scratch[sizeof(struct in6_addr)];

	if (text && (inet_pton(AF_INET, text, scratch) == 1 ||
		     inet_pton(AF_INET6, text, scratch) == 1))
		return text;
	return "-";
}

/* One line whatever the client sent: no blank, quote, backslash or control
 * byte passes as it is. */
static void escape(const struct log_line *line, char out[LOG_USER_MAX + 1])
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; line->user && i < line->user_len; i++) {
		unsigned char c = (unsigned char)line->user[i];
		bool plain = c > ' ' && c < 0x7f && c != '"' && c != '\\';

		if (at + (plain ? 1 : 4) > LOG_USER_MAX)
			break;
		if (plain) {
			out[at++] = (char)c;
			continue;
		}
		out[at++] = '\\';
		out[at++] = 'x';
		out[at++] = hex[c >> 4];
		out[at++] = hex[c & 15];
	}
	if (at == 0)
		out[at++] = '-';
	out[at] = 0;
}

/* The datagram of syslog(3) without its time stamp, which the daemon adds:
 * glibc's would read the time zone file and the locale. A daemon that does not
 * listen keeps a login waiting for a second at most. The socket ends with the
 * exec, or the process. */
static void to_syslog(int priority, const char *text)
{
	const struct sockaddr_un to = {.sun_family = AF_UNIX,
				       .sun_path = _PATH_LOG};
	const struct timeval limit = {.tv_sec = 1};
	char datagram[LINE_MAX_BYTES + 8];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int len = snprintf(datagram, sizeof datagram, "<%d>%s",
			   LOG_MAIL | priority, text);

	if (fd < 0 ||
	    sendto(fd, datagram, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&to, sizeof to) >= 0 ||
	    errno != EAGAIN)
		return; /* of a log that fails nothing can be said but to it */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	(void)sendto(fd, datagram, (size_t)len, MSG_NOSIGNAL,
		     (const struct sockaddr *)&to, sizeof to);
}

/* In one call, so that lines of several logins do not mix. A reader that has
 * gone or a file that may not grow must cost the line, not the login; the
 * program that runs afterwards finds the caller's signals again. */
static void to_stderr(char *text, size_t len)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction pipe, size;
	ssize_t done;

	text[len++] = '\n';
	(void)sigaction(SIGPIPE, &ignore, &pipe); /* valid numbers */
	(void)sigaction(SIGXFSZ, &ignore, &size);
	do
		done = write(STDERR_FILENO, text, len);
	while (done < 0 && errno == EINTR);
	(void)sigaction(SIGPIPE, &pipe, NULL);
	(void)sigaction(SIGXFSZ, &size, NULL);
}

static void emit(enum config_log where, int priority, char *text, int len)
{
	switch (where) {
	case CONFIG_LOG_SYSLOG:
		to_syslog(priority, text);
		break;
	case CONFIG_LOG_STDERR:
		to_stderr(text, (size_t)len);
		break;
	case CONFIG_LOG_NONE:
		break;
	}
}

static const char *asker(const struct log_line *line)
{
	return line->asker ? line->asker : "";
}

/* The parts are bounded (ip 45, box 26, user 128, reasons ours), so that a
 * line always fits; snprintf ends it in any case. */
void log_accept(enum config_log where, const struct log_line *line,
		const char *box, const char *app)
{
	char user[LOG_USER_MAX + 1], text[LINE_MAX_BYTES + 1];

	escape(line, user);
	emit(where, LOG_INFO, text,
	     snprintf(text, LINE_MAX_BYTES,
		      "popbox-checkpw: accept ip=%.45s box=%.26s%s%.32s%.41s "
		      "user=%s",
		      log_ip(line->ip), box, app[0] ? " app=" : "", app,
		      asker(line), user));
}

void log_refuse(enum config_log where, const struct log_line *line,
		const char *reason)
{
	char user[LOG_USER_MAX + 1], text[LINE_MAX_BYTES + 1];

	escape(line, user);
	emit(where, LOG_NOTICE, text,
	     snprintf(text, LINE_MAX_BYTES,
		      "popbox-checkpw: refuse ip=%.45s reason=%.40s%.41s user=%s",
		      log_ip(line->ip), reason, asker(line), user));
}

void log_error(enum config_log where, const struct log_line *line,
	       const char *what, const char *why)
{
	char user[LOG_USER_MAX + 1], text[LINE_MAX_BYTES + 1];

	escape(line, user);
	emit(where, LOG_ERR, text,
	     snprintf(text, LINE_MAX_BYTES,
		      "popbox-checkpw: error ip=%.45s reason=\"%.80s%s%.80s\""
		      "%.41s user=%s",
		      log_ip(line->ip), what, why[0] ? ": " : "", why,
		      asker(line), user));
}

void log_note(enum config_log where, const char *what, const char *why,
	      const char *system)
{
	char text[LINE_MAX_BYTES + 1];

	emit(where, LOG_WARNING, text,
	     snprintf(text, LINE_MAX_BYTES,
		      "popbox-checkpw: note reason=\"%.80s: %.80s%s%.80s\"",
		      what, why, system[0] ? ": " : "", system));
}

void log_fault(enum config_log where)
{
	static char text[LINE_MAX_BYTES + 1] =
		"popbox-checkpw: error ip=- reason=\"store: damaged\" user=-";

	emit(where, LOG_ERR, text, (int)strlen(text));
}
