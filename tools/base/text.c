/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/secret.h"

/* Where the kernel moves pages, no copy of them stays. */
static char *grow_secret(const struct text *text, size_t room)
{
	void *more = text->bytes
			     ? mremap(text->bytes, text->room, room,
				      MREMAP_MAYMOVE)
			     : mmap(NULL, room, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return more == MAP_FAILED ? NULL : more;
}

void text_wipe(struct text *text)
{
	if (text->bytes) {
		secret_wipe(text->bytes, text->room);
		(void)munmap(text->bytes, text->room); /* of our own map */
	}
	*text = (struct text){.secret = true};
}

/* There may be secrets in it all the same. */
static char *grow(const struct text *text, size_t room)
{
	char *more = malloc(room);

	if (more && text->bytes) {
		memcpy(more, text->bytes, text->len + 1);
		secret_wipe(text->bytes, text->room);
		free(text->bytes);
	}
	return more;
}

bool text_put(struct text *text, const char *bytes, size_t len)
{
	if (text->len + len + 1 > text->room) {
		size_t room = (text->len + len + 1) * 2;
		const size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *more;

		if (text->secret)
			room = (room + page - 1) / page * page;
		more = text->secret ? grow_secret(text, room)
				    : grow(text, room);
		if (!more)
			return false;
		text->bytes = more;
		text->room = room;
	}
	if (len)
		memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = 0;
	return true;
}

size_t text_words(char *text, char **ret_words, size_t room)
{
	size_t count = 0;

	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		size_t len = strcspn(text, " \t");
		bool more = text[len] != 0;

		if (count == room)
			return room + 1;
		ret_words[count++] = text;
		text[len] = 0;
		text += len + more;
	}
	return count;
}
