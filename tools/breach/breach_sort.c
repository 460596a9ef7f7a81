/* SPDX-License-Identifier: MIT */
#include "breach_sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A run in the file, and the part of it that is in memory. */
struct breach_run {
	uint64_t at, left; /* in keys; what is not read yet */
	uint64_t *key;
	size_t next, keys;
};

enum { RADIX = 256 };

int breach_sort_open(int fd, struct breach_sort *ret_sort)
{
	*ret_sort = (struct breach_sort){.fd = fd};
	ret_sort->key = malloc(2 * BREACH_RUN * sizeof *ret_sort->key);
	return ret_sort->key ? 0 : ENOMEM;
}

void breach_sort_close(struct breach_sort *sort)
{
	free(sort->key);
	free(sort->run);
	free(sort->heap);
	*sort = (struct breach_sort){.fd = -1};
}

static bool is_sorted(const uint64_t *key, size_t keys)
{
	for (size_t i = 1; i < keys; i++) {
		if (key[i - 1] > key[i])
			return false;
	}
	return true;
}

/* By their bytes, the lowest first; after eight passes they are where they were. */
static void sort_keys(uint64_t *key, uint64_t *other, size_t keys)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t start[RADIX + 1] = {0};
		uint64_t *swap = key;

		for (size_t i = 0; i < keys; i++)
			start[(key[i] >> shift) % RADIX + 1]++;
		for (size_t i = 1; i < RADIX; i++)
			start[i] += start[i - 1];
		for (size_t i = 0; i < keys; i++)
			other[start[(key[i] >> shift) % RADIX]++] = key[i];
		key = other;
		other = swap;
	}
}

/* All of it, or an errno. */
static int write_keys(int fd, const uint64_t *key, size_t keys, uint64_t at)
{
	const char *bytes = (const char *)key;
	size_t len = keys * sizeof *key, done = 0;

	while (done < len) {
		ssize_t put = pwrite(fd, bytes + done, len - done,
				     (off_t)(at * sizeof *key + done));

		if (put < 0 && errno != EINTR)
			return errno;
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

static int read_keys(int fd, uint64_t *key, size_t keys, uint64_t at)
{
	char *bytes = (char *)key;
	size_t len = keys * sizeof *key, done = 0;

	while (done < len) {
		ssize_t got = pread(fd, bytes + done, len - done,
				    (off_t)(at * sizeof *key + done));

		if (got == 0)
			return EIO; /* what was written is not there */
		if (got < 0 && errno != EINTR)
			return errno;
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static size_t drop_twins(uint64_t *key, size_t keys)
{
	size_t kept = 0;

	for (size_t i = 0; i < keys; i++) {
		if (i == 0 || key[i] != key[kept - 1])
			key[kept++] = key[i];
	}
	return kept;
}

static bool make_room(struct breach_sort *sort)
{
	const size_t room = sort->runs_room ? 2 * sort->runs_room : 64;
	struct breach_run *more = sort->run;

	if (sort->runs < sort->runs_room)
		return true;
	more = reallocarray(more, room, sizeof *more);
	if (!more)
		return false;
	sort->run = more;
	sort->runs_room = room;
	return true;
}

/* What is in memory becomes a run in the file. */
static int write_run(struct breach_sort *sort)
{
	int rc;

	if (!sort->keys)
		return 0;
	if (!make_room(sort))
		return ENOMEM;
	if (!is_sorted(sort->key, sort->keys))
		sort_keys(sort->key, sort->key + BREACH_RUN, sort->keys);
	sort->keys = drop_twins(sort->key, sort->keys);
	rc = write_keys(sort->fd, sort->key, sort->keys, sort->written);
	sort->run[sort->runs++] = (struct breach_run){.at = sort->written,
						      .left = sort->keys};
	sort->written += sort->keys;
	sort->keys = 0;
	return rc;
}

int breach_sort_add(struct breach_sort *sort, uint64_t key)
{
	sort->key[sort->keys++] = key;
	return sort->keys == BREACH_RUN ? write_run(sort) : 0;
}

/* Each run has an equal share of the memory. */
static int fill(struct breach_sort *sort, struct breach_run *run)
{
	const size_t share = 2 * BREACH_RUN / sort->runs;
	int rc;

	run->next = 0;
	run->keys = run->left < share ? (size_t)run->left : share;
	rc = read_keys(sort->fd, run->key, run->keys, run->at);
	run->at += run->keys;
	run->left -= run->keys;
	return rc;
}

static uint64_t head(const struct breach_sort *sort, size_t at)
{
	const struct breach_run *run = &sort->run[sort->heap[at]];

	return run->key[run->next];
}

/* Moves the one at this place down to where it belongs. */
static void sink(struct breach_sort *sort, size_t at)
{
	for (;;) {
		size_t least = at, held = sort->heap[at];

		for (size_t i = 2 * at + 1; i <= 2 * at + 2; i++) {
			if (i < sort->heaped &&
			    head(sort, i) < head(sort, least))
				least = i;
		}
		if (least == at)
			return;
		sort->heap[at] = sort->heap[least];
		sort->heap[least] = held;
		at = least;
	}
}

int breach_sort_end(struct breach_sort *sort, uint64_t *ret_keys)
{
	int rc = write_run(sort);

	*ret_keys = sort->written;
	if (rc == 0 && sort->runs > 2 * BREACH_RUN)
		rc = EFBIG;
	if (rc == 0 && sort->runs) {
		sort->heap = calloc(sort->runs, sizeof *sort->heap);
		rc = sort->heap ? 0 : ENOMEM;
	}
	for (size_t i = 0; rc == 0 && i < sort->runs; i++) {
		sort->run[i].key =
			sort->key + i * (2 * BREACH_RUN / sort->runs);
		sort->heap[sort->heaped++] = i;
		rc = fill(sort, &sort->run[i]);
	}
	for (size_t i = sort->heaped / 2; rc == 0 && i > 0; i--)
		sink(sort, i - 1);
	return rc;
}

/* The least key of all runs, which leaves its run. */
static int take(struct breach_sort *sort, uint64_t *ret_key)
{
	struct breach_run *run = &sort->run[sort->heap[0]];
	int rc = 0;

	*ret_key = run->key[run->next++];
	if (run->next == run->keys && run->left)
		rc = fill(sort, run);
	else if (run->next == run->keys)
		sort->heap[0] = sort->heap[--sort->heaped];
	if (rc == 0 && sort->heaped)
		sink(sort, 0);
	return rc;
}

int breach_sort_next(struct breach_sort *sort, uint64_t *ret_key, bool *ret_end)
{
	uint64_t key = 0;
	int rc = 0;

	do {
		*ret_end = sort->heaped == 0;
		if (!*ret_end)
			rc = take(sort, &key);
	} while (rc == 0 && !*ret_end && sort->begun && key == sort->last);
	sort->begun = true;
	*ret_key = sort->last = key;
	return rc;
}
