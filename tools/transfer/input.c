/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safe_open.h"
#include "store/secret.h"

/* A line, its newline, and a NUL in the place of the byte behind it. */
enum { ROOM = 4 * INPUT_LINE_MAX };

static bool begin(struct input *input)
{
	struct stat st;

	if (input->fd < 0 || fstat(input->fd, &st) != 0)
		return false;
	if (S_ISDIR(st.st_mode))
		errno = EISDIR;
	else
		input->buffer = malloc(ROOM + 1);
	if (input->buffer && S_ISREG(st.st_mode))
		input->size = (uint64_t)st.st_size;
	if (input->buffer)
		return true;
	input_close(input);
	return false;
}

bool input_open(struct input *input, const char *path)
{
	*input = (struct input){.fd = STDIN_FILENO,
				.name = "standard input",
				.changed.secret = true};
	if (strcmp(path, "-") != 0) {
		input->name = path;
		input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		input->ours = true;
	}
	return begin(input);
}

bool input_open_below(struct input *input, const char *top, const char *path)
{
	struct stat st;

	*input = (struct input){.name = path,
				.changed.secret = true,
				.fd = safe_open_below(top, path, 0),
				.ours = true};
	if (input->fd >= 0 && fstat(input->fd, &st) == 0 &&
	    !S_ISREG(st.st_mode)) {
		input_close(input);
		errno = EINVAL;
		return false;
	}
	return begin(input);
}

void input_close(struct input *input)
{
	int saved = errno;

	if (input->buffer)
		secret_wipe(input->buffer, ROOM);
	free(input->buffer);
	input->buffer = NULL;
	text_wipe(&input->changed);
	if (input->ours && input->fd >= 0)
		(void)close(input->fd); /* read only */
	input->fd = -1;
	errno = saved;
}

/* What was read behind len becomes UTF-8: at most half as many bytes more. */
static bool widen(struct input *input, size_t got)
{
	struct text *out = &input->changed;

	out->len = 0;
	if (!encoding_wide(&input->encoding, input->buffer + input->len, got,
			   out) ||
	    (input->end && !encoding_wide_end(&input->encoding, out))) {
		errno = ENOMEM;
		return false;
	}
	if (out->len)
		memcpy(input->buffer + input->len, out->bytes, out->len);
	input->len += out->len;
	return true;
}

static bool is_wide(const struct input *input)
{
	return input->encoding.is >= ENCODING_UTF16;
}

/* Reads at most half of the room, since it may grow. False: errno. */
static bool read_some(struct input *input, size_t *ret_got)
{
	const size_t room = (ROOM - input->len - *ret_got) / 2;
	ssize_t got;

	do
		got = read(input->fd, input->buffer + input->len + *ret_got,
			   room);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	input->end = got == 0;
	input->read += (uint64_t)got;
	*ret_got += (size_t)got;
	return true;
}

/* What the first bytes say. */
static void see_mark(struct input *input, size_t got)
{
	const char *bytes = input->buffer;
	struct encoding *encoding = &input->encoding;

	if (got >= 2 && encoding->is == ENCODING_UNKNOWN &&
	    (memcmp(bytes, "\xff\xfe", 2) == 0 ||
	     memcmp(bytes, "\xfe\xff", 2) == 0))
		encoding->is = ENCODING_UTF16;
	if (got < 3 || is_wide(input) || memcmp(bytes, "\xef\xbb\xbf", 3) != 0)
		return;
	if (encoding->is == ENCODING_UNKNOWN)
		encoding->is = ENCODING_UTF8;
	input->at = 3;
}

/* Moves what is left to the front and reads more. False: errno. */
static bool fill(struct input *input)
{
	size_t got = 0;

	memmove(input->buffer, input->buffer + input->at,
		input->len - input->at);
	input->len -= input->at;
	input->at = 0;
	if (!read_some(input, &got))
		return false;
	while (!input->begun && got < 3 && !input->end) {
		if (!read_some(input, &got))
			return false;
	}
	if (!input->begun)
		see_mark(input, got);
	input->begun = true;
	if (is_wide(input))
		return widen(input, got);
	input->len += got;
	return true;
}

/* Passes over the rest of a line that is too long. */
static bool skip(struct input *input)
{
	const char *newline = NULL;

	while (!newline && !input->end) {
		input->at = input->len;
		if (!fill(input))
			return false;
		newline = memchr(input->buffer, '\n', input->len);
	}
	input->at =
		newline ? (size_t)(newline - input->buffer) + 1 : input->len;
	return true;
}

static const char *judge(struct input *input, const char *line, size_t len)
{
	const char *cr = memchr(line, '\r', len);

	if (memchr(line, 0, len))
		return "it has a NUL (is the file UTF-16? use --encoding "
		       "utf-16)";
	if (cr && !(cr[1] == '\n' && cr + 2 == line + len))
		return "it has a carriage return inside (save the file with "
		       "lines that end in LF or CR LF)";
	input->crlf = cr != NULL;
	return NULL;
}

/* Finds the end of the next line; *ret_len = 0: there is none. */
static bool find(struct input *input, size_t *ret_len)
{
	for (;;) {
		const char *start = input->buffer + input->at;
		const size_t there = input->len - input->at;
		const char *newline = memchr(start, '\n', there);

		if (newline) {
			*ret_len = (size_t)(newline - start) + 1;
			return true;
		}
		if (input->end || there > INPUT_LINE_MAX) {
			*ret_len = there;
			return true;
		}
		if (!fill(input))
			return false;
	}
}

bool input_peek(struct input *input, const char **ret_bytes, size_t *ret_len)
{
	while (!input->end && input->len - input->at < INPUT_PEEK) {
		if (!fill(input))
			return false;
	}
	*ret_bytes = input->buffer + input->at;
	*ret_len = input->len - input->at;
	return true;
}

enum input_got input_bytes(struct input *input, const char **ret_bytes,
			   size_t *ret_len)
{
	while (input->at == input->len) {
		if (input->end)
			return INPUT_END;
		if (!fill(input))
			return INPUT_FAILED;
	}
	*ret_bytes = input->buffer + input->at;
	*ret_len = input->len - input->at;
	input->at = input->len;
	return INPUT_LINE;
}

/* As UTF-8. False: no memory. */
static bool translate(struct input *input, char **line, size_t *len)
{
	bool changed, starved;

	input->why = encoding_text(&input->encoding, *line, *len,
				   &input->changed, &changed, &starved);
	if (changed) {
		*line = input->changed.bytes;
		*len = input->changed.len;
	}
	errno = ENOMEM;
	return !starved;
}

enum input_got input_next(struct input *input, char **ret_line, size_t *ret_len)
{
	size_t len;
	char *line;

	if (input->line)
		input->buffer[input->at] = input->kept;
	if (!find(input, &len))
		return INPUT_FAILED;
	if (len == 0)
		return INPUT_END;
	input->line++;
	line = input->buffer + input->at;
	input->at += len;
	input->why = NULL;
	if (len > INPUT_LINE_MAX) {
		input->why = "the line has more than 65536 bytes";
		len = 0;
		if (input->buffer[input->at - 1] != '\n' && !skip(input))
			return INPUT_FAILED;
		line = input->buffer + input->at;
	} else {
		input->why = judge(input, line, len);
	}
	input->kept = input->buffer[input->at];
	line[len] = 0;
	if (!input->why && !translate(input, &line, &len))
		return INPUT_FAILED;
	*ret_line = line;
	*ret_len = len;
	return INPUT_LINE;
}
