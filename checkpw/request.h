/* SPDX-License-Identifier: MIT */
/* request.h: what qmail-popup hands over on descriptor 3:
 *
 *	login NUL password NUL timestamp NUL [more]
 *
 * at most 512 bytes; http://cr.yp.to/checkpwd/interface.html. What asks for a
 * verdict (verdict.h) may append the client's address and a NUL, and behind them
 * the name of the service that it is and a NUL.
 */
#ifndef POPBOX_REQUEST_H
#define POPBOX_REQUEST_H

#include <stddef.h>

#include "store/err.h"

enum {
	REQUEST_MAX = 512,
	REQUEST_WAIT_MS = 10000, /* for the end of the record */
};

/* Points into its own bytes; wipe it as a whole. */
struct request {
	const char *login;
	size_t login_len;
	const char *password;
	size_t password_len;
	const char *client; /* what follows the three, ended by a NUL, or "" */
	const char *service; /* the same of what follows the client */
	char bytes[REQUEST_MAX + 1];
	size_t len;
};

enum request_answer {
	REQUEST_OK,
	REQUEST_TOOLONG,   /* more than 512 bytes */
	REQUEST_MALFORMED, /* fewer than three NULs */
	REQUEST_LATE,	   /* its end did not come in time */
	REQUEST_UNREADABLE, /* errno */
};

const char *request_text(enum request_answer answer);

/* Reads fd to its end. On any answer the request may hold secrets. */
MUST_USE enum request_answer request_read(int fd, struct request *request);

/* Wipes the password; the login stays. */
void request_forget(struct request *request);

/* Pure: finds the fields in bytes[0..len). */
MUST_USE enum request_answer request_parse(struct request *request);

#endif
