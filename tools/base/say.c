/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/secret.h"
#include "utf8.h"

static bool is_quiet;
static bool is_hushed;
static bool is_lost;
static bool is_verbose;
static volatile sig_atomic_t has_bar;
static bool out_to_stderr;
static bool is_json;
static char about[512];
static const struct say_sink *sink;

void say_in_json(bool json)
{
	is_json = json;
}

bool say_is_json(void)
{
	return is_json;
}

void say_about(const char *object)
{
	(void)snprintf(about, sizeof about, "%s", object ? object : "");
}

void say_into(const struct say_sink *into)
{
	sink = into;
}

void say_quiet(bool quiet)
{
	is_quiet = quiet;
}

void say_hush(bool hush)
{
	is_hushed = hush;
}

void say_verbose(bool verbose)
{
	is_verbose = verbose;
}

void say_bar(bool drawn)
{
	if (has_bar && !drawn)
		(void)fputs("\r\033[K", stderr); /* a bar only */
	has_bar = drawn;
}

/* One write, so that it is one line whatever else is being written; of what
 * fails here nothing could be said. */
void say_last(const char *const parts[], size_t count)
{
	const bool line = has_bar || isatty(STDERR_FILENO); /* shows ^C */
	char text[512];
	char *at = text, *const end = text + sizeof text - 1;
	int saved = errno;

	if (line)
		at = stpcpy(at, "\r\033[K");
	at = stpcpy(at, "popbox: ");
	for (size_t i = 0; i < count; i++) {
		for (const char *s = parts[i]; *s && at < end; s++)
			*at++ = *s;
	}
	*at++ = '\n';
	(void)!write(STDERR_FILENO, text, (size_t)(at - text));
	errno = saved;
}

void say_unasked(void)
{
	out_to_stderr = true;
}

/* Of what is cleaned only these two cannot stand in a JSON string. */
static void put_string(const char *text)
{
	(void)fputc('"', stderr);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', stderr);
		(void)fputc(*text, stderr);
	}
	(void)fputc('"', stderr);
}

static void put_json(const char *word, const char *text)
{
	char object[sizeof about];

	(void)fputs(word ? "{\"error\":" : "{\"note\":", stderr);
	put_string(text);
	if (word) {
		say_clean(about, object, sizeof object);
		(void)fprintf(stderr, ",\"code\":\"%s\",\"object\":", word);
		if (object[0])
			put_string(object);
		else
			(void)fputs("null", stderr);
	}
	(void)fputs("}\n", stderr);
}

static void to_sink(const char *word, const char *text)
{
	char object[sizeof about];

	if (!word) {
		sink->note(text);
		return;
	}
	say_clean(about, object, sizeof object);
	sink->error(word, text, object);
}

/* One line whatever is in it: names of files, what was typed, what another
 * program's file says. A failing stderr has nowhere to be reported. word: the
 * kind of error, or NULL: it is none. */
__attribute__((format(printf, 2, 0))) static void
to_stderr(const char *word, const char *format, va_list args)
{
	static char line[4 * PATH_MAX];

	if (is_hushed)
		return;
	(void)vsnprintf(line, sizeof line, format, args); /* cut is enough */
	say_clean(line, line, sizeof line);
	if (sink) {
		to_sink(word, line);
		return;
	}
	(void)fflush(stdout); /* keeps the order; say_finish looks at it */
	say_bar(false);
	if (is_json)
		put_json(word, line);
	else
		(void)fprintf(stderr, "popbox: %s\n", line);
}

/* Where nothing else is known. */
static const char *word_of(int code)
{
	switch (code) {
	case CODE_NO:
		return "no";
	case CODE_USAGE:
		return SAY_USAGE;
	case CODE_REFUSED:
		return "invalid";
	case CODE_LATER:
		return "later";
	default:
		return "failed"; /* a part of it; what follows has the code */
	}
}

int say_error(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	to_stderr(word_of(code), format, args);
	va_end(args);
	return code;
}

int say_error_as(int code, const char *word, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	to_stderr(word, format, args);
	va_end(args);
	return code;
}

void say_note(const char *format, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, format);
	to_stderr(NULL, format, args);
	va_end(args);
}

void say_detail(const char *format, ...)
{
	va_list args;

	if (!is_verbose)
		return;
	va_start(args, format);
	to_stderr(NULL, format, args);
	va_end(args);
}

/* Of control characters our own formats have these two. */
static void clean_layout(char *text)
{
	char *from = text;

	for (char *end; *from; from = end) {
		const size_t len = strcspn(from, "\t\n");
		const char mark = from[len];

		end = from + len + (mark != 0);
		from[len] = 0;
		say_clean(from, text, len + 1);
		text += strlen(text);
		*text = mark;
		text += mark != 0;
	}
	*text = 0;
}

/* A password may be among what is said. */
static void print_clean(FILE *out, char *text, size_t len)
{
	clean_layout(text);
	if (sink)
		sink->out(text);
	else
		(void)fputs(text, out); /* say_finish looks at stdout's */
	secret_wipe(text, len);
}

void say_out(const char *format, ...)
{
	FILE *out = out_to_stderr ? stderr : stdout;
	char line[1024], *more;
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (len < (int)sizeof line) {
		print_clean(out, line, sizeof line);
	} else if (vasprintf(&more, format, again) >= 0) {
		print_clean(out, more, (size_t)len);
		free(more);
	} else {
		say_lost();
	}
	va_end(again);
	if (!sink)
		(void)fputc('\n', out);
}

const char *say_time(int64_t seconds, char text[SAY_TIME_TEXT])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || !gmtime_r(&when, &tm) ||
	    strftime(text, SAY_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(text, "-", 2);
	return text;
}

const char *say_word(const char *text, char ret_word[SAY_WORD_TEXT])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789@%_+=:,./-";
	size_t len = 0;

	if (text[0] && strspn(text, plain) == strlen(text))
		return text;
	ret_word[len++] = '\'';
	for (const char *c = text; *c && len < SAY_WORD_TEXT - 6; c++) {
		if (*c == '\'') {
			memcpy(ret_word + len, "'\\''", 4);
			len += 4;
		} else {
			ret_word[len++] = *c;
		}
	}
	ret_word[len++] = '\'';
	ret_word[len] = 0;
	return ret_word;
}

const char *say_count(unsigned long long count, const char *noun,
		      char text[SAY_COUNT_TEXT])
{
	size_t len = strlen(noun);
	const char *last = len ? noun + len - 1 : noun, *end = "s";

	if (count == 1)
		end = "";
	else if (strchr("sx", *last) || (len > 1 && *last == 'h' && strchr("cs", last[-1])))
		end = "es";
	else if (*last == 'y' && len > 1 && !strchr("aeiou", last[-1]))
		end = "ies";
	if (strcmp(end, "ies") == 0)
		len--;
	(void)snprintf(text, SAY_COUNT_TEXT, "%llu %.*s%s", count, (int)len,
		       noun, end); /* cut is enough */
	return text;
}

const char *say_size(unsigned long long bytes, char text[SAY_SIZE_TEXT])
{
	static const char units[] = "KMGT";
	const char *unit = "";
	size_t n = 0;

	while (bytes && bytes % 1024 == 0 && n < sizeof units - 1) {
		bytes /= 1024;
		unit = &units[n++];
	}
	(void)snprintf(text, SAY_SIZE_TEXT, "%llu%.1s", bytes, unit);
	return text;
}

const char *say_counts(const struct say_part *part, size_t parts,
		       char text[SAY_COUNTS_TEXT])
{
	char count[SAY_COUNT_TEXT];
	size_t len = 0;

	(void)snprintf(text, SAY_COUNTS_TEXT, "nothing");
	for (size_t i = 0; i < parts && len < SAY_COUNTS_TEXT; i++) {
		if (part[i].count)
			len += (size_t)snprintf(
				text + len, SAY_COUNTS_TEXT - len, "%s%s",
				len ? ", " : "",
				say_count(part[i].count, part[i].noun, count));
	}
	return text;
}

/* The bytes of the letter at text; 0: it is no UTF-8, or not to be shown. */
static size_t letter(const char *text)
{
	uint32_t value;
	size_t bytes = utf8_letter(text, strnlen(text, 4), &value);

	return bytes && utf8_shown(value) ? bytes : 0;
}

void say_clean(const char *text, char *ret_clean, size_t room)
{
	size_t at = 0;

	while (*text) {
		size_t bytes = letter(text);

		if (at + (bytes ? bytes : 1) >= room)
			break;
		if (bytes)
			memmove(ret_clean + at, text, bytes);
		else
			ret_clean[at] = '?';
		at += bytes ? bytes : 1;
		text += bytes ? bytes : 1;
	}
	ret_clean[at] = 0;
}

void say_lost(void)
{
	is_lost = true;
}

bool say_was_lost(void)
{
	const bool was = is_lost;

	is_lost = false;
	return was;
}

int say_finish(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return say_error(CODE_LATER,
				 "cannot write to standard output: %s",
				 strerror(errno));
	if (is_lost)
		return say_error(CODE_LATER,
				 "the output is not whole: memory or "
				 "descriptors ran out");
	return code;
}
