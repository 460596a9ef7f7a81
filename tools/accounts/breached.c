/* SPDX-License-Identifier: MIT */
#include "breached.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safe_open.h"
#include "base/say.h"
#include "site.h"
#include "store/hash/pwhash.h"
#include "store/secret.h"

static bool read_at(int fd, void *bytes, size_t len, uint64_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = pread(fd, (char *)bytes + done, len - done,
				    (off_t)(at + done));

		if (got == 0)
			errno = ENODATA;
		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		done += got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* In its directory, where others can put nothing in its place. */
static int open_safely(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	int at, fd, saved;

	if (slash && (size_t)(slash - path) + 2 > sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slash)
		(void)snprintf(dir, sizeof dir, "%.*s/", (int)(slash - path),
			       path); /* it has room */
	at = safe_open_dir(dir);
	if (at < 0)
		return -1;
	fd = openat(at, slash ? slash + 1 : path,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	saved = errno;
	(void)close(at); /* read only */
	errno = saved;
	return fd;
}

static const char *judge_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs neither to root nor to the caller";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others may write to it (chmod go-w)";
	if (st->st_size < BREACHED_HEAD)
		return "it is no filter of breached passwords";
	return NULL;
}

static const char *judge(int fd, struct breached_head *ret_head)
{
	uint8_t bytes[BREACHED_HEAD];
	struct breached_index last;
	const char *why;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	why = judge_file(&st);
	if (!why && !read_at(fd, bytes, sizeof bytes, 0))
		return strerror(errno);
	if (!why)
		why = breached_head_read(bytes, ret_head);
	if (why)
		return why;
	if ((uint64_t)st.st_size != breached_data_at(ret_head) + ret_head->data)
		return "its length is not what its header says";
	if (!read_at(fd, bytes, BREACHED_INDEX,
		     breached_data_at(ret_head) - BREACHED_INDEX))
		return strerror(errno);
	last = breached_index_read(bytes);
	return last.at == ret_head->data && last.sum == 0
		       ? NULL
		       : "its index is damaged";
}

const char *breached_open(const char *path, struct breached *ret_filter,
			  bool *ret_missing)
{
	struct breached filter = {.open = true, .fd = open_safely(path)};
	const char *why;

	*ret_missing = filter.fd < 0 && errno == ENOENT;
	if (filter.fd < 0 && errno == EPERM)
		return "others than root could put another file in its place";
	if (filter.fd < 0)
		return strerror(errno);
	why = judge(filter.fd, &filter.head);
	if (why)
		(void)close(filter.fd); /* read only */
	else
		*ret_filter = filter;
	return why;
}

void breached_close(struct breached *filter)
{
	if (filter->open)
		(void)close(filter->fd); /* read only */
	filter->open = false;
}

/* A bucket's bytes, if they are what was written. False: damaged or unreadable. */
static bool read_bucket(const struct breached *filter, uint64_t bucket,
			uint8_t ret_bytes[BREACHED_BUCKET_MAX], size_t *ret_len)
{
	uint8_t pair[2 * BREACHED_INDEX];
	struct breached_index this, next;

	if (!read_at(filter->fd, pair, sizeof pair,
		     BREACHED_HEAD + bucket * BREACHED_INDEX))
		return false;
	this = breached_index_read(pair);
	next = breached_index_read(pair + BREACHED_INDEX);
	if (this.at > next.at || next.at > filter->head.data ||
	    next.at - this.at > BREACHED_BUCKET_MAX)
		return false;
	*ret_len = (size_t)(next.at - this.at);
	return read_at(filter->fd, ret_bytes, *ret_len,
		       breached_data_at(&filter->head) + this.at) &&
	       breached_sum(bucket, ret_bytes, *ret_len) == this.sum;
}

enum breached_answer breached_ask(const struct breached *filter,
				  const void *password, size_t len)
{
	enum breached_answer answer = BREACHED_UNKNOWN;
	unsigned char sum[PWHASH_SHA1];
	uint8_t bytes[BREACHED_BUCKET_MAX];
	struct breached_place place;
	uint32_t count;
	size_t room;
	uint64_t key;

	pwhash_sha1(password, len, sum);
	key = breached_key(sum);
	place = breached_place(&filter->head, key);
	if (read_bucket(filter, place.bucket, bytes, &room))
		answer = breached_bucket_find(bytes, room, place.place, &count);
	secret_wipe(sum, sizeof sum);
	secret_wipe(&key, sizeof key);
	secret_wipe(&place, sizeof place);
	secret_wipe(bytes, sizeof bytes);
	secret_wipe_frames();
	return answer;
}

const char *breached_verify(const struct breached *filter,
			    void (*step)(void *arg), void *arg)
{
	const uint64_t buckets = breached_buckets(&filter->head);
	uint8_t bytes[BREACHED_BUCKET_MAX];
	uint64_t entries = 0;
	size_t len;

	for (uint64_t i = 0; i < buckets; i++) {
		uint32_t count = 0;

		if (!read_bucket(filter, i, bytes, &len) ||
		    breached_bucket_find(bytes, len, 0, &count) ==
			    BREACHED_UNKNOWN)
			return "it is damaged";
		entries += count;
		step(arg);
	}
	return entries == filter->head.entries
		       ? NULL
		       : "it has not as many entries as its header says";
}

static int unknown(const struct site *site, const char *why)
{
	return say_error_as(
		CODE_LATER, SAY_DAMAGED,
		"cannot tell whether a password was breached: '%s': %s: "
		"nothing was changed (make it anew with 'popbox breach build "
		"FILE', or ask no more with 'popbox config set breached none')",
		site->config.breached, why);
}

int breached_site_open(struct site *site)
{
	const char *why;
	bool missing;

	if (!config_has_breached(&site->config) || site->breached.open)
		return CODE_DONE;
	why = breached_open(site->config.breached, &site->breached, &missing);
	return why ? unknown(site, why) : CODE_DONE;
}

int breached_site_ask(struct site *site, const void *password, size_t len,
		      bool *ret_is)
{
	int code = breached_site_open(site);

	*ret_is = false;
	if (code != CODE_DONE || !site->breached.open)
		return code;
	switch (breached_ask(&site->breached, password, len)) {
	case BREACHED_NO:
		return CODE_DONE;
	case BREACHED_YES:
		*ret_is = true;
		return CODE_DONE;
	case BREACHED_UNKNOWN:
		break;
	}
	return unknown(site, "it is damaged or cannot be read");
}

void breached_site_close(struct site *site)
{
	breached_close(&site->breached);
}
