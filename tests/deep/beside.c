/* SPDX-License-Identifier: MIT */
/* beside.c: look-ups of logins beside one writer.
 *
 *	beside DIR SECONDS COMMITS_A_SECOND (0: as many as it can)
 *
 * makes a store in DIR; prints `look-ups wrong unknown busy signals commits`.
 * The reader is a process of its own; when it dies by a signal, that is counted
 * and another one started. (Several at full speed would leave the writer hardly
 * a moment without any.)
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/config.h"
#include "store/login.h"
#include "store/store_write.h"

static const struct store_actor actor = {0, "deep", "beside"};
static const struct name_handle ex1 = {"ex1"};
static const struct name_domain example = {"example.com"};
static struct config config;

/* Whatever goes wrong in the harness itself. */
static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "beside: %s\n", what);
	_exit(99);
}

/* Of a form that the store takes; its sum is w's alone, whose low bits are zeros,
 * so that base64 of any length is good. */
#define HASH "$argon2id$v=19$m=1024,t=1,p=1$wwwwwwwwwwwwwwwwwwwwww$"

static enum err fill(struct store_txn *txn, void *arg)
{
	struct store_domain domain = {.name = example, .handle = ex1};
	struct store_address address = {.name = {{"joe"}, example},
					.has_box = true,
					.box = {ex1, 1}};
	struct store_box box = {.name = {ex1, 0}};
	enum err err = store_handle_add(txn, &ex1);

	(void)arg;
	if (err == ERR_OK)
		err = store_box_add(txn, &box);
	if (err == ERR_OK)
		err = store_box_number(txn, &ex1, &box.name.number);
	if (err == ERR_OK)
		err = store_box_add(txn, &box);
	if (err == ERR_OK)
		err = store_box_password(txn, &box.name,
					 HASH "wwwwwwwwwwwwwwwwwwwwww");
	if (err == ERR_OK)
		err = store_domain_add(txn, &domain);
	return err == ERR_OK ? store_address_add(txn, &address) : err;
}

/* A hash of another length each time, so that rows move; and now and then a box
 * more, so that pages split. */
static enum err churn(struct store_txn *txn, void *arg)
{
	const unsigned *round = arg;
	struct name_box joe = {ex1, 1};
	struct store_box box = {.name = {ex1, 0}};
	char hash[sizeof HASH + 100] = HASH;
	enum err err = ERR_OK;

	memset(hash + sizeof HASH - 1, 'w', 24 + *round % 16 * 4);
	if (*round % 16 == 0) {
		err = store_box_number(txn, &ex1, &box.name.number);
		if (err == ERR_OK)
			err = store_box_add(txn, &box);
	}
	return err == ERR_OK ? store_box_password(txn, &joe, hash) : err;
}

static void write_on(const char *dir, int stop, int count, unsigned rate)
{
	struct timespec next, pause = {0, rate ? 1000000000 / rate : 0};
	struct store *store;
	uint64_t last;
	unsigned round = 0;
	char byte;

	must(store_open_write(dir, &store) == ERR_OK, "cannot open");
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	while (read(stop, &byte, 1) != 0) {
		round++;
		must(store_write(store, &actor, churn, &round, true, &last) ==
			     ERR_OK,
		     "a commit failed");
		next.tv_nsec += pause.tv_nsec;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		if (rate)
			(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
					      &next, NULL);
	}
	store_close(&store);
	must(write(count, &round, sizeof round) == sizeof round, "no count");
	_exit(0);
}

/* In memory that is shared, since a reader may die. */
struct seen {
	unsigned long all, wrong, unknown, busy, signals;
};

enum { HANGS = 60 /* seconds that no look-up takes */ };

static bool is_ours(const char *hash)
{
	const size_t len = sizeof HASH - 1;

	return strncmp(hash, HASH, len) == 0 && hash[len] &&
	       strspn(hash + len, "w") == strlen(hash + len);
}

static void look(const char *dir, struct seen *seen)
{
	static const char name[] = "joe@example.com";
	struct store *reader = NULL;
	struct login login;
	enum err err = store_open_login(dir, &reader);

	must(err == ERR_OK, "a reader cannot open");
	seen->all++;
	err = login_find(reader, &config, name, sizeof name - 1, NULL, STORE_SERVICE_POP, &login);
	store_close(&reader);
	if (err == ERR_BUSY)
		seen->busy++;
	else if (err != ERR_OK)
		seen->wrong++;
	else if (!login.found)
		seen->unknown++;
	else if (!is_ours(login.hash) || login.box.number != 1)
		seen->wrong++;
}

static void read_on(const char *dir, time_t end, struct seen *seen)
{
	while (time(NULL) < end) {
		(void)alarm(HANGS);
		look(dir, seen);
	}
	_exit(0);
}

/* One reader after the other, until one comes to the end of its time. */
static void read_all(const char *dir, time_t end, struct seen *seen)
{
	int status;

	do {
		pid_t pid = fork();

		must(pid >= 0, "no fork");
		if (pid == 0)
			read_on(dir, end, seen);
		must(waitpid(pid, &status, 0) == pid, "a reader is lost");
		seen->signals += WIFSIGNALED(status);
	} while (WIFSIGNALED(status));
	must(status == 0, "a reader failed");
}

static pid_t start_writer(const char *dir, const int stop[2], int count,
			  unsigned rate)
{
	pid_t pid = fork();

	must(pid >= 0, "no fork");
	if (pid == 0) {
		close(stop[1]);
		write_on(dir, stop[0], count, rate);
	}
	return pid;
}

static void make_store(const char *dir)
{
	struct config_fault fault;
	struct store *store;
	uint64_t last;

	must(config_parse("", 0, &config, &fault) == ERR_OK &&
		     store_create(dir) == ERR_OK &&
		     store_open_write(dir, &store) == ERR_OK &&
		     store_write(store, &actor, fill, NULL, true, &last) ==
			     ERR_OK,
	     "cannot make the store");
	store_close(&store);
}

int main(int argc, char **argv)
{
	struct seen *seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned commits = 0;
	int stop[2], count[2], status;
	pid_t writer;

	must(argc == 4, "usage: beside DIR SECONDS RATE");
	must(seen != MAP_FAILED, "no memory");
	make_store(argv[1]);
	must(pipe2(stop, O_NONBLOCK) == 0 && pipe(count) == 0, "no pipe");
	writer = start_writer(argv[1], stop, count[1],
			      (unsigned)strtoul(argv[3], NULL, 10));
	read_all(argv[1], time(NULL) + strtol(argv[2], NULL, 10), seen);
	close(stop[1]);
	must(waitpid(writer, &status, 0) == writer && status == 0,
	     "the writer died");
	must(read(count[0], &commits, sizeof commits) == sizeof commits,
	     "no count");
	printf("%lu %lu %lu %lu %lu %u\n", seen->all, seen->wrong,
	       seen->unknown, seen->busy, seen->signals, commits);
	return 0;
}
