/* deliver.c: a test's way to hand one message to qmail:
 *
 *	deliver SENDER RECIPIENT < message
 *	deliver --queued SENDER ID-LOCAL@DOMAIN < message
 *	deliver -n SENDER RECIPIENT
 *
 * the second for one that was routed before: qmail does that once. The third
 * only says where it would go, one target a line, as qmail-local -n does.
 * What qmail-smtpd, qmail-send, qmail-lspawn and qmail-local do for one
 * recipient, in one program: rcpthosts, virtualdomains, users/cdb, the .qmail
 * file, its Maildir and program lines; `&` lines are printed. What is in no
 * virtual domain would go to a host of smtproutes, which is printed (exit 0),
 * or by MX (exit 99); what is in locals to a user here (exit 98). Exit 0
 * delivered, 100 refused or bounced, 111 deferred. Not a program of qmail's.
 */
#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

static bool forward_only; /* the .qmail file has the x bit */
static bool dry;	  /* -n */

struct assign {
	char bytes[4096];
	const char *field[6]; /* user uid gid home dash ext */
	char rest[1024];      /* of the local part, behind a prefix */
};

/* Is it a key of the cdb that qmail-newmrh makes? */
static bool in_cdb(const char *name)
{
	char key[1024];
	struct cdb cdb;
	bool found;
	int fd = open(common_path("control/morercpthosts.cdb"),
		      O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	(void)snprintf(key, sizeof key, "%s", name);
	common_lower(key);
	if (cdb_init(&cdb, fd) != 0)
		common_die(111, "morercpthosts.cdb is damaged");
	found = cdb_find(&cdb, key, (unsigned)strlen(key)) > 0;
	cdb_free(&cdb);
	(void)close(fd);
	return found;
}

/* Is this name a line of a control file? */
static bool in_file(const char *file, const char *name)
{
	size_t len;
	char *text = common_read(file, &len);
	char *rest = text, *line;
	bool found = false;

	while (text && !found && (line = common_control_line(&rest)) != NULL)
		found = strcasecmp(line, name) == 0;
	free(text);
	return found;
}

/* Is the domain, or a suffix of it, in rcpthosts or morercpthosts.cdb? */
static void accept_domain(const char *domain)
{
	if (access(common_path("control/rcpthosts"), F_OK) != 0)
		return; /* an open relay */
	for (const char *at = domain; at; at = strchr(at + 1, '.')) {
		if (in_file("control/rcpthosts", at) || in_cdb(at))
			return;
	}
	common_die(100, "553 sorry, that domain isn't in my list of allowed "
			"rcpthosts (#5.7.1)");
}

/* What stands behind `key:` in a control file; last duplicate wins. */
static bool value_of(const char *file, const char *key, char *value,
		     size_t room)
{
	size_t len;
	char *text = common_read(file, &len);
	char *rest = text, *line;
	bool found = false;

	while ((line = common_control_line(&rest)) != NULL) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = 0;
		if (strcasecmp(line, key) == 0) {
			(void)snprintf(value, room, "%s", colon + 1);
			found = true;
		}
	}
	free(text);
	return found;
}

/* As qmail-remote looks: the domain, then its suffixes. */
_Noreturn static void go_remote(const char *domain)
{
	char host[512];

	for (const char *at = domain; at; at = strchr(at + 1, '.')) {
		if (value_of("control/smtproutes", at, host, sizeof host))
			goto found;
	}
	if (!value_of("control/smtproutes", "", host, sizeof host))
		host[0] = 0;
found:
	if (host[0]) {
		printf("remote %s\n", host);
		exit(0);
	}
	common_die(99, "'%s' goes by MX", domain);
}

static void find_id(const char *local, const char *domain, char *id,
		    size_t room)
{
	static const char file[] = "control/virtualdomains";
	char whole[1024];

	if (in_file("control/locals", domain))
		common_die(98, "'%s' is a user here", local);
	(void)snprintf(whole, sizeof whole, "%s@%s", local, domain);
	if (value_of(file, whole, id, room))
		goto found;
	for (const char *at = domain; at; at = strchr(at + 1, '.')) {
		if (value_of(file, at, id, room))
			goto found;
	}
	if (!value_of(file, "", id, room))
		id[0] = 0;
found:
	if (!id[0]) /* an exception, or none of all */
		go_remote(domain);
}

static bool cdb_value(int fd, const char *key, size_t len, struct assign *as)
{
	struct cdb cdb;
	bool found;

	if (cdb_init(&cdb, fd) != 0)
		common_die(111, "users/cdb is damaged");
	found = cdb_find(&cdb, key, (unsigned)len) > 0;
	if (found) {
		unsigned n = cdb_datalen(&cdb);
		const char *at = as->bytes;

		if (n >= sizeof as->bytes ||
		    cdb_read(&cdb, as->bytes, n, cdb_datapos(&cdb)) != 0)
			common_die(111, "users/cdb is damaged");
		as->bytes[n] = 0;
		for (int i = 0; i < 6; i++) {
			as->field[i] = at;
			at += strlen(at) + 1;
		}
	}
	cdb_free(&cdb);
	return found;
}

/* As qmail-lspawn looks: exact first, then prefixes, longest first. */
static void find_assign(const char *local, struct assign *as)
{
	int fd = open(common_path("users/cdb"), O_RDONLY | O_CLOEXEC);
	char key[1100];
	size_t len;

	if (fd < 0)
		common_die(errno == ENOENT ? 100 : 111, "no users/cdb");
	(void)snprintf(key, sizeof key, "!%s", local);
	common_lower(key);
	len = strlen(key);
	as->rest[0] = 0;
	if (cdb_value(fd, key, len + 1, as)) {
		close(fd);
		return;
	}
	for (; len > 0; len--) {
		if (cdb_value(fd, key, len, as)) {
			(void)snprintf(as->rest, sizeof as->rest, "%s",
				       local + len - 1);
			close(fd);
			return;
		}
	}
	common_die(100, "'%s' is in no users/cdb", local);
}

static void become(const struct assign *as)
{
	gid_t gid = (gid_t)strtoul(as->field[2], NULL, 10);
	uid_t uid = (uid_t)strtoul(as->field[1], NULL, 10);

	if (getuid() != 0)
		return; /* a private installation */
	if (setgroups(1, &gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
		common_die(111, "unable to become uid %u", uid);
}

/* The .qmail file of an extension, or that of a default; malloc'ed. */
static char *find_qmail(const char *dash, const char *ext)
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
		struct stat st;
		FILE *file;
		char *text;
		size_t got;

		(void)snprintf(name, sizeof name, ".qmail%s%.*s%s", dash,
			       (int)cut, safe, first ? "" : "default");
		file = fopen(name, "re");
		if (file) {
			if (fstat(fileno(file), &st) != 0 ||
			    (st.st_mode & S_IWOTH))
				common_die(111, "%s is world-writable", name);
			forward_only = st.st_mode & S_IXUSR;
			text = calloc(1, (size_t)st.st_size + 1);
			got = text ? fread(text, 1, (size_t)st.st_size, file)
				   : 0;
			if (!text || got != (size_t)st.st_size)
				common_die(111, "cannot read %s", name);
			fclose(file);
			return text;
		}
		if (errno != ENOENT)
			common_die(111, "cannot read %s", name);
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

static void to_maildir(const char *dir, const char *message, size_t len)
{
	char tmp[PATH_MAX], new[PATH_MAX];
	static int number;
	int fd;

	if (dry) {
		(void)snprintf(tmp, sizeof tmp, "%stmp", dir);
		(void)snprintf(new, sizeof new, "%snew", dir);
		if (access(tmp, F_OK) != 0 || access(new, F_OK) != 0)
			common_die(111, "cannot deliver to %s", dir);
		printf("target %s\n", dir);
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

/* The message with the headers that qmail-local puts before it. */
static char *read_message(const char *sender, const char *recipient,
			  size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);
	char part[4096];
	size_t got;

	if (!out)
		common_die(111, "out of memory");
	fprintf(out, "Return-Path: <%s>\nDelivered-To: %s\n", sender,
		recipient);
	while ((got = fread(part, 1, sizeof part, stdin)) > 0)
		fwrite(part, 1, got, out);
	if (fclose(out) != 0)
		common_die(111, "out of memory");
	return text;
}

static void to_program(const char *command)
{
	int status;

	if (dry && !strstr(command, "/bouncesaying ")) {
		printf("target |%s\n", command);
		return;
	}
	status = system(command);
	if (status == 0)
		return;
	common_die(WIFEXITED(status) && WEXITSTATUS(status) == 100 ? 100 : 111,
		   "the program line ended so");
}

static void obey_line(char *line, const char *message, size_t len)
{
	const size_t n = strlen(line);

	if (line[0] == '#' || line[0] == '+' || n == 0)
		return;
	if (forward_only && strchr("/.|", line[0]))
		common_die(111, ".qmail has the x bit set");
	if ((line[0] == '/' || line[0] == '.') && line[n - 1] == '/')
		to_maildir(line, message, len);
	else if (line[0] == '|')
		to_program(line + 1);
	else if (line[0] == '/' || line[0] == '.')
		printf("target %s\n", line); /* an mbox */
	else
		printf("%s %s\n", dry ? "target" : "forward",
		       line + (line[0] == '&'));
}

/* Walks the lines of a .qmail file. */
static void obey(char *qmail, const char *message, size_t len)
{
	if (!qmail[0])
		printf("target default\n"); /* what qmail-start says */
	if (qmail[0] == '\n')
		common_die(111, "the first line of .qmail is blank");
	while (*qmail) {
		char *line = qmail;
		size_t n = strcspn(line, "\n");

		qmail += n + (line[n] != 0);
		line[n] = 0;
		while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
			line[--n] = 0;
		obey_line(line, message, len);
	}
}

int main(int argc, char **argv)
{
	bool queued = argc == 4 && strcmp(argv[1], "--queued") == 0;
	char *local = argc == 3 || argc == 4 ? strdup(argv[argc - 1]) : NULL;
	char *at = local ? strrchr(local, '@') : NULL;
	char id[512], prefixed[1024], whole[1600];
	static struct assign as;
	struct stat st;
	char *message;
	size_t len;

	if (!at)
		common_die(100, "usage: deliver sender recipient < message");
	*at = 0;
	dry = argc == 4 && strcmp(argv[1], "-n") == 0;
	if (!queued) {
		accept_domain(at + 1);
		find_id(local, at + 1, id, sizeof id);
	}
	(void)snprintf(prefixed, sizeof prefixed, "%s%s%s", queued ? "" : id,
		       queued ? "" : "-", local);
	(void)snprintf(whole, sizeof whole, "%s@%s", prefixed, at + 1);
	find_assign(prefixed, &as);
	message = read_message(argv[argc - 2], whole, &len);
	become(&as);
	if (chdir(as.field[3]) != 0 || stat(".", &st) != 0)
		common_die(111, "no directory %s", as.field[3]);
	if (st.st_mode & (S_IWOTH | S_ISVTX))
		common_die(111, "%s is writable or sticky", as.field[3]);
	(void)snprintf(prefixed, sizeof prefixed, "%s%s", as.field[5],
		       as.rest);
	obey(find_qmail(as.field[4], prefixed), message, len);
	free(message);
	free(local);
	return 0;
}
