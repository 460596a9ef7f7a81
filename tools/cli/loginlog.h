/* SPDX-License-Identifier: MIT */
/* loginlog.h: how many logins the login program accepted and refused lately, by
 * the mail log: a file, or systemd's journal by journalctl(1).
 */
#ifndef POPBOX_LOGINLOG_H
#define POPBOX_LOGINLOG_H

#include <limits.h>

#include "store/config.h"

enum { LOGINLOG_REASONS = 12, LOGINLOG_WORD = 32, LOGINLOG_WHY = 256 };

struct loginlog {
	char source[PATH_MAX]; /* the file, or "journalctl" */
	bool cut; /* the file is so long that its last part alone was read */
	uint64_t accepted, refused, failed;
	struct {
		char word[LOGINLOG_WORD];
		uint64_t count;
	} reason[LOGINLOG_REASONS]; /* of those refused; the last: all others */
};

/* Lines from since (seconds since 1970) on. file: what to read, or NULL: what
 * is there, where the settings send lines to syslog. False: nothing can be
 * read, and why. */
bool loginlog_read(const struct config *config, const char *file,
		   int64_t since, struct loginlog *ret_log,
		   char ret_why[LOGINLOG_WHY]);

#endif
