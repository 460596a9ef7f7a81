/* SPDX-License-Identifier: MIT */
#include "poppassd_talk.h"

#include <string.h>
#include <strings.h>

/* The bytes behind "word ", as they are: a password may begin with a blank. */
static const char *behind(const char *line, size_t len, const char *word,
			  size_t *ret_len)
{
	const size_t have = strlen(word);

	if (len < have || strncasecmp(line, word, have) != 0 ||
	    (len > have && line[have] != ' '))
		return NULL;
	*ret_len = len > have ? len - have - 1 : 0;
	return len > have ? line + have + 1 : line + have;
}

static bool take(const char *bytes, size_t len, char field[TALK_FIELD_MAX],
		 uint32_t *ret_len)
{
	if (len == 0 || len > TALK_FIELD_MAX || memchr(bytes, 0, len))
		return false;
	memcpy(field, bytes, len);
	*ret_len = (uint32_t)len;
	return true;
}

static enum talk_next say(const char *answer, const char **ret_answer)
{
	*ret_answer = answer;
	return TALK_SAY;
}

static enum talk_next on_user(struct talk *talk, const char *bytes, size_t len,
			      const char **ret_answer)
{
	talk->has_old = false;
	talk->has_login = take(bytes, len, talk->request.login,
			       &talk->request.login_len);
	return say(talk->has_login ? "300 please send the password"
				   : "500 this is no user name",
		   ret_answer);
}

static enum talk_next on_pass(struct talk *talk, const char *bytes, size_t len,
			      const char **ret_answer)
{
	if (!talk->has_login)
		return say("500 please send the user name first", ret_answer);
	talk->has_old =
		take(bytes, len, talk->request.old, &talk->request.old_len);
	return say(talk->has_old ? "200 please send the new password"
				 : "500 this is no password",
		   ret_answer);
}

static enum talk_next on_newpass(struct talk *talk, const char *bytes,
				 size_t len, const char **ret_answer)
{
	if (!talk->has_login || !talk->has_old)
		return say("500 please send user name and password first",
			   ret_answer);
	if (!take(bytes, len, talk->request.new, &talk->request.new_len))
		return say("500 this is no password", ret_answer);
	talk->asked = true;
	return TALK_ASK;
}

enum talk_next talk_line(struct talk *talk, const char *line, size_t len,
			 const char **ret_answer)
{
	const char *rest;
	size_t have;

	if (behind(line, len, "quit", &have)) {
		*ret_answer = "200 goodbye";
		return TALK_END;
	}
	if (++talk->lines > TALK_LINES_MAX || talk->asked) {
		*ret_answer = "500 please connect again";
		return TALK_END;
	}
	rest = behind(line, len, "user", &have);
	if (rest)
		return on_user(talk, rest, have, ret_answer);
	rest = behind(line, len, "pass", &have);
	if (rest)
		return on_pass(talk, rest, have, ret_answer);
	rest = behind(line, len, "newpass", &have);
	if (rest)
		return on_newpass(talk, rest, have, ret_answer);
	return say("500 user, pass, newpass or quit", ret_answer);
}
