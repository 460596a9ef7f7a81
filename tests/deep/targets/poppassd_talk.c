/* SPDX-License-Identifier: MIT */
/* The lines of port 106: whatever comes, fields stay in their room, and a request is
 * made of three lines that were sent. */
#include "fuzz.h"

#include "cli/poppassd_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *const end = at + size;
	struct talk talk = {.lines = 0};
	enum talk_next next = TALK_SAY;
	unsigned asked = 0;

	while (at < end && next != TALK_END) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const size_t len = (size_t)((lf ? lf : end) - at);
		const char *answer = NULL;

		next = talk_line(&talk, at, len, &answer);
		HOLDS(next == TALK_ASK || answer);
		HOLDS(!answer || (strlen(answer) < 100 && answer[3] == ' '));
		asked += next == TALK_ASK;
		HOLDS(talk.request.login_len <= TALK_FIELD_MAX &&
		      talk.request.old_len <= TALK_FIELD_MAX &&
		      talk.request.new_len <= TALK_FIELD_MAX);
		HOLDS(next != TALK_ASK ||
		      (talk.request.login_len && talk.request.old_len &&
		       talk.request.new_len));
		at += len + (lf != NULL);
	}
	HOLDS(asked <= 1);
	HOLDS(talk.lines <= TALK_LINES_MAX + 1);
	return 0;
}
