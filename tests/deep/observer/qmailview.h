/* SPDX-License-Identifier: MIT */
/* qmailview.h: what qmail's programs would do with a message at this instant,
 * by the files as they are on the disk. The look-ups are those of the room
 * route; what becomes of a .qmail file is written here once more, so that the
 * product is not compared with itself.
 */
#ifndef DEEP_QMAILVIEW_H
#define DEEP_QMAILVIEW_H

#include <stdio.h>

enum { QMAILVIEW_ASKED = 256 };

/* What is asked. Strings are malloc'ed and live as long as the program. */
struct qmailview {
	char *top;    /* everything of the site lies below it */
	char *qmail;  /* control, users */
	char *home;   /* the mail root */
	char *serial; /* the root of dial-up deliveries */
	char *address[QMAILVIEW_ASKED]; /* local@domain */
	size_t addresses;
	char *queued[QMAILVIEW_ASKED]; /* id-local@domain, routed before */
	size_t queues;
};

/* Reads `word value` lines. Ends the program with a message when it cannot. */
void qmailview_read(const char *path, struct qmailview *ret_view);

/* Prints one line for each question, parts separated by tabs:
 *
 *	smtp ADDRESS yes|no|open|cannot		qmail-smtpd
 *	route ADDRESS local ID-LOCAL@DOMAIN	qmail-send, started now
 *	route ADDRESS user|mx|host HOST
 *	mail ID-LOCAL@DOMAIN OUTCOME		qmail-lspawn, qmail-local
 *
 * OUTCOME is `defer WHY`, `bounce WHY`, or what it is delivered to, each with a
 * blank before it: `box DIR`, `forward X`, `mbox FILE`, `default`, `program X`.
 * As root it looks with the rights of the user who would deliver. */
void qmailview_answers(const struct qmailview *view, FILE *out);

/* All bytes of a file with a NUL behind them, malloc'ed; NULL: there is none, or
 * it cannot be read (errno). Follows no link. */
char *qmailview_bytes(const char *path, size_t *ret_len);

#endif
