/* SPDX-License-Identifier: MIT */
/* poppassd.h: the two processes without privileges behind `popbox poppassd`, one a
 * connection each:
 *
 *	client <-> talker (nobody, confined)  -- talk_request -->  judge (popusr)
 *	               ^-- poppassd_answer -- root <-- poppassd_report --v
 *
 * The talker reads lines. The judge has the store open for reading, and does what a
 * login does; then it judges and hashes the new password. Root sees no password.
 */
#ifndef POPBOX_POPPASSD_H
#define POPBOX_POPPASSD_H

#include "accounts/site.h"
#include "popusr/child.h"
#include "poppassd_talk.h"
#include "store/hash/pwhash.h"

enum poppassd_verdict {
	POPPASSD_ACCEPT, /* old and new password are good */
	POPPASSD_REFUSE, /* the login would be refused */
	POPPASSD_WEAK,	 /* the new one cannot be had; `why` says why */
	POPPASSD_LATER,	 /* cannot tell */
	POPPASSD_VERDICTS,
};

enum { POPPASSD_WHY = 200, POPPASSD_REASON = 32, POPPASSD_USER = 128 };

/* Plain bytes of a fixed size; each text has a NUL. */
struct poppassd_report {
	uint32_t verdict;
	char reason[POPPASSD_REASON]; /* for the log, as the login program's */
	char user[POPPASSD_USER];     /* what was sent, escaped for the log */
	char address[NAME_ADDRESS_TEXT]; /* with ACCEPT these three */
	char box[NAME_BOX_TEXT];
	char hash[PWHASH_MAX + 1];
	char verified[STORE_HASH_MAX + 1]; /* the hash that the old one fits */
	char why[POPPASSD_WHY];
};

struct poppassd_answer {
	char text[POPPASSD_WHY + 8]; /* "500 ...", with a NUL */
};

/* In its child, after child_fork; neither returns. client_in: what the client sends;
 * standard output goes to it. service: that by which the user logs in, login.h. */
__attribute__((noreturn)) void poppassd_talk(int client_in, int requests,
					     int answers);
__attribute__((noreturn)) void poppassd_judge(struct site *site, const char *dir,
					      const char *local_ip,
					      unsigned service, int requests,
					      int reports);

/* Are these bytes such a report? The texts of another are not looked at. */
bool poppassd_is_report(const struct poppassd_report *report);

#endif
