#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nolink.h"
#include "base/utf8.h"
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
	*feed = (struct feed){.fd = STDIN_FILENO, .name = "standard input"};
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
			      .fd = nolink_open(top, path, 0),
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
	if (feed->ours && feed->fd >= 0)
		(void)close(feed->fd); /* read only */
	feed->fd = -1;
	errno = saved;
}

/* Moves what is left to the front and reads more. False: errno. */
static bool fill(struct feed *feed)
{
	ssize_t got;

	memmove(feed->buffer, feed->buffer + feed->at, feed->len - feed->at);
	feed->len -= feed->at;
	feed->at = 0;
	do
		got = read(feed->fd, feed->buffer + feed->len,
			   ROOM - feed->len);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	feed->end = got == 0;
	feed->len += (size_t)got;
	feed->read += (uint64_t)got;
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

static const char *judge(struct feed *feed, char *line, size_t len)
{
	const char *cr = memchr(line, '\r', len);

	if (feed->line == 1 && len >= 2 &&
	    (memcmp(line, "\xff\xfe", 2) == 0 ||
	     memcmp(line, "\xfe\xff", 2) == 0))
		return "the file is UTF-16: save it as UTF-8";
	if (memchr(line, 0, len))
		return "it has a NUL (is the file UTF-16? save it as UTF-8)";
	if (cr && !(cr[1] == '\n' && cr + 2 == line + len))
		return "it has a carriage return inside (save the file with "
		       "lines that end in LF or CR LF)";
	feed->crlf = cr != NULL;
	return utf8_good(line, len)
		       ? NULL
		       : "it is not UTF-8 (save the file as UTF-8)";
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
	if (feed->line == 1 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		len -= 3;
	}
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
	*ret_line = line;
	*ret_len = len;
	return FEED_LINE;
}
