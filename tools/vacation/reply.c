/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mail_date.h"
#include "base/utf8.h"

enum {
	LINE_MAX_QP = 75, /* letters in front of the "=" of a soft break */
	WORD_BYTES = 42,  /* of an encoded word: 56 letters of base64 */
	FOLD = 70,
};

struct out {
	char *text;
	size_t len;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void
put(struct out *out, const char *format, ...)
{
	const size_t room = REPLY_MAX - out->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(out->text + out->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		out->full = true;
	else
		out->len += (size_t)len;
}

static void put_base64(struct out *out, const char *bytes, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = 0;

		for (size_t k = 0; k < 3; k++)
			three = three << 8 |
				(i + k < len ? (uint8_t)bytes[i + k] : 0u);
		put(out, "%c%c%c%c", letters[three >> 18],
		    letters[three >> 12 & 63],
		    i + 1 < len ? letters[three >> 6 & 63] : '=',
		    i + 2 < len ? letters[three & 63] : '=');
	}
}

/* Encoded words, RFC 2047: letters are not cut, and a line has one word. */
static void put_words(struct out *out, const char *text)
{
	while (*text) {
		size_t len = 0;
		uint32_t letter;

		while (text[len]) {
			const size_t more = utf8_letter(text + len,
							strlen(text + len),
							&letter);

			if (!more || len + more > WORD_BYTES)
				break;
			len += more;
		}
		if (!len)
			return; /* utf8_good was asked */
		put(out, "\n =?UTF-8?B?");
		put_base64(out, text, len);
		put(out, "?=");
		text += len;
	}
}

/* ASCII as it is, folded at blanks; an encoded word of the sender's stays whole. */
static void put_folded(struct out *out, const char *text, size_t column)
{
	while (*text) {
		const size_t word = strcspn(text, " ");

		put(out, column + word > FOLD ? "\n %.*s" : " %.*s", (int)word,
		    text);
		column = column + word > FOLD ? word + 1 : column + word + 1;
		text += word + strspn(text + word, " ");
	}
}

static bool is_ascii(const char *text)
{
	while ((unsigned char)(*text - 1) < 127)
		text++;
	return !*text;
}

static void put_subject(struct out *out, const char *subject)
{
	put(out, "Subject: Auto:");
	if (subject[0] && is_ascii(subject))
		put_folded(out, subject, 14);
	else if (subject[0] && utf8_good(subject, strlen(subject)))
		put_words(out, subject);
	else /* also where nobody knows its letters */
		put(out, " your message");
	put(out, "\n");
}

static void put_ids(struct out *out, const struct judge_facts *facts)
{
	if (!facts->id[0])
		return;
	put(out, "In-Reply-To: %s\nReferences:", facts->id);
	put_folded(out, facts->references, FOLD);
	put(out, "\n %s\n", facts->id);
}

/* Quoted-printable, RFC 2045: any bytes, in lines of 76 letters. */
static void put_quoted(struct out *out, const char *text, size_t len)
{
	size_t column = 0;

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];
		const bool last = i + 1 == len || text[i + 1] == '\n';
		/* Programs on its way may change a line that begins with a dot
		 * or with "From ". */
		const bool bare = (c > 32 && c < 127 && c != '=' &&
				   !(column == 0 && (c == '.' || c == 'F'))) ||
				  ((c == ' ' || c == '\t') && !last);

		if (c == '\n') {
			put(out, "\n");
			column = 0;
			continue;
		}
		if (column + (bare ? 1 : 3) > LINE_MAX_QP) {
			put(out, "=\n");
			column = 0;
			i--; /* again, at the begin of a line */
			continue;
		}
		put(out, bare ? "%c" : "=%02X", c);
		column += bare ? 1 : 3;
	}
	if (column)
		put(out, "\n");
}

size_t reply_write(const struct reply *reply, char ret_text[REPLY_MAX])
{
	const struct judge_call *call = reply->call;
	struct out out = {.text = ret_text};
	char date[MAIL_DATE_TEXT];

	put(&out, "From: %s@%s\nTo: %s\n", call->local, call->domain,
	    call->sender);
	put_subject(&out, reply->facts->subject);
	put(&out, "Date: %s\nMessage-ID: <%" PRId64 ".%ld.%016" PRIx64 "@%s>\n",
	    mail_date_text(reply->when, date), reply->when, reply->pid,
	    reply->unique, call->domain);
	put_ids(&out, reply->facts);
	put(&out, "Auto-Submitted: auto-replied\n"
		  "Precedence: bulk\n"
		  "MIME-Version: 1.0\n"
		  "Content-Type: text/plain; charset=utf-8\n"
		  "Content-Transfer-Encoding: quoted-printable\n\n");
	put_quoted(&out, reply->text, reply->len);
	return out.full ? 0 : out.len;
}
