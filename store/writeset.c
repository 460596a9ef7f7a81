/* SPDX-License-Identifier: MIT */
#include "writeset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "secret.h"

enum { START = 64 << 10 };

/* What stands before the key and the row. */
struct head {
	uint32_t row_len;
	uint16_t key_len;
	uint8_t table;
	uint8_t gone;
};

struct store_writeset {
	const char *dir;
	uint8_t *bytes;
	size_t len, room;
	int fd; /* -1: all is in memory */
	size_t in_file;
	uint64_t count;
};

enum err store_writeset_new(const char *dir, struct store_writeset **ret_set)
{
	struct store_writeset *set = calloc(1, sizeof *set);

	if (!set)
		return ERR_SYSTEM;
	set->dir = dir;
	set->fd = -1;
	*ret_set = set;
	return ERR_OK;
}

void store_writeset_clear(struct store_writeset *set)
{
	secret_wipe(set->bytes, set->len);
	if (set->fd >= 0)
		(void)close(set->fd); /* it has no name */
	set->fd = -1;
	set->in_file = set->len = 0;
	set->count = 0;
}

void store_writeset_free(struct store_writeset **set)
{
	if (!*set)
		return;
	store_writeset_clear(*set);
	free((*set)->bytes);
	free(*set);
	*set = NULL;
}

/* Not realloc, which would leave rows where they were. */
static enum err widen(struct store_writeset *set, size_t want)
{
	size_t room = set->room ? set->room : START;
	uint8_t *more;

	while (room < want)
		room *= 2;
	more = malloc(room);
	if (!more)
		return ERR_SYSTEM;
	if (set->len)
		memcpy(more, set->bytes, set->len);
	secret_wipe(set->bytes, set->len);
	free(set->bytes);
	set->bytes = more;
	set->room = room;
	return ERR_OK;
}

static enum err write_failed(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
		       ? ERR_FULL
		       : ERR_SYSTEM;
}

/* All that is in memory goes to the file's end. */
static enum err spill(struct store_writeset *set)
{
	size_t done = 0;

	if (set->fd < 0)
		set->fd = open(set->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (set->fd < 0)
		return write_failed();
	while (done < set->len) {
		ssize_t put = write(set->fd, set->bytes + done,
				    set->len - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return write_failed();
		done += (size_t)put;
	}
	set->in_file += set->len;
	secret_wipe(set->bytes, set->len);
	set->len = 0;
	return ERR_OK;
}

enum err store_writeset_add(struct store_writeset *set,
			    const struct store_raw *raw)
{
	const struct head head = {(uint32_t)raw->row_len,
				  (uint16_t)raw->key_len, (uint8_t)raw->table,
				  raw->row == NULL};
	const size_t size = sizeof head + raw->key_len + raw->row_len;
	enum err err = ERR_OK;

	if (set->len + size > WRITESET_MEMORY && set->len)
		err = spill(set);
	if (err == ERR_OK && set->room - set->len < size)
		err = widen(set, set->len + size);
	if (err != ERR_OK)
		return err;
	memcpy(set->bytes + set->len, &head, sizeof head);
	set->len += sizeof head;
	memcpy(set->bytes + set->len, raw->key, raw->key_len);
	set->len += raw->key_len;
	if (raw->row && raw->row_len)
		memcpy(set->bytes + set->len, raw->row, raw->row_len);
	set->len += raw->row_len;
	set->count++;
	return ERR_OK;
}

uint64_t store_writeset_count(const struct store_writeset *set)
{
	return set->count;
}

static enum err each(const uint8_t *bytes, size_t len, store_sink *sink,
		     void *arg)
{
	enum err err = ERR_OK;
	struct head head;

	for (size_t at = 0; err == ERR_OK && at < len;
	     at += sizeof head + head.key_len + head.row_len) {
		const uint8_t *key = bytes + at + sizeof head;

		memcpy(&head, bytes + at, sizeof head);
		err = sink(arg,
			   &(struct store_raw){
				   head.table, key, head.key_len,
				   head.gone ? NULL : key + head.key_len,
				   head.row_len});
	}
	return err;
}

enum err store_writeset_each(const struct store_writeset *set,
			     store_sink *sink, void *arg)
{
	enum err err = ERR_OK;
	void *map;

	if (set->in_file) {
		map = mmap(NULL, set->in_file, PROT_READ, MAP_SHARED, set->fd,
			   0);
		if (map == MAP_FAILED)
			return ERR_SYSTEM;
		err = each(map, set->in_file, sink, arg);
		(void)munmap(map, set->in_file); /* as it was mapped */
	}
	return err == ERR_OK ? each(set->bytes, set->len, sink, arg) : err;
}
