/* SPDX-License-Identifier: MIT */
/* attack_calls.c: the second part of attack.c: system calls that reach other
 * processes, the kernel, or own descriptors in ways no POP server needs.
 *
 *	attack_calls NEIGHBOUR-MAIL SOCKET VICTIM-PID...
 *
 * SOCKET is one end of a pair whose other end is the next descriptor. Six of the
 * seven victims get a signal in one way each, and the caller looks which one
 * died of it. Prints as attack does. Not a program of qmail's.
 */
#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { X32 = 0x40000000, VICTIMS = 7 };

static void report(const char *name, bool done)
{
	printf("%s %s\n", name, done ? "done" : strerrorname_np(errno));
	fflush(stdout);
}

/* Errors of a call that was made: it only had nothing to do. */
static bool reached(long rc, int error)
{
	return rc >= 0 || errno == error;
}

/* A signal to the owner of a descriptor, once something is to be read. */
static bool arm(int fd, int other, bool owned)
{
	return owned && fcntl(fd, F_SETSIG, SIGKILL) == 0 &&
	       fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0 &&
	       write(other, "x", 1) == 1;
}

static bool by_pipe(pid_t pid, bool extended)
{
	const struct f_owner_ex owner = {F_OWNER_PID, pid};
	int fds[2];

	if (pipe(fds) != 0)
		return false;
	return arm(fds[0], fds[1],
		   extended ? fcntl(fds[0], F_SETOWN_EX, &owner) == 0
			    : fcntl(fds[0], F_SETOWN, pid) == 0);
}

static bool by_ioctl(int fd, unsigned long command, pid_t pid)
{
	return arm(fd, fd + 1, ioctl(fd, command, &pid) == 0);
}

/* A new entry in a directory of ours is the news. */
static bool by_notify(pid_t pid)
{
	int dir = open("tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	if (dir < 0 || fcntl(dir, F_SETSIG, SIGKILL) != 0 ||
	    fcntl(dir, F_NOTIFY, DN_CREATE) != 0 ||
	    fcntl(dir, F_SETOWN, pid) != 0)
		return false;
	fd = open("tmp/news", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 && close(fd) == 0 && unlink("tmp/news") == 0;
}

/* Somebody opens a file of ours; here a child does. */
static bool by_lease(pid_t pid)
{
	int fd = open("tmp/lease", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	pid_t child;

	if (fd < 0 || fcntl(fd, F_SETSIG, SIGKILL) != 0 ||
	    fcntl(fd, F_SETLEASE, F_WRLCK) != 0 ||
	    fcntl(fd, F_SETOWN, pid) != 0)
		return false;
	child = fork();
	if (child == 0)
		_exit(open("tmp/lease", O_RDONLY | O_NONBLOCK | O_CLOEXEC) < 0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

static void by_descriptors(int fd, const pid_t *victim)
{
	report("sig-setown", by_pipe(victim[0], false));
	report("sig-setown-ex", by_pipe(victim[1], true));
	report("sig-fiosetown", by_ioctl(fd, FIOSETOWN, victim[2]));
	report("sig-siocspgrp", by_ioctl(fd, SIOCSPGRP, victim[3]));
	report("sig-notify", by_notify(victim[4]));
	report("sig-lease", by_lease(victim[5]));
}

/* Each alone, whether or not a signal comes of it. */
static void commands(int fd)
{
	int own = open("tmp/own", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int dir = open("tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t self = getpid();
	char byte = 'x';

	report("f-setown", fcntl(fd, F_SETOWN, self) == 0);
	report("f-setsig", fcntl(fd, F_SETSIG, 0) == 0);
	report("f-setlease", fcntl(own, F_SETLEASE, F_WRLCK) == 0);
	(void)fcntl(own, F_SETLEASE, F_UNLCK);
	report("f-notify", fcntl(dir, F_NOTIFY, DN_CREATE) == 0);
	report("o-async", fcntl(fd, F_SETFL, O_ASYNC) == 0);
	report("fioasync", ioctl(fd, FIOASYNC, &(int){0}) == 0);
	/* No terminal is there, but the kernel would have looked. */
	report("tiocsti",
	       reached(ioctl(STDIN_FILENO, TIOCSTI, &byte), ENOTTY));
	report("tiocspgrp",
	       reached(ioctl(STDIN_FILENO, TIOCSPGRP, &self), ENOTTY));
	report("tiocnotty", reached(ioctl(fd, TIOCNOTTY), ENOTTY));
}

static void signals(pid_t victim)
{
	siginfo_t info = {.si_signo = 0, .si_code = SI_QUEUE};
	long pidfd = syscall(SYS_pidfd_open, victim, 0);

	report("tkill", syscall(SYS_tkill, victim, 0) == 0);
	report("tgkill", syscall(SYS_tgkill, victim, victim, 0) == 0);
	report("sigqueue",
	       syscall(SYS_rt_sigqueueinfo, victim, 0, &info) == 0);
	report("tgsigqueue", syscall(SYS_rt_tgsigqueueinfo, victim, victim, 0,
				     &info) == 0);
	report("pidfd-open", pidfd >= 0);
	report("pidfd-signal",
	       pidfd >= 0 &&
		       syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0);
	report("mrelease", pidfd >= 0 && reached(syscall(SYS_process_mrelease,
							 pidfd, 0),
						 EINVAL));
}

static void scheduling(pid_t victim)
{
	const struct sched_param param = {0};
	unsigned long mask = ~0ul, nodes = 1;
	/* What it has already: less could be forbidden to all. */
	const int nice = getpriority(PRIO_PROCESS, (id_t)victim);
	unsigned attributes[14] = {sizeof attributes - 8, [4] = (unsigned)nice};
	int status = 0;
	void *page = NULL;

	report("setpriority", setpriority(PRIO_PROCESS, (id_t)victim, nice) == 0);
	report("setaffinity",
	       syscall(SYS_sched_setaffinity, victim, sizeof mask, &mask) == 0);
	report("setscheduler",
	       syscall(SYS_sched_setscheduler, victim, SCHED_OTHER, &param) ==
		       0);
	report("setparam",
	       syscall(SYS_sched_setparam, victim, &param) == 0);
	report("setattr",
	       syscall(SYS_sched_setattr, victim, attributes, 0) == 0);
	report("ioprio", syscall(SYS_ioprio_set, 1, victim, 2 << 13 | 4) == 0);
	report("migrate-pages", syscall(SYS_migrate_pages, victim, 8, &nodes,
					&nodes) >= 0);
	report("move-pages", syscall(SYS_move_pages, victim, 1, &page, NULL,
				     &status, 0) >= 0);
	report("kcmp", syscall(SYS_kcmp, victim, getpid(), 0, 0, 0) >= 0);
}

static bool write_memory(pid_t victim)
{
	char byte = 0;
	struct iovec local = {&byte, 1}, remote = {NULL, 1};

	return reached(process_vm_writev(victim, &local, 1, &remote, 1, 0),
		       EFAULT);
}

/* Own child with these flags, which ends at once. */
static bool child_with(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return pid > 0;
}

static bool unshare_user(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) == 0 ? 0 : errno);
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return status == 0;
}

/* The way in of 32-bit programs, past a look at 64-bit numbers. */
static bool int80(void)
{
	int status = 1;
#if defined(__x86_64__)
	pid_t pid = fork();

	if (pid == 0) {
		long rc;

		__asm__ volatile("int $0x80" : "=a"(rc) : "0"(20) : "memory");
		_exit(rc > 0 ? 0 : 1);
	}
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
#endif
	errno = WIFSIGNALED(status) ? EPERM : ENOSYS;
	return status == 0;
}

static void kernel(void)
{
	struct io_uring_params ring = {0};
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
					.size = sizeof event,
					.exclude_kernel = 1,
					.exclude_hv = 1};

	report("io-uring", syscall(SYS_io_uring_setup, 1, &ring) >= 0);
	report("io-uring-enter",
	       reached(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0),
		       EBADF));
	report("io-uring-register",
	       reached(syscall(SYS_io_uring_register, -1, 0, NULL, 0), EINVAL));
	report("userfaultfd",
	       syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY) >= 0);
	report("perf", syscall(SYS_perf_event_open, &event, 0, -1, -1, 0) >= 0);
	report("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
				 KEY_SPEC_PROCESS_KEYRING, 1) >= 0);
	report("add-key", syscall(SYS_add_key, "user", "popbox", "x", 1,
				  KEY_SPEC_PROCESS_KEYRING) >= 0);
	report("personality", personality(0xffffffff) >= 0);
	report("unshare", unshare_user());
	report("clone-user", child_with(CLONE_NEWUSER));
	report("clone-parent", child_with(CLONE_PARENT));
	report("setns", reached(syscall(SYS_setns, -1, 0), EBADF));
	report("fsmount", reached(syscall(SYS_fsmount, -1, 0, 0), EBADF));
#if defined(__x86_64__)
	report("x32", syscall(X32 | SYS_getpid) > 0);
#else
	errno = ENOSYS;
	report("x32", false);
#endif
	report("int80", int80());
}

static void shared(void)
{
	int shm = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	int sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	int msg = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	report("shm", shm >= 0);
	(void)shmctl(shm, IPC_RMID, NULL);
	report("sem", sem >= 0);
	(void)semctl(sem, 0, IPC_RMID);
	report("msg", msg >= 0);
	(void)msgctl(msg, IPC_RMID, NULL);
	report("mq", reached(mq_open("/popbox-none", O_RDONLY), ENOENT));
	report("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0,
					(int[2]){0}) == 0);
}

static void files(const char *mail)
{
	struct {
		struct file_handle head;
		char bytes[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount, own = open("tmp/own2", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int watch = inotify_init1(IN_CLOEXEC);

	report("setxattr", setxattr(mail, "user.x", "y", 1, 0) == 0);
	report("fsetxattr", fsetxattr(own, "user.x", "y", 1, 0) == 0);
	report("removexattr", reached(removexattr(mail, "user.x"), ENODATA));
	report("inotify", inotify_add_watch(watch, mail, IN_ACCESS) >= 0);
	report("handle", name_to_handle_at(AT_FDCWD, mail, &handle.head, &mount,
					   0) == 0);
	report("fchmod", fchmod(own, 0600) == 0);
	report("fchown", fchown(own, getuid(), getgid()) == 0);
	report("ftruncate", ftruncate(own, 0) == 0);
	report("fifo", mkfifo("tmp/fifo", 0600) == 0);
	report("socket-file", mknod("tmp/socket", S_IFSOCK | 0600, 0) == 0);
	report("own-symlink", symlink("x", "tmp/symlink") == 0);
}

int main(int argc, char **argv)
{
	pid_t victim[VICTIMS];

	if (argc != 3 + VICTIMS)
		return 2;
	for (int i = 0; i < VICTIMS; i++)
		victim[i] = (pid_t)atoi(argv[3 + i]);
	(void)signal(SIGIO, SIG_IGN);
	by_descriptors(atoi(argv[2]), victim);
	commands(atoi(argv[2]));
	signals(victim[6]);
	report("vm-write", write_memory(victim[6]));
	scheduling(victim[6]);
	kernel();
	shared();
	files(argv[1]);
	return 0;
}
