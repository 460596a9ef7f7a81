/* SPDX-License-Identifier: MIT */
/* attack.c: a broken POP server, run by the login program in joe's Maildir:
 *
 *	attack NEIGHBOUR-MAILDIR VICTIM-PID TCP-PORT UNIX-PATH ABSTRACT-NAME
 *
 * Tries everything against the neighbour, other processes and the network, and
 * prints what each try came to: its name, and "done" or the error. Not a
 * program of qmail's.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char path[PATH_MAX];
static const char *neighbour;

static const char *at(const char *name)
{
	(void)snprintf(path, sizeof path, "%s/%s", neighbour, name);
	return path;
}

static void report(const char *name, bool done)
{
	printf("%s %s\n", name, done ? "done" : strerrorname_np(errno));
	fflush(stdout);
}

static bool try_open(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* A name that nobody else has, and that is gone afterwards. */
static bool make_temporary(void)
{
	char name[64];
	int error;
	bool done;

	(void)snprintf(name, sizeof name, "/tmp/popbox-attack.%ld",
		       (long)getpid());
	done = try_open(name, O_WRONLY | O_CREAT | O_EXCL);
	error = errno;
	if (done)
		(void)unlink(name);
	errno = error;
	return done;
}

static bool write_own(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return false;
	close(fd);
	return true;
}

static bool list(const char *dir)
{
	DIR *d = opendir(dir);

	if (!d)
		return false;
	closedir(d);
	return true;
}

/* Another program in the directory of this one. */
static const char *beside(const char *program, const char *name)
{
	static char file[PATH_MAX];

	(void)snprintf(file, sizeof file, "%.*s/%s",
		       (int)(strrchr(program, '/') - program), program, name);
	return file;
}

/* Wrong usage is an exit code of its own; one that cannot be run is 126. */
static bool runs(const char *program)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		/* What it prints is none of our answers. */
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl(program, program, (char *)NULL);
		_exit(errno == EACCES ? 126 : 127);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	errno = EACCES;
	return WIFEXITED(status) && WEXITSTATUS(status) != 126 &&
	       WEXITSTATUS(status) != 127;
}

static bool runs_beside(const char *program)
{
	return try_open(beside(program, "deliver"), O_RDONLY) &&
	       runs(beside(program, "deliver"));
}

static bool list_beside(const char *program)
{
	return list(beside(program, "."));
}

/* A program of a stranger's that lies in the Maildir. */
static bool run_own(void)
{
	static const char text[] = "#!/bin/sh\nexit 0\n";
	int fd = open("tmp/run", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	if (fd < 0 || write(fd, text, sizeof text - 1) < 0)
		return false;
	close(fd);
	return runs("tmp/run");
}

/* An open device: does a command get through to its driver? */
static bool device(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool done = fd >= 0 && ioctl(fd, TCGETS, path) != 0 && errno == ENOTTY;

	close(fd);
	return done;
}

/* What every POP server does with its own mail. */
static void own(const char *program)
{
	report("own-write", write_own("tmp/x"));
	report("own-move", rename("tmp/x", "new/x") == 0 &&
				   rename("new/x", "cur/x:2,S") == 0);
	report("own-read", try_open("cur/x:2,S", O_RDONLY));
	report("own-list", list("new") && list("cur"));
	report("own-delete", unlink("cur/x:2,S") == 0);
	report("own-cut", write_own("tmp/cut") &&
				  try_open("tmp/cut", O_WRONLY | O_TRUNC));
	report("own-dirs", mkdir(".sent", 0700) == 0 &&
				   rename("tmp/cut", ".sent/cut") == 0 &&
				   unlink(".sent/cut") == 0 &&
				   rmdir(".sent") == 0);
	report("own-exec", access("/bin/sh", X_OK) == 0 &&
				   system("exit 0") == 0);
	report("own-null", try_open("/dev/null", O_RDWR | O_TRUNC));
	report("own-system", try_open("/etc/passwd", O_RDONLY) &&
				     list("/etc"));
	report("own-bin", runs_beside(program) && list_beside(program));
	report("own-signal", kill(getpid(), 0) == 0);
}

static void files(void)
{
	const struct timespec times[2] = {{1, 0}, {1, 0}};
	struct stat st;

	report("stat", stat(at("new/mail"), &st) == 0);
	report("read", try_open(at("new/mail"), O_RDONLY));
	report("write", try_open(at("new/mail"), O_WRONLY));
	report("create", try_open(at("new/made"), O_WRONLY | O_CREAT));
	report("list", list(at("new")));
	report("truncate", truncate(at("new/mail"), 1) == 0);
	report("chmod", chmod(at("new/mail"), 0644) == 0);
	report("chown", chown(at("new/mail"), getuid(), getgid()) == 0);
	report("utimes", utimensat(AT_FDCWD, at("new/mail"), times, 0) == 0);
	report("link-in", link(at("new/mail"), "cur/linked") == 0);
	report("symlink", symlink(neighbour, "cur/symlink") == 0);
	write_own("tmp/move");
	report("rename-in", rename("tmp/move", at("new/moved")) == 0);
	report("rename-out", rename(at("new/mail2"), "cur/stolen") == 0);
	report("mkdir", mkdir(at("dir"), 0700) == 0);
	report("rmdir", rmdir(at("empty")) == 0);
	report("unlink", unlink(at("new/mail3")) == 0);
	report("shadow-root", try_open("/", O_RDONLY | O_DIRECTORY));
	report("own-run", run_own());
	report("device", device());
	report("tmp", make_temporary());
}

static bool memory(pid_t victim)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {&byte, 1};

	/* The same address need not be mapped there: EFAULT is a success. */
	return process_vm_readv(victim, &local, 1, &remote, 1, 0) == 1 ||
	       errno == EFAULT;
}

static bool take_fd(pid_t victim)
{
	long pidfd = syscall(SYS_pidfd_open, victim, 0);

	return pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0;
}

static bool attach(pid_t victim)
{
	if (ptrace(PTRACE_ATTACH, victim, NULL, NULL) != 0)
		return false;
	waitpid(victim, NULL, 0);
	ptrace(PTRACE_DETACH, victim, NULL, NULL);
	return true;
}

static bool proc(pid_t victim, const char *name)
{
	char file[64];

	(void)snprintf(file, sizeof file, "/proc/%d/%s", (int)victim, name);
	return try_open(file, O_RDONLY);
}

static void processes(pid_t victim)
{
	struct rlimit limit;

	report("kill", kill(victim, 0) == 0);
	report("proc-mem", proc(victim, "mem"));
	report("proc-environ", proc(victim, "environ"));
	report("vm-read", memory(victim));
	report("pidfd-getfd", take_fd(victim));
	report("prlimit", prlimit(victim, RLIMIT_NOFILE, NULL, &limit) == 0);
	report("ptrace", attach(victim));
}

static bool tcp(unsigned short port, bool server)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(server ? 0 : port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	return (server ? bind(fd, (struct sockaddr *)&to, sizeof to)
		       : connect(fd, (struct sockaddr *)&to, sizeof to)) == 0;
}

static bool udp(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&to,
				 sizeof to) == 1;
}

static bool local(const char *name, bool abstract)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || len + 1 > sizeof to.sun_path)
		return false;
	memcpy(to.sun_path + abstract, name, len);
	return connect(fd, (struct sockaddr *)&to,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				   len + 1)) == 0;
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	neighbour = argv[1];
	own(argv[0]);
	files();
	processes((pid_t)atoi(argv[2]));
	report("tcp-connect", tcp((unsigned short)atoi(argv[3]), false));
	report("tcp-bind", tcp(0, true));
	report("udp", udp());
	report("unix-path", local(argv[4], false));
	report("unix-abstract", local(argv[5], true));
	return 0;
}
