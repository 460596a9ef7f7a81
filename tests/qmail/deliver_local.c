/* SPDX-License-Identifier: MIT */
/* deliver_local.c: what qmail-local does for one recipient, as deliver.c says. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "deliver.h"

static bool forward_only; /* the .qmail file has the x bit, or said +list */
static bool dry;	  /* deliver -n */

/* One .qmail file, malloc'ed; NULL: it is not there, or no file. */
static char *read_qmail(const char *name)
{
	FILE *file = fopen(name, "re");
	struct stat st;
	size_t got;
	char *text;

	if (!file && (errno == EACCES || errno == EPERM))
		common_die(111, "cannot read %s", name);
	if (!file)
		return NULL;
	if (fstat(fileno(file), &st) != 0)
		common_die(111, "cannot read %s", name);
	if (!S_ISREG(st.st_mode)) {
		fclose(file);
		return NULL;
	}
	if (st.st_mode & S_IWOTH)
		common_die(111, "%s is world-writable", name);
	forward_only = st.st_mode & S_IXUSR;
	text = calloc(1, (size_t)st.st_size + 1);
	got = text ? fread(text, 1, (size_t)st.st_size, file) : 0;
	if (!text || got != (size_t)st.st_size)
		common_die(111, "cannot read %s", name);
	fclose(file);
	return text;
}

/* The .qmail file of an extension, or that of a default; malloc'ed. */
char *local_find(const char *dash, const char *ext)
{
	char name[1200], safe[1100];
	size_t cut;

	(void)snprintf(safe, sizeof safe, "%s", ext);
	common_lower(safe);
	for (char *c = safe; *c; c++) {
		if (*c == '.')
			*c = ':';
	}
	cut = strlen(safe);
	for (bool first = true;; first = false) {
		char *text;

		(void)snprintf(name, sizeof name, ".qmail%s%.*s%s", dash,
			       (int)cut, safe, first ? "" : "default");
		text = read_qmail(name);
		if (text)
			return text;
		if (!first) {
			if (cut == 0)
				break;
			cut--;
		}
		while (cut && safe[cut - 1] != '-')
			cut--;
	}
	if (!*dash)
		return calloc(1, 1); /* a user himself needs no file */
	common_die(100, "Sorry, no mailbox here by that name. (#5.1.1)");
}

/* With the home before it, as qmail-local is in it. */
static void say_target(const char *path)
{
	char home[PATH_MAX] = "";

	if (path[0] == '.' && (!getcwd(home, sizeof home) || !home[0]))
		common_die(111, "cannot tell where I am");
	if (strncmp(path, "./", 2) == 0)
		path += 2;
	printf("target %s%s%s\n", home, home[0] ? "/" : "", path);
}

/* An mbox is made where there is none. */
static void to_mbox(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		common_die(111, "cannot deliver to %s", path);
	close(fd);
	if (dry)
		printf("target %s\n", path);
}

static void to_maildir(const char *dir, const char *message, size_t len)
{
	char tmp[PATH_MAX], new[PATH_MAX];
	static int number;
	int fd;

	if (dry) {
		(void)snprintf(tmp, sizeof tmp, "%stmp", dir);
		(void)snprintf(new, sizeof new, "%snew", dir);
		if (access(tmp, W_OK | X_OK) != 0 ||
		    access(new, W_OK | X_OK) != 0)
			common_die(111, "cannot deliver to %s", dir);
		say_target(dir);
		return;
	}
	number++;
	(void)snprintf(tmp, sizeof tmp, "%stmp/%ld.%ld_%d.test", dir,
		       (long)time(NULL), (long)getpid(), number);
	(void)snprintf(new, sizeof new, "%snew/%ld.%ld_%d.test", dir,
		       (long)time(NULL), (long)getpid(), number);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, message, len) != (ssize_t)len ||
	    fsync(fd) != 0 || close(fd) != 0 || link(tmp, new) != 0)
		common_die(111, "cannot deliver to %s", dir);
	(void)unlink(tmp);
}

/* False: it said that no line behind it counts. */
static bool to_program(const char *command)
{
	int status;

	if (dry && strstr(command, "/popbox-quota "))
		return true;
	if (dry && !strstr(command, "/bouncesaying ") &&
	    !strstr(command, "/condredirect ")) {
		printf("target |%s\n", command);
		return true;
	}
	(void)fflush(stdout);
	(void)lseek(STDIN_FILENO, 0, SEEK_SET); /* a file: deliver.c */
	status = system(command);
	if (status == 0)
		return true;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
		return false;
	common_die(WIFEXITED(status) && WEXITSTATUS(status) == 100 ? 100 : 111,
		   "the program line ended so");
}

/* False: no line behind it counts. */
static bool obey_line(char *line, const char *message, size_t len)
{
	const size_t n = strlen(line);

	if (strcmp(line, "+list") == 0)
		forward_only = true;
	if (n == 0 || !strchr("/.|", line[0]))
		return true;
	if (forward_only)
		common_die(111, ".qmail has the x bit set");
	if ((line[0] == '/' || line[0] == '.') && line[n - 1] == '/')
		to_maildir(line, message, len);
	else if (line[0] == '|')
		return to_program(line + 1);
	else
		to_mbox(line);
	return true;
}

/* Forwards come last, when all else was done. */
static void forward_lines(const char *text, const char *end)
{
	for (; text < end; text += strlen(text) + 1) {
		if (text[0] && !strchr("#+/.|", text[0]))
			printf("%s %s\n", dry ? "target" : "forward",
			       text + (text[0] == '&'));
	}
}

/* Walks the lines of a .qmail file. */
void local_obey(char *qmail, const char *message, size_t len, bool only_say)
{
	const char *text = qmail;

	dry = only_say;

	if (!qmail[0])
		printf("target default\n"); /* what qmail-start says */
	if (qmail[0] && qmail[strspn(qmail, " \t")] == '\n')
		common_die(111, "the first line of .qmail is blank");
	while (*qmail) {
		char *line = qmail;
		size_t n = strcspn(line, "\n");

		qmail += n + (line[n] != 0);
		line[n] = 0;
		while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
			line[--n] = 0;
		if (!obey_line(line, message, len))
			return;
	}
	forward_lines(text, qmail);
}

