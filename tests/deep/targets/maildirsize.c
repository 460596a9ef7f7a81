/* SPDX-License-Identifier: MIT */
/* A file maildirsize that anybody wrote: sums are numbers that a Maildir can have,
 * and what is read is read again from what would be written of it. */
#include "fuzz.h"

#include "maildir/maildirsize.h"

static void again(const struct maildirsize *limit, const struct maildirsize *sum)
{
	char text[2 * MAILDIRSIZE_LINE];
	struct maildirsize limit2, sum2;
	size_t len, lines;

	maildirsize_limit_text(limit, text);
	len = strlen(text);
	HOLDS(len < MAILDIRSIZE_LINE - 1);
	text[len++] = '\n';
	len += maildirsize_line(sum, text + len);
	HOLDS(maildirsize_read(text, len, &limit2, &sum2, &lines));
	HOLDS(lines == 1);
	HOLDS(limit2.bytes == limit->bytes &&
	      limit2.messages == limit->messages);
	HOLDS(sum2.bytes == sum->bytes && sum2.messages == sum->messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct maildirsize limit, sum;
	size_t lines = 0;
	uint64_t bytes;

	HOLDS(text);
	memcpy(text, data, size);
	text[size] = 0;
	if (maildirsize_of_name(text, &bytes))
		HOLDS(bytes <= INT64_MAX && strstr(text, ",S="));
	if (maildirsize_read(text, size, &limit, &sum, &lines)) {
		HOLDS(lines > 0 && lines < size && text[size - 1] == '\n');
		HOLDS(limit.bytes <= MAILDIRSIZE_LIMIT_MAX &&
		      limit.messages <= MAILDIRSIZE_LIMIT_MAX);
		HOLDS(sum.bytes <= INT64_MAX && sum.messages <= INT64_MAX);
		HOLDS(maildirsize_percent(&limit, &sum) <= 999);
		again(&limit, &sum);
	}
	free(text);
	return 0;
}
