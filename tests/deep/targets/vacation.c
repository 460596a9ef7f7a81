/* SPDX-License-Identifier: MIT */
/* The header of a message that may be answered: whatever stands in it, the answer
 * is ASCII, has one blank line behind its own fields and none of the stranger's, and
 * goes to no list. */
#include "fuzz.h"

#include "vacation/header.h"
#include "vacation/judge.h"
#include "vacation/reply.h"

static const char *const own[] = {
	"From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ", "In-Reply-To: ",
	"References:", "Auto-Submitted: ", "Precedence: ", "MIME-Version: ",
	"Content-Type: ", "Content-Transfer-Encoding: ", " "};

static void line_holds(const char *line)
{
	bool known = false;

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		known |= strncmp(line, own[i], strlen(own[i])) == 0;
	HOLDS(known);
	HOLDS(strcspn(line, "\n") < 998);
}

static void answer_holds(const struct judge_call *call,
			 const struct judge_facts *facts)
{
	static char text[REPLY_MAX];
	const struct reply reply = {
		.call = call, .facts = facts, .text = "Away.\n", .len = 6};
	size_t len;

	memset(text, 0, sizeof text);
	len = reply_write(&reply, text);
	HOLDS(len && strlen(text) == len && len < 8192);
	for (size_t i = 0; i < len; i++)
		HOLDS(text[i] == '\n' || (text[i] >= ' ' && text[i] < 127));
	HOLDS(strcmp(text + len - 8, "\n\nAway.\n") == 0);
	HOLDS(strstr(text, "\n\n") == text + len - 8);
	for (const char *line = text; *line != '\n';
	     line = strchr(line, '\n') + 1)
		line_holds(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	char sender[300] = "ann@x.org";
	const struct judge_call call = {sender, "joe", "example.com"};
	struct judge_facts facts;
	struct header_field field;
	char *text;
	size_t at = 0;
	bool list = false;

	if (newline && (size_t)(newline - data) < sizeof sender) {
		memcpy(sender, data, (size_t)(newline - data));
		sender[newline - data] = 0;
		size -= (size_t)(newline + 1 - data);
		data = newline + 1;
	}
	text = malloc(size ? size : 1);
	if (size)
		memcpy(text, data, size);
	HOLDS(header_end(text, size) <= size);
	while (header_next(text, size, &at, &field)) {
		HOLDS(at <= size && field.name_len && field.name >= text &&
		      field.body + field.body_len <= text + size);
		list |= header_is(&field, "list-id");
	}
	if (!judge_header(&call, text, size, &facts)) {
		HOLDS(!list);
		HOLDS(memmem(text, size, "@", 1));
		if (!judge_sender(&call))
			answer_holds(&call, &facts);
	}
	free(text);
	return 0;
}
