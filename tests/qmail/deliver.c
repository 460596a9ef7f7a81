/* SPDX-License-Identifier: MIT */
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
 * or by MX (exit 99). What is in locals, or in no users/cdb, goes to a user
 * here, else to alias, as qmail-getpw says. Exit 0 delivered, 100 refused or
 * bounced, 111 deferred. Not a program of qmail's.
 */
#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "deliver.h"

static bool dry; /* -n */

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

/* Can the DNS know what stands before the port? */
static bool is_host(const char *host)
{
	const char *end = strchrnul(host, ':');

	for (const char *c = host; c < end; c++) {
		if ((unsigned char)*c <= ' ')
			return false;
	}
	return end != host;
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
	if (host[0] && !is_host(host))
		common_die(100, "Sorry, I couldn't find any host named %s",
			   host);
	if (host[0]) {
		printf("remote %s\n", host);
		exit(0);
	}
	common_die(99, "'%s' goes by MX", domain);
}

/* user%host@domain, where percenthack has the domain. In place. */
static void hack(char *address)
{
	char *at = strrchr(address, '@');

	while (at && in_file("control/percenthack", at + 1)) {
		*at = 0;
		at = strrchr(address, '%');
		if (!at) {
			address[strlen(address)] = '@';
			return;
		}
		*at = '@';
	}
}

/* The first line of control/me, where there is no control/locals. */
static bool is_local(const char *domain)
{
	size_t len;
	char *text;
	bool same;

	if (access(common_path("control/locals"), F_OK) == 0)
		return in_file("control/locals", domain);
	text = common_read("control/me", &len);
	if (!text)
		common_die(111, "neither locals nor me");
	len = strcspn(text, "\n");
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	text[len] = 0;
	same = strcasecmp(text, domain) == 0;
	free(text);
	return same;
}

/* What qmail-lspawn gets: id-local, or the local part of a user here. */
static void find_id(const char *local, const char *domain, char *prefixed,
		    size_t room)
{
	static const char file[] = "control/virtualdomains";
	char whole[1024], id[512];

	(void)snprintf(prefixed, room, "%s", local);
	if (is_local(domain))
		return;
	(void)snprintf(whole, sizeof whole, "%s@%s", local, domain);
	if (value_of(file, whole, id, sizeof id))
		goto found;
	for (const char *at = domain; at; at = strchr(at + 1, '.')) {
		if (value_of(file, at, id, sizeof id))
			goto found;
	}
	if (!value_of(file, "", id, sizeof id))
		id[0] = 0;
found:
	if (!id[0]) /* an exception, or none of all */
		go_remote(domain);
	(void)snprintf(prefixed, room, "%s-%s", id, local);
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

static bool take_account(const struct passwd *pw, const char *dash,
			 const char *ext, struct assign *as)
{
	char *at = as->bytes, *end = as->bytes + sizeof as->bytes;
	char uid[16], gid[16];
	const char *fields[6] = {pw->pw_name, uid, gid, pw->pw_dir, dash, ext};

	(void)snprintf(uid, sizeof uid, "%u", pw->pw_uid);
	(void)snprintf(gid, sizeof gid, "%u", pw->pw_gid);
	for (int i = 0; i < 6; i++) {
		as->field[i] = at;
		at += snprintf(at, (size_t)(end - at), "%s", fields[i]) + 1;
		if (at >= end)
			common_die(111, "it is too long");
	}
	return true;
}

/* As qmail-getpw does: the user, a user up to a hyphen, alias. */
static void find_account(const char *local, struct assign *as)
{
	size_t len = strlen(local) + 1;
	const struct passwd *pw;
	struct stat st;
	char name[32];

	while (len-- > 0) {
		if (len >= sizeof name || (local[len] && local[len] != '-'))
			continue;
		memcpy(name, local, len);
		name[len] = 0;
		common_lower(name);
		pw = getpwnam(name);
		if (pw && pw->pw_uid && stat(pw->pw_dir, &st) == 0 &&
		    st.st_uid == pw->pw_uid &&
		    take_account(pw, local[len] ? "-" : "",
				 local[len] ? local + len + 1 : "", as))
			return;
	}
	pw = getpwnam("alias");
	if (!pw)
		common_die(111, "unable to find alias user");
	(void)take_account(pw, "-", local, as);
}

/* As qmail-lspawn looks: exact first, then prefixes, longest first. */
static void find_assign(const char *local, struct assign *as)
{
	int fd = open(common_path("users/cdb"), O_RDONLY | O_CLOEXEC);
	char key[1700];
	size_t len;

	if (fd < 0 && errno != ENOENT)
		common_die(111, "no users/cdb");
	(void)snprintf(key, sizeof key, "!%s", local);
	common_lower(key);
	len = strlen(key);
	as->rest[0] = 0;
	if (fd >= 0 && cdb_value(fd, key, len + 1, as)) {
		close(fd);
		return;
	}
	for (; fd >= 0 && len > 0; len--) {
		if (cdb_value(fd, key, len, as)) {
			(void)snprintf(as->rest, sizeof as->rest, "%s",
				       local + len - 1);
			close(fd);
			return;
		}
	}
	if (fd >= 0)
		close(fd);
	find_account(local, as);
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

/* The message with the headers that qmail-local puts before it. Programs find
 * those in their environment, and the message in a file. */
static char *read_message(const char *sender, const char *recipient,
			  size_t *ret_len)
{
	FILE *out, *plain = tmpfile();
	char *text = NULL, *to = NULL;
	char part[4096];
	size_t got;

	out = open_memstream(&text, ret_len);
	if (!out || !plain || asprintf(&to, "Delivered-To: %s\n", recipient) < 0)
		common_die(111, "out of memory");
	fprintf(out, "Return-Path: <%s>\n%s", sender, to);
	while ((got = fread(part, 1, sizeof part, stdin)) > 0) {
		fwrite(part, 1, got, out);
		fwrite(part, 1, got, plain);
	}
	if (fclose(out) != 0 || fflush(plain) != 0 ||
	    dup2(fileno(plain), STDIN_FILENO) < 0 || fclose(plain) != 0 ||
	    setenv("SENDER", sender, 1) != 0 || setenv("DTLINE", to, 1) != 0)
		common_die(111, "out of memory");
	free(to);
	if (asprintf(&to, "Return-Path: <%s>\n", sender) < 0 ||
	    setenv("RPLINE", to, 1) != 0)
		common_die(111, "out of memory");
	free(to);
	return text;
}

int main(int argc, char **argv)
{
	bool queued = argc == 4 && strcmp(argv[1], "--queued") == 0;
	char *local = argc == 3 || argc == 4 ? strdup(argv[argc - 1]) : NULL;
	char *at = local ? strrchr(local, '@') : NULL;
	char prefixed[1600], whole[1900];
	static struct assign as;
	struct stat st;
	char *message;
	size_t len;

	if (!at)
		common_die(100, "usage: deliver sender recipient < message");
	*at = 0;
	dry = argc == 4 && strcmp(argv[1], "-n") == 0;
	(void)snprintf(prefixed, sizeof prefixed, "%s", local);
	if (!queued) {
		accept_domain(at + 1);
		*at = '@';
		hack(local);
		at = strrchr(local, '@');
		*at = 0;
		find_id(local, at + 1, prefixed, sizeof prefixed);
	}
	(void)snprintf(whole, sizeof whole, "%s@%s", prefixed, at + 1);
	find_assign(prefixed, &as);
	message = read_message(argv[argc - 2], whole, &len);
	become(&as);
	if (dry)
		printf("uid %s\n", as.field[1]);
	if (as.field[1][strspn(as.field[1], "0")] == 0)
		common_die(111, "nothing is delivered as root");
	if (chdir(as.field[3]) != 0 || stat(".", &st) != 0)
		common_die(111, "no directory %s", as.field[3]);
	if (st.st_mode & (S_IWOTH | S_ISVTX))
		common_die(111, "%s is writable or sticky", as.field[3]);
	(void)snprintf(prefixed, sizeof prefixed, "%s%s", as.field[5],
		       as.rest);
	if (setenv("EXT", prefixed, 1) != 0 || setenv("HOST", at + 1, 1) != 0 ||
	    setenv("DELIVER", dry ? "target" : "forward", 1) != 0)
		common_die(111, "out of memory");
	local_obey(local_find(as.field[4], prefixed), message, len, dry);
	free(message);
	free(local);
	return 0;
}
