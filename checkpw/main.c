/* SPDX-License-Identifier: MIT */
/* popbox-checkpw: the login program, see popbox-checkpw(8). With --verdict it
 * answers who asks over a connection, and runs nothing.
 *
 * The order of what happens here is the promise (doc/FLOW.md): as root it reads
 * nothing that a stranger sent; what a stranger sent is read by popusr; and
 * nothing slow or foreign runs while the store is open.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "lastlogin.h"
#include "log.h"
#include "request.h"
#include "seen.h"
#include "store/config.h"
#include "store/drop.h"
#include "store/fault.h"
#include "store/login.h"
#include "store/path.h"
#include "store/secret.h"
#include "store/store.h"
#include "verdict.h"

#define DEFAULT_STORE "/var/lib/popbox"

enum { REQUEST_FD = 3 };

/* The only ways out, http://cr.yp.to/checkpwd/interface.html. */
enum { EXIT_NO = 1, EXIT_MISUSED = 2, EXIT_CANNOT_TELL = 111 };

struct run {
	struct timespec start;
	const char *dir;
	char **program; /* NULL: --verdict */
	int request_fd;
	struct config config;
	struct log_line line;
	struct seen seen;
	unsigned service; /* whose switch counts, enum store_service */
	bool named;	  /* by the command line */
	char client[INET6_ADDRSTRLEN]; /* with --verdict, if it was said */
};

static int cannot_tell(const struct run *run, const char *what, const char *why)
{
	log_error((enum config_log)run->config.log, &run->line, what, why);
	return EXIT_CANNOT_TELL;
}

/* errno says why; 0: there is no more to say. */
static int failed(const struct run *run, const char *what)
{
	return cannot_tell(run, what, errno ? strerrordesc_np(errno) : "");
}

static int misused(const struct run *run, const char *what)
{
	log_error((enum config_log)run->config.log, &run->line, what, "");
	return EXIT_MISUSED;
}

/* A damaged page can fault inside LMDB, and LMDB aborts where it notices. */
static enum config_log fault_log;

static void on_fault(int number)
{
	(void)number;
	log_fault(fault_log);
	_exit(EXIT_CANNOT_TELL);
}

/* Else the store itself becomes descriptor 2, and a message overwrites it, or
 * descriptor 3, and is read as credentials. Both were seen. */
static bool fill_descriptors(bool *ret_request)
{
	struct pollfd fds[REQUEST_FD + 1];
	int ready;

	for (int fd = 0; fd <= REQUEST_FD; fd++)
		fds[fd] = (struct pollfd){.fd = fd};
	do
		ready = poll(fds, REQUEST_FD + 1, 0);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return false;
	*ret_request = !(fds[REQUEST_FD].revents & POLLNVAL);
	for (int fd = 0; fd < REQUEST_FD; fd++) {
		if ((fds[fd].revents & POLLNVAL) &&
		    open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}

static const char *why_text(enum err err)
{
	return err == ERR_SYSTEM ? strerrordesc_np(errno) : err_text(err);
}

/* Without the table a login is as right as with it, and slower. */
static void prepare_seen(struct run *run)
{
	const char *why = seen_open(run->config.login_cache, &run->seen);
	const int error = errno;

	if (why && seen_untold())
		log_note((enum config_log)run->config.log,
			 "login_cache is not used", why,
			 error ? strerrordesc_np(error) : "");
}

/* Still root; nothing from the network has been read. */
static int prepare(struct run *run, struct store **ret_store)
{
	struct config_fault fault = {0, NULL};
	enum err err = secret_start();
	const char *why;

	if (err != ERR_OK)
		return cannot_tell(run, "random numbers", why_text(err));
	err = config_read(run->dir, &run->config, &fault);
	if (err == ERR_INVALID)
		return cannot_tell(run, "config", fault.why);
	if (err != ERR_OK)
		return cannot_tell(run, "config", why_text(err));
	fault_log = (enum config_log)run->config.log;
	err = store_open_login(run->dir, ret_store);
	if (err != ERR_OK)
		return cannot_tell(run, "store", why_text(err));
	prepare_seen(run);
	why = drop_to(run->config.uid, run->config.gid);
	return why ? failed(run, why) : 0;
}

/* Refusals of every class are answered at one moment, counted from the start:
 * the time that the hash took tells nothing. */
static void wait_refusal(const struct run *run)
{
	struct timespec until = run->start;
	uint32_t ms = run->config.refuse_delay_ms;

	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	       EINTR)
		;
}


enum { PAIRS = 7, PAIR_BYTES = 16 + PATH_BOX_TEXT + NAME_ADDRESS_TEXT };

static bool is_of(const char *pair, const char *name, size_t len)
{
	return pair[0] == name[0] && strncmp(pair, name, len) == 0 &&
	       pair[len] == '=';
}

/* NAME=value, and what else was said of that name is left out of the list. */
static bool add_pair(char **list, const char *name, const char *value,
		      char pair[PAIR_BYTES])
{
	const size_t len = strlen(name), more = strlen(value) + 1;
	char **to = list;

	if (len + 1 + more > PAIR_BYTES)
		return false;
	memcpy(pair, name, len + 1);
	pair[len] = '=';
	memcpy(pair + len + 1, value, more);
	for (char **from = list; *from; from++) {
		if (!is_of(*from, name, len))
			*to++ = *from;
	}
	*to++ = pair;
	*to = NULL;
	return true;
}

/* By hand: setenv copies each pair and keeps it in a tree, which was a tenth of a
 * login. */
static bool set_environment(const struct login *login, const char *maildir,
			    const char *box)
{
	static char pair[PAIRS][PAIR_BYTES]; /* until the exec */
	const char *const pairs[PAIRS][2] = {
		{"USER", login->user},
		{"HOME", maildir},
		{"SHELL", "/bin/false"},
		{"MAILDIR", maildir},
		{"POPBOX_BOX", box},
		{"POPBOX_HANDLE", login->box.handle.s},
		{"POPBOX_DOMAIN", login->domain.s},
	};
	size_t count = 0;
	char **list;

	while (environ && environ[count])
		count++;
	list = calloc(count + PAIRS + 1, sizeof *list);
	if (!list)
		return false;
	if (count)
		memcpy(list, environ, count * sizeof *list);
	environ = list;
	for (size_t i = 0; i < PAIRS; i++) {
		if (!add_pair(list, pairs[i][0], pairs[i][1], pair[i]))
			return false;
	}
	return true;
}

/* len is what snprintf said of the path. */
static bool is_program(const char *path, int len)
{
	struct stat st;

	if (len >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (stat(path, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode) && (st.st_mode & 0111))
		return true;
	errno = EACCES;
	return false;
}

/* Where execvp would find the program; asked before the line of an accepted
 * login is written, so that a wrong run script gets an error line instead. */
static bool find_program(const char *name, char path[PATH_MAX])
{
	const char *list = getenv("PATH");
	const char *end;

	if (strchr(name, '/'))
		return is_program(path, snprintf(path, PATH_MAX, "%s", name));
	for (list = list ? list : "/usr/bin:/bin"; name[0]; list = end + 1) {
		end = strchrnul(list, ':');
		if (is_program(path, snprintf(path, PATH_MAX, "%.*s/%s",
					      end > list ? (int)(end - list) : 1,
					      end > list ? list : ".", name)))
			return true;
		if (!*end)
			break;
	}
	errno = ENOENT;
	return false;
}

/* Asked before the chdir: a relative program is the run script's. */
static const char *absolute(const char *path, char whole[PATH_MAX])
{
	return path[0] == '/' ? path : realpath(path, whole);
}

/* The Maildir itself is no symbolic link: one would be somebody else's box. */
static bool change_to(const char *maildir)
{
	int fd = open(maildir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && fchdir(fd) == 0; /* the exec closes it */
}

/* A run script written for another checker, which starts the program in the
 * home directory. Here the working directory is the Maildir itself. */
static bool wants_maildir(char *const *program)
{
	const char *last = program[0];

	while (*++program)
		last = *program;
	if (strncmp(last, "./", 2) == 0)
		last += 2;
	return (strcmp(last, "Maildir") == 0 ||
		strcmp(last, "Maildir/") == 0) &&
	       access(last, F_OK) != 0;
}

/* In the Maildir. */
static void note_login(const struct run *run, const struct login *login)
{
	char name[PATH_LASTAPP_TEXT];

	if (run->program)
		lastlogin_note(PATH_LASTLOGIN, 0, log_ip(run->line.ip));
	if (!login->app_number)
		return;
	path_lastapp(login->app_number, name);
	lastlogin_note(name, login->app_created, log_ip(run->line.ip));
}

/* Becomes the program, in the Maildir. Returns only when it could not. */
static int enter(struct run *run, const struct login *login)
{
	char maildir[PATH_BOX_TEXT], box[NAME_BOX_TEXT];
	char path[PATH_MAX], whole[PATH_MAX];
	const char *program = NULL, *why;

	if (find_program(run->program[0], path))
		program = absolute(path, whole);
	if (!program)
		return failed(run, "program");
	name_box_text(&login->box, box);
	path_box(run->config.home, &login->box, maildir);
	if (!change_to(maildir))
		return failed(run, "maildir");
	if (wants_maildir(run->program))
		return cannot_tell(run, "run script",
				   "argument 'Maildir', it must be '.' here");
	if (!set_environment(login, maildir, box))
		return failed(run, "environment");
	note_login(run, login);
	why = confine_files(&run->config, program);
	if (why)
		return failed(run, why);
	log_accept((enum config_log)run->config.log, &run->line, box, login->app);
	why = confine_calls(&run->config);
	if (why)
		return failed(run, why);
	(void)execv(program, run->program); /* returns only in failure */
	return failed(run, "program");
}

/* The box's own password. The slow hash is computed, unless it was for the same
 * password a short time ago. Whoever is refused waits for it. */
static enum verdict judge_own(struct run *run, const struct request *request,
			      const struct login *login, const char **ret_reason)
{
	enum verdict verdict = VERDICT_ACCEPT;
	bool seen = seen_holds(&run->seen, login, request->password,
			       request->password_len);

	if (!seen || !login->found)
		verdict = login_decide(login, request->password,
				       request->password_len, ret_reason);
	if (!seen && verdict == VERDICT_ACCEPT)
		seen_add(&run->seen);
	return verdict;
}

/* App passwords come first, cost no slow hash and are never in the table: one that is
 * revoked is refused from then on. */
static enum verdict judge(struct run *run, const struct request *request,
			  struct login *login, const char **ret_reason)
{
	enum verdict verdict = VERDICT_ACCEPT;

	*ret_reason = "";
	if (!login_by_app(login, request->password, request->password_len))
		verdict = judge_own(run, request, login, ret_reason);
	seen_close(&run->seen);
	return verdict;
}

/* As popusr, with what a stranger sent. The store is closed in here. Nothing
 * secret stays while a refusal waits. */
static int decide(struct run *run, struct store **store,
		  struct request *request, struct login *login)
{
	enum verdict verdict;
	const char *reason;
	enum err err;

	run->line.user = request->login;
	run->line.user_len = request->login_len;
	err = login_find(*store, &run->config, request->login,
			 request->login_len, getenv("TCPLOCALIP"),
			 run->service, login);
	store_close(store);
	if (err != ERR_OK)
		return cannot_tell(run, "store", why_text(err));
	verdict = judge(run, request, login, &reason);
	login_forget(login);
	request_forget(request);
	switch (verdict) {
	case VERDICT_ACCEPT:
		return 0;
	case VERDICT_REFUSE:
		wait_refusal(run);
		log_refuse((enum config_log)run->config.log, &run->line,
			   reason);
		return EXIT_NO;
	case VERDICT_CANNOT_TELL:
		/* The client sees no difference to a refusal, in time as
		 * little as in words. */
		wait_refusal(run);
		break;
	}
	return cannot_tell(run, "password", reason);
}

/* The record, or the code of its lack. */
static int receive(const struct run *run, struct request *request)
{
	enum request_answer answer = request_read(run->request_fd, request);

	switch (answer) {
	case REQUEST_OK:
		return 0;
	case REQUEST_TOOLONG:
	case REQUEST_MALFORMED:
		return misused(run, request_text(answer));
	case REQUEST_LATE:
		return cannot_tell(run, request_text(answer), "");
	case REQUEST_UNREADABLE:
		break;
	}
	return failed(run, request_text(answer));
}

/* Whoever may ask is believed here, as tcpserver is. */
static void note_client(struct run *run, const char *client)
{
	if (strcmp(log_ip(client), "-") == 0)
		return;
	(void)snprintf(run->client, sizeof run->client, "%s", client);
	run->line.ip = run->client; /* the record is wiped earlier */
}

/* What asks, unless the command line has said that. */
static void note_service(struct run *run, const char *name)
{
	if (run->named || !login_is_service(name))
		return;
	run->service = login_service(name);
	run->line.asker = verdict_asker(name);
}

static int serve(struct run *run, struct request *request, struct login *login)
{
	struct store *store = NULL;
	int code = prepare(run, &store);

	if (code == 0)
		code = receive(run, request);
	if (run->program)
		(void)close(REQUEST_FD); /* read to its end or given up */
	else
		note_client(run, request->client); /* none: none came */
	if (code == 0 && !run->program)
		note_service(run, request->service);
	if (code == 0)
		code = decide(run, &store, request, login);
	store_close(&store);
	if (code == 0) {
		run->line.user = login->user;
		run->line.user_len = strlen(login->user);
	}
	return code;
}

/* The code of a login becomes a line; what asked looks at that alone. */
static int answer(const struct run *run, int code, const struct login *login)
{
	enum verdict verdict = VERDICT_CANNOT_TELL;
	char box[NAME_BOX_TEXT], maildir[PATH_BOX_TEXT];

	if (code == 0) {
		name_box_text(&login->box, box);
		log_accept((enum config_log)run->config.log, &run->line, box,
			   login->app);
		path_box(run->config.home, &login->box, maildir);
		if (login->app_number && change_to(maildir))
			note_login(run, login);
		verdict = VERDICT_ACCEPT;
	} else if (code == EXIT_NO) {
		verdict = VERDICT_REFUSE;
	}
	return verdict_answer(verdict, &run->config, login) ? 0
							    : EXIT_CANNOT_TELL;
}

static int usage(const char *why)
{
	static const char text[] =
		"usage: popbox-checkpw [-d STOREDIR] prog [arg ...]\n"
		"       popbox-checkpw [-d STOREDIR] [--service NAME] --verdict\n"
		"login, password and time stamp come on descriptor 3, or 0 with "
		"--verdict, see popbox-checkpw(8)\n";

	/* Who is told nothing has the code. */
	(void)fprintf(stderr, "popbox-checkpw: %s\n%s", why, text);
	return EXIT_MISUSED;
}

static int version(void)
{
	(void)puts("popbox-checkpw " POPBOX_VERSION); /* the flush tells */
	return fflush(stdout) == 0 ? 0 : EXIT_CANNOT_TELL;
}

/* 0, or the code of wrong arguments. */
static int arguments(struct run *run, int argc, char **argv, bool has_request)
{
	const char *service = NULL;
	int at = 1;

	for (; at + 1 < argc; at += 2) {
		if (strcmp(argv[at], "-d") == 0)
			run->dir = argv[at + 1];
		else if (strcmp(argv[at], "--service") == 0)
			service = argv[at + 1];
		else
			break;
	}
	if (service && !login_is_service(service))
		return usage("--service: up to 16 of a-z, 0-9 and -");
	if (at + 1 == argc && strcmp(argv[at], "--verdict") == 0) {
		run->request_fd = STDIN_FILENO;
		run->line.asker = verdict_asker(service);
		run->named = service != NULL;
		if (service)
			run->service = login_service(service);
		return 0;
	}
	if (at >= argc)
		return usage("no program to run after a login");
	if (argv[at][0] == '-')
		return usage("no such option");
	if (service)
		return usage("--service is for --verdict");
	if (!has_request)
		return usage("descriptor 3 is closed");
	run->program = argv + at;
	return 0;
}

int main(int argc, char **argv)
{
	static struct run run = {.dir = DEFAULT_STORE, .request_fd = REQUEST_FD,
				 .service = STORE_SERVICE_POP};
	static struct request request;
	static struct login login;
	bool has_request = false;
	int code;

	(void)clock_gettime(CLOCK_MONOTONIC, &run.start);
	if (!fill_descriptors(&has_request))
		return EXIT_CANNOT_TELL;
	fault_catch(on_fault);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return version();
	run.line.ip = getenv("TCPREMOTEIP");
	code = arguments(&run, argc, argv, has_request);
	if (code != 0)
		return code;
	code = serve(&run, &request, &login);
	/* Gone before anything else runs in this process. */
	secret_wipe(&request, sizeof request);
	if (!run.program)
		return answer(&run, code, &login);
	return code ? code : enter(&run, &login);
}
