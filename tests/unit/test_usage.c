/* SPDX-License-Identifier: MIT */
/* What a Maildir holds, by its file or counted, whatever lies there. */
#include "maildir.h"

#include <errno.h>
#include <time.h>

#include "maildir/usage.h"

static const struct maildirsize limit = {1000, 10};

static void counts(uint64_t bytes, uint64_t messages)
{
	struct maildirsize used;

	assert_int_equal(usage_count(maildir_fd, &used), 0);
	assert_int_equal(used.bytes, bytes);
	assert_int_equal(used.messages, messages);
}

static void new_cur_and_folders_count_but_trash(void **state)
{
	static const char *const dirs[] = {
		".Sent", ".Sent/new", ".Sent/cur", ".Trash", ".Trash/cur",
		"..odd", "..odd/cur", "other", "other/cur", ".a.b", ".a.b/cur",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(dirs); i++)
		assert_int_equal(mkdir(dirs[i], 0700), 0);
	maildir_put("new/1", NULL, 10);
	maildir_put("cur/2:2,S", NULL, 20);
	maildir_put("cur/3,S=300:2,S", NULL, 1);
	maildir_put("cur/.hidden", NULL, 4000);
	maildir_put("tmp/4", NULL, 4000);
	maildir_put(".Sent/new/5", NULL, 5);
	maildir_put(".Sent/cur/6", NULL, 6);
	maildir_put(".a.b/cur/7", NULL, 7);
	maildir_put(".Trash/cur/8", NULL, 4000);
	maildir_put("..odd/cur/9", NULL, 4000);
	maildir_put("other/cur/10", NULL, 4000);
	maildir_put(".lastlogin", NULL, 4000);
	counts(348, 6);
}

static void links_pipes_and_directories_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("../other", 0700), 0);
	assert_int_equal(mkdir("../other/cur", 0700), 0);
	maildir_put("../other/cur/1", NULL, 4000);
	assert_int_equal(symlink("../other", ".Link"), 0);
	assert_int_equal(symlink("../../other/cur/1", "new/2"), 0);
	assert_int_equal(mkfifo("new/3", 0600), 0);
	assert_int_equal(mkdir("new/4", 0700), 0);
	assert_int_equal(rmdir("cur"), 0);
	assert_int_equal(symlink("../other/cur", "cur"), 0);
	maildir_put("new/5", NULL, 5);
	counts(5, 1);
	assert_int_equal(unlink("cur"), 0);
	counts(5, 1);
	maildir_put("cur", NULL, 0);
	counts(5, 1);
}

static void sizes_that_names_claim_do_not_wrap(void **state)
{
	(void)state;
	maildir_put("new/1,S=9223372036854775807", NULL, 1);
	maildir_put("new/2,S=9223372036854775807", NULL, 1);
	maildir_put("new/3,S=9223372036854775807", NULL, 1);
	counts(UINT64_MAX, 3);
}

static void recounted(void)
{
	struct usage usage = {.fd = -1};
	int why = -1;

	assert_int_equal(usage_recount(maildir_fd, &limit, true, &usage, &why),
			 0);
	assert_int_equal(why, 0);
	assert_true(usage.good && usage.counted);
	assert_true(usage.fd >= 0);
	usage_close(&usage);
}

static void a_count_takes_the_place_of_the_file(void **state)
{
	const struct maildirsize more = {5, 1};
	struct usage usage;

	(void)state;
	maildir_put("new/1", NULL, 10);
	recounted();
	assert_string_equal(maildir_text("maildirsize"),
			    "1000S,10C\n10 1\n");
	assert_int_equal(maildir_entries("tmp"), 0);
	assert_int_equal(usage_open(maildir_fd, &usage), 0);
	assert_true(usage.good && !usage.counted);
	assert_int_equal(usage.used.bytes, 10);
	assert_int_equal(usage.limit.messages, 10);
	assert_int_equal(usage_add(&usage, &more), 0);
	assert_int_equal(usage.used.bytes, 15);
	usage_close(&usage);
	assert_string_equal(maildir_text("maildirsize"),
			    "1000S,10C\n10 1\n5 1\n");
	assert_int_equal(usage_add(&usage, &more), ENOENT);
}

/* Each of these stands in the place of the file; none is changed. */
static void not_believed(const char *why)
{
	struct usage usage;

	assert_int_equal(usage_open(maildir_fd, &usage), 0);
	if (usage.good)
		fail_msg("%s is believed", why);
	assert_int_equal(usage.fd, -1);
}

static void what_is_no_file_of_ours_is_replaced_and_not_written_to(void **state)
{
	char *text = malloc(MAILDIRSIZE_MAX + 1);

	(void)state;
	not_believed("none");
	recounted();
	maildir_put("../victim", "1000S,10C\n10 1\n", 0);
	assert_int_equal(unlink("maildirsize"), 0);
	assert_int_equal(symlink("../victim", "maildirsize"), 0);
	not_believed("a symbolic link");
	recounted();
	assert_int_equal(unlink("maildirsize"), 0);
	assert_int_equal(link("../victim", "maildirsize"), 0);
	not_believed("a second name");
	recounted();
	assert_string_equal(maildir_text("../victim"), "1000S,10C\n10 1\n");
	assert_int_equal(unlink("maildirsize"), 0);
	assert_int_equal(mkfifo("maildirsize", 0600), 0);
	not_believed("a pipe");
	recounted();
	memset(text, ' ', MAILDIRSIZE_MAX);
	memcpy(text, "1000S,10C\n10 1\n0", 16);
	memcpy(text + MAILDIRSIZE_MAX - 3, " 0\n", 4);
	maildir_put("maildirsize", text + 1, 0);
	{
		struct usage usage;

		assert_int_equal(usage_open(maildir_fd, &usage), 0);
		assert_true(usage.good); /* one byte less */
		usage_close(&usage);
	}
	maildir_put("maildirsize", text, 0);
	not_believed("5120 bytes");
	recounted();
	maildir_put("maildirsize", "garbage\n", 0);
	not_believed("garbage");
	recounted();
	free(text);
}

static void where_nothing_can_be_written_the_count_is_good(void **state)
{
	struct usage usage = {.fd = -1};
	int why = 0;

	(void)state;
	maildir_put("new/1", NULL, 10);
	assert_int_equal(mkdir("maildirsize", 0700), 0);
	not_believed("a directory");
	assert_int_equal(usage_recount(maildir_fd, &limit, false, &usage, &why),
			 0);
	assert_true(usage.good);
	assert_int_equal(usage.fd, -1);
	assert_int_equal(why, EISDIR);
	assert_int_equal(usage.used.bytes, 10);
	assert_int_equal(maildir_entries("tmp"), 0);
	assert_int_equal(rmdir("tmp"), 0);
	assert_int_equal(usage_recount(maildir_fd, &limit, false, &usage, &why),
			 0);
	assert_int_equal(why, ENOENT);
	assert_int_equal(symlink("../box", "tmp"), 0);
	assert_int_equal(usage_recount(maildir_fd, &limit, false, &usage, &why),
			 0);
	assert_int_equal(why, ENOTDIR);
	assert_true(usage.good);
}

static bool fresh(void)
{
	struct usage usage;
	bool is;

	assert_int_equal(usage_open(maildir_fd, &usage), 0);
	is = usage_is_fresh(maildir_fd, &usage);
	usage_close(&usage);
	return is;
}

static void a_count_is_fresh_until_something_changes(void **state)
{
	(void)state;
	assert_int_equal(mkdir(".Sent", 0700), 0);
	assert_int_equal(mkdir(".Sent/cur", 0700), 0);
	maildir_put("maildirsize", "1000S,10C\n10 1\n", 0);
	maildir_age("new", 60);
	maildir_age("cur", 60);
	maildir_age(".Sent/cur", 60);
	maildir_age("maildirsize", 30);
	assert_true(fresh());
	maildir_age(".Sent/cur", 30);
	assert_false(fresh());
	maildir_age(".Sent/cur", 60);
	maildir_age("new", 29);
	assert_false(fresh());
	maildir_age("new", 2000);
	maildir_age("cur", 2000);
	maildir_age(".Sent/cur", 2000);
	maildir_age("maildirsize", USAGE_FRESH - 5);
	assert_true(fresh());
	maildir_age("maildirsize", USAGE_FRESH);
	assert_false(fresh());
	maildir_age("maildirsize", -60); /* of a clock that was wrong */
	assert_false(fresh());
	maildir_put("maildirsize", "1000S,10C\n10 1\n0 0\n", 0);
	assert_false(fresh());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS_IN_MAILDIR("new, cur and folders count, but Trash",
				new_cur_and_folders_count_but_trash),
		SAYS_IN_MAILDIR("links, pipes and directories are not followed",
				links_pipes_and_directories_are_not_followed),
		SAYS_IN_MAILDIR("sizes that names claim do not wrap",
				sizes_that_names_claim_do_not_wrap),
		SAYS_IN_MAILDIR("a count takes the place of the file",
				a_count_takes_the_place_of_the_file),
		SAYS_IN_MAILDIR(
			"what is no file of ours is replaced and not written to",
			what_is_no_file_of_ours_is_replaced_and_not_written_to),
		SAYS_IN_MAILDIR("where nothing can be written the count is good",
				where_nothing_can_be_written_the_count_is_good),
		SAYS_IN_MAILDIR("a count is fresh until something changes",
				a_count_is_fresh_until_something_changes),
	};

	return RUN(tests);
}
