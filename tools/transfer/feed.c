#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safe_open.h"
#include "store/secret.h"

/* A line, its newline, and a NUL in the place of the byte behind it. */
enum { ROOM = 4 * FEED_LINE_MAX };

static bool begin(struct feed *feed)
{
	struct stat st;

	if (feed->fd < 0 || fstat(feed->fd, &st) != 0)
		return false;
	if (S_ISDIR(st.st_mode))
		errno = EISDIR;
	else
		feed->buffer = malloc(ROOM + 1);
	if (feed->buffer && S_ISREG(st.st_mode))
		feed->size = (uint64_t)st.st_size;
	if (feed->buffer)
		return true;
	feed_close(feed);
	return false;
}

bool feed_open(struct feed *feed, const char *path)
{
	*feed = (struct feed){.fd = STDIN_FILENO,
			      .name = "standard input",
			      .changed.secret = true};
	if (strcmp(path, "-") != 0) {
		feed->name = path;
		feed->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		feed->ours = true;
	}
	return begin(feed);
}

bool feed_open_below(struct feed *feed, const char *top, const char *path)
{
	struct stat st;

	*feed = (struct feed){.name = path,
			      .changed.secret = true,
			      .fd = safe_open_below(top, path, 0),
			      .ours = true};
	if (feed->fd >= 0 && fstat(feed->fd, &st) == 0 &&
	    !S_ISREG(st.st_mode)) {
		feed_close(feed);
		errno = EINVAL;
		return false;
	}
	return begin(feed);
}

void feed_close(struct feed *feed)
{
	int saved = errno;

	if (feed->buffer)
		secret_wipe(feed->buffer, ROOM);
	free(feed->buffer);
	feed->buffer = NULL;
	text_wipe(&feed->changed);
	if (feed->ours && feed->fd >= 0)
		(void)close(feed->fd); /* read only */
	feed->fd = -1;
	errno = saved;
}

/* What was read behind len becomes UTF-8: at most half as many bytes more. */
static bool widen(struct feed *feed, size_t got)
{
	struct text *out = &feed->changed;

	out->len = 0;
	if (!encoding_wide(&feed->encoding, feed->buffer + feed->len, got,
			   out) ||
	    (feed->end && !encoding_wide_end(&feed->encoding, out))) {
		errno = ENOMEM;
		return false;
	}
	if (out->len)
		memcpy(feed->buffer + feed->len, out->bytes, out->len);
	feed->len += out->len;
	return true;
}

static bool is_wide(const struct feed *feed)
{
	return feed->encoding.is >= ENCODING_UTF16;
}

/* Reads at most half of the room, since it may grow. False: errno. */
static bool read_some(struct feed *feed, size_t *ret_got)
{
	const size_t room = (ROOM - feed->len - *ret_got) / 2;
	ssize_t got;

	do
		got = read(feed->fd, feed->buffer + feed->len + *ret_got,
			   room);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	feed->end = got == 0;
	feed->read += (uint64_t)got;
	*ret_got += (size_t)got;
	return true;
}

/* What the first bytes say. */
static void see_mark(struct feed *feed, size_t got)
{
	const char *bytes = feed->buffer;
	struct encoding *encoding = &feed->encoding;

	if (got >= 2 && encoding->is == ENCODING_UNKNOWN &&
	    (memcmp(bytes, "\xff\xfe", 2) == 0 ||
	     memcmp(bytes, "\xfe\xff", 2) == 0))
		encoding->is = ENCODING_UTF16;
	if (got < 3 || is_wide(feed) || memcmp(bytes, "\xef\xbb\xbf", 3) != 0)
		return;
	if (encoding->is == ENCODING_UNKNOWN)
		encoding->is = ENCODING_UTF8;
	feed->at = 3;
}

/* Moves what is left to the front and reads more. False: errno. */
static bool fill(struct feed *feed)
{
	size_t got = 0;

	memmove(feed->buffer, feed->buffer + feed->at, feed->len - feed->at);
	feed->len -= feed->at;
	feed->at = 0;
	if (!read_some(feed, &got))
		return false;
	while (!feed->begun && got < 3 && !feed->end) {
		if (!read_some(feed, &got))
			return false;
	}
	if (!feed->begun)
		see_mark(feed, got);
	feed->begun = true;
	if (is_wide(feed))
		return widen(feed, got);
	feed->len += got;
	return true;
}

/* Passes over the rest of a line that is too long. */
static bool skip(struct feed *feed)
{
	const char *newline = NULL;

	while (!newline && !feed->end) {
		feed->at = feed->len;
		if (!fill(feed))
			return false;
		newline = memchr(feed->buffer, '\n', feed->len);
	}
	feed->at = newline ? (size_t)(newline - feed->buffer) + 1 : feed->len;
	return true;
}

static const char *judge(struct feed *feed, const char *line, size_t len)
{
	const char *cr = memchr(line, '\r', len);

	if (memchr(line, 0, len))
		return "it has a NUL (is the file UTF-16? use --encoding "
		       "utf-16)";
	if (cr && !(cr[1] == '\n' && cr + 2 == line + len))
		return "it has a carriage return inside (save the file with "
		       "lines that end in LF or CR LF)";
	feed->crlf = cr != NULL;
	return NULL;
}

/* Finds the end of the next line; *ret_len = 0: there is none. */
static bool find(struct feed *feed, size_t *ret_len)
{
	for (;;) {
		const char *start = feed->buffer + feed->at;
		const size_t there = feed->len - feed->at;
		const char *newline = memchr(start, '\n', there);

		if (newline) {
			*ret_len = (size_t)(newline - start) + 1;
			return true;
		}
		if (feed->end || there > FEED_LINE_MAX) {
			*ret_len = there;
			return true;
		}
		if (!fill(feed))
			return false;
	}
}

bool feed_peek(struct feed *feed, const char **ret_bytes, size_t *ret_len)
{
	while (!feed->end && feed->len - feed->at < FEED_PEEK) {
		if (!fill(feed))
			return false;
	}
	*ret_bytes = feed->buffer + feed->at;
	*ret_len = feed->len - feed->at;
	return true;
}

enum feed_got feed_bytes(struct feed *feed, const char **ret_bytes,
			 size_t *ret_len)
{
	while (feed->at == feed->len) {
		if (feed->end)
			return FEED_END;
		if (!fill(feed))
			return FEED_FAILED;
	}
	*ret_bytes = feed->buffer + feed->at;
	*ret_len = feed->len - feed->at;
	feed->at = feed->len;
	return FEED_LINE;
}

/* As UTF-8. False: no memory. */
static bool translate(struct feed *feed, char **line, size_t *len)
{
	bool changed, starved;

	feed->why = encoding_text(&feed->encoding, *line, *len, &feed->changed,
				  &changed, &starved);
	if (changed) {
		*line = feed->changed.bytes;
		*len = feed->changed.len;
	}
	errno = ENOMEM;
	return !starved;
}

enum feed_got feed_next(struct feed *feed, char **ret_line, size_t *ret_len)
{
	size_t len;
	char *line;

	if (feed->line)
		feed->buffer[feed->at] = feed->kept;
	if (!find(feed, &len))
		return FEED_FAILED;
	if (len == 0)
		return FEED_END;
	feed->line++;
	line = feed->buffer + feed->at;
	feed->at += len;
	feed->why = NULL;
	if (len > FEED_LINE_MAX) {
		feed->why = "the line has more than 65536 bytes";
		len = 0;
		if (feed->buffer[feed->at - 1] != '\n' && !skip(feed))
			return FEED_FAILED;
		line = feed->buffer + feed->at;
	} else {
		feed->why = judge(feed, line, len);
	}
	feed->kept = feed->buffer[feed->at];
	line[len] = 0;
	if (!feed->why && !translate(feed, &line, &len))
		return FEED_FAILED;
	*ret_line = line;
	*ret_len = len;
	return FEED_LINE;
}
