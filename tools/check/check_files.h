/* SPDX-License-Identifier: MIT */
/* check_files.h: what is wrong outside of the store: qmail's files, the mail roots,
 * the store's own directory, compared with what the store says.
 */
#ifndef POPBOX_CHECK_FILES_H
#define POPBOX_CHECK_FILES_H

#include "accounts/site.h"

struct finding {
	const char *check; /* a word that names the check, popbox-check(8) */
	const char *what;  /* with the path */
	bool mends;	   /* --repair does it */
};

typedef void check_files_report(void *arg, const struct finding *finding);

/* Looks at everything; store and helper are open. With fix, popusr's helper
 * mends modes, removes temporaries, and keeps a copy of each .qmail file that
 * publishing will overwrite; the rest is publishing's. Returns the exit code,
 * CODE_DONE whatever was found; CODE_NO: a copy could not be kept, and nothing is
 * to be overwritten. */
int check_files(struct site *site, bool fix, check_files_report *report,
		void *arg);

#endif
