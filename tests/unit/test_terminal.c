/* SPDX-License-Identifier: MIT */
/* What is drawn on terminals: how wide texts are, and the progress bar. */
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/columns.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/say.h"
#include "base/utf8.h"
#include "unit.h"

static void widths(void **state)
{
	(void)state;
	assert_int_equal(columns_of(""), 0);
	assert_int_equal(columns_of("plain"), 5);
	assert_int_equal(columns_of("m\xc3\xbcnchen"), 7);
	assert_int_equal(columns_of("mu\xcc\x88nchen"), 7); /* u, and its dots */
	assert_int_equal(columns_of("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	assert_int_equal(columns_of("\xf0\x9f\x93\xab"), 2);
	assert_int_equal(columns_of("\xff\xc3"), 2); /* bytes */
	assert_int_equal(columns_of("\xe6\x97"), 2); /* ends too early */
}

static void fitting(void **state)
{
	(void)state;
	assert_int_equal(columns_fit("plain", 3), 3);
	assert_int_equal(columns_fit("plain", 9), 5);
	assert_int_equal(columns_fit("m\xc3\xbcnchen", 2), 3);
	assert_int_equal(columns_fit("\xe6\x97\xa5\xe6\x9c\xac", 3), 3);
	assert_int_equal(columns_fit("mu\xcc\x88n", 2), 4);
	assert_int_equal(columns_fit("x", 0), 0);
}

/* Half of the work after two seconds, then a message, then the end; what a
 * terminal of so many columns got. */
static void draw(unsigned short columns, const char *term, char *ret_got,
		 size_t room)
{
	const struct winsize size = {.ws_row = 24, .ws_col = columns};
	struct progress progress;
	int master, slave, saved = dup(2);
	size_t len = 0;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	assert_int_equal(setenv("TERM", term, 1), 0);
	assert_true(dup2(slave, 2) == 2);
	progress = progress_start("working", 100);
	progress.start.tv_sec -= 2;
	progress_step(&progress, 50);
	say_error(0, "a message");
	progress.shown_ms = 0;
	progress_step(&progress, 26);
	progress_end(&progress);
	say_error(0, "done");
	assert_true(dup2(saved, 2) == 2);
	ret_got[0] = 0;
	while (!strstr(ret_got, "done\r\n")) {
		ssize_t more = read(master, ret_got + len, room - 1 - len);

		assert_true(more > 0);
		len += (size_t)more;
		ret_got[len] = 0;
	}
	(void)close(master);
	(void)close(slave);
	(void)close(saved);
}

#define CLEAR "\r\033[K"

static void bar(void **state)
{
	char got[1024];

	(void)state;
	draw(200, "xterm", got, sizeof got);
	assert_string_equal(
		got,
		"\rworking [###############               ] 50/100  25/s  2 s "
		"left\033[K" CLEAR "popbox: a message\r\n"
		"\rworking [######################        ] 76/100  38/s  1 s "
		"left\033[K" CLEAR "popbox: done\r\n");
}

static void narrow(void **state)
{
	char got[1024];

	(void)state;
	draw(20, "xterm", got, sizeof got);
	assert_string_equal(got, "\rworking [##########\033[K" CLEAR
				 "popbox: a message\r\n"
				 "\rworking [##########\033[K" CLEAR
				 "popbox: done\r\n");
}

static void dumb(void **state)
{
	char got[1024];

	(void)state;
	draw(200, "dumb", got, sizeof got);
	assert_string_equal(got, "popbox: a message\r\npopbox: done\r\n");
}

static void cleans(const char *text, const char *want)
{
	char got[64];

	say_clean(text, got, sizeof got);
	assert_string_equal(got, want);
}

/* All of Unicode: what utf8_shown hides, as ranges; each is tried at both ends,
 * and so are its neighbours. */
static void shown(void **state)
{
	static const uint32_t hidden[][2] = {
		{0, 0x1f},	    {0x7f, 0x9f},	{0xad, 0xad},
		{0x34f, 0x34f},	    {0x61c, 0x61c},	{0x115f, 0x1160},
		{0x17b4, 0x17b5},   {0x180b, 0x180f},	{0x200b, 0x200b},
		{0x200e, 0x200f},   {0x2028, 0x202e},	{0x2060, 0x206f},
		{0x3164, 0x3164},   {0xe000, 0xf8ff},	{0xfdd0, 0xfdef},
		{0xfeff, 0xfeff},   {0xffa0, 0xffa0},	{0xfff0, 0xfffb},
		{0xfffe, 0xffff},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
		{0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff}, {0xdfffe, 0xe0fff},
		{0xefffe, 0x10ffff}};
	uint32_t letter = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(hidden); i++) {
		for (; letter < hidden[i][0]; letter++) {
			if ((letter & 0xfffe) != 0xfffe)
				assert_true(utf8_shown(letter));
		}
		for (; letter <= hidden[i][1]; letter++)
			assert_false(utf8_shown(letter));
	}
	assert_int_equal(letter, 0x110000);
	assert_true(utf8_plain(BYTES("J\xc3\xb6rg \xe2\x80\x8c.")));
	assert_false(utf8_plain(BYTES("a\xc2\x9b" "b")));
	assert_false(utf8_plain(BYTES("a\xff")));
	assert_false(utf8_plain(BYTES("a\0b")));
}

/* What stdout got while say was called. */
static void out(void (*say)(const void *arg), const void *arg, char *ret_got,
		size_t room)
{
	FILE *file = tmpfile();
	int saved = dup(1);
	ssize_t got;

	assert_non_null(file);
	assert_int_equal(fflush(stdout), 0);
	assert_int_equal(dup2(fileno(file), 1), 1);
	say(arg);
	assert_int_equal(fflush(stdout), 0);
	got = pread(1, ret_got, room - 1, 0);
	assert_int_equal(dup2(saved, 1), 1);
	assert_true(got >= 0 && (size_t)got < room - 1);
	ret_got[got] = 0;
	close(saved);
	(void)fclose(file);
}

static void say_text(const void *arg)
{
	say_out("a\tb\n%s", (const char *)arg);
}

static void say_json(const void *arg)
{
	json_print(json_pack("{s:s}", "x", (const char *)arg));
}

static void data(void **state)
{
	static char got[4096], title[2000], want[2100];

	(void)state;
	out(say_text, "J\xc3\xb6rg \xc2\x9b" "8m\xe2\x80\xae", got, sizeof got);
	assert_string_equal(got, "a\tb\nJ\xc3\xb6rg ??8m???\n");
	memset(title, 'x', sizeof title - 1); /* longer than what is at hand */
	title[1500] = '\x9b';
	out(say_text, title, got, sizeof got);
	title[1500] = '?';
	(void)snprintf(want, sizeof want, "a\tb\n%s\n", title);
	assert_string_equal(got, want);
	out(say_json, "J\xc3\xb6rg \xc2\x9b" "8m \xe2\x80\xae \xf3\xa0\x81\x81"
		      "\x7f\x1b",
	    got, sizeof got);
	assert_string_equal(got, "{\"x\":\"J\xc3\xb6rg \\u009b8m \\u202e "
				 "\\udb40\\udc41\\u007f\\u001B\"}\n");
}

static void clean(void **state)
{
	char cut[6], same[] = "a\x1b" "b";

	(void)state;
	cleans("J\xc3\xb6rg \xe6\x97\xa5 \xf0\x9f\x93\xab",
	       "J\xc3\xb6rg \xe6\x97\xa5 \xf0\x9f\x93\xab");
	cleans("\x1b[2J\n\r\t\x7f", "?[2J????");
	/* Of eight bits, with and without UTF-8 around it. */
	cleans("\x9b" "31m \xc2\x9b", "?31m ??");
	cleans("\xff \xc3 \xc0\x8a \xe2\x80", "? ? ?? ??");
	cleans("\xed\xa0\x80 \xf4\x90\x80\x80", "??? ????");
	cleans("\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6", "?????????");
	/* Cut between letters, never within. */
	say_clean("ab\xe6\x97\xa5x", cut, sizeof cut);
	assert_string_equal(cut, "ab\xe6\x97\xa5");
	say_clean("abc\xe6\x97\xa5", cut, sizeof cut);
	assert_string_equal(cut, "abc");
	say_clean(same, same, sizeof same);
	assert_string_equal(same, "a?b");
}

static void letters(void **state)
{
	static const struct {
		const char *text;
		uint32_t letter;
	} good[] = {
		{"a", 'a'},		   {"\x7f", 0x7f},
		{"\xc2\x80", 0x80},	   {"\xdf\xbf", 0x7ff},
		{"\xe0\xa0\x80", 0x800},  {"\xed\x9f\xbf", 0xd7ff},
		{"\xee\x80\x80", 0xe000}, {"\xef\xbf\xbf", 0xffff},
		{"\xf0\x90\x80\x80", 0x10000},
		{"\xf4\x8f\xbf\xbf", 0x10ffff},
	};
	/* Cut, without a head, longer than needed, surrogates, too high. */
	static const char *const bad[] = {
		"\xc3", "\xe2\x82", "\xf0\x9f\x93", "\xc3z", "\x80", "\xbf",
		"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf8",
		"\xff", "ok, then \xfe"};
	uint32_t letter;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len = strlen(good[i].text);

		assert_int_equal(utf8_letter(good[i].text, len, &letter), len);
		assert_int_equal(letter, good[i].letter);
		assert_true(utf8_good(good[i].text, len));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(utf8_good(bad[i], strlen(bad[i])));
	assert_int_equal(utf8_letter("", 0, &letter), 0);
	assert_true(utf8_good("", 0));
	assert_true(utf8_good(BYTES("a\0b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("letters with dots, of East Asia, and bytes have their "
		     "widths", widths),
		SAYS("what is no letter of UTF-8, or moves a terminal, is a "
		     "question mark", clean),
		SAYS("control characters, and letters that turn text or have no "
		     "shape, are not shown",
		     shown),
		SAYS("data for people is clean but for our own tabs and lines, "
		     "JSON has escapes",
		     data),
		SAYS("a cut is between letters", fitting),
		SAYS("letters of UTF-8 are those of RFC 3629", letters),
		SAYS("a bar clears itself before a message and at its end",
		     bar),
		SAYS("a bar is never wider than the terminal", narrow),
		SAYS("a dumb terminal gets no bar", dumb),
	};

	return RUN(tests);
}
