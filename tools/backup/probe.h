/* SPDX-License-Identifier: MIT */
/* probe.h: a file that says it is a store, from nobody knows where. A child
 * without privileges, and with limits, maps it, reads every page, asks for the
 * rules, and hands its rows on; a damaged or a planted page can end that child
 * and do nothing else. Root takes bytes with their lengths.
 */
#ifndef POPBOX_PROBE_H
#define POPBOX_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "store/config.h"
#include "store/store_whole.h"

struct probed {
	uint64_t rows[STORE_TABLES_ALL]; /* in the order of store_size */
	uint64_t format;		 /* with PROBE_ROWS and _CHECK */
	size_t settings_len;		 /* 0: it has none */
	char settings[CONFIG_SIZE_MAX];
};

enum probe {
	PROBE_SETTINGS, /* nothing else is looked at */
	PROBE_CHECK,	/* all is, and counted */
	PROBE_ROWS,	/* and sink gets each row */
};

/* fd: a file that nobody changes, readable for all and open for reading alone;
 * what is its name in messages.
 * What sink answered goes to *ret_err; other than ERR_OK it ends the walk, and is
 * the caller's to say. Says what is wrong;
 * returns the exit code: CODE_REFUSED for a file that is none or is damaged.
 * Nothing of a store may be open, but by sink. */
int probe(int fd, const char *what, enum probe how, store_sink *sink, void *arg,
	  struct probed *ret_probed, enum err *ret_err);

#endif
