/* SPDX-License-Identifier: MIT */
#include "recipient.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/resolve.h"
#include "base/ask.h"
#include "qmail/dotqmail.h"
#include "qmail/dotqmail_lines.h"
#include "qmail/route.h"
#include "store/path.h"

enum {
	TEXT_MAX = 16384, /* bytes of a .qmail file that are looked at */
	HOPS = 100,	  /* addresses; the others are taken to be there */
	DEEP = 20,	  /* forwards behind each other, likewise */
};

struct asking {
	struct store *store;
	const struct config *config;
	int hops, deep;
	const char *what, *why;
};

/* An address on the way of the message, and the one that forwards to it. */
struct hop {
	const char *address;
	const struct hop *from;
};

static enum recipient judge(struct asking *asking, const struct hop *hop);

static enum recipient later(struct asking *asking, const char *what,
			    const char *why)
{
	asking->what = what;
	asking->why = why;
	return RECIPIENT_LATER;
}

static enum recipient unread(struct asking *asking, const char *what)
{
	return later(asking, what, strerrordesc_np(errno));
}

/* qmail-local takes these errors for "there is none", and goes on. */
static bool is_absent(int rc)
{
	return rc == ENOENT || rc == ENOTDIR || rc == ELOOP ||
	       rc == ENAMETOOLONG || rc == ENXIO;
}

/* A domain's directory, as qmail-local wants one. -1: asking says why. */
static int open_home(struct asking *asking, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *why = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		(void)unread(asking, "a domain's directory");
	else if (st.st_mode & S_IWOTH)
		why = "it is writable by everybody";
	else if (st.st_mode & S_ISVTX)
		why = "it has the sticky bit, qmail's sign for 'being changed'";
	else
		return fd;
	if (why)
		(void)later(asking, "a domain's directory", why);
	if (fd >= 0)
		(void)close(fd); /* read only */
	return -1;
}

/* One name of a .qmail file. ENOENT: the next one. */
static int try_file(int dir, const char *name, int *ret_fd, struct stat *ret_st)
{
	int fd, rc = 0;

	if (!name[0] || strchr(name, '/'))
		return ENOENT; /* a name is one part of a path */
	fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return is_absent(errno) ? ENOENT : errno;
	if (fstat(fd, ret_st) != 0)
		rc = errno;
	else if (!S_ISREG(ret_st->st_mode))
		rc = ENOENT;
	if (rc != 0)
		(void)close(fd); /* read only */
	else
		*ret_fd = fd;
	return rc;
}

/* The .qmail file that takes mail for ext, and what it says: room for one more byte
 * than *ret_len. RECIPIENT_THERE: it is read. */
static enum recipient read_file(struct asking *asking, int dir, const char *ext,
				char text[TEXT_MAX + 1], size_t *ret_len,
				mode_t *ret_mode)
{
	char name[ROUTE_QMAIL_MAX];
	struct stat st;
	ssize_t len;
	int rc = ENOENT, fd = -1;

	for (unsigned n = 0;
	     rc == ENOENT && route_qmail_name("-", ext, n, name); n++)
		rc = try_file(dir, name, &fd, &st);
	if (rc == ENOENT)
		return RECIPIENT_NONE;
	errno = rc;
	if (rc != 0)
		return unread(asking, "a .qmail file");
	len = ask_read(fd, text, TEXT_MAX);
	rc = errno;
	(void)close(fd); /* read only */
	errno = rc;
	if (len < 0)
		return unread(asking, "a .qmail file");
	if (st.st_mode & S_IWOTH)
		return later(asking, "a .qmail file",
			     "it is writable by everybody");
	*ret_len = (size_t)len;
	*ret_mode = st.st_mode;
	return RECIPIENT_THERE;
}

/* Mail for joe+tag is handed to joe, and that is all. */
static enum recipient hand_on(struct asking *asking, const struct hop *hop,
			      size_t base)
{
	char address[RECIPIENT_MAX + 1];
	const char *at = strrchr(hop->address, '@');
	size_t len = strlen(at);

	memcpy(address, hop->address, base);
	memcpy(address + base, at, len + 1); /* shorter than the whole */
	return judge(asking, &(struct hop){address, hop});
}

/* Where forwards alone take the mail, one of them has to get somewhere. */
static enum recipient follow(struct asking *asking, const struct hop *hop,
			     const struct dotqmail_line *line, size_t count)
{
	enum recipient best = RECIPIENT_NONE;
	bool any = false;

	for (size_t n = 0; n < count && best != RECIPIENT_THERE; n++) {
		const char *to = line[n].at + (line[n].at[0] == '&');
		enum recipient one;

		if (dotqmail_does(asking->config, &line[n]) !=
		    DOTQMAIL_FORWARD)
			continue;
		any = true;
		one = strlen(to) > RECIPIENT_MAX
			      ? RECIPIENT_THERE
			      : judge(asking, &(struct hop){to, hop});
		if (one != RECIPIENT_NONE)
			best = one == RECIPIENT_LATER ? one : RECIPIENT_THERE;
	}
	return any ? best : RECIPIENT_THERE; /* taken, and lost */
}

static enum recipient judge_lines(struct asking *asking, const struct hop *hop,
				  const struct dotqmail_line *line,
				  size_t count, bool forwards_only)
{
	const size_t base = dotqmail_base(
		hop->address,
		(size_t)(strrchr(hop->address, '@') - hop->address));
	bool kept = false;

	for (size_t n = 0; n < count; n++) {
		const enum dotqmail_does does =
			dotqmail_does(asking->config, &line[n]);

		forwards_only |= strcmp(line[n].at, "+list") == 0;
		if (does == DOTQMAIL_NOTHING || does == DOTQMAIL_FORWARD)
			continue;
		if (forwards_only)
			return later(asking, "a .qmail file",
				     "it may only forward, and has other lines");
		if (does == DOTQMAIL_BOUNCE)
			return RECIPIENT_NONE;
		if (does == DOTQMAIL_HOLD)
			return RECIPIENT_THERE;
		if (does == DOTQMAIL_EXTENSION && base)
			return hand_on(asking, hop, base);
		kept |= does != DOTQMAIL_EXTENSION && does != DOTQMAIL_QUOTA &&
			does != DOTQMAIL_VACATION;
	}
	return kept ? RECIPIENT_THERE : follow(asking, hop, line, count);
}

/* Without a line the mail goes where qmail-start's argument says; a blank first line
 * is a hold; of a longer file not all is known. */
static enum recipient judge_file(struct asking *asking, const struct hop *hop,
				 char *text, size_t len, mode_t mode)
{
	struct dotqmail_line *line;
	enum recipient answer = RECIPIENT_THERE;
	size_t count;

	if (len == 0 || len == TEXT_MAX)
		return RECIPIENT_THERE;
	line = dotqmail_split(text, len, &count);
	if (!line)
		return unread(asking, "memory");
	if (text[0])
		answer = judge_lines(asking, hop, line, count, mode & S_IXUSR);
	free(line);
	return answer;
}

static enum recipient judge_place(struct asking *asking, const struct hop *hop,
				  const char *path)
{
	const char *at = strrchr(hop->address, '@');
	char ext[RECIPIENT_MAX + 1], *text = malloc(TEXT_MAX + 1);
	enum recipient answer;
	mode_t mode = 0;
	size_t len = 0;
	int dir;

	if (!text)
		return unread(asking, "memory");
	memcpy(ext, hop->address, (size_t)(at - hop->address));
	ext[at - hop->address] = 0;
	dir = open_home(asking, path);
	answer = dir < 0 ? RECIPIENT_LATER
			 : read_file(asking, dir, ext, text, &len, &mode);
	if (dir >= 0)
		(void)close(dir); /* read only */
	if (answer == RECIPIENT_THERE)
		answer = judge_file(asking, hop, text, len, mode);
	free(text);
	return answer;
}

struct looking {
	const char *address;
	struct resolve *resolve;
};

static enum err look(struct store_txn *txn, void *arg)
{
	struct looking *looking = arg;

	return resolve_address(txn, looking->address, looking->resolve);
}

static enum recipient judge_domain(struct asking *asking, const struct hop *hop,
				   const struct resolve *resolve)
{
	const struct store_domain *domain = &resolve->domain;
	char path[PATH_DOMAIN_TEXT];

	switch (resolve->kind) {
	case RESOLVE_FOREIGN:
		return RECIPIENT_FOREIGN;
	case RESOLVE_CLOSED:
		/* qmail-smtpd takes none; mail of a forward goes the old way. */
		return hop->from ? RECIPIENT_THERE : RECIPIENT_NONE;
	case RESOLVE_ROUTED:
		if (domain->kind != STORE_DIALUP)
			return RECIPIENT_THERE;
		path_dialup(asking->config->serialmail, &domain->name, path);
		break;
	case RESOLVE_ADDRESS:
	case RESOLVE_CATCHALL:
	case RESOLVE_DELETED:
	case RESOLVE_NOBODY:
		path_domain(asking->config->home, &domain->handle,
			    &domain->name, path);
		break;
	}
	return judge_place(asking, hop, path);
}

static enum recipient judge_store(struct asking *asking, const struct hop *hop)
{
	struct resolve *resolve = calloc(1, sizeof *resolve);
	struct looking looking = {hop->address, resolve};
	enum recipient answer;
	enum err err;

	if (!resolve)
		return unread(asking, "memory");
	err = store_read(asking->store, look, &looking);
	if (err == ERR_SYSTEM)
		answer = unread(asking, "store");
	else if (err != ERR_OK)
		answer = later(asking, "store", err_text(err));
	else
		answer = judge_domain(asking, hop, resolve);
	free(resolve);
	return answer;
}

/* Has the message been there? qmail-local bounces it as looping then. */
static bool is_loop(const struct hop *hop)
{
	for (const struct hop *at = hop->from; at; at = at->from) {
		if (strcmp(at->address, hop->address) == 0)
			return true;
	}
	return false;
}

static enum recipient judge(struct asking *asking, const struct hop *hop)
{
	enum recipient answer;

	if (is_loop(hop))
		return RECIPIENT_NONE;
	if (!strchr(hop->address, '@'))
		return RECIPIENT_FOREIGN;
	if (asking->hops == HOPS || asking->deep == DEEP)
		return RECIPIENT_THERE;
	asking->hops++;
	asking->deep++;
	answer = judge_store(asking, hop);
	asking->deep--;
	return answer;
}

enum recipient recipient_judge(struct store *store, const struct config *config,
			       const char *address, const char **ret_what,
			       const char **ret_why)
{
	struct asking asking = {.store = store, .config = config};
	enum recipient answer = RECIPIENT_THERE;

	if (strlen(address) <= RECIPIENT_MAX)
		answer = judge(&asking, &(struct hop){address, NULL});
	*ret_what = asking.what;
	*ret_why = asking.why;
	return answer;
}
