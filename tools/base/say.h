/* SPDX-License-Identifier: MIT */
/* say.h: all that the tool says. Data goes to stdout, everything else to
 * stderr as `popbox: object: reason (next step)`.
 */
#ifndef POPBOX_SAY_H
#define POPBOX_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The exit codes of every command, popbox(8). */
enum {
	CODE_DONE = 0,
	CODE_NO = 1,	     /* the answer is no */
	CODE_USAGE = 2,	     /* wrong usage */
	CODE_REFUSED = 100,  /* your input: invalid, exists, in use, weak */
	CODE_LATER = 111,    /* busy, disk, publish failed: try again */
};

/* What kind of error it is, for programs; stable, popbox(8). The words that only
 * mostly an exit code tells are not here: invalid, later, no, failed. */
#define SAY_USAGE   "usage"
#define SAY_EXISTS  "exists"  /* the name is taken */
#define SAY_UNKNOWN "unknown" /* there is no such object */
#define SAY_IN_USE  "in_use"  /* something needs it */
#define SAY_WEAK    "weak"    /* a password that is guessed */
#define SAY_BUSY    "busy"    /* another popbox is at work */
#define SAY_DENIED  "denied"  /* the system does not let this user */
#define SAY_FULL    "full"    /* no space left */
#define SAY_DAMAGED "damaged" /* the store is */
#define SAY_SCOPE   "scope"   /* a delegated administrator may not */

/* Messages are JSON from now on, one object a line, on stderr: of an error
 * {"error": text, "code": word, "object": name or null}, else {"note": text}. */
void say_in_json(bool json);
bool say_is_json(void);
/* Where all of that goes instead, while a batch makes one answer of it; the texts
 * are cleaned, and gone when the call returns. */
struct say_sink {
	void (*out)(const char *text);
	void (*note)(const char *text);
	void (*error)(const char *word, const char *text, const char *object);
};
/* From now on; NULL: to stdout and stderr again. */
void say_into(const struct say_sink *sink);

/* What errors are about from now on, if they do not say it: a copy is kept. NULL:
 * nothing in particular. */
void say_about(const char *object);

void say_quiet(bool quiet);
void say_verbose(bool verbose);

/* With true nothing goes to stderr until it is given false: what fails is not
 * what the caller asked for. */
void say_hush(bool hush);

/* Is a progress bar in the terminal's last line? With false it is cleared; any
 * message clears it first. */
void say_bar(bool drawn);

/* For a signal handler, which may call little: clears the line, and says these
 * parts of one message. What is beyond 500 bytes is cut. */
void say_last(const char *const parts[], size_t count);

/* From now on say_out goes to stderr: help that nobody asked for is no data. */
void say_unasked(void);

/* Each ends its line, and is cleaned as by say_clean, but for tabs and line ends
 * in what say_out prints. say_error returns code, so that a caller can
 * `return say_error(CODE_REFUSED, ...)`. */
int say_error(int code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int say_error_as(int code, const char *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_out(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* RFC 3339 in UTC: 2026-01-31T12:00:00Z. "-" for 0. */
enum { SAY_TIME_TEXT = 32 };
const char *say_time(int64_t seconds, char text[SAY_TIME_TEXT]);

/* A copy of text, for terminals: what is no UTF-8, a control character, or turns
 * the direction of text is a '?' (utf8_shown). ret_clean may be text itself. */
void say_clean(const char *text, char *ret_clean, size_t room);

/* The text as one word of a shell, for a command that can be pasted: as it is, or in
 * single quotes. Longer than the text it is cut. */
enum { SAY_WORD_TEXT = 1536 };
const char *say_word(const char *text, char ret_word[SAY_WORD_TEXT]);

/* "1 box", "2 boxes", "3 addresses", "4 entries": a count with its noun, which
 * is given for one. Longer than the text it is cut. */
enum { SAY_COUNT_TEXT = 64 };
const char *say_count(unsigned long long count, const char *noun,
		      char text[SAY_COUNT_TEXT]);

/* "500M": an amount of bytes in the largest unit that leaves no rest, as options take
 * it. */
enum { SAY_SIZE_TEXT = 32 };
const char *say_size(unsigned long long bytes, char text[SAY_SIZE_TEXT]);

/* "1 domain, 8 addresses": several of them; counts that are 0 are left out, and
 * "nothing" stands for none. Longer than the text it is cut. */
struct say_part {
	unsigned long long count;
	const char *noun;
};
enum { SAY_COUNTS_TEXT = 256 };
const char *say_counts(const struct say_part *part, size_t parts,
		       char text[SAY_COUNTS_TEXT]);

/* A part of the output could not be made, for lack of memory or descriptors. */
void say_lost(void);
/* Was one since the last such call? Then nobody else is told. */
bool say_was_lost(void);

/* Was all of the output made, and taken by stdout? Else says so; returns the
 * code to exit with. */
int say_finish(int code);

#endif
