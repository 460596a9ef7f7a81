/* SPDX-License-Identifier: MIT */
/* observer: qmail's eyes on a site, at every instant of a change.
 *
 *	observer step VIEW LOG OPS COMMAND [ARG ...]
 *	observer look VIEW STORE
 *
 * step runs a command and, behind every system call of all its processes, asks
 * what qmailview and watched tell. LOG gets a line `view N CALL` with what
 * follows, up to a dot, whenever that is another than at the instant before; the
 * lines of record, each before its view; at the end `instants N STATUS`. Ends as
 * the command did. With OPS other than 0 all its processes are killed, kill -9,
 * behind so many calls that record tells of.
 *
 * look answers each line of its input: `look` with qmailview's lines, `store`
 * with stored's; then a line with a dot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "qmailview.h"
#include "record.h"
#include "step.h"
#include "stored.h"
#include "watched.h"

struct watching {
	struct qmailview view;
	struct record record;
	FILE *log;
	char *answers; /* the last ones */
	unsigned long instants;
	unsigned long ops;
	unsigned long last; /* 0: none; else the command dies behind it */
};

static void look(struct watching *w, unsigned long nr)
{
	char *answers = NULL, *changed = NULL;
	size_t len, changed_len;
	FILE *out = open_memstream(&answers, &len);
	FILE *files = open_memstream(&changed, &changed_len);

	if (!out || !files)
		abort();
	qmailview_answers(&w->view, out);
	watched_print(&w->view, files);
	if (fclose(out) != 0 || fclose(files) != 0)
		abort();
	if (changed_len || !w->answers || strcmp(w->answers, answers) != 0)
		fprintf(w->log, "view %lu %lu\n%s%s.\n", w->instants, nr,
			answers, changed);
	free(w->answers);
	free(changed);
	w->answers = answers;
}

static void before(void *arg, struct step_call *call)
{
	struct watching *w = arg;

	record_before(&w->record, call);
}

static void behind(void *arg, struct step_call *call)
{
	struct watching *w = arg;

	const long before = ftell(w->log);

	record_behind(&w->record, call);
	w->ops += ftell(w->log) != before;
	w->instants++;
	look(w, call->nr);
	if (w->last && w->ops == w->last)
		step_kill();
}

static int step(char **argv)
{
	static struct watching w;
	const struct step stops = {.before = before, .behind = behind,
				   .arg = &w};
	pid_t pid;
	int status;

	qmailview_read(argv[0], &w.view);
	w.log = fopen(argv[1], "we");
	if (!w.log) {
		perror(argv[1]);
		return 111;
	}
	w.record = (struct record){.out = w.log, .top = w.view.top};
	look(&w, 0);
	w.last = strtoul(argv[2], NULL, 10);
	status = step_run(argv + 3, &stops, &pid);
	if (status == -1) {
		perror("ptrace");
		return 111;
	}
	fprintf(w.log, "instants %lu %d\n", w.instants, status);
	if (fclose(w.log) != 0)
		return 111;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}

static int answer(char **argv)
{
	struct qmailview view;
	char line[64];

	qmailview_read(argv[0], &view);
	while (fgets(line, sizeof line, stdin)) {
		if (line[0] == 'l')
			qmailview_answers(&view, stdout);
		else
			stored_print(argv[1], stdout);
		puts(".");
		(void)fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 6 && strcmp(argv[1], "step") == 0)
		return step(argv + 2);
	if (argc == 4 && strcmp(argv[1], "look") == 0)
		return answer(argv + 2);
	fputs("usage: observer step VIEW LOG OPS COMMAND ... | look VIEW "
	      "STORE\n",
	      stderr);
	return 2;
}
