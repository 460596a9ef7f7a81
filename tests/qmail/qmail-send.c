/* SPDX-License-Identifier: MIT */
/* qmail-send.c: stand-in for the one part of qmail-send that matters here: it
 * reads control/locals and control/virtualdomains at its start and on HUP, and
 * at no other time.
 *
 * Each reading adds a line to send.log (`start N` or `hup N`, N virtual
 * domains, - for a missing file) and puts the table into send.table, so that
 * a test can ask what the running program would do. Ends on TERM.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

static void append_log(const char *why, long domains)
{
	int fd = open(common_path("send.log"),
		      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	char line[64];
	int len = domains < 0 ? snprintf(line, sizeof line, "%s -\n", why)
			      : snprintf(line, sizeof line, "%s %ld\n", why,
					 domains);

	if (fd < 0 || write(fd, line, (size_t)len) != len || close(fd) != 0)
		common_die(111, "unable to write send.log");
}

/* Written whole beside its place, then renamed. */
static void reread(const char *why)
{
	size_t len;
	char *text = common_read("control/virtualdomains", &len);
	char *rest = text, *line, *temporary;
	long domains = text ? 0 : -1;
	FILE *table;

	temporary = strdup(common_path("send.table.tmp"));
	table = temporary ? fopen(temporary, "we") : NULL;
	if (!table)
		common_die(111, "unable to write send.table");
	while ((line = common_control_line(&rest)) != NULL) {
		domains++;
		fprintf(table, "%s\n", line);
	}
	if (fclose(table) != 0 ||
	    rename(temporary, common_path("send.table")) != 0)
		common_die(111, "unable to write send.table");
	free(temporary);
	free(text);
	append_log(why, domains);
}

int main(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		common_die(111, "unable to block signals");
	reread("start");
	for (;;) {
		if (sigwait(&set, &number) != 0)
			common_die(111, "unable to wait");
		if (number == SIGTERM)
			return 0;
		reread("hup");
	}
}
