/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup.h"
#include "base/say.h"
#include "popusr/child.h"
#include "popusr/relay.h"

enum {
	NOBODY = 65534,		 /* uid and gid of who owns nothing */
	MEMORY = 256 << 20,	 /* bytes beside the map of the file */
	PART_MAX = CONFIG_SIZE_MAX, /* bytes of a key or a row in the pipe */
	CPU_SECONDS = 10,	 /* and one more for each CPU_BYTES of data */
	CPU_BYTES = 1 << 20,
};

/* What the child sends: heads, each followed by its key and its row. Settings
 * and the format have no key; the end says that all was sent. */
enum { SETTINGS = 100, END = 101, FORMAT = 102 };
struct head {
	uint32_t what; /* the number of a table, or one of these */
	uint32_t key;
	uint32_t row;
};

static bool send_part(FILE *out, const void *bytes, size_t len)
{
	return len == 0 || fwrite(bytes, len, 1, out) == 1;
}

static enum err send_raw(void *arg, const struct store_raw *raw)
{
	FILE *out = arg;
	struct head head = {raw->table, (uint32_t)raw->key_len,
			    (uint32_t)raw->row_len};

	if (raw->key_len > PART_MAX || raw->row_len > PART_MAX)
		return ERR_DAMAGED;
	return send_part(out, &head, sizeof head) &&
			       send_part(out, raw->key, raw->key_len) &&
			       send_part(out, raw->row, raw->row_len)
		       ? ERR_OK
		       : ERR_SYSTEM;
}

struct looking {
	const char *what;
	FILE *out;
	uint64_t format;
	enum probe how;
	struct backup_findings findings;
};

static enum err send_settings(struct store_txn *txn, FILE *out)
{
	static char text[CONFIG_SIZE_MAX];
	struct store_raw raw = {.table = SETTINGS, .row = text};
	enum err err = store_settings(txn, text, &raw.row_len);

	if (err == ERR_NOTFOUND)
		return ERR_OK;
	return err == ERR_OK ? send_raw(out, &raw) : err;
}

static enum err count_raw(void *arg, const struct store_raw *raw)
{
	struct store_raw short_one = {.table = raw->table};

	return send_raw(arg, &short_one);
}

static enum err send_format(const struct looking *looking)
{
	const struct store_raw raw = {.table = FORMAT,
				      .row = &looking->format,
				      .row_len = sizeof looking->format};

	return send_raw(looking->out, &raw);
}

/* Checked to its end before the first row goes out. */
static enum err send_rows(struct store_txn *txn, struct looking *looking)
{
	unsigned long found;
	enum err err;

	/* Who takes the rows looks at what they make. */
	looking->findings.looked_again = looking->how == PROBE_ROWS;
	err = store_check(txn, backup_finding, &looking->findings, &found);

	if (err == ERR_OK && looking->findings.damage)
		err = ERR_DAMAGED;
	return err == ERR_OK
		       ? store_rows(txn,
				    looking->how == PROBE_ROWS ? send_raw
							       : count_raw,
				    looking->out)
		       : err;
}

static enum err look_body(struct store_txn *txn, void *arg)
{
	const struct store_raw end = {.table = END};
	struct looking *looking = arg;
	enum err err = send_settings(txn, looking->out);

	if (err == ERR_OK && looking->how != PROBE_SETTINGS)
		err = send_format(looking);
	if (err == ERR_OK && looking->how != PROBE_SETTINGS)
		err = send_rows(txn, looking);
	return err == ERR_OK ? send_raw(looking->out, &end) : err;
}

/* A map that is larger than the file's own data is claimed, not there. */
static rlim_t data_bytes(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (rlim_t)st.st_blocks * 512 : 0;
}

/* Of a processor. */
static rlim_t seconds_for(int fd)
{
	return CPU_SECONDS + data_bytes(fd) / CPU_BYTES;
}

static void limit(int fd)
{
	const rlim_t seconds = seconds_for(fd);
	const rlim_t bytes = 2 * data_bytes(fd) + MEMORY;
	const struct rlimit none = {0, 0}, cpu = {seconds, seconds};
	struct rlimit memory = {bytes, bytes};

#ifdef __SANITIZE_ADDRESS__ /* which maps terabytes */
	memory.rlim_cur = memory.rlim_max = RLIM_INFINITY;
#endif
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_FSIZE, &none);
	(void)setrlimit(RLIMIT_AS, &memory);
}

/* The child, from here to its end; returns the exit code. */
static int look(int fd, struct looking *looking)
{
	const bool root = geteuid() == 0;
	const char *why = child_drop(root ? NOBODY : geteuid(),
				     root ? NOBODY : getegid());
	struct store *store = NULL;
	char path[32];
	enum err err;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (why)
		return say_error(CODE_LATER, "cannot access '%s': %s",
				 looking->what, why);
	limit(fd);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	err = store_open_copy(path, &store);
	if (err == ERR_OK)
		err = store_format(store, &looking->format);
	if (err == ERR_OK)
		err = store_read(store, look_body, looking);
	store_close(&store);
	if (err == ERR_OK && fflush(looking->out) != 0)
		err = ERR_SYSTEM;
	switch (err) {
	case ERR_OK:
		return CODE_DONE;
	case ERR_SCHEMA:
		return say_error(CODE_REFUSED,
				 "'%s' is of another format version than this "
				 "popbox",
				 looking->what);
	case ERR_SYSTEM:
		return say_error(CODE_LATER, "cannot access '%s': %s",
				 looking->what,
				 errno == ENOMEM
					 ? "it asks for more memory than a "
					   "file of its size needs, or there "
					   "is none"
					 : strerror(errno));
	case ERR_NOTFOUND:
	case ERR_EXISTS:
	case ERR_INVALID:
	case ERR_INUSE:
	case ERR_FULL:
	case ERR_BUSY:
	case ERR_DAMAGED:
		break;
	}
	return say_error(CODE_REFUSED,
			 "'%s' is no backup of a store, or is damaged",
			 looking->what);
}

/* Takes what the child sends until its end. False: it was cut short, or is not
 * of this form. */
static bool take_all(FILE *in, char *part[2], store_sink *sink, void *arg,
		     struct probed *probed, enum err *ret_err)
{
	struct head head;

	while (fread(&head, sizeof head, 1, in) == 1) {
		struct store_raw raw = {head.what, part[0], head.key, part[1],
					head.row};

		if (head.what == END)
			return true;
		if (head.key > PART_MAX || head.row > PART_MAX ||
		    fread(part[0], 1, head.key, in) != head.key ||
		    fread(part[1], 1, head.row, in) != head.row)
			return false;
		if (head.what == SETTINGS) {
			memcpy(probed->settings, part[1], head.row);
			probed->settings_len = head.row;
			continue;
		}
		if (head.what == FORMAT && head.row == sizeof probed->format) {
			memcpy(&probed->format, part[1], head.row);
			continue;
		}
		if (head.what >= STORE_TABLES_ALL)
			return false;
		probed->rows[head.what]++;
		if (!sink)
			continue;
		*ret_err = sink(arg, &raw);
		if (*ret_err != ERR_OK)
			return true;
	}
	return false;
}

/* A child that is being watched, and what it says. */
struct child {
	struct child_watch watch;
	int rows, said; /* pipes */
};

static ssize_t read_rows(void *arg, char *bytes, size_t room)
{
	struct child *child = arg;

	return child_read(&child->watch, child->rows, bytes, room);
}

/* What is in the pipe: more than that it was not waited for. */
static void pass_on(const struct child *child)
{
	struct relay relay = {.to = stderr};
	char bytes[4096];
	ssize_t got;

	while ((got = read(child->said, bytes, sizeof bytes)) > 0 ||
	       (got < 0 && errno == EINTR)) {
		if (got > 0)
			relay_put(&relay, bytes, (size_t)got);
	}
	relay_end(&relay);
}

static int settle(struct child *child, bool ended, bool whole, const char *what)
{
	const int status = child_end(&child->watch);

	if (ended) /* by us, and the caller says why */
		return CODE_DONE;
	pass_on(child);
	if (child->watch.why)
		return say_error(CODE_LATER,
				 "cannot access '%s': its process %s and was "
				 "ended",
				 what, child->watch.why);
	/* A sanitizer ends it with a code of its own. */
	if (WIFEXITED(status) && (WEXITSTATUS(status) == CODE_REFUSED ||
				  WEXITSTATUS(status) == CODE_LATER ||
				  (WEXITSTATUS(status) == CODE_DONE && whole)))
		return WEXITSTATUS(status);
	return say_error(CODE_REFUSED,
			 "'%s' is damaged: a signal ended the process that "
			 "read it",
			 what);
}

static int take(struct child *child, const char *what, store_sink *sink,
		void *arg, struct probed *probed, enum err *ret_err)
{
	char *part[2] = {malloc(PART_MAX), malloc(PART_MAX)};
	FILE *in = fopencookie(child, "r",
			       (cookie_io_functions_t){.read = read_rows});
	char held[BUFSIZ]; /* where the stream has hashes, too */
	const bool ready = part[0] && part[1] && in &&
			   setvbuf(in, held, _IOFBF, sizeof held) == 0;
	bool whole = false;
	int code;

	if (ready)
		whole = take_all(in, part, sink, arg, probed, ret_err);
	if (!ready || *ret_err != ERR_OK)
		(void)kill(child->watch.pid, SIGKILL); /* ours, not waited for */
	if (in)
		(void)fclose(in); /* read only */
	explicit_bzero(held, sizeof held);
	code = settle(child, !ready || *ret_err != ERR_OK, whole, what);
	if (!ready)
		code = say_error(CODE_LATER, "cannot access '%s': %s", what,
				 strerror(ENOMEM));
	for (size_t i = 0; i < 2; i++) {
		if (part[i])
			explicit_bzero(part[i], PART_MAX); /* hashes */
		free(part[i]);
	}
	return code;
}

static void run_child(int fd, int rows, struct looking *looking)
{
	looking->out = fdopen(rows, "w");
	if (!looking->out)
		_exit(say_error(CODE_LATER, "cannot access '%s': %s",
				looking->what, strerror(errno)));
	_exit(look(fd, looking));
}

int probe(int fd, const char *what, enum probe how, store_sink *sink, void *arg,
	  struct probed *ret_probed, enum err *ret_err)
{
	struct looking looking = {.what = what,
				  .how = how,
				  .findings.path = what};
	int rows[2] = {-1, -1}, said[2] = {-1, -1};
	struct child child;
	pid_t pid = -1;
	int code;

	*ret_err = ERR_OK;
	*ret_probed = (struct probed){.settings_len = 0};
	/* Nobody reads what it says while it goes on. */
	if (pipe2(rows, O_CLOEXEC) == 0 &&
	    pipe2(said, O_CLOEXEC | O_NONBLOCK) == 0)
		pid = child_fork(
			&(struct child_keep){-1, said[1], {fd, rows[1], -1}});
	if (pid == 0)
		run_child(fd, rows[1], &looking);
	if (pid < 0) {
		code = say_error(CODE_LATER, "cannot access '%s': %s", what,
				 strerror(errno));
	} else {
		(void)close(rows[1]); /* the child's ends */
		(void)close(said[1]);
		rows[1] = said[1] = -1;
		child = (struct child){.rows = rows[0], .said = said[0]};
		child_watch(&child.watch, pid,
			    CHILD_SILENCE + 4 * (unsigned)seconds_for(fd));
		code = take(&child, what, sink, arg, ret_probed, ret_err);
	}
	for (size_t i = 0; i < 2; i++) {
		if (rows[i] >= 0)
			(void)close(rows[i]); /* a pipe */
		if (said[i] >= 0)
			(void)close(said[i]); /* the same */
	}
	return code;
}
