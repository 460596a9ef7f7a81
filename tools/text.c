#include "text.h"

#include <stdlib.h>
#include <string.h>

bool text_put(struct text *text, const char *bytes, size_t len)
{
	if (text->len + len + 1 > text->room) {
		size_t room = (text->len + len + 1) * 2;
		char *more = malloc(room);

		if (!more)
			return false;
		/* There may be secrets in it. */
		if (text->bytes) {
			memcpy(more, text->bytes, text->len + 1);
			explicit_bzero(text->bytes, text->room);
			free(text->bytes);
		}
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
