/* SPDX-License-Identifier: MIT */
/* poppassd_talk.h: the dialogue of Eudora's poppassd, on port 106 (RFC 1700:
 * 3com-tsmux by name, poppassd by use): one line, one answer.
 *
 *	200 popbox hello                    300 what is needed next
 *	user joe@example.com                300
 *	pass OLD                            200
 *	newpass NEW                         200 changed; 500 why not
 *	quit                                200
 *
 * A pure module: bytes in, an answer out.
 */
#ifndef POPBOX_POPPASSD_TALK_H
#define POPBOX_POPPASSD_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TALK_FIELD_MAX = 384,	 /* bytes of a login or a password */
	TALK_LINE_MAX = 512,	 /* bytes of a line, without its end */
	TALK_LINES_MAX = 16,	 /* of one connection */
};

/* What the privileged part is given: three fields, each with its length. Wipe it. */
struct talk_request {
	uint32_t login_len, old_len, new_len;
	char login[TALK_FIELD_MAX];
	char old[TALK_FIELD_MAX];
	char new[TALK_FIELD_MAX];
};

/* All zero at the beginning. */
struct talk {
	struct talk_request request;
	bool has_login, has_old;
	bool asked; /* one change a connection */
	unsigned lines;
};

enum talk_next {
	TALK_SAY,  /* *ret_answer, and the next line */
	TALK_ASK,  /* the request is whole */
	TALK_END,  /* *ret_answer, and the end */
};

/* A line without its CR and LF. The answer is static, without an end. */
enum talk_next talk_line(struct talk *talk, const char *line, size_t len,
			 const char **ret_answer);

#endif
