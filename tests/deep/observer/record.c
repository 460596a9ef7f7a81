/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { IOV = 64, AT_IS_CWD = AT_FDCWD };

/* A name in a directory. */
struct place {
	char path[PATH_MAX];
	const char *name;	/* behind the last slash of path */
	unsigned long long dir; /* its inode; 0: outside */
};

static bool is_below(const char *top, const char *path)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 &&
	       (path[len] == 0 || path[len] == '/');
}

/* Where a descriptor of the thread leads, or its working directory. */
static bool fd_path(pid_t pid, int fd, char ret_path[PATH_MAX])
{
	char proc[64];
	ssize_t len;

	if (fd == AT_IS_CWD)
		(void)snprintf(proc, sizeof proc, "/proc/%d/cwd", pid);
	else
		(void)snprintf(proc, sizeof proc, "/proc/%d/fd/%d", pid, fd);
	len = readlink(proc, ret_path, PATH_MAX - 1);
	ret_path[len > 0 ? len : 0] = 0;
	return len > 0;
}

/* The file of a descriptor, if it lies below top. */
static bool fd_file(const struct record *record, pid_t pid, int fd,
		    struct stat *ret_st)
{
	char proc[64], path[PATH_MAX];

	if (!fd_path(pid, fd, path) || !is_below(record->top, path))
		return false;
	(void)snprintf(proc, sizeof proc, "/proc/%d/fd/%d", pid, fd);
	return stat(proc, ret_st) == 0;
}

/* A number of /proc/PID/fdinfo/FD. */
static unsigned long long fd_info(pid_t pid, int fd, const char *word, int base)
{
	char proc[64], text[1024] = "";
	const char *at;
	int info;

	(void)snprintf(proc, sizeof proc, "/proc/%d/fdinfo/%d", pid, fd);
	info = open(proc, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return 0;
	if (read(info, text, sizeof text - 1) < 0)
		text[0] = 0;
	(void)close(info); /* read only */
	at = strstr(text, word);
	return at ? strtoull(at + strlen(word), NULL, base) : 0;
}

static bool find_place(const struct record *record, pid_t pid, int dirfd,
		       uint64_t at, struct place *ret_place)
{
	char name[PATH_MAX] = "", *path = ret_place->path;
	struct stat st;
	size_t len = 0;
	char *slash;

	name[step_memory(pid, at, name, sizeof name - 1)] = 0;
	path[0] = 0;
	if (name[0] != '/' && fd_path(pid, dirfd, path))
		len = strlen(path);
	if (len + strlen(name) + 2 > PATH_MAX)
		return false;
	(void)snprintf(path + len, PATH_MAX - len, "%s%s",
		       name[0] == '/' ? "" : "/", name);
	for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = 0;
	slash = strrchr(path, '/');
	if (!slash || !is_below(record->top, path))
		return false;
	*slash = 0;
	ret_place->dir = stat(path, &st) == 0 ? st.st_ino : 0;
	*slash = '/';
	ret_place->name = slash + 1;
	return ret_place->dir != 0;
}

static void hex(FILE *out, const unsigned char *bytes, size_t len)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		putc(digit[bytes[i] >> 4], out);
		putc(digit[bytes[i] & 15], out);
	}
}

static void put_link(const struct record *record, const struct place *place)
{
	struct stat st;

	if (lstat(place->path, &st) != 0)
		return; /* gone again already: another line says so */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		fprintf(record->out, "unknown kind of %s\n", place->path);
	fprintf(record->out, "link %llu %s %llu %s %o %u %u\n", place->dir,
		place->name, (unsigned long long)st.st_ino,
		S_ISDIR(st.st_mode) ? "dir" : "file", st.st_mode & 07777U,
		st.st_uid, st.st_gid);
}

static void put_attr(const struct record *record, const struct stat *st)
{
	fprintf(record->out, "attr %llu %o %u %u\n",
		(unsigned long long)st->st_ino, st->st_mode & 07777U,
		st->st_uid, st->st_gid);
}

static void opened(const struct record *record, const struct step_call *call,
		   int dirfd, uint64_t path, uint64_t flags)
{
	struct place place;
	struct stat st;

	if ((flags & O_TMPFILE) == O_TMPFILE) {
		fprintf(record->out, "unknown O_TMPFILE\n");
		return;
	}
	if (!(flags & (O_CREAT | O_TRUNC)) ||
	    !find_place(record, call->pid, dirfd, path, &place))
		return;
	if ((flags & O_CREAT) && !call->note)
		put_link(record, &place);
	else if ((flags & O_TRUNC) && stat(place.path, &st) == 0)
		fprintf(record->out, "trunc %llu 0\n",
			(unsigned long long)st.st_ino);
}

static void made(const struct record *record, const struct step_call *call,
		 int dirfd, uint64_t path)
{
	struct place place;

	if (find_place(record, call->pid, dirfd, path, &place))
		put_link(record, &place);
}

static void unlinked(const struct record *record, const struct step_call *call,
		     int dirfd, uint64_t path)
{
	struct place place;

	if (find_place(record, call->pid, dirfd, path, &place))
		fprintf(record->out, "unlink %llu %s\n", place.dir, place.name);
}

static void renamed(const struct record *record, const struct step_call *call,
		    int from_fd, uint64_t from_path, int to_fd,
		    uint64_t to_path, uint64_t flags)
{
	struct place from, to;
	struct stat st;

	if (!find_place(record, call->pid, from_fd, from_path, &from) ||
	    !find_place(record, call->pid, to_fd, to_path, &to))
		return;
	if (flags & RENAME_EXCHANGE)
		fprintf(record->out, "swap %llu %s %llu %s\n", from.dir,
			from.name, to.dir, to.name);
	else if (lstat(to.path, &st) == 0)
		fprintf(record->out, "rename %llu %s %llu %s %llu\n", from.dir,
			from.name, to.dir, to.name,
			(unsigned long long)st.st_ino);
}

static void put_write(const struct record *record, const struct step_call *call,
		      unsigned long long offset, unsigned char *bytes)
{
	const int fd = (int)call->arg[0];
	struct stat st;

	if (!fd_file(record, call->pid, fd, &st) || !S_ISREG(st.st_mode))
		return;
	fprintf(record->out, "write %llu %llu %s ",
		(unsigned long long)st.st_ino, offset,
		fd_info(call->pid, fd, "flags:", 8) & O_DSYNC ? "now"
							      : "later");
	hex(record->out, bytes, (size_t)call->ret);
	putc('\n', record->out);
}

/* The bytes that a writing call has written. */
static unsigned char *written(const struct step_call *call, bool vector)
{
	unsigned char *bytes = calloc(1, (size_t)call->ret + 1);
	struct iovec iov[IOV];
	size_t count = vector ? (size_t)call->arg[2] : 1, at = 0;

	if (!bytes || count > IOV)
		abort();
	if (vector)
		(void)step_memory(call->pid, call->arg[1], iov,
				  count * sizeof *iov);
	else
		iov[0] = (struct iovec){(void *)(uintptr_t)call->arg[1],
					(size_t)call->ret};
	for (size_t i = 0; i < count && at < (size_t)call->ret; i++) {
		size_t part = iov[i].iov_len;

		if (part > (size_t)call->ret - at)
			part = (size_t)call->ret - at;
		if (step_memory(call->pid, (uintptr_t)iov[i].iov_base,
				bytes + at, part) != part)
			abort();
		at += part;
	}
	return bytes;
}

/* offset NULL: at the descriptor's own position. */
static void wrote(const struct record *record, const struct step_call *call,
		  bool vector, const uint64_t *offset)
{
	unsigned char *bytes;

	if (call->ret <= 0)
		return;
	if (call->arg[0] == 1 && call->pid == record->command)
		fprintf(record->out, "said\n");
	bytes = written(call, vector);
	put_write(record, call,
		  offset ? *offset
			 : fd_info(call->pid, (int)call->arg[0], "pos:", 10) -
				   (unsigned long long)call->ret,
		  bytes);
	free(bytes);
}

static void changed_path(const struct record *record,
			 const struct step_call *call, int dirfd, uint64_t path)
{
	struct place place;
	struct stat st;

	if (find_place(record, call->pid, dirfd, path, &place) &&
	    lstat(place.path, &st) == 0)
		put_attr(record, &st);
}

/* Calls on a descriptor. */
static void on_fd(const struct record *record, const struct step_call *call)
{
	struct stat st;

	if (!fd_file(record, call->pid, (int)call->arg[0], &st))
		return;
	switch (call->nr) {
	case SYS_fchmod:
	case SYS_fchown:
		put_attr(record, &st);
		break;
	case SYS_fsync:
	case SYS_fdatasync:
		fprintf(record->out, "fsync %llu\n",
			(unsigned long long)st.st_ino);
		break;
	case SYS_syncfs:
		fprintf(record->out, "syncfs\n");
		break;
	case SYS_ftruncate:
	case SYS_fallocate:
		fprintf(record->out, "trunc %llu %llu\n",
			(unsigned long long)st.st_ino,
			(unsigned long long)st.st_size);
		break;
	default:
		abort();
	}
}

/* What would change a file in a way that is not replayed. */
static void refuse(const struct record *record, const struct step_call *call)
{
	char path[PATH_MAX];
	const bool map = call->nr == SYS_mmap;
	const uint64_t shared = PROT_WRITE;
	struct stat st;

	if (map && (!(call->arg[2] & shared) || !(call->arg[3] & MAP_SHARED) ||
		    (int)call->arg[4] < 0))
		return;
	if (!fd_file(record, call->pid, (int)call->arg[map ? 4 : 0], &st) ||
	    !fd_path(call->pid, (int)call->arg[map ? 4 : 0], path) ||
	    strstr(path, "/lock.mdb"))
		return;
	fprintf(record->out, "unknown call %llu on %s\n",
		(unsigned long long)call->nr, path);
}

static bool is_hup(const struct step_call *call)
{
	return (call->nr == SYS_pidfd_send_signal || call->nr == SYS_kill) &&
	       call->arg[1] == SIGHUP;
}

void record_before(struct record *record, struct step_call *call)
{
	struct place place;
	const bool at = call->nr == SYS_openat;

	if (!record->command)
		record->command = call->pid;
#ifdef SYS_open
	if (!at && call->nr != SYS_open)
		return;
#else
	if (!at)
		return;
#endif
	if ((call->arg[at ? 2 : 1] & O_CREAT) &&
	    find_place(record, call->pid, at ? (int)call->arg[0] : AT_IS_CWD,
		       call->arg[at ? 1 : 0], &place))
		call->note = faccessat(AT_FDCWD, place.path, F_OK,
				       AT_SYMLINK_NOFOLLOW) == 0;
}

/* Of machines that have the calls without a directory. */
static bool is_old_call(struct record *record, struct step_call *call)
{
#ifdef SYS_open
	const uint64_t *arg = call->arg;

	switch (call->nr) {
	case SYS_open:
		opened(record, call, AT_IS_CWD, arg[0], arg[1]);
		return true;
	case SYS_mkdir:
	case SYS_link:
		made(record, call, AT_IS_CWD, arg[call->nr == SYS_link]);
		return true;
	case SYS_unlink:
	case SYS_rmdir:
		unlinked(record, call, AT_IS_CWD, arg[0]);
		return true;
	case SYS_rename:
		renamed(record, call, AT_IS_CWD, arg[0], AT_IS_CWD, arg[1], 0);
		return true;
	case SYS_chmod:
	case SYS_chown:
		changed_path(record, call, AT_IS_CWD, arg[0]);
		return true;
	}
#else
	(void)record;
	(void)call;
#endif
	return false;
}

void record_behind(struct record *record, struct step_call *call)
{
	const uint64_t *arg = call->arg;

	if (call->ret < 0 || is_old_call(record, call))
		return;
	switch (call->nr) {
	case SYS_openat:
		opened(record, call, (int)arg[0], arg[1], arg[2]);
		break;
	case SYS_mkdirat:
		made(record, call, (int)arg[0], arg[1]);
		break;
	case SYS_linkat:
		made(record, call, (int)arg[2], arg[3]);
		break;
	case SYS_unlinkat:
		unlinked(record, call, (int)arg[0], arg[1]);
		break;
	case SYS_renameat:
	case SYS_renameat2:
		renamed(record, call, (int)arg[0], arg[1], (int)arg[2], arg[3],
			call->nr == SYS_renameat2 ? arg[4] : 0);
		break;
	case SYS_fchmodat:
	case SYS_fchownat:
		changed_path(record, call, (int)arg[0], arg[1]);
		break;
	case SYS_write:
	case SYS_writev:
		wrote(record, call, call->nr == SYS_writev, NULL);
		break;
	case SYS_pwrite64:
	case SYS_pwritev:
		wrote(record, call, call->nr == SYS_pwritev, &arg[3]);
		break;
	case SYS_fchmod:
	case SYS_fchown:
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_syncfs:
	case SYS_ftruncate:
	case SYS_fallocate:
		on_fd(record, call);
		break;
	case SYS_sync:
		fprintf(record->out, "syncfs\n");
		break;
	case SYS_mmap:
	case SYS_copy_file_range:
	case SYS_sendfile:
	case SYS_pwritev2:
	case SYS_splice:
		refuse(record, call);
		break;
	default:
		if (is_hup(call))
			fprintf(record->out, "hup\n");
	}
}
