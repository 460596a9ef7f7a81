/* SPDX-License-Identifier: MIT */
/* Who may deliver to a box with a quota, and 10,000 events around it: deliveries
 * that succeed and fail, two at once, POP's deletions and IMAP's, folders, and a
 * maildirsize that somebody damages. */
#include "maildir.h"

#include <errno.h>
#include <time.h>

#include "maildir/usage.h"
#include "quota/quota.h"
#include "quota/warning.h"

static const struct quota_rules rules = {.limit = {1000, 10}};

static enum quota_verdict judged(uint64_t bytes, int64_t age, int64_t grace)
{
	const struct quota_message message = {bytes, age};
	const struct quota_rules own = {rules.limit, grace};
	struct maildirsize used;
	int rc = 0;
	enum quota_verdict verdict =
		quota_judge(maildir_fd, &own, &message, &used, &rc);

	assert_int_equal(rc, 0);
	return verdict;
}

static void what_is_delivered_is_recorded(void **state)
{
	(void)state;
	assert_int_equal(judged(600, 0, 0), QUOTA_ROOM);
	maildir_put("new/1", NULL, 600);
	assert_string_equal(maildir_text("maildirsize"),
			    "1000S,10C\n0 0\n600 1\n");
	assert_int_equal(judged(400, 0, 0), QUOTA_ROOM);
	maildir_put("new/2", NULL, 400);
	assert_int_equal(judged(1, 0, 0), QUOTA_FULL);
	assert_string_equal(maildir_text("maildirsize"), "1000S,10C\n1000 2\n");
	assert_int_equal(judged(1000, 0, 0), QUOTA_FULL);
	assert_int_equal(judged(1001, 0, 0), QUOTA_LARGE);
}

static void messages_are_limited_as_bytes_are(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(judged(1, 0, 0), QUOTA_ROOM);
		(void)snprintf(name, sizeof name, "new/%d", i);
		maildir_put(name, NULL, 1);
	}
	assert_int_equal(judged(0, 0, 0), QUOTA_FULL);
}

static void a_message_waits_for_room_as_long_as_it_is_young(void **state)
{
	(void)state;
	maildir_put("new/1", NULL, 1000);
	assert_int_equal(judged(5, 59, 60), QUOTA_WAIT);
	assert_int_equal(judged(5, 60, 60), QUOTA_FULL);
	assert_int_equal(judged(5, -5, 60), QUOTA_WAIT);
	assert_int_equal(judged(2000, 0, 60), QUOTA_LARGE);
}

static void a_box_that_seems_full_is_counted_first(void **state)
{
	(void)state;
	maildir_put("maildirsize", "1000S,10C\n500 5\n500 5\n", 0);
	assert_int_equal(judged(5, 0, 0), QUOTA_ROOM);
	assert_string_equal(maildir_text("maildirsize"), "1000S,10C\n0 0\n5 1\n");
	maildir_put("maildirsize", "1000S,10C\n1000 5\n", 0);
	maildir_age("maildirsize", 30);
	maildir_age("new", 60);
	maildir_age("cur", 60);
	assert_int_equal(judged(5, 0, 0), QUOTA_FULL); /* a fresh count */
	maildir_age("cur", 30); /* POP deleted something */
	assert_int_equal(judged(5, 0, 0), QUOTA_ROOM);
}

static void another_limit_in_the_file_is_not_ours(void **state)
{
	(void)state;
	maildir_put("maildirsize", "2000S,10C\n1500 2\n", 0);
	maildir_put("new/1", NULL, 1000);
	assert_int_equal(judged(5, 0, 0), QUOTA_FULL);
	assert_string_equal(maildir_text("maildirsize"), "1000S,10C\n1000 1\n");
}

static void a_delivery_that_fails_afterwards_refuses_nobody(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		assert_int_equal(judged(400, 0, 0), QUOTA_ROOM);
	maildir_put("new/1", NULL, 400);
	assert_int_equal(judged(600, 0, 0), QUOTA_ROOM);
}

static void a_full_box_says_so_where_nothing_can_be_written(void **state)
{
	const struct quota_message message = {5, 0};
	struct maildirsize used;
	int rc = 0;

	(void)state;
	assert_int_equal(mkdir("maildirsize", 0700), 0);
	maildir_put("new/1", NULL, 990);
	assert_int_equal(quota_judge(maildir_fd, &rules, &message, &used, &rc),
			 QUOTA_ROOM);
	assert_int_equal(rc, EISDIR);
	maildir_put("new/2", NULL, 10);
	assert_int_equal(quota_judge(maildir_fd, &rules, &message, &used, &rc),
			 QUOTA_FULL);
}

static void a_warning_comes_once_a_day(void **state)
{
	const struct maildirsize used = {950, 1};
	uint64_t bytes = 0;

	(void)state;
	assert_int_equal(warning_give(maildir_fd, "joe", "example.com",
				      &rules.limit, &used, &bytes),
			 0);
	assert_true(bytes > 100);
	assert_int_equal(maildir_entries("new"), 1);
	for (int i = 0; i < 3; i++) {
		maildir_age("quotawarn", i * 40000);
		assert_int_equal(warning_give(maildir_fd, "joe", "example.com",
					      &rules.limit, &used, &bytes),
				 0);
		assert_int_equal(bytes, 0);
	}
	maildir_age("quotawarn", WARNING_PAUSE);
	assert_int_equal(warning_give(maildir_fd, "joe", "example.com",
				      &rules.limit, &used, &bytes),
			 0);
	assert_true(bytes > 0);
	assert_int_equal(maildir_entries("new"), 2);
	assert_int_equal(maildir_entries("tmp"), 0);
}

static void a_link_in_the_place_of_its_time_is_not_followed(void **state)
{
	const struct maildirsize used = {950, 1};
	uint64_t bytes = 1;

	(void)state;
	maildir_put("../victim", "x", 0);
	maildir_age("../victim", 100000);
	assert_int_equal(symlink("../victim", "quotawarn"), 0);
	assert_int_equal(warning_give(maildir_fd, NULL, NULL, &rules.limit,
				      &used, &bytes),
			 ELOOP);
	assert_int_equal(unlink("quotawarn"), 0);
	assert_int_equal(link("../victim", "quotawarn"), 0);
	assert_int_equal(warning_give(maildir_fd, NULL, NULL, &rules.limit,
				      &used, &bytes),
			 EINVAL);
	assert_int_equal(bytes, 0);
	assert_int_equal(maildir_entries("new"), 0);
}

static void a_warning_says_who_and_how_much(void **state)
{
	const struct maildirsize limit = {500 << 20, 100}, used = {460 << 20, 9};
	char text[WARNING_MAX];
	size_t len = warning_text("joe", "example.com", 86400 * 365, &limit,
				  &used, text);

	(void)state;
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(text, "\nTo: joe@example.com\n"));
	assert_non_null(strstr(text, "(92%)\n"));
	assert_non_null(strstr(text, "\nDate: Fri, 1 Jan 1971 00:00:00 +0000\n"));
	assert_non_null(strstr(text, "It holds 460 MB of at most 500 MB.\n"));
	assert_non_null(strstr(text, "It holds 9 messages of at most 100 "
				     "messages.\n"));
	(void)warning_text("joe\nBcc: x", "example.com", 0, &limit, &used, text);
	assert_non_null(strstr(text, "\nTo: you\n"));
	assert_null(strstr(text, "Bcc"));
	(void)warning_text("joe", "a\nb", 0, &limit, &used, text);
	assert_non_null(strstr(text, "From: postmaster@localhost\n"));
}

/* The events. */

enum { EVENTS = 10000, FILES = 64, LARGEST = 300 };

static struct file {
	char path[40]; /* "": none */
	uint64_t bytes;
} files[FILES];

static uint64_t seed = 42;
static unsigned refused, accepted, worst;

static unsigned drawn(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static struct maildirsize real(void)
{
	struct maildirsize sum = {0, 0};

	for (size_t i = 0; i < FILES; i++) {
		sum.bytes += files[i].path[0] ? files[i].bytes : 0;
		sum.messages += files[i].path[0] != 0;
	}
	return sum;
}

static void put_mail(uint64_t bytes)
{
	static unsigned number;

	for (size_t i = 0; i < FILES; i++) {
		if (files[i].path[0])
			continue;
		(void)snprintf(files[i].path, sizeof files[i].path,
			       drawn(2) ? "new/%u" : "new/%u,S=%u", number++,
			       (unsigned)bytes);
		files[i].bytes = bytes;
		maildir_put(files[i].path, NULL, bytes);
		return;
	}
	fail_msg("more messages than the limit allows");
}

/* One of those that are there, or NULL. */
static struct file *any(void)
{
	struct file *file = &files[drawn(FILES)];

	for (size_t i = 0; i < FILES; i++) {
		if (file->path[0])
			return file;
		file = file + 1 < files + FILES ? file + 1 : files;
	}
	return NULL;
}

/* on_the_way: recorded, and not in the Maildir yet. */
static bool may(uint64_t bytes, const struct maildirsize *on_the_way)
{
	const struct maildirsize more = {bytes, 1};
	struct maildirsize all = real();
	bool room = judged(bytes, 0, 0) == QUOTA_ROOM;

	all.bytes += on_the_way->bytes;
	all.messages += on_the_way->messages;
	if (room) {
		accepted++;
		return true;
	}
	refused++;
	/* Nobody is refused for whom there is room. */
	assert_true(maildirsize_is_over(&rules.limit, &all, &more));
	return false;
}

static void deliver_some(void)
{
	const struct maildirsize none = {0, 0};
	const uint64_t bytes = drawn(LARGEST), others = drawn(LARGEST);
	const bool two = drawn(4) == 0, fails = drawn(10) == 0;
	const struct maildirsize first = {bytes, 1};
	bool one, other;
	struct maildirsize is;

	one = may(bytes, &none);
	other = two && may(others, one ? &first : &none);
	if (one && !fails)
		put_mail(bytes);
	if (other)
		put_mail(others);
	/* At most one that is on its way is missed. */
	is = real();
	if (is.bytes > rules.limit.bytes && is.bytes - 1000 > worst)
		worst = (unsigned)(is.bytes - 1000);
	assert_true(is.bytes < rules.limit.bytes + LARGEST);
	assert_true(is.messages <= rules.limit.messages + 1);
}

static void delete_by_pop(void)
{
	struct file *file = any();

	if (!file)
		return;
	assert_int_equal(unlink(file->path), 0);
	file->path[0] = 0;
}

/* As Dovecot does, and Courier. */
static void expunge(void)
{
	struct file *file = any();
	char line[64];
	int fd;

	if (!file)
		return;
	assert_int_equal(unlink(file->path), 0);
	file->path[0] = 0;
	fd = open("maildirsize", O_WRONLY | O_APPEND | O_CLOEXEC);
	(void)snprintf(line, sizeof line, "-%u -1\n", (unsigned)file->bytes);
	if (fd < 0)
		return;
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	close(fd);
}

static void move(void)
{
	static const char *const to[] = {"cur", ".Sent/cur"};
	struct file *file = any();
	char path[sizeof file->path];

	if (!file)
		return;
	(void)snprintf(path, sizeof path, "%s/%.24s", to[drawn(2)],
		       strrchr(file->path, '/') + 1);
	assert_int_equal(rename(file->path, path), 0);
	memcpy(file->path, path, sizeof path);
}

static void damage(void)
{
	static const char *const texts[] = {
		"", "1000S,10C\n-5 -1\n", "1000S,10C\n9 ", "junk\n1 1\n",
		"999999S\n1 1\n",
	};
	const unsigned which = drawn(COUNT(texts) + 1);

	if (which == COUNT(texts))
		(void)unlink("maildirsize"); /* perhaps it is not there */
	else
		maildir_put("maildirsize", texts[which], 0);
}

static void ten_thousand_events(void **state)
{
	struct maildirsize used, is;

	(void)state;
	assert_int_equal(mkdir(".Sent", 0700), 0);
	assert_int_equal(mkdir(".Sent/cur", 0700), 0);
	memset(files, 0, sizeof files);
	for (int i = 0; i < EVENTS; i++) {
		const unsigned what = drawn(100);

		if (what < 50)
			deliver_some();
		else if (what < 70)
			delete_by_pop();
		else if (what < 85)
			expunge();
		else if (what < 98)
			move();
		else
			damage();
		is = real();
		assert_int_equal(usage_count(maildir_fd, &used), 0);
		assert_int_equal(used.bytes, is.bytes);
		assert_int_equal(used.messages, is.messages);
	}
	print_message("%u accepted, %u refused, at most %u bytes over\n",
		      accepted, refused, worst);
	assert_true(accepted > 1000 && refused > 500);
	assert_int_equal(maildir_entries("tmp"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS_IN_MAILDIR("what is delivered is recorded",
				what_is_delivered_is_recorded),
		SAYS_IN_MAILDIR("messages are limited as bytes are",
				messages_are_limited_as_bytes_are),
		SAYS_IN_MAILDIR(
			"a message waits for room as long as it is young",
			a_message_waits_for_room_as_long_as_it_is_young),
		SAYS_IN_MAILDIR("a box that seems full is counted first",
				a_box_that_seems_full_is_counted_first),
		SAYS_IN_MAILDIR("another limit in the file is not ours",
				another_limit_in_the_file_is_not_ours),
		SAYS_IN_MAILDIR(
			"a delivery that fails afterwards refuses nobody",
			a_delivery_that_fails_afterwards_refuses_nobody),
		SAYS_IN_MAILDIR(
			"a full box says so where nothing can be written",
			a_full_box_says_so_where_nothing_can_be_written),
		SAYS_IN_MAILDIR("a warning comes once a day",
				a_warning_comes_once_a_day),
		SAYS_IN_MAILDIR(
			"a link in the place of its time is not followed",
			a_link_in_the_place_of_its_time_is_not_followed),
		SAYS("a warning says who and how much",
		     a_warning_says_who_and_how_much),
		SAYS_IN_MAILDIR("10,000 events: nobody is refused for whom "
				"there is room, and at most one message on "
				"its way is missed",
				ten_thousand_events),
	};

	return RUN(tests);
}
