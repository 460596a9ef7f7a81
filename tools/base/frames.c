/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 5 }; /* length (4), type (1) */

void frames_start(struct frames_message *message, uint8_t type)
{
	message->type = type;
	message->bad = false;
	message->len = message->at = 0;
}

void frames_fixed(struct frames_message *m, const void *bytes, size_t len)
{
	m->bad = m->bad || len > sizeof m->bytes - m->len;
	if (m->bad)
		return;
	if (len)
		memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void put_number(struct frames_message *m, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	frames_fixed(m, bytes, size);
}

void frames_u8(struct frames_message *m, uint8_t value)
{
	put_number(m, value, 1);
}

void frames_u32(struct frames_message *m, uint32_t value)
{
	put_number(m, value, 4);
}

void frames_u64(struct frames_message *m, uint64_t value)
{
	put_number(m, value, 8);
}

void frames_bytes(struct frames_message *m, const void *bytes, size_t len)
{
	m->bad = m->bad || len > UINT16_MAX;
	put_number(m, len, 2);
	frames_fixed(m, bytes, len);
}

void frames_text(struct frames_message *m, const char *text)
{
	const size_t len = strlen(text);

	frames_bytes(m, text, len < FRAMES_TEXT ? len : FRAMES_TEXT - 1);
}

static const uint8_t *get(struct frames_message *m, size_t len)
{
	const uint8_t *at = m->bytes + m->at;

	m->bad = m->bad || len > m->len - m->at;
	if (m->bad)
		return NULL;
	m->at += len;
	return at;
}

static uint64_t get_number(struct frames_message *m, size_t size)
{
	const uint8_t *at = get(m, size);
	uint64_t value = 0;

	for (size_t i = 0; at && i < size; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

uint8_t frames_get_u8(struct frames_message *m)
{
	return (uint8_t)get_number(m, 1);
}

uint32_t frames_get_u32(struct frames_message *m)
{
	return (uint32_t)get_number(m, 4);
}

uint64_t frames_get_u64(struct frames_message *m)
{
	return get_number(m, 8);
}

const uint8_t *frames_get_bytes(struct frames_message *m, size_t *ret_len)
{
	const size_t len = (size_t)get_number(m, 2);
	const uint8_t *at = get(m, len);

	*ret_len = at ? len : 0;
	return at;
}

void frames_get_text(struct frames_message *m, char ret_text[FRAMES_TEXT])
{
	size_t len;
	const uint8_t *at = frames_get_bytes(m, &len);

	ret_text[0] = 0;
	m->bad = m->bad || len >= FRAMES_TEXT || (len && memchr(at, 0, len));
	if (m->bad || !at)
		return;
	memcpy(ret_text, at, len);
	ret_text[len] = 0;
}

void frames_get_fixed(struct frames_message *m, void *ret_bytes, size_t len)
{
	const uint8_t *at = get(m, len);

	if (at)
		memcpy(ret_bytes, at, len);
	else
		memset(ret_bytes, 0, len);
}

bool frames_end(const struct frames_message *m)
{
	return !m->bad && m->at == m->len;
}

bool frames_flush(struct frames *frames)
{
	size_t done = 0;

	while (done < frames->out_len) {
		ssize_t put = send(frames->fd, frames->out + done,
				   frames->out_len - done, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		done += (size_t)put;
	}
	frames->out_len = 0;
	return true;
}

bool frames_send(struct frames *frames, const struct frames_message *m)
{
	uint8_t *at;

	if (m->bad) {
		errno = EMSGSIZE;
		return false;
	}
	if (sizeof frames->out - frames->out_len < HEAD + m->len &&
	    !frames_flush(frames))
		return false;
	at = frames->out + frames->out_len;
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(m->len >> 8 * i);
	at[4] = m->type;
	memcpy(at + HEAD, m->bytes, m->len);
	frames->out_len += HEAD + m->len;
	return true;
}

/* Until there are so many bytes. */
static bool fill(struct frames *frames, int ms, size_t want)
{
	if (frames->in_at) {
		memmove(frames->in, frames->in + frames->in_at,
			frames->in_len - frames->in_at);
		frames->in_len -= frames->in_at;
		frames->in_at = 0;
	}
	while (frames->in_len < want) {
		struct pollfd wait = {.fd = frames->fd, .events = POLLIN};
		const int ready = poll(&wait, 1, ms);
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0)
			errno = ETIMEDOUT;
		if (ready <= 0)
			return false;
		got = read(frames->fd, frames->in + frames->in_len,
			   sizeof frames->in - frames->in_len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = 0;
		if (got <= 0)
			return false;
		frames->in_len += (size_t)got;
	}
	return true;
}

static bool has(struct frames *frames, int ms, size_t want)
{
	return frames->in_len - frames->in_at >= want || fill(frames, ms, want);
}

bool frames_receive(struct frames *frames, int ms, struct frames_message *ret_message)
{
	struct frames_message *m = ret_message;
	size_t len = 0;

	if (!has(frames, ms, HEAD))
		return false;
	for (size_t i = 0; i < 4; i++)
		len |= (size_t)frames->in[frames->in_at + i] << 8 * i;
	if (len > FRAMES_MAX) {
		errno = EPROTO;
		return false;
	}
	if (!has(frames, ms, HEAD + len))
		return false;
	frames_start(m, frames->in[frames->in_at + 4]);
	memcpy(m->bytes, frames->in + frames->in_at + HEAD, len);
	m->len = len;
	frames->in_at += HEAD + len;
	return true;
}

void frames_wipe(struct frames *frames)
{
	explicit_bzero(frames->out, sizeof frames->out);
	explicit_bzero(frames->in, sizeof frames->in);
	frames->out_len = frames->in_at = frames->in_len = 0;
}
