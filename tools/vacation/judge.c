/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <string.h>
#include <strings.h>

#include "header.h"

/* atext of RFC 5322 and the dot: no quotes are needed. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789.!#$%&'*+-/=?^_`{|}~";

static bool ends_with(const char *text, size_t len, const char *end)
{
	const size_t need = strlen(end);

	return len >= need && strncasecmp(text + len - need, end, need) == 0;
}

static bool begins_with(const char *text, size_t len, const char *start)
{
	const size_t need = strlen(start);

	return len >= need && strncasecmp(text, start, need) == 0;
}

/* The name of a program, by custom. */
static bool is_program(const char *local, size_t len)
{
	static const char *const whole[] = {
		"mailer-daemon", "postmaster", "listserv",     "majordomo",
		"mdaemon",	 "noreply",    "no-reply",     "no_reply",
		"donotreply",	 "do-not-reply", "do_not_reply"};
	static const char *const first[] = {"owner-", "bounce-", "bounces-",
					    "bounces+"};
	static const char *const last[] = {"-owner",   "-request", "-relay",
					   "-bounce",  "-bounces", "-outgoing",
					   "-confirm", "-errors",  "-daemon"};

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		if (strlen(whole[i]) == len && begins_with(local, len, whole[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		if (begins_with(local, len, first[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
		if (ends_with(local, len, last[i]))
			return true;
	}
	return false;
}

/* A list's sender of one message: list-return-17-joe=example.com, list-bounces+x,
 * list-owner-joe=example.com. */
static bool is_of_list(const char *local, size_t len)
{
	static const char *const parts[] = {"-return-", "-owner-", "-bounces+",
					    "-bounce-", "-bounces-"};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (memmem(local, len, parts[i], strlen(parts[i])))
			return true;
	}
	return false;
}

bool judge_address(const char *local, size_t local_len, const char *domain)
{
	const size_t len = strlen(domain);

	return local_len > 0 && local_len < 250 && local[0] != '.' &&
	       strspn(local, plain) >= local_len && len > 0 && len < 256 &&
	       domain[0] != '.' && domain[0] != '-' &&
	       strspn(domain, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == len;
}

static bool is_self(const struct judge_call *call, size_t local_len,
		    const char *domain)
{
	const size_t own = strlen(call->local);

	return strcasecmp(domain, call->domain) == 0 &&
	       begins_with(call->sender, local_len, call->local) &&
	       (local_len == own || call->sender[own] == '+');
}

const char *judge_sender(const struct judge_call *call)
{
	const char *at = strrchr(call->sender, '@');
	const size_t local = at ? (size_t)(at - call->sender) : 0;

	if (!call->sender[0] || strcmp(call->sender, "#@[]") == 0)
		return "it is a bounce";
	if (!at)
		return "its sender is of this machine";
	if (is_program(call->sender, local) || is_of_list(call->sender, local))
		return "its sender is a list or a program";
	if (!judge_address(call->local, strlen(call->local), call->domain))
		return "its recipient needs quotes in a header";
	if (is_self(call, local, at + 1))
		return "its sender is the recipient";
	return judge_address(call->sender, local, at + 1)
		       ? NULL
		       : "its sender is no address that can be answered";
}

static bool is_id_letter(char c)
{
	return c > 32 && c < 127 && c != '<' && c != '>';
}

/* The length of a message's id that begins here, or 0. */
static size_t id_len(const char *text, size_t len)
{
	size_t at = 1;

	if (!len || text[0] != '<')
		return 0;
	while (at < len && is_id_letter(text[at]))
		at++;
	return at < len && text[at] == '>' && at > 1 && at < JUDGE_ID_MAX
		       ? at + 1
		       : 0;
}

static void take_id(const struct header_field *field,
		    char ret_id[JUDGE_ID_MAX + 1])
{
	const char *text = field->body;
	size_t at = 0, len;

	while (at < field->body_len && text[at] != '<')
		at++;
	len = id_len(text + at, field->body_len - at);
	memcpy(ret_id, text + at, len);
	ret_id[len] = 0;
}

/* The last ones are of the messages that are nearest: where there is no room the
 * first go. */
static void take_ids(const struct header_field *field,
		     char ret_ids[JUDGE_IDS_MAX + 1])
{
	size_t used = 0;

	for (size_t at = 0; at < field->body_len;) {
		const char *text = field->body + at;
		const size_t len = id_len(text, field->body_len - at);

		if (used + len + 1 > JUDGE_IDS_MAX) {
			const char *second = memchr(ret_ids, ' ', used);

			used -= (size_t)(second + 1 - ret_ids);
			memmove(ret_ids, second + 1, used);
			continue;
		}
		memcpy(ret_ids + used, text, len);
		used += len;
		if (len)
			ret_ids[used++] = ' ';
		at += len ? len : 1;
	}
	ret_ids[used ? used - 1 : 0] = 0;
}

/* A line without control characters; a long one ends with a word. */
static void take_subject(const struct header_field *field,
			 char ret_subject[JUDGE_SUBJECT_MAX + 1])
{
	size_t len = 0, word = 0;
	bool cut = false;

	for (size_t i = 0; i < field->body_len && !cut; i++) {
		const unsigned char c = (unsigned char)field->body[i];
		const bool blank = c <= 32 || c == 127;

		if (blank && (!len || ret_subject[len - 1] == ' '))
			continue;
		if (blank)
			word = len;
		cut = len == JUDGE_SUBJECT_MAX;
		if (!cut)
			ret_subject[len++] = blank ? ' ' : (char)c;
	}
	if (cut)
		len = word; /* 0: it is one word, and no subject */
	while (len && ret_subject[len - 1] == ' ')
		len--;
	ret_subject[len] = 0;
}

/* A field whose being there is enough. */
static bool is_of_program(const struct header_field *field)
{
	static const char *const names[] = {
		"mailing-list", "x-mailing-list", "x-loop",
		"x-autoreply",	"x-autorespond",  "x-autoresponse",
		"x-autogenerated", "feedback-id"};

	if (begins_with(field->name, field->name_len, "list-"))
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (header_is(field, names[i]))
			return true;
	}
	return false;
}

static bool is_suppressed(const struct header_field *field)
{
	return header_is(field, "x-auto-response-suppress") &&
	       (header_has(field, "oof") || header_has(field, "autoreply") ||
		header_has(field, "all"));
}

/* Why the message is not answered, of one field alone. */
static const char *judge_field(const struct header_field *field)
{
	if (is_of_program(field))
		return "it is of a list or a program";
	if (header_is(field, "auto-submitted") && !header_says(field, "no"))
		return "it is of a program (Auto-Submitted)";
	if (header_is(field, "precedence") &&
	    (header_says(field, "bulk") || header_says(field, "junk") ||
	     header_says(field, "list")))
		return "it is bulk mail (Precedence)";
	if (is_suppressed(field))
		return "its sender wants no answer";
	if ((header_is(field, "x-spam-flag") || header_is(field, "x-spam")) &&
	    header_says(field, "yes"))
		return "it is spam";
	if (header_is(field, "return-path") && header_has(field, "<>"))
		return "it is a bounce";
	if (header_is(field, "content-type") &&
	    header_says(field, "multipart/report"))
		return "it is a report";
	return NULL;
}

static bool is_destination(const struct header_field *field)
{
	static const char *const names[] = {"to", "cc", "bcc", "resent-to",
					    "resent-cc", "resent-bcc"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (header_is(field, names[i]))
			return true;
	}
	return false;
}

const char *judge_header(const struct judge_call *call, const char *text,
			 size_t len, struct judge_facts *ret_facts)
{
	struct header_field field;
	const char *why = NULL;
	bool named = false;
	size_t at = 0;

	ret_facts->subject[0] = ret_facts->id[0] = ret_facts->references[0] = 0;
	while (!why && header_next(text, len, &at, &field)) {
		why = judge_field(&field);
		if (is_destination(&field) && !named)
			named = header_names(&field, call->local, call->domain);
		if (header_is(&field, "subject") && !ret_facts->subject[0])
			take_subject(&field, ret_facts->subject);
		if (header_is(&field, "message-id") && !ret_facts->id[0])
			take_id(&field, ret_facts->id);
		if (header_is(&field, "references"))
			take_ids(&field, ret_facts->references);
	}
	if (!why && !named)
		why = "the recipient is not named in it";
	return why;
}
