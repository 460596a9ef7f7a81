/* SPDX-License-Identifier: MIT */
/* The envelope of a message: addresses without anything that could begin
 * another SMTP command, and a head that ends with its second line. */
#include "fuzz.h"

#include "maildirsmtp/letter.h"

static void clean(const char *address)
{
	for (const char *c = address; *c; c++)
		HOLDS((unsigned char)*c > ' ' && *c != 0x7f && *c != '<' &&
		      *c != '>');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct letter letter;
	char *bytes = malloc(size ? size : 1);
	size_t newlines = 0;

	if (size)
		memcpy(bytes, data, size);
	if (!letter_read(bytes, size, "example.com-", &letter)) {
		clean(letter.sender);
		clean(letter.recipient);
		HOLDS(letter.recipient[0] && letter.head <= size);
		HOLDS(bytes[letter.head - 1] == '\n');
		for (size_t i = 0; i < letter.head; i++)
			newlines += bytes[i] == '\n';
		HOLDS(newlines == 2);
		HOLDS(memmem(bytes, letter.head, letter.recipient,
			     strlen(letter.recipient)));
	}
	free(bytes);
	return 0;
}
