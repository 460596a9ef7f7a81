/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "maildirsmtp/letter.h"

static struct letter letter;

static const char *take(const char *text)
{
	letter = (struct letter){"-", "-", 0};
	return letter_read(text, strlen(text), "h.org-", &letter);
}

static void good(void **state)
{
	(void)state;
	assert_null(take("Return-Path: <s@x.org>\n"
			 "Delivered-To: h.org-joe@h.org\nSubject: x\n\nb\n"));
	assert_string_equal(letter.sender, "s@x.org");
	assert_string_equal(letter.recipient, "joe@h.org");
	assert_int_equal(letter.head, 53);
	assert_null(take("return-path: <>\ndelivered-to: H.ORG-a-b@h.org\n"));
	assert_string_equal(letter.sender, "");
	assert_string_equal(letter.recipient, "a-b@h.org");
}

static void bad(void **state)
{
	static const char *const texts[] = {
		"", "\n", "Return-Path: <s@x.org>",
		"Return-Path: <s@x.org>\n",
		"Return-Path: <s@x.org>\nDelivered-To: h.org-joe@h.org",
		"Delivered-To: h.org-joe@h.org\nReturn-Path: <s@x.org>\n",
		"Return-Path: <s@x.org>\nDelivered-To: x.org-joe@h.org\n",
		"Return-Path: <s@x.org>\nDelivered-To: h.org-\n",
		"Return-Path: <s x>\nDelivered-To: h.org-joe@h.org\n",
		"Return-Path: <s>\rRCPT\nDelivered-To: h.org-joe@h.org\n",
		"Return-Path: <s@x.org>\nDelivered-To: h.org-j>o@h.org\n",
		"Return-Path: <s@x.org>\nDelivered-To: h.org-j<o@h.org\n",
		"Return-Path: <s\x7f>\nDelivered-To: h.org-joe@h.org\n",
		"Return-Path: <s\xc3\xb6@x>\nDelivered-To: h.org-joe@h.org\n",
		"Return-Path: <s@x.org>\nDelivered-To: h.org-j\xf6@h.org\n",
	};
	char lengthy[3000], longest[2 * LETTER_ADDRESS_MAX];
	int len;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_non_null(take(texts[i]));
		assert_string_equal(letter.recipient, "-");
	}
	memset(lengthy, 'a', sizeof lengthy);
	memcpy(lengthy, "Return-Path: ", 13);
	memcpy(lengthy + 1500, "\nDelivered-To: h.org-j\n", 24);
	assert_non_null(take(lengthy));
	/* To the byte. */
	for (int more = 0; more < 2; more++) {
		len = snprintf(longest, sizeof longest,
			       "Return-Path: <%.*s>\nDelivered-To: h.org-j\n",
			       LETTER_ADDRESS_MAX + more, lengthy + 200);
		assert_true(len > 0 && len < (int)sizeof longest);
		if (more)
			assert_non_null(take(longest));
		else
			assert_null(take(longest));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("sender and recipient stand in the first two lines", good),
		SAYS("what qmail-local did not write is refused", bad),
	};

	return RUN(tests);
}
