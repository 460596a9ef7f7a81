/* SPDX-License-Identifier: MIT */
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"

enum { CPU_SECONDS = 60 }; /* a damaged tree may be a loop */

/* What the child sends; one with an empty name says that it sent all. */
struct sent {
	struct name_handle name;
	uint32_t next_box;
};

static enum err send_one(FILE *out, const struct store_handle *handle)
{
	const struct sent one = {handle->name, handle->next_box};

	return fwrite(&one, sizeof one, 1, out) == 1 ? ERR_OK : ERR_SYSTEM;
}

/* The counter of a handle begins at 1; that its box 0 was given, the box itself
 * tells. */
static enum err send_living(struct store_txn *txn, FILE *out,
			    struct store_handle *handle)
{
	const struct name_box first = {handle->name, 0};
	struct store_box box;
	enum err err = ERR_NOTFOUND;

	if (handle->next_box < 2)
		err = store_box_get(txn, &first, &box);
	if (err == ERR_OK)
		handle->next_box = 2;
	return err == ERR_OK || err == ERR_NOTFOUND ? send_one(out, handle)
						    : err;
}

static enum err send_body(struct store_txn *txn, void *arg)
{
	FILE *out = arg;
	struct store_handle handle = {.next_box = 0};
	struct store_parked parked;
	enum err err = store_handle_next(txn, NULL, &handle);

	while (err == ERR_OK) {
		struct store_handle living = handle;

		err = send_living(txn, out, &living);
		if (err == ERR_OK)
			err = store_handle_next(txn, &handle.name, &handle);
	}
	if (err == ERR_NOTFOUND)
		err = store_parked_handle_next(txn, NULL, &handle, &parked);
	while (err == ERR_OK) {
		err = send_one(out, &handle);
		if (err == ERR_OK)
			err = store_parked_handle_next(txn, &handle.name,
						       &handle, &parked);
	}
	handle = (struct store_handle){.next_box = 0};
	return err == ERR_NOTFOUND ? send_one(out, &handle) : err;
}

/* The child, from here to its end. What it sent before it failed counts. */
static _Noreturn void send_all(const char *dir, int fd)
{
	const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
	FILE *out = fdopen(fd, "w");
	struct store *store = NULL;
	enum err err = out ? ERR_OK : ERR_SYSTEM;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The locks that its parent has are not to outlive it. */
	(void)close_range(3, (unsigned)fd - 1, 0); /* (fd is 3 at least) */
	(void)close_range((unsigned)fd + 1, ~0U, 0);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	if (err == ERR_OK)
		err = store_open_read(dir, &store);
	if (err == ERR_OK)
		err = store_read(store, send_body, out);
	store_close(&store);
	if (out && fflush(out) != 0)
		err = ERR_SYSTEM;
	_exit(err == ERR_OK ? 0 : 1);
}

static bool add(struct counters *counters, const struct sent *one)
{
	if (counters->count == counters->room) {
		size_t room = counters->room ? counters->room * 2 : 64;
		struct store_handle *more = reallocarray(counters->handle, room,
							 sizeof *more);

		if (!more)
			return false;
		counters->handle = more;
		counters->room = room;
	}
	counters->handle[counters->count++] = (struct store_handle){
		.name = one->name, .next_box = one->next_box};
	return true;
}

static int failed(const char *dir)
{
	return say_error(CODE_LATER,
			 "cannot read which box numbers the store in '%s' has "
			 "given: %s",
			 dir, strerror(errno));
}

/* Until its end, or until the child's. *ret_whole: the child sent all. */
static int take(FILE *in, const char *dir, struct counters *counters,
		bool *ret_whole)
{
	struct sent one;

	*ret_whole = false;
	while (!*ret_whole && fread(&one, sizeof one, 1, in) == 1) {
		*ret_whole = !one.name.s[0];
		if (!*ret_whole && !add(counters, &one))
			return failed(dir);
	}
	return CODE_DONE;
}

int counters_read(const char *dir, struct counters *ret_counters)
{
	struct counters counters = {NULL, 0, 0};
	bool whole = false;
	int pair[2], code;
	FILE *in;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) != 0)
		return failed(dir);
	pid = fork();
	if (pid == 0)
		send_all(dir, pair[1]);
	(void)close(pair[1]); /* the child's end */
	in = pid < 0 ? NULL : fdopen(pair[0], "r");
	code = in ? take(in, dir, &counters, &whole) : failed(dir);
	if (in)
		(void)fclose(in); /* read only; the child ends, too */
	else
		(void)close(pair[0]); /* read only */
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (code != CODE_DONE)
		counters_free(&counters);
	else
		*ret_counters = counters;
	if (code == CODE_DONE && !whole)
		say_note("the store in '%s' is damaged: which box numbers it "
			 "gave is known of %zu handles only; a number that has "
			 "a Maildir is not given again",
			 dir, counters.count);
	return code;
}

static enum err pass(struct store_txn *txn, const struct store_handle *was)
{
	/* next_box is 1 at least. */
	const struct name_box last = {was->name, was->next_box - 1};
	struct store_handle handle;
	enum err err = store_handle_get(txn, &was->name, &handle);
	bool made = err == ERR_NOTFOUND;

	if (made)
		err = store_handle_add(txn, &was->name);
	if (err == ERR_OK)
		err = store_box_pass(txn, &last);
	if (err == ERR_OK && made)
		err = store_handle_del(txn, &was->name);
	return err;
}

static enum err pass_body(struct store_txn *txn, void *arg)
{
	const struct counters *counters = arg;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < counters->count; i++) {
		if (counters->handle[i].next_box > 1)
			err = pass(txn, &counters->handle[i]);
	}
	return err;
}

int counters_pass(struct site *site, struct counters *counters)
{
	uint64_t last;

	return site_failed(site,
			   store_write(site->store, &site->actor, pass_body,
				       counters, true, &last),
			   "restore");
}

void counters_free(struct counters *counters)
{
	free(counters->handle);
	*counters = (struct counters){NULL, 0, 0};
}
