/* SPDX-License-Identifier: MIT */
#include "breach_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/outfile.h"
#include "base/progress.h"
#include "base/say.h"
#include "breach_reader.h"
#include "breach_sort.h"

enum {
	/* Sums are spread evenly. A gap as wide as this many are apart on average
	 * comes in no list of them: e^-64. */
	GAP_MAX = 64,
	PART = 65536, /* bytes that are written at a time */
	UNIT = 1024,  /* of the progress bar */
};

/* A part of the filter that is written from its beginning on. */
struct part {
	uint64_t at; /* in the file */
	size_t len;
	uint8_t bytes[PART];
};

struct building {
	const struct breach_how *how;
	const char *name; /* of the list, for messages */
	struct outfile out;
	int list, spool;
	struct breach_sort sort;
	struct breach_reader reader;
	struct part index, data;
	struct breached_bucket bucket;
	uint64_t number; /* of that bucket */
	uint64_t gap, last; /* between keys: the widest, and where the last is */
	struct breach_built built;
};

static int failed(const struct building *b, int rc)
{
	return say_error(CODE_LATER, "cannot write '%s': %s: nothing was changed",
			 b->how->filter, strerror(rc));
}

static int open_list(struct building *b)
{
	const char *path = b->how->list;
	struct stat st;
	bool good;

	b->name = strcmp(path, "-") == 0 ? "standard input" : path;
	b->list = b->name == path
			  ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
			  : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	good = b->list >= 0 && fstat(b->list, &st) == 0;
	if (good && S_ISDIR(st.st_mode)) {
		good = false;
		errno = EISDIR;
	}
	if (!good)
		return say_error(CODE_REFUSED, "cannot read '%s': %s", b->name,
				 strerror(errno));
	b->built.bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return CODE_DONE;
}

/* What is there may be replaced if it is a filter, damaged or not. */
static int judge_old(const struct building *b)
{
	uint8_t bytes[BREACHED_HEAD] = {0};
	int fd = openat(b->out.dir, b->out.name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				O_NOCTTY);
	bool good = fd < 0 && errno == ENOENT;

	if (fd >= 0) {
		good = read(fd, bytes, sizeof bytes) > 0 &&
		       breached_head_begins(bytes);
		(void)close(fd); /* read only */
	}
	if (good)
		return CODE_DONE;
	return say_error_as(CODE_REFUSED, SAY_EXISTS,
			    "'%s' is there and is no filter of breached "
			    "passwords: nothing was written (name another file)",
			    b->how->filter);
}

/* A file that has no name, below the directory of the filter. */
static int open_spool(struct building *b)
{
	char name[sizeof b->out.temporary + 8];

	(void)snprintf(name, sizeof name, "%s-sort", b->out.temporary);
	(void)unlinkat(b->out.dir, name, 0); /* of a run that was killed */
	b->spool = openat(b->out.dir, name,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			  0600);
	if (b->spool < 0 || unlinkat(b->out.dir, name, 0) != 0)
		return failed(b, errno);
	return CODE_DONE;
}

static int take_block(struct building *b, struct progress *progress)
{
	const struct breach_block *block = &b->reader.block;
	const unsigned long done = (unsigned long)(block->read / UNIT);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < block->keys; i++)
		rc = breach_sort_add(&b->sort, block->key[i]);
	if (done > progress->done && done <= progress->total)
		progress_step(progress, done - progress->done);
	return rc == 0 ? CODE_DONE : failed(b, rc);
}

static int read_list(struct building *b)
{
	struct progress progress = progress_start(
		"reading (KiB)", (unsigned long)(b->built.bytes / UNIT));
	int code = breach_reader_start(&b->reader, b->list, b->name,
				       b->how->words);

	while (code == CODE_DONE) {
		code = breach_reader_next(&b->reader);
		if (code == CODE_DONE && b->reader.block.keys == 0)
			break;
		if (code == CODE_DONE)
			code = take_block(b, &progress);
	}
	progress_end(&progress);
	breach_reader_stop(&b->reader);
	b->built.lines = b->reader.report.line;
	b->built.skipped = b->reader.report.skipped;
	b->built.words = b->reader.report.form == BREACH_WORDS;
	return code;
}

static int write_at(int fd, const uint8_t *bytes, size_t len, uint64_t at)
{
	while (len) {
		ssize_t put = pwrite(fd, bytes, len, (off_t)at);

		if (put < 0 && errno != EINTR)
			return errno;
		if (put > 0) {
			bytes += put;
			at += (uint64_t)put;
			len -= (size_t)put;
		}
	}
	return 0;
}

static int flush(const struct building *b, struct part *part)
{
	int rc = write_at(b->out.fd, part->bytes, part->len, part->at);

	part->at += part->len;
	part->len = 0;
	return rc;
}

static int append(const struct building *b, struct part *part,
		  const uint8_t *bytes, size_t len)
{
	int rc = part->len + len > PART ? flush(b, part) : 0;

	memcpy(part->bytes + part->len, bytes, len);
	part->len += len;
	return rc;
}

static int end_bucket(struct building *b)
{
	const size_t len = breached_bucket_end(&b->bucket);
	const struct breached_index index = {
		.at = b->built.head.data,
		.sum = breached_sum(b->number, b->bucket.bytes, len)};
	uint8_t bytes[BREACHED_INDEX];
	int rc;

	breached_index_write(&index, bytes);
	rc = append(b, &b->index, bytes, sizeof bytes);
	if (rc == 0)
		rc = append(b, &b->data, b->bucket.bytes, len);
	b->built.head.data += len;
	b->number++;
	memset(&b->bucket, 0, sizeof b->bucket);
	return rc;
}

static int refuse_uneven(const struct building *b)
{
	return say_error(CODE_REFUSED,
			 "'%s': its sums are not spread as SHA-1 sums are, so "
			 "that it is a part of a list, or another list: "
			 "nothing was changed (take the whole list)",
			 b->name);
}

static void see_gap(struct building *b, uint64_t to)
{
	const uint64_t gap = to - b->last;

	if (gap > b->gap)
		b->gap = gap;
	b->last = to;
}

static bool is_even(const struct building *b)
{
	const uint64_t mean = UINT64_MAX / b->built.head.entries;

	return b->built.head.entries <= GAP_MAX || b->gap / GAP_MAX <= mean;
}

static int put_key(struct building *b, uint64_t key)
{
	struct breached_head *head = &b->built.head;
	const struct breached_place place = breached_place(head, key);
	int rc = 0;

	see_gap(b, key);
	while (rc == 0 && b->number < place.bucket)
		rc = end_bucket(b);
	if (rc != 0)
		return failed(b, rc);
	if (place.place < b->bucket.next)
		return CODE_DONE; /* two sums have one place */
	head->entries++;
	return breached_bucket_add(&b->bucket, place.place) ? CODE_DONE
							    : refuse_uneven(b);
}

static int end_filter(struct building *b)
{
	const struct breached_head *head = &b->built.head;
	const struct breached_index end = {.sum = 0};
	struct breached_index last = end;
	uint8_t bytes[BREACHED_HEAD];
	int rc = 0;

	while (rc == 0 && b->number < breached_buckets(head))
		rc = end_bucket(b);
	last.at = head->data;
	breached_index_write(&last, bytes);
	if (rc == 0)
		rc = append(b, &b->index, bytes, BREACHED_INDEX);
	if (rc == 0)
		rc = flush(b, &b->index);
	if (rc == 0)
		rc = flush(b, &b->data);
	breached_head_write(head, bytes);
	if (rc == 0)
		rc = write_at(b->out.fd, bytes, sizeof bytes, 0);
	return rc == 0 ? outfile_keep(&b->out) : failed(b, rc);
}

/* The name alone, for those who ask later what this was made of. */
static void name_source(struct building *b)
{
	const char *slash = strrchr(b->name, '/');

	(void)snprintf(b->built.head.source, BREACHED_SOURCE, "%.*s",
		       BREACHED_SOURCE - 1, slash ? slash + 1 : b->name);
	for (char *c = b->built.head.source; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

static int begin_filter(struct building *b)
{
	struct breached_head *head = &b->built.head;
	const int rc = breach_sort_end(&b->sort, &head->scale);

	if (rc != 0)
		return failed(b, rc);
	if (head->scale == 0)
		return say_error(CODE_REFUSED,
				 "'%s' has no password in it: nothing was "
				 "changed",
				 b->name);
	if (head->scale > BREACHED_SCALE_MAX)
		return failed(b, EFBIG);
	head->built = (uint64_t)time(NULL);
	name_source(b);
	b->index.at = BREACHED_HEAD;
	b->data.at = breached_data_at(head);
	return CODE_DONE;
}

static int write_filter(struct building *b)
{
	int code = begin_filter(b);
	struct progress progress =
		progress_start("writing", (unsigned long)b->built.head.scale);
	uint64_t key = 0;
	bool end = false;

	while (code == CODE_DONE) {
		const int rc = breach_sort_next(&b->sort, &key, &end);

		if (rc != 0)
			code = failed(b, rc);
		if (rc != 0 || end)
			break;
		code = put_key(b, key);
		progress_step(&progress, 1);
	}
	progress_end(&progress);
	see_gap(b, UINT64_MAX);
	if (code == CODE_DONE && !is_even(b))
		code = refuse_uneven(b);
	return code == CODE_DONE ? end_filter(b) : code;
}

static int build(struct building *b)
{
	int code = outfile_open_over(b->how->filter, &b->out);

	if (code == CODE_DONE)
		code = judge_old(b);
	if (code == CODE_DONE)
		code = open_spool(b);
	if (code == CODE_DONE && breach_sort_open(b->spool, &b->sort) != 0)
		code = say_error(CODE_LATER, "no memory");
	if (code == CODE_DONE)
		code = read_list(b);
	if (code == CODE_DONE)
		code = write_filter(b);
	breach_sort_close(&b->sort);
	if (b->spool >= 0)
		(void)close(b->spool); /* it is gone with it */
	outfile_close(&b->out);
	return code;
}

int breach_build(const struct breach_how *how, struct breach_built *ret_built)
{
	struct building *b = calloc(1, sizeof *b);
	int code;

	if (!b)
		return say_error(CODE_LATER, "no memory");
	b->how = how;
	b->list = b->spool = b->reader.fd = -1;
	b->out = (struct outfile){.dir = -1, .fd = -1};
	code = open_list(b);
	if (code == CODE_DONE)
		code = build(b);
	if (b->list >= 0)
		(void)close(b->list); /* read only */
	if (code == CODE_DONE) {
		b->built.bytes = breached_data_at(&b->built.head) +
				 b->built.head.data;
		*ret_built = b->built;
	}
	free(b);
	return code;
}
