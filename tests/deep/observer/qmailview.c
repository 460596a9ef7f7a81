/* SPDX-License-Identifier: MIT */
#include "qmailview.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qmail/cdbfile.h"
#include "qmail/route.h"

static const char *path_of(const char *dir, const char *name)
{
	static char path[PATH_MAX];
	int len = snprintf(path, sizeof path, "%s/%s", dir, name);

	if (len < 0 || (size_t)len >= sizeof path)
		abort(); /* the harness makes short ones */
	return path;
}

char *qmailview_bytes(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *bytes = NULL;
	size_t len = 0;
	ssize_t got = 1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		bytes = malloc((size_t)st.st_size + 1);
	while (bytes && got > 0 && len < (size_t)st.st_size) {
		got = read(fd, bytes + len, (size_t)st.st_size - len);
		len += got > 0 ? (size_t)got : 0;
	}
	(void)close(fd); /* read only */
	if (bytes)
		bytes[len] = 0;
	*ret_len = len;
	return bytes;
}

static void take_line(struct qmailview *view, const char *word, char *value)
{
	if (strcmp(word, "top") == 0)
		view->top = value;
	else if (strcmp(word, "qmail") == 0)
		view->qmail = value;
	else if (strcmp(word, "home") == 0)
		view->home = value;
	else if (strcmp(word, "serial") == 0)
		view->serial = value;
	else if (strcmp(word, "address") == 0 &&
		 view->addresses < QMAILVIEW_ASKED)
		view->address[view->addresses++] = value;
	else if (strcmp(word, "queued") == 0 && view->queues < QMAILVIEW_ASKED)
		view->queued[view->queues++] = value;
	else
		abort();
}

void qmailview_read(const char *path, struct qmailview *ret_view)
{
	size_t len;
	char *text = qmailview_bytes(path, &len), *rest = text, *line;

	*ret_view = (struct qmailview){0};
	if (!text) {
		perror(path);
		exit(111);
	}
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = line;
		char *word = strsep(&value, " ");

		if (*line)
			take_line(ret_view, word, value);
	}
	/* text stays: the strings lie in it. */
}

static struct route_text control(const struct qmailview *view, const char *name)
{
	struct route_text text = {0};
	char part[64];

	(void)snprintf(part, sizeof part, "control/%s", name);
	text.bytes = qmailview_bytes(path_of(view->qmail, part), &text.len);
	return text;
}

/* The control files, each read once for all questions. */
struct tables {
	struct route_text rcpthosts, locals, me, virtual, routes;
	bool no_rcpthosts; /* it is not there */
};

static struct tables read_tables(const struct qmailview *view)
{
	struct tables t = {0};

	t.rcpthosts = control(view, "rcpthosts");
	t.no_rcpthosts = !t.rcpthosts.bytes && errno == ENOENT;
	t.locals = control(view, "locals");
	t.me = control(view, "me");
	t.virtual = control(view, "virtualdomains");
	t.routes = control(view, "smtproutes");
	return t;
}

static void drop_tables(const struct tables *t)
{
	const struct route_text all[] = {t->rcpthosts, t->locals, t->me,
					 t->virtual, t->routes};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free((void *)(uintptr_t)all[i].bytes);
}

static const char *accepts(const struct qmailview *view, const struct tables *t,
			   const char *domain)
{
	const char *path;

	if (!t->rcpthosts.bytes)
		return t->no_rcpthosts ? "open" : "cannot";
	if (route_rcpthosts(t->rcpthosts, domain).number)
		return "yes";
	path = path_of(view->qmail, "control/morercpthosts.cdb");
	for (const char *at = domain; at; at = route_next_name(domain, at)) {
		enum cdbfile found = cdbfile_has(path, at);

		if (found == CDBFILE_FOUND)
			return "yes";
		if (found == CDBFILE_DAMAGED || found == CDBFILE_LATER)
			return "cannot";
	}
	return "no";
}

static void print_route(const struct tables *t, FILE *out, const char *local,
			const char *domain)
{
	struct route_line line =
		route_virtualdomains(t->virtual, local, domain);
	struct route_line to = route_smtproutes(t->routes, domain);

	if (route_locals(t->locals, t->me, domain).number)
		fputs("user", out);
	else if (line.number && line.value_len)
		fprintf(out, "local %.*s-%s@%s", (int)line.value_len,
			line.value, local, domain);
	else if (to.number && to.value_len)
		fprintf(out, "host %.*s", (int)to.value_len, to.value);
	else
		fputs("mx", out);
}

/* What becomes of one message; the text of an outcome. */
struct outcome {
	char text[4096];
	size_t len;
};

static void add(struct outcome *o, const char *word, const char *value)
{
	int len = snprintf(o->text + o->len, sizeof o->text - o->len, "%s%s %s",
			   o->len ? " " : "", word, value);

	if (len < 0 || (size_t)len >= sizeof o->text - o->len)
		abort();
	o->len += (size_t)len;
}

/* A deferral or a bounce is the whole of it: qmail-local looks at all lines
 * before it tells. */
static void only(struct outcome *o, const char *word, const char *why)
{
	o->len = 0;
	add(o, word, why);
}

static bool is_maildir(int home, const char *dir)
{
	static const char *const part[] = {"tmp", "new", "cur"};
	char path[PATH_MAX];

	for (size_t i = 0; i < 3; i++) {
		struct stat st;

		(void)snprintf(path, sizeof path, "%s%s", dir, part[i]);
		if (fstatat(home, path, &st, 0) != 0 || !S_ISDIR(st.st_mode) ||
		    faccessat(home, path, W_OK | X_OK, AT_EACCESS) != 0)
			return false;
	}
	return true;
}

/* One line of a .qmail file. False: nothing behind it counts. */
static bool obey_line(int home, char *line, bool forwards_only,
		      struct outcome *o)
{
	size_t n = strlen(line);

	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		line[--n] = 0;
	if (n == 0 || line[0] == '#' || line[0] == '+')
		return true;
	if (forwards_only && strchr("/.|", line[0])) {
		only(o, "defer", "x bit");
		return false;
	}
	if (line[0] == '|' && strstr(line, "/bouncesaying ")) {
		only(o, "bounce", "bouncesaying");
		return false;
	}
	if (line[0] == '|') {
		add(o, "program", line + 1);
	} else if (line[0] != '/' && line[0] != '.') {
		add(o, "forward", line + (line[0] == '&'));
	} else if (line[n - 1] != '/') {
		add(o, "mbox", line);
	} else if (!is_maildir(home, line)) {
		only(o, "defer", "no Maildir");
		return false;
	} else {
		add(o, "box", line);
	}
	return true;
}

static void obey(int home, char *text, bool forwards_only, struct outcome *o)
{
	char *rest = text, *line;

	if (!text[0])
		only(o, "default", "empty .qmail");
	else if (text[0] == '\n')
		only(o, "defer", "first line blank");
	else
		while ((line = strsep(&rest, "\n")) != NULL &&
		       obey_line(home, line, forwards_only, o))
			continue;
	if (!o->len)
		add(o, "nothing", "only comments");
}

/* Opens the file that counts. -1: errno. */
static int find_file(int home, const struct route_user *user, const char *ext)
{
	char name[ROUTE_QMAIL_MAX];
	int fd = -1;

	errno = ENOENT;
	for (unsigned n = 0;
	     fd < 0 && errno == ENOENT &&
	     route_qmail_name(user->field[ROUTE_DASH], ext, n, name);
	     n++) {
		errno = ENOENT;
		if (name[0])
			fd = openat(home, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	return fd;
}

static void deliver_in(int home, const struct route_user *user,
		       struct outcome *o)
{
	char ext[ROUTE_FIELD_MAX + 1024], text[65536];
	struct stat st;
	ssize_t len;
	int fd;

	if (fstat(home, &st) != 0 || (st.st_mode & (S_IWOTH | S_ISVTX))) {
		only(o, "defer", "home writable or sticky");
		return;
	}
	(void)snprintf(ext, sizeof ext, "%s%s", user->field[ROUTE_EXT],
		       user->rest);
	fd = find_file(home, user, ext);
	if (fd < 0 && errno != ENOENT)
		only(o, "defer", "unreadable .qmail");
	else if (fd < 0 && user->field[ROUTE_DASH][0])
		only(o, "bounce", "no mailbox here by that name");
	else if (fd < 0)
		only(o, "default", "a user");
	if (fd < 0)
		return;
	len = read(fd, text, sizeof text - 1);
	if (len < 0 || fstat(fd, &st) != 0 || (st.st_mode & S_IWOTH)) {
		only(o, "defer", "unreadable or writable .qmail");
	} else {
		text[len] = 0;
		obey(home, text, st.st_mode & S_IXUSR, o);
	}
	(void)close(fd); /* read only */
}

/* qmail-lspawn, then qmail-local as the user. */
static void deliver(const struct qmailview *view, const char *local,
		    struct outcome *o)
{
	static struct route_user user;
	int home;

	switch (cdbfile_user(path_of(view->qmail, "users/cdb"), local, &user)) {
	case CDBFILE_FOUND:
		break;
	case CDBFILE_DAMAGED:
	case CDBFILE_LATER:
		only(o, "defer", "users/cdb damaged");
		return;
	case CDBFILE_NONE:
	case CDBFILE_MISSING: /* the alias user, who has no file here */
		only(o, "bounce", "no such user");
		return;
	}
	/* Only one of root's processes can change these; else they stay. */
	(void)setfsgid((gid_t)strtoul(user.field[ROUTE_GID], NULL, 10));
	(void)setfsuid((uid_t)strtoul(user.field[ROUTE_UID], NULL, 10));
	home = open(user.field[ROUTE_HOME], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home < 0)
		only(o, "defer", "no home");
	else
		deliver_in(home, &user, o);
	if (home >= 0)
		(void)close(home); /* read only */
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
}

static void print_mail(const struct qmailview *view, FILE *out,
		       const char *queued)
{
	struct outcome o = {.len = 0};
	char local[1024];
	const char *at = strrchr(queued, '@');

	(void)snprintf(local, sizeof local, "%.*s", (int)(at ? at - queued : 0),
		       queued);
	deliver(view, local, &o);
	fprintf(out, "mail\t%s\t%s\n", queued, o.text);
}

void qmailview_answers(const struct qmailview *view, FILE *out)
{
	struct tables tables = read_tables(view);

	for (size_t i = 0; i < view->addresses; i++) {
		const char *address = view->address[i];
		const char *at = strrchr(address, '@');
		char local[256];

		if (!at)
			abort();
		(void)snprintf(local, sizeof local, "%.*s", (int)(at - address),
			       address);
		fprintf(out, "smtp\t%s\t%s\nroute\t%s\t", address,
			accepts(view, &tables, at + 1), address);
		print_route(&tables, out, local, at + 1);
		fputc('\n', out);
	}
	drop_tables(&tables);
	for (size_t i = 0; i < view->queues; i++)
		print_mail(view, out, view->queued[i]);
}
