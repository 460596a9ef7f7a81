/* SPDX-License-Identifier: MIT */
#include "central.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "popusr/child.h"

enum {
	OPEN_MS = 60000,   /* several hosts, each has its connect_timeout */
	ANSWER_MS = 30000, /* longer than the lock_timeout */
	ALL_MS = 600000,   /* a server may sort all rows first */
	COMMIT_MS = 60000, /* a standby may be slow */
	SETTLE_S = 30,
	SOCKET = 3,
};

struct central {
	const struct config *config;
	const char *conninfo;
	char host[FRAMES_TEXT];
	struct child_watch watch;
	bool open;
	char why[FRAMES_TEXT];
	struct frames frames;
	struct frames_message message;
};

const char *central_why(const struct central *central)
{
	return central->why;
}

const char *central_host(const struct central *central)
{
	return central->host;
}

static void name_host(struct central *c)
{
	struct utsname name;

	if (c->config->host[0])
		(void)snprintf(c->host, sizeof c->host, "%s", c->config->host);
	else if (uname(&name) == 0)
		(void)snprintf(c->host, sizeof c->host, "%s", name.nodename);
}

/* It lies beside us. -1: errno. */
static int find_program(void)
{
	static const char name[] = "popbox-central";
	char path[PATH_MAX + sizeof name];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[len > 0 ? len : 0] = 0;
	slash = strrchr(path, '/');
	len = slash ? slash + 1 - path : 0;
	memcpy(path + len, name, sizeof name);
	return open(path, O_PATH | O_CLOEXEC);
}

/* A user of this machine: the name service is not asked, whose modules glibc 2.36
 * loads in a way that dies where memory is short. */
static bool read_user(const char *name, struct passwd *ret_user)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *user = NULL;

	errno = ENOENT;
	while (file && (user = fgetpwent(file)) != NULL &&
	       strcmp(user->pw_name, name) != 0)
		;
	if (user)
		*ret_user = *user;
	if (file)
		(void)fclose(file); /* read only */
	return user != NULL;
}

/* Its user owns the key of the certificate, and nothing else: not root, and not
 * popusr, whose processes strangers talk to. */
static bool find_user(const struct config *config, struct passwd *ret_user,
		      char ret_why[FRAMES_TEXT])
{
	struct passwd found, *user = &found;

	if (!read_user(config->central_user, &found)) {
		(void)snprintf(ret_why, FRAMES_TEXT,
			       "there is no user '%s' in /etc/passwd, as which "
			       "popbox-central runs ('useradd -r -M -s "
			       "/bin/false %s', or set 'central_user')",
			       config->central_user, config->central_user);
		return false;
	}
	if (user->pw_uid == 0 || user->pw_uid == config->uid) {
		(void)snprintf(ret_why, FRAMES_TEXT,
			       "'%s' is root or popusr: popbox-central has a "
			       "user of its own (set 'central_user')",
			       config->central_user);
		return false;
	}
	*ret_user = *user;
	return true;
}

static void become(int socket, int program, const struct passwd *user)
{
	static char name[] = "popbox-central";
	char *const words[] = {name, NULL};

	if (child_drop(user->pw_uid, user->pw_gid))
		_exit(126);
	if (program == SOCKET) {
		program = fcntl(program, F_DUPFD_CLOEXEC, SOCKET + 1);
		if (program < 0)
			_exit(126);
	}
	if (socket == SOCKET ? fcntl(socket, F_SETFD, 0) != 0
			     : dup2(socket, SOCKET) < 0)
		_exit(126);
	fexecve(program, words, environ);
	_exit(127);
}

static bool fork_child(struct central *c, int program,
		       const struct passwd *user)
{
	int ends[2];
	struct child_keep keep = {.out = -1, .err = -1};
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	keep.fd[0] = ends[1];
	keep.fd[1] = program;
	keep.fd[2] = -1;
	pid = child_fork(&keep);
	if (pid == 0)
		become(ends[1], program, user);
	(void)close(ends[1]); /* the child's */
	c->frames.fd = ends[0];
	if (pid > 0)
		child_watch(&c->watch, pid, 0);
	return pid > 0;
}

enum central_answer central_start(const struct config *config, const char *conninfo,
			   struct central **ret_central,
			   char ret_why[FRAMES_TEXT])
{
	struct central *c = NULL;
	struct passwd user;
	int program;
	bool good;

	*ret_central = NULL;
	if (!find_user(config, &user, ret_why))
		return CENTRAL_SYSTEM;
	program = find_program();
	if (program < 0) {
		(void)snprintf(ret_why, FRAMES_TEXT,
			       "cannot find popbox-central beside popbox: %s "
			       "(install the package popbox-cluster)",
			       strerror(errno));
		return CENTRAL_SYSTEM;
	}
	c = calloc(1, sizeof *c);
	if (c) {
		c->config = config;
		c->conninfo = conninfo;
		c->frames.fd = -1;
		name_host(c);
	}
	good = c && fork_child(c, program, &user);
	if (!good)
		(void)snprintf(ret_why, FRAMES_TEXT,
			       "cannot start popbox-central: %s",
			       strerror(errno));
	(void)close(program); /* a path only */
	if (!good)
		central_stop(&c);
	*ret_central = c;
	return good ? CENTRAL_OK : CENTRAL_SYSTEM;
}

void central_stop(struct central **central)
{
	struct central *c = *central;

	if (!c)
		return;
	if (c->frames.fd >= 0)
		(void)close(c->frames.fd); /* it ends by that */
	if (c->watch.pid > 0)
		(void)child_end(&c->watch); /* it has nothing to say */
	frames_wipe(&c->frames);
	explicit_bzero(&c->message, sizeof c->message);
	free(c);
	*central = NULL;
}

/* The child does not answer, or not what it should: it is not asked again. */
static enum central_answer lost(struct central *c)
{
	(void)snprintf(c->why, sizeof c->why, "popbox-central %s",
		       errno == ETIMEDOUT ? "gave no answer for too long"
					  : "has ended");
	/* It may wait for a server that does not answer. */
	if (errno == ETIMEDOUT && c->watch.pid > 0)
		(void)kill(c->watch.pid, SIGKILL); /* ours, not waited for */
	if (c->frames.fd >= 0)
		(void)close(c->frames.fd); /* it ends by that */
	c->frames.fd = -1;
	c->open = false;
	return CENTRAL_SYSTEM;
}

static enum central_answer failed(struct central *c)
{
	static const enum central_answer of[FRAMES_FAULTS] = {
		[FRAMES_AWAY] = CENTRAL_AWAY,   [FRAMES_BUSY] = CENTRAL_BUSY,
		[FRAMES_AGAIN] = CENTRAL_AGAIN, [FRAMES_DENIED] = CENTRAL_DENIED,
		[FRAMES_NONE] = CENTRAL_NONE,   [FRAMES_UNKNOWN] = CENTRAL_UNKNOWN,
		[FRAMES_OTHER] = CENTRAL_OTHER,
	};
	const uint8_t fault = frames_get_u8(&c->message);

	frames_get_text(&c->message, c->why);
	if (!frames_end(&c->message) || fault >= FRAMES_FAULTS) {
		errno = EPROTO;
		return lost(c);
	}
	if (fault == FRAMES_AWAY || fault == FRAMES_UNKNOWN)
		c->open = false;
	return of[fault];
}

static bool send_it(struct central *c)
{
	if (c->frames.fd >= 0)
		return frames_send(&c->frames, &c->message);
	errno = EPIPE;
	return false;
}

/* The next message, which is of this type, or says why not. */
static enum central_answer receive(struct central *c, int ms, uint8_t type)
{
	if (!frames_flush(&c->frames) ||
	    !frames_receive(&c->frames, ms, &c->message))
		return lost(c);
	if (c->message.type == FRAMES_FAILED)
		return failed(c);
	if (c->message.type == type)
		return CENTRAL_OK;
	errno = EPROTO;
	return lost(c);
}

static enum central_answer done(struct central *c)
{
	if (frames_end(&c->message))
		return CENTRAL_OK;
	errno = EPROTO;
	return lost(c);
}

enum central_answer central_open(struct central *c)
{
	enum central_answer answer;

	if (c->open)
		return CENTRAL_OK;
	frames_start(&c->message, FRAMES_OPEN);
	frames_text(&c->message, c->conninfo);
	frames_text(&c->message, c->host);
	if (!send_it(c))
		return lost(c);
	answer = receive(c, OPEN_MS, FRAMES_OK);
	c->open = answer == CENTRAL_OK;
	return answer;
}

static enum central_answer take_head(struct central *c, struct central_head *ret_head)
{
	struct central_head head = {.format = 0};

	frames_get_fixed(&c->message, head.id, sizeof head.id);
	head.format = frames_get_u32(&c->message);
	head.floor = frames_get_u64(&c->message);
	head.now = (int64_t)frames_get_u64(&c->message);
	head.standby = frames_get_u8(&c->message);
	head.head.number = frames_get_u64(&c->message);
	frames_get_fixed(&c->message, head.head.token, sizeof head.head.token);
	head.has_mark = frames_get_u8(&c->message);
	frames_get_fixed(&c->message, head.mark, sizeof head.mark);
	*ret_head = head;
	return done(c);
}

static enum central_answer take_row(struct central *c, struct store_writeset *set,
			     enum err *err)
{
	struct store_raw raw = {.table = frames_get_u8(&c->message)};
	const bool gone = frames_get_u8(&c->message);

	raw.key = frames_get_bytes(&c->message, &raw.key_len);
	raw.row = frames_get_bytes(&c->message, &raw.row_len);
	if (done(c) != CENTRAL_OK)
		return CENTRAL_SYSTEM;
	if (gone) {
		raw.row = NULL;
		raw.row_len = 0;
	}
	if (*err == ERR_OK)
		*err = store_writeset_add(set, &raw);
	return CENTRAL_OK;
}

static enum central_answer take_rows(struct central *c, int ms,
				     struct store_writeset *set)
{
	enum err err = ERR_OK;

	for (;;) {
		if (!frames_receive(&c->frames, ms, &c->message))
			return lost(c);
		if (c->message.type == FRAMES_END)
			break;
		if (c->message.type == FRAMES_FAILED)
			return failed(c);
		if (c->message.type != FRAMES_ROW) {
			errno = EPROTO;
			return lost(c);
		}
		if (take_row(c, set, &err) != CENTRAL_OK)
			return CENTRAL_SYSTEM;
	}
	if (err == ERR_OK)
		return done(c);
	(void)snprintf(c->why, sizeof c->why, "cannot keep its rows: %s",
		       err == ERR_SYSTEM ? strerror(errno) : err_text(err));
	return CENTRAL_STORE;
}

enum central_answer central_pull(struct central *c, uint64_t after,
			  enum frames_pull how, struct central_head *ret_head,
			  struct store_writeset *set)
{
	enum central_answer answer = central_open(c);

	if (answer != CENTRAL_OK)
		return answer;
	store_writeset_clear(set);
	frames_start(&c->message, FRAMES_PULL);
	frames_u64(&c->message, after);
	frames_u8(&c->message, (uint8_t)how);
	if (!send_it(c))
		return lost(c);
	answer = receive(c, ANSWER_MS, FRAMES_HEAD);
	if (answer == CENTRAL_OK)
		answer = take_head(c, ret_head);
	return answer == CENTRAL_OK
		       ? take_rows(c, how == FRAMES_ALL ? ALL_MS : ANSWER_MS,
				   set)
		       : answer;
}

static enum err send_row(void *arg, const struct store_raw *raw)
{
	struct central *c = arg;

	frames_start(&c->message, FRAMES_ROW);
	frames_u8(&c->message, (uint8_t)raw->table);
	frames_u8(&c->message, raw->row == NULL);
	frames_bytes(&c->message, raw->key, raw->key_len);
	frames_bytes(&c->message, raw->row, raw->row_len);
	return send_it(c) ? ERR_OK : ERR_SYSTEM;
}

static bool send_rows(struct central *c, const struct store_writeset *set)
{
	if (store_writeset_each(set, send_row, c) != ERR_OK)
		return false;
	frames_start(&c->message, FRAMES_END);
	return send_it(c);
}

/* Where the child is lost nobody knows what it has sent. */
enum central_answer central_append(struct central *c, const struct store_head *head,
			    uint64_t after, const struct store_writeset *set)
{
	enum central_answer answer;

	frames_start(&c->message, FRAMES_APPEND);
	frames_u64(&c->message, head->number);
	frames_u64(&c->message, after);
	frames_fixed(&c->message, head->token, sizeof head->token);
	if (!send_it(c) || !send_rows(c, set)) {
		(void)lost(c);
		return CENTRAL_SYSTEM; /* it never got the end of it */
	}
	answer = receive(c, COMMIT_MS, FRAMES_OK);
	return answer == CENTRAL_SYSTEM ? CENTRAL_UNKNOWN : answer;
}

void central_rollback(struct central *c)
{
	frames_start(&c->message, FRAMES_ROLLBACK);
	/* Where that fails the connection is lost, which is the same. */
	if (send_it(c))
		(void)receive(c, ANSWER_MS, FRAMES_OK);
	else
		(void)lost(c);
}

static enum central_answer settle_once(struct central *c,
				const struct store_head *head, bool *ret_done)
{
	uint8_t token[STORE_TOKEN_SIZE];
	enum central_answer answer = central_open(c);
	bool there;

	if (answer != CENTRAL_OK)
		return answer;
	frames_start(&c->message, FRAMES_SETTLE);
	frames_u64(&c->message, head->number);
	if (!send_it(c))
		return lost(c);
	answer = receive(c, ANSWER_MS, FRAMES_SETTLED);
	if (answer != CENTRAL_OK)
		return answer;
	there = frames_get_u8(&c->message);
	frames_get_fixed(&c->message, token, sizeof token);
	*ret_done = there && memcmp(token, head->token, sizeof token) == 0;
	return done(c);
}

enum central_answer central_settle(struct central *c, const struct store_head *head,
			    bool *ret_done)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	const time_t end = time(NULL) + SETTLE_S;
	enum central_answer answer;

	for (;;) {
		answer = settle_once(c, head, ret_done);
		if (answer == CENTRAL_OK || answer == CENTRAL_SYSTEM ||
		    time(NULL) >= end)
			return answer;
		(void)nanosleep(&pause, NULL); /* cut short: asks sooner */
	}
}

enum central_answer central_init(struct central *c, const uint8_t id[STORE_ID_SIZE],
			  const struct store_head *head,
			  const struct store_writeset *set, bool one_server)
{
	enum central_answer answer = central_open(c);

	if (answer != CENTRAL_OK)
		return answer;
	frames_start(&c->message, FRAMES_INIT);
	frames_fixed(&c->message, id, STORE_ID_SIZE);
	frames_u32(&c->message, STORE_FORMAT);
	frames_u64(&c->message, head->number);
	frames_fixed(&c->message, head->token, sizeof head->token);
	frames_u8(&c->message, one_server);
	if (!send_it(c) || !send_rows(c, set))
		return lost(c);
	answer = receive(c, 10 * COMMIT_MS, FRAMES_OK);
	return answer == CENTRAL_SYSTEM ? CENTRAL_UNKNOWN : answer;
}

enum central_answer central_wait(struct central *c, uint32_t ms)
{
	enum central_answer answer = central_open(c);

	if (answer != CENTRAL_OK)
		return answer;
	frames_start(&c->message, FRAMES_WAIT);
	frames_u32(&c->message, ms);
	if (!send_it(c))
		return lost(c);
	return receive(c, (int)ms + ANSWER_MS, FRAMES_OK);
}

enum central_answer central_say(struct central *c, uint64_t number, uint64_t pending,
			 const char *said)
{
	enum central_answer answer = central_open(c);

	if (answer != CENTRAL_OK)
		return answer;
	frames_start(&c->message, FRAMES_HOST);
	frames_u64(&c->message, number);
	frames_u64(&c->message, pending);
	frames_text(&c->message, POPBOX_VERSION);
	frames_text(&c->message, said);
	if (!send_it(c))
		return lost(c);
	return receive(c, ANSWER_MS, FRAMES_OK);
}

static enum central_answer take_host(struct central *c, central_sink *sink, void *arg)
{
	struct central_is_host host;

	frames_get_text(&c->message, host.name);
	host.number = frames_get_u64(&c->message);
	host.pending = frames_get_u64(&c->message);
	frames_get_text(&c->message, host.version);
	host.seen = frames_get_u64(&c->message);
	frames_get_text(&c->message, host.said);
	if (done(c) != CENTRAL_OK)
		return CENTRAL_SYSTEM;
	sink(arg, &host);
	return CENTRAL_OK;
}

enum central_answer central_hosts(struct central *c, central_sink *sink, void *arg)
{
	enum central_answer answer = central_open(c);

	if (answer != CENTRAL_OK)
		return answer;
	frames_start(&c->message, FRAMES_HOSTS);
	if (!send_it(c) || !frames_flush(&c->frames))
		return lost(c);
	for (;;) {
		if (!frames_receive(&c->frames, ANSWER_MS, &c->message))
			return lost(c);
		if (c->message.type == FRAMES_END)
			return done(c);
		if (c->message.type == FRAMES_FAILED)
			return failed(c);
		if (c->message.type != FRAMES_IS_HOST) {
			errno = EPROTO;
			return lost(c);
		}
		if (take_host(c, sink, arg) != CENTRAL_OK)
			return CENTRAL_SYSTEM;
	}
}

enum central_answer central_tidy(struct central *c, uint32_t days,
				 struct central_tidied *ret_tidied)
{
	struct central_tidied tidied;
	enum central_answer answer = central_open(c);

	if (answer != CENTRAL_OK)
		return answer;
	frames_start(&c->message, FRAMES_TIDY);
	frames_u32(&c->message, days);
	if (!send_it(c))
		return lost(c);
	answer = receive(c, ALL_MS, FRAMES_TIDIED);
	if (answer != CENTRAL_OK)
		return answer;
	tidied.floor = frames_get_u64(&c->message);
	tidied.rows = frames_get_u64(&c->message);
	tidied.hosts = frames_get_u64(&c->message);
	answer = done(c);
	if (answer == CENTRAL_OK)
		*ret_tidied = tidied;
	return answer;
}
