/* SPDX-License-Identifier: MIT */
/* Which mail popbox-vacation answers, what the answer says, and who was answered
 * within a week. */
#include "maildir.h"

#include <errno.h>
#include <sys/file.h>

#include "maildir/vacation_file.h"
#include "vacation/answered.h"
#include "vacation/header.h"
#include "vacation/judge.h"
#include "vacation/queue.h"
#include "vacation/reply.h"

static const struct judge_call call = {"ann@x.org", "joe", "example.com"};

static const char *judged(const char *text, struct judge_facts *facts)
{
	return judge_header(&call, text, strlen(text), facts);
}

static void a_sender_that_is_no_person_gets_no_answer(void **state)
{
	static const char *const silent[] = {
		"", "#@[]", "ann", "MAILER-DAEMON@x.org", "owner-list@x.org",
		"list-owner@x.org", "list-request@x.org", "List-Bounces@x.org",
		"list-return-17-joe=example.com@x.org", "list-bounces+joe@x.org",
		"list-owner-joe=example.com@x.org", "list-@[]", "noreply@x.org",
		"joe@example.com", "Joe@EXAMPLE.com", "joe+shop@example.com",
		"a b@x.org", "a\"b@x.org", "ann@x.org\nBcc: all@x.org",
		"ann@[192.0.2.1]", "ann@-x.org", "@x.org", "ann@",
		"<ann@x.org>", "j\xc3\xb6rg@x.org", ".ann@x.org",
	};
	static const char *const good[] = {
		"ann@x.org", "o'neil@x.org", "joey@example.com",
		"joe@x.org", "requester@x.org", "a+b@x.org", "ann=b@x.org",
	};
	struct judge_call other = call;

	(void)state;
	for (size_t i = 0; i < COUNT(silent); i++) {
		other.sender = silent[i];
		if (!judge_sender(&other))
			fail_msg("'%s' would get an answer", silent[i]);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		other.sender = good[i];
		if (judge_sender(&other))
			fail_msg("'%s': %s", good[i], judge_sender(&other));
	}
	other = (struct judge_call){"ann@x.org", "j\"oe", "example.com"};
	assert_non_null(judge_sender(&other));
	other = (struct judge_call){"ann@x.org", "joe", "exa mple"};
	assert_non_null(judge_sender(&other));
}

static void a_header_of_a_program_gets_no_answer(void **state)
{
	static const char *const fields[] = {
		"Auto-Submitted: auto-replied", "auto-submitted:auto-generated",
		"AUTO-SUBMITTED : auto-notified; x=y", "Auto-Submitted: nowhere",
		"Auto-Submitted:", "List-Id: <l.x.org>", "List-Post: NO",
		"list-unsubscribe:\n <mailto:x>", "Mailing-List: x",
		"Precedence: bulk", "Precedence: (really) JUNK",
		"Precedence:\n list", "X-Loop: x@y", "X-Autoreply: yes",
		"X-Auto-Response-Suppress: DR, OOF, AutoReply",
		"X-Auto-Response-Suppress: All", "X-Spam-Flag: YES",
		"Return-Path: <>", "Content-Type: multipart/report; a=b",
		"Auto-Submitted: no\nAuto-Submitted: auto-replied",
	};
	static const char *const harmless[] = {
		"Auto-Submitted: no", "auto-submitted: (or not) No (never)",
		"Auto-Submitted: no; x=y", "Precedence: first-class",
		"Precedence: listless", "X-Spam-Flag: NO", "Enlist-Id: x",
		"X-Auto-Response-Suppress: DR", "Content-Type: multipart/mixed",
		"Subject: Precedence: bulk", "Subject: x\n Precedence: bulk",
		"Auto Submitted: auto-replied", "Return-Path: <ann@x.org>",
	};
	struct judge_facts facts;
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		(void)snprintf(text, sizeof text, "To: joe@example.com\n%s\n\n",
			       fields[i]);
		if (!judged(text, &facts))
			fail_msg("'%s' would get an answer", fields[i]);
		(void)snprintf(text, sizeof text,
			       "%s\r\nTo: joe@example.com\r\n", fields[i]);
		if (!judged(text, &facts))
			fail_msg("'%s' would get an answer", fields[i]);
	}
	for (size_t i = 0; i < COUNT(harmless); i++) {
		(void)snprintf(text, sizeof text, "To: joe@example.com\n%s\n\n"
						  "Precedence: bulk\n",
			       harmless[i]);
		if (judged(text, &facts))
			fail_msg("'%s': %s", harmless[i], judged(text, &facts));
	}
}

static void only_mail_that_names_the_recipient_gets_an_answer(void **state)
{
	static const char *const named[] = {
		"To: joe@example.com", "to:JOE@Example.COM",
		"Cc: a@b.org, Joe <joe@example.com>", "Bcc: joe@example.com",
		"Resent-To: joe@example.com", "To: joe+shop@example.com",
		"To: \"a, b\" <a@b.org>,\n\tjoe (x, \\) (y)) @ example.com",
		"To: friends: a@b.org, joe@example.com;",
		"To: <@relay.org,@r2.org:joe@example.com>",
		"To: \"joe\"@example.com", "To: (joe) <joe@example.com> x",
		"To: undisclosed:;\nCc: joe@example.com",
		"To: \"<a@b.org>\" <joe@example.com>",
	};
	static const char *const others[] = {
		"To: ann@example.com", "To: joe@example.org", "To: joey@example.com",
		"To: sjoe@example.com", "To: joe@example.com.evil.org",
		"To: joe@example.com <a@b.org>", "To: \"joe@example.com\" <a@b.org>",
		"To: a@b.org (joe@example.com)", "X-To: joe@example.com",
		"To: (joe@example.com", "To: \"joe@example.com", "To:", "To: joe",
		"Subject: x\n\nTo: joe@example.com", "To: undisclosed-recipients:;",
		"From: joe@example.com", "To : x\n joe@example.com y@z",
	};
	struct judge_facts facts;
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(named); i++) {
		(void)snprintf(text, sizeof text, "%s\n\nhello\n", named[i]);
		if (judged(text, &facts))
			fail_msg("'%s': %s", named[i], judged(text, &facts));
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		(void)snprintf(text, sizeof text, "%s\n\nhello\n", others[i]);
		if (!judged(text, &facts))
			fail_msg("'%s' would get an answer", others[i]);
	}
}

/* Behind an address that is larger than any, and one of just the largest size. */
static void a_long_address_is_not_the_recipients(void **state)
{
	struct judge_facts facts;
	char text[2048];

	(void)state;
	(void)snprintf(text, sizeof text, "To: %0600djoe@example.com\n", 0);
	assert_non_null(judged(text, &facts));
	(void)snprintf(text, sizeof text, "To: %0600d@x, joe@example.com\n", 0);
	assert_null(judged(text, &facts));
}

static void a_header_ends_at_its_blank_line(void **state)
{
	(void)state;
	assert_int_equal(header_end(BYTES("a: b\n\nc")), 6);
	assert_int_equal(header_end(BYTES("a: b\r\n\r\nc")), 8);
	assert_int_equal(header_end(BYTES("\nc")), 1);
	assert_int_equal(header_end(BYTES("a: b\n")), 0);
	assert_int_equal(header_end(BYTES("a: b\n\r")), 0);
	assert_int_equal(header_end(BYTES("")), 0);
}

static void facts_are_what_a_header_may_have(void **state)
{
	struct judge_facts facts;
	char text[8192] = "To: joe@example.com\nReferences:";

	(void)state;
	assert_null(judged("To: joe@example.com\n"
			   "Subject:  a \tb\n\tc\x01" "d  \n"
			   "Subject: second\n"
			   "Message-ID: x <1@x.org> y\n"
			   "References: <a@b> no <c d@e> <f@g>(x)\n\t<h@i>\n\n",
			   &facts));
	assert_string_equal(facts.subject, "a b c d");
	assert_string_equal(facts.id, "<1@x.org>");
	assert_string_equal(facts.references, "<a@b> <f@g> <h@i>");
	assert_null(judged("To: joe@example.com\nMessage-Id: <1@x\n", &facts));
	assert_string_equal(facts.id, "");
	assert_string_equal(facts.subject, "");
	for (unsigned i = 0; i < 400; i++)
		(void)snprintf(text + strlen(text), 16, " <%03u@x.org>",
			       i % 1000);
	assert_null(judged(text, &facts));
	assert_in_range(strlen(facts.references), JUDGE_IDS_MAX - 16,
			JUDGE_IDS_MAX);
	assert_string_equal(facts.references + strlen(facts.references) - 11,
			    "<399@x.org>");
	assert_int_equal(facts.references[0], '<');
	(void)snprintf(text, sizeof text,
		       "To: joe@example.com\nSubject: %0500d word word\n", 0);
	assert_null(judged(text, &facts));
	assert_int_equal(strlen(facts.subject), 510);
	(void)snprintf(text, sizeof text,
		       "To: joe@example.com\nSubject: %0600d\n", 0);
	assert_null(judged(text, &facts));
	assert_string_equal(facts.subject, "");
}

static size_t written(const struct judge_facts *facts, const char *body,
		      char text[REPLY_MAX])
{
	const struct reply reply = {.call = &call,
				    .facts = facts,
				    .when = 1770000000,
				    .unique = 0xabc,
				    .pid = 17,
				    .text = body,
				    .len = strlen(body)};

	return reply_write(&reply, text);
}

static void an_answer_says_that_it_is_one(void **state)
{
	static char text[REPLY_MAX];
	struct judge_facts facts = {"Lunch?", "<1@x.org>", "<0@x.org>"};
	size_t len;

	(void)state;
	len = written(&facts, "I am away.\nJoe\n", text);
	assert_int_equal(len, strlen(text));
	assert_string_equal(
		text, "From: joe@example.com\n"
		      "To: ann@x.org\n"
		      "Subject: Auto: Lunch?\n"
		      "Date: Mon, 2 Feb 2026 02:40:00 +0000\n"
		      "Message-ID: <1770000000.17.0000000000000abc@example.com>\n"
		      "In-Reply-To: <1@x.org>\n"
		      "References:\n <0@x.org>\n <1@x.org>\n"
		      "Auto-Submitted: auto-replied\n"
		      "Precedence: bulk\n"
		      "MIME-Version: 1.0\n"
		      "Content-Type: text/plain; charset=utf-8\n"
		      "Content-Transfer-Encoding: quoted-printable\n"
		      "\n"
		      "I am away.\nJoe\n");
	facts = (struct judge_facts){"", "", "<0@x.org>"};
	assert_true(written(&facts, "x", text));
	assert_non_null(strstr(text, "\nSubject: Auto: your message\nDate:"));
	assert_null(strstr(text, "References"));
	assert_non_null(strstr(text, "\n\nx\n"));
}

static void an_answer_is_ascii_in_short_lines(void **state)
{
	static char text[REPLY_MAX], body[STORE_VACATION_MAX + 1];
	struct judge_facts facts = {
		"Grüße aus Köln, und noch viel mehr: ärgerlich lange Wörter",
		"", ""};
	size_t line = 0;

	(void)state;
	assert_true(written(&facts, "ä = b \n.\nFrom x\n\tt\t\n", text));
	assert_non_null(strstr(text, "\nSubject: Auto:\n =?UTF-8?B?R3LDvMOfZSB"));
	assert_non_null(strstr(text, "\n\n=C3=A4 =3D b=20\n=2E\n=46rom x\n"
				     "\tt=09\n"));
	facts = (struct judge_facts){"\xfc" "ber", "", ""};
	assert_true(written(&facts, "x", text));
	assert_non_null(strstr(text, "\nSubject: Auto: your message\n"));
	for (size_t i = 0; i < STORE_VACATION_MAX; i++)
		body[i] = '\xff';
	memset(facts.subject, 'x', JUDGE_SUBJECT_MAX);
	for (size_t i = 0; i < JUDGE_SUBJECT_MAX; i += 2)
		memcpy(facts.subject + i, "ä", 2);
	for (size_t i = 0; i < JUDGE_IDS_MAX; i += 8)
		memcpy(facts.references + i, "<12@45> ", 8);
	facts.references[JUDGE_IDS_MAX - 1] = 0;
	memcpy(facts.id, "<1@x>", 6);
	assert_true(written(&facts, body, text));
	for (const char *c = text; *c; c++) {
		assert_in_range((unsigned char)*c, '\n', 126);
		line = *c == '\n' ? 0 : line + 1;
		assert_in_range(line, 0, 78);
	}
}

static void a_file_has_its_times_and_its_text(void **state)
{
	static const char *const bad[] = {"", "0 0", "0 0\n", "0 0 x\nx", "x 0\nx",
					  "-1 0\nx", "0\nx", " 0 0\nx",
					  "0 1234567890123456789\nx"};
	struct vacation_file file;
	char bytes[VACATION_FILE_MAX];
	size_t len = vacation_file_write(1000, 2000, "Away.\n", bytes);

	(void)state;
	assert_string_equal(bytes, "1000 2000\nAway.\n");
	assert_true(vacation_file_read(bytes, len, &file));
	assert_int_equal(file.len, 6);
	assert_memory_equal(file.text, "Away.\n", 6);
	assert_false(vacation_file_is_on(&file, 999));
	assert_true(vacation_file_is_on(&file, 1000));
	assert_true(vacation_file_is_on(&file, 1999));
	assert_false(vacation_file_is_on(&file, 2000));
	len = vacation_file_write(0, 0, "x", bytes);
	assert_true(vacation_file_read(bytes, len, &file));
	assert_true(vacation_file_is_on(&file, 1));
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (vacation_file_read(bad[i], strlen(bad[i]), &file))
			fail_msg("'%s' is a file", bad[i]);
	}
	assert_false(vacation_file_read("0 0\na\0b", 7, &file));
}

static void a_text_is_utf8_without_control_characters(void **state)
{
	static const struct {
		const char *bytes, *text, *why;
	} cases[] = {
		{"\xef\xbb\xbf \r\na\r\n\tb \n\n", "a\n\tb", NULL},
		{"\xc3\xa4", "\xc3\xa4", NULL},
		{"", "", "is empty"},
		{" \t\r\n", "", "is empty"},
		{"a\rb", "", "has a control character"},
		{"a\x7f", "", "has a control character"},
		{"\xe4", "", "is not UTF-8"},
	};
	static char text[STORE_VACATION_MAX + 1], large[STORE_VACATION_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = vacation_text_read(
			cases[i].bytes, strlen(cases[i].bytes), text);

		if (cases[i].why)
			assert_string_equal(why, cases[i].why);
		else
			assert_null(why);
		if (!why)
			assert_string_equal(text, cases[i].text);
	}
	assert_string_equal(vacation_text_read("a\0b", 3, text),
			    "has a control character");
	memset(large, 'x', sizeof large);
	assert_null(vacation_text_read(large, STORE_VACATION_MAX, text));
	assert_int_equal(strlen(text), STORE_VACATION_MAX);
	assert_string_equal(vacation_text_read(large, sizeof large, text),
			    "has more than 7168 bytes");
}

static enum answered noted(const char *sender, int64_t now)
{
	int rc = 0;
	enum answered answer = answered_note(maildir_fd, sender, now, &rc);

	assert_int_equal(rc, 0);
	return answer;
}

static void a_sender_is_answered_once_a_week(void **state)
{
	const int64_t now = 1770000000;

	(void)state;
	assert_int_equal(noted("ann@x.org", now), ANSWERED_NEVER);
	assert_int_equal(noted("ann@x.org", now), ANSWERED_LATELY);
	assert_int_equal(noted("ANN@x.org", now + ANSWERED_PAUSE - 1),
			 ANSWERED_LATELY);
	assert_int_equal(noted("bob@x.org", now + 1), ANSWERED_NEVER);
	assert_int_equal(noted("ann@x.org", now + ANSWERED_PAUSE),
			 ANSWERED_NEVER);
	assert_int_equal(noted("ann@x.org", now + ANSWERED_PAUSE),
			 ANSWERED_LATELY);
	assert_int_equal(noted("bob@x.org", now + ANSWERED_PAUSE),
			 ANSWERED_LATELY);
	/* The clock goes back: nobody is shut out for ever. */
	assert_int_equal(noted("ann@x.org", now), ANSWERED_NEVER);
}

static void its_file_does_not_grow_for_ever(void **state)
{
	const int64_t now = 1770000000;
	char sender[32];
	struct stat st;

	(void)state;
	for (int i = 0; i < ANSWERED_MAX; i++) {
		(void)snprintf(sender, sizeof sender, "%d@x.org", i);
		assert_int_equal(noted(sender, now), ANSWERED_NEVER);
	}
	assert_int_equal(noted("ann@x.org", now), ANSWERED_FULL);
	assert_int_equal(noted("17@x.org", now), ANSWERED_LATELY);
	assert_int_equal(stat(VACATION_SEEN, &st), 0);
	assert_int_equal(st.st_size, 65536);
	assert_int_equal(noted("ann@x.org", now + ANSWERED_PAUSE),
			 ANSWERED_NEVER);
	assert_int_equal(stat(VACATION_SEEN, &st), 0);
	assert_int_equal(st.st_size, 65536);
}

static void a_damaged_file_costs_an_answer_at_most(void **state)
{
	const int64_t now = 1770000000;
	int fd, rc;

	(void)state;
	maildir_put(VACATION_SEEN, "torn", 0);
	assert_int_equal(noted("ann@x.org", now), ANSWERED_NEVER);
	assert_int_equal(noted("ann@x.org", now), ANSWERED_LATELY);
	maildir_put(VACATION_SEEN, NULL, 100000);
	assert_int_equal(noted("ann@x.org", now), ANSWERED_NEVER);
	assert_int_equal(unlink(VACATION_SEEN), 0);
	assert_int_equal(mkfifo(VACATION_SEEN, 0600), 0);
	assert_int_equal(answered_note(maildir_fd, "a@x", now, &rc),
			 ANSWERED_UNKNOWN);
	assert_int_equal(unlink(VACATION_SEEN), 0);
	maildir_put("precious", "mail", 0);
	assert_int_equal(symlink("precious", VACATION_SEEN), 0);
	assert_int_equal(answered_note(maildir_fd, "a@x", now, &rc),
			 ANSWERED_UNKNOWN);
	assert_int_equal(rc, ELOOP);
	assert_int_equal(unlink(VACATION_SEEN), 0);
	assert_int_equal(link("precious", VACATION_SEEN), 0);
	assert_int_equal(answered_note(maildir_fd, "a@x", now, &rc),
			 ANSWERED_UNKNOWN);
	assert_string_equal(maildir_text("precious"), "mail");
	assert_int_equal(unlink(VACATION_SEEN), 0);
	maildir_put(VACATION_SEEN, "", 0);
	fd = open(VACATION_SEEN, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(answered_note(maildir_fd, "a@x", now, &rc),
			 ANSWERED_UNKNOWN);
	assert_int_equal(rc, EBUSY);
	close(fd);
}

static void script(const char *text)
{
	maildir_put("queue", text, 0);
	assert_int_equal(chmod("queue", 0700), 0);
}

static void a_queue_that_fails_is_told(void **state)
{
	static char large[200000];

	(void)state;
	script("#!/bin/sh\ncat >message; exec 0<&1; tr '\\0' '|' >envelope\n");
	assert_int_equal(queue_send("./queue", "ann@x.org", BYTES("To: x\n")),
			 0);
	assert_string_equal(maildir_text("message"), "To: x\n");
	assert_string_equal(maildir_text("envelope"), "F|Tann@x.org||");
	script("#!/bin/sh\nexit 53\n");
	assert_int_equal(queue_send("./queue", "a@x", BYTES("x")), -53);
	assert_int_equal(queue_send("./queue", "a@x", large, sizeof large),
			 -53);
	script("#!/bin/sh\nkill -9 $$\n");
	assert_int_equal(queue_send("./queue", "a@x", BYTES("x")),
			 QUEUE_KILLED);
	assert_int_equal(queue_send("./nothing", "a@x", BYTES("x")), -127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a sender that is no person gets no answer",
		     a_sender_that_is_no_person_gets_no_answer),
		SAYS("a header of a list, a program or bulk mail gets no answer",
		     a_header_of_a_program_gets_no_answer),
		SAYS("only mail that names the recipient gets an answer",
		     only_mail_that_names_the_recipient_gets_an_answer),
		SAYS("a long address is not the recipient's",
		     a_long_address_is_not_the_recipients),
		SAYS("a header ends at its blank line",
		     a_header_ends_at_its_blank_line),
		SAYS("subject and ids are what a header may have",
		     facts_are_what_a_header_may_have),
		SAYS("an answer says that it is one",
		     an_answer_says_that_it_is_one),
		SAYS("an answer is ASCII in short lines",
		     an_answer_is_ascii_in_short_lines),
		SAYS("a file has its times and its text",
		     a_file_has_its_times_and_its_text),
		SAYS("a text is UTF-8 without control characters",
		     a_text_is_utf8_without_control_characters),
		SAYS_IN_MAILDIR("a sender is answered once a week",
				a_sender_is_answered_once_a_week),
		SAYS_IN_MAILDIR("4096 senders are remembered, and no more answered",
				its_file_does_not_grow_for_ever),
		SAYS_IN_MAILDIR("a damaged memory costs an answer at most",
				a_damaged_file_costs_an_answer_at_most),
		SAYS_IN_MAILDIR("a queue that fails is told",
				a_queue_that_fails_is_told),
	};

	return RUN(tests);
}
