/* SPDX-License-Identifier: MIT */
/* site.h: one run of the tool: what was asked for in general, the settings,
 * the store, and the helper that is popusr.
 */
#ifndef POPBOX_SITE_H
#define POPBOX_SITE_H

#include <stdbool.h>

#include "breached.h"
#include "central/copy.h"
#include "popusr/asuser.h"
#include "store/config.h"
#include "store/store_write.h"

#define SITE_DEFAULT_STORE "/var/lib/popbox"

struct site {
	const char *dir;
	bool json;
	bool verbose;
	bool no_input;
	bool dry_run;
	bool no_sync;
	bool fix_locals; /* take domains of the store out of control/locals */
	bool batch;	 /* many commands: what is open stays so for the next */
	bool scoped;	 /* for a delegated administrator (cli/scope.h) */
	bool outside;	 /* what he asked for was not his */
	store_guard_body *guard; /* of its store; NULL: none */
	void *guard_arg;
	const char *fed; /* batch: a password's bytes, or a hash's; NULL: none */
	size_t fed_len;
	struct store_actor actor;
	uint64_t entry; /* the number of the change that was made; 0: none */
	bool same;	/* it is all as it was asked to be already */
	bool told;	/* the number was printed, with other data or in a message */
	struct config config;
	struct store *store;
	struct asuser *asuser; /* only for changes */
	struct breached breached; /* open from the first question on */
	struct copy copy; /* .central NULL: this machine alone */
};

/* Each says what is wrong and returns the exit code, or 0. */
int site_config(struct site *site);
/* Where popbox-quota and popbox-vacation are by these settings: config->quota_path and
 * vacation_path. site_config calls it; who parses others does so himself. */
void site_find_programs(struct config *config);
int site_open_read(struct site *site);
/* For reading, with the helper: for looks below the mail root. */
int site_open_look(struct site *site);
/* Settings, then the helper, then the store, in this order. */
int site_open_write(struct site *site);
/* The same, but a store that is a copy of a central database need not be the newest:
 * for what is done with this host's files. */
int site_open_local(struct site *site);
/* For the central database itself: no helper. */
int site_open_central(struct site *site, const char *conninfo);
/* A call about the central database that failed, as a message and an exit code. */
int site_central_failed(const struct site *site, enum central_answer answer,
			const char *what);
void site_close(struct site *site);

/* " (run popbox as root ...)" where errno number may be for want of that, else
 * "". */
const char *site_as_root(int number);

/* A store call that failed, as a message and an exit code. what is the object
 * that was asked for. */
int site_failed(const struct site *site, enum err err, const char *what);

/* The command line that the journal shows: words joined by blanks. */
void site_command(struct site *site, int argc, char **argv);

/* Who runs this: SUDO_USER, or the name of the uid; and the command line. */
void site_actor(struct site *site, int argc, char **argv);

#endif
