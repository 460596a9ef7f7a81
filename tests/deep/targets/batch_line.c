/* SPDX-License-Identifier: MIT */
/* Lines of a batch: what is parsed is split again, into words that stand in the
 * line; and bytes that are no such message are refused. */
#include "fuzz.h"

#include "cli/batch_line.h"

static void parsed(const uint8_t *data, size_t size)
{
	static struct batch_line line;
	struct batch_parts parts;

	batch_line_parse((const char *)data, size, &line);
	HOLDS(batch_line_split(&line, &parts));
	HOLDS(strlen(parts.id) <= 6 * BATCH_ID_MAX + 2);
	HOLDS(!(parts.password && parts.hash));
	HOLDS((line.fault == BATCH_GOOD) == (parts.words > 0));
	for (size_t i = 0; i < parts.options; i++)
		HOLDS(strspn(parts.option[i] + 2,
			     "abcdefghijklmnopqrstuvwxyz0123456789-") > 0);
}

/* As a child in a stranger's hands might write them. */
static void forged(const uint8_t *data, size_t size)
{
	static struct batch_line line;
	const size_t head = offsetof(struct batch_line, text);
	struct batch_parts parts;

	if (size < head || size > sizeof line)
		return;
	memset(&line, 'x', sizeof line);
	memcpy(&line, data, size);
	if (line.len > size - head)
		line.len = (uint32_t)(size - head);
	if (!batch_line_split(&line, &parts))
		return;
	HOLDS(parts.words <= BATCH_WORDS_MAX);
	for (size_t i = 0; i < parts.words; i++)
		HOLDS(parts.word[i] + strlen(parts.word[i]) <
		      line.text + line.len);
	if (parts.password)
		HOLDS(parts.password + line.password_len <= line.text + line.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parsed(data, size);
	forged(data, size);
	return 0;
}
