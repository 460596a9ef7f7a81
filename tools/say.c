#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool is_quiet;
static bool is_verbose;
static bool has_bar;
static bool out_to_stderr;

void say_quiet(bool quiet)
{
	is_quiet = quiet;
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

void say_unasked(void)
{
	out_to_stderr = true;
}

/* A failing stderr has nowhere to be reported. */
__attribute__((format(printf, 1, 0))) static void to_stderr(const char *format, va_list args)
{
	(void)fflush(stdout); /* keeps the order; say_finish looks at it */
	say_bar(false);
	(void)fputs("popbox: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
}

int say_error(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	to_stderr(format, args);
	va_end(args);
	return code;
}

void say_note(const char *format, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, format);
	to_stderr(format, args);
	va_end(args);
}

void say_detail(const char *format, ...)
{
	va_list args;

	if (!is_verbose)
		return;
	va_start(args, format);
	to_stderr(format, args);
	va_end(args);
}

void say_out(const char *format, ...)
{
	FILE *out = out_to_stderr ? stderr : stdout;
	va_list args;

	va_start(args, format);
	(void)vfprintf(out, format, args); /* say_finish looks at stdout's */
	va_end(args);
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

void say_clean(const char *text, char *ret_clean, size_t room)
{
	size_t at = 0;

	for (; *text && at + 1 < room; text++) {
		unsigned char c = (unsigned char)*text;

		ret_clean[at++] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	ret_clean[at] = 0;
}

int say_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return say_error(CODE_LATER, "cannot write to standard output: %s",
			 strerror(errno));
}
