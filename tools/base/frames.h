/* SPDX-License-Identifier: MIT */
/* frames.h: messages between popbox, which is root, and popbox-central, which talks to
 * the network: a type, a length, and fields. What comes is believed in no length.
 *
 * Fields are little-endian; a text or bytes have their length (2) before them. A
 * message is sticky: after a field that did not fit all later ones do nothing, so a
 * caller looks once, at frames_end or frames_send.
 */
#ifndef POPBOX_FRAMES_H
#define POPBOX_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAMES_MAX = 32768, /* bytes of a message: an entry of the journal fits */
	FRAMES_TOKEN = 16,
	FRAMES_ID = 16,
	FRAMES_KEY = 511,
	FRAMES_TEXT = 1024, /* bytes of any text, with a NUL */
};

/* What popbox asks; fields in this order. Rows follow an append and an init, and end
 * with FRAMES_END. */
enum frames_ask {
	FRAMES_OPEN = 'O',   /* text conninfo, text host; anew if it was open */
	FRAMES_PULL = 'P',   /* u64 after, u8 how (enum frames_pull) */
	FRAMES_APPEND = 'A', /* u64 number, u64 after, token */
	FRAMES_ROLLBACK = 'X',
	FRAMES_WAIT = 'W',   /* u32 milliseconds */
	FRAMES_SETTLE = 'T', /* u64 number */
	FRAMES_HOST = 'H',   /* u64 number, u64 pending, text version, text said */
	FRAMES_HOSTS = 'L',
	FRAMES_TIDY = 'Y', /* u32 days */
	FRAMES_INIT = 'I', /* id, u32 format, u64 number, token, u8 one server */
};

enum frames_pull {
	FRAMES_NEWER,  /* rows of changes after that number */
	FRAMES_LOCKED, /* the same, in a transaction that changes; others wait */
	FRAMES_ALL,    /* every row, in order */
};

/* What popbox-central answers. A pull: one FRAMES_HEAD, rows, FRAMES_END. */
enum frames_answer {
	FRAMES_OK = 'K',
	FRAMES_FAILED = 'F', /* u8 enum frames_fault, text */
	FRAMES_HEAD = 'D',   /* id, u32 format, u64 floor, u64 now, u8 standby,
			    * u64 number, token, u8 has the change asked for,
			    * its token */
	FRAMES_ROW = 'R',	   /* u8 table, u8 gone, bytes key, bytes row */
	FRAMES_END = 'E',
	FRAMES_IS_HOST = 'N', /* text name, u64 number, u64 pending, text version,
			     * u64 seconds since it was seen, text said */
	FRAMES_SETTLED = 'S', /* u8 is there, token */
	FRAMES_TIDIED = 'Z', /* u64 floor, u64 rows, u64 hosts that went */
};

enum frames_fault {
	FRAMES_AWAY,    /* cannot be reached, or the connection is lost */
	FRAMES_BUSY,    /* somebody else holds it */
	FRAMES_AGAIN,   /* from the start, please */
	FRAMES_DENIED,  /* the role may not */
	FRAMES_NONE,    /* there is no central database in it */
	FRAMES_UNKNOWN, /* it was to commit: done or not */
	FRAMES_OTHER,
	FRAMES_FAULTS,
};

struct frames_message {
	uint8_t type;
	bool bad;
	size_t len, at;
	uint8_t bytes[FRAMES_MAX];
};

void frames_start(struct frames_message *message, uint8_t type);
void frames_u8(struct frames_message *message, uint8_t value);
void frames_u32(struct frames_message *message, uint32_t value);
void frames_u64(struct frames_message *message, uint64_t value);
void frames_bytes(struct frames_message *message, const void *bytes, size_t len);
void frames_text(struct frames_message *message, const char *text);
void frames_fixed(struct frames_message *message, const void *bytes, size_t len);

uint8_t frames_get_u8(struct frames_message *message);
uint32_t frames_get_u32(struct frames_message *message);
uint64_t frames_get_u64(struct frames_message *message);
/* Points into the message. */
const uint8_t *frames_get_bytes(struct frames_message *message, size_t *ret_len);
/* "" if it is no text that fits. */
void frames_get_text(struct frames_message *message, char ret_text[FRAMES_TEXT]);
void frames_get_fixed(struct frames_message *message, void *ret_bytes, size_t len);
/* All of it was read, and fitted. */
bool frames_end(const struct frames_message *message);

/* One end. Messages that are sent wait in a buffer. */
struct frames {
	int fd;
	size_t out_len, in_at, in_len;
	uint8_t out[2 * FRAMES_MAX], in[2 * FRAMES_MAX];
};

/* False: errno. */
bool frames_send(struct frames *frames, const struct frames_message *message);
bool frames_flush(struct frames *frames);

/* Waits for at most so many milliseconds without a byte, -1 for ever. False: errno,
 * ETIMEDOUT; 0 at the end of the stream; EPROTO. */
bool frames_receive(struct frames *frames, int ms, struct frames_message *ret_message);

/* Overwrites what went through it. */
void frames_wipe(struct frames *frames);

#endif
