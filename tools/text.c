#include "text.h"

#include <stdlib.h>
#include <string.h>

bool text_put(struct text *text, const char *bytes, size_t len)
{
	if (text->len + len + 1 > text->room) {
		size_t room = (text->len + len + 1) * 2;
		char *more = realloc(text->bytes, room);

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
