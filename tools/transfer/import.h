/* SPDX-License-Identifier: MIT */
/* import.h: many accounts in one change, from a file or from another program's
 * site.
 *
 *	read    every row judged by its form, packed (source, import_table)
 *	judge   against one snapshot of the store; what the files of qmail say
 *	hash    on all cores (hasher)
 *	apply   one transaction (upsert)
 *	publish
 *
 * Until apply nothing is changed; with one bad row nothing is, unless bad rows
 * are skipped.
 */
#ifndef POPBOX_IMPORT_H
#define POPBOX_IMPORT_H

#include "accounts/site.h"
#include "handlemap.h"
#include "source.h"
#include "upsert.h"

struct import_how {
	struct source_how source;
	struct upsert_how upsert;
	bool has_handle;
	struct name_handle handle; /* of domains that are new */
	struct handlemap map;	   /* the same, domain by domain */
	const char *skip_bad;	   /* a file for bad rows, or NULL */
	bool generate;
	const char *credentials; /* a file for generated passwords, or NULL */
	bool legacy_ok;
	bool refuse_breached; /* else they are taken, and named */
	bool force; /* take forwards to addresses that are not there yet */
	bool subdomains_said, subdomains; /* else as qmail's files have it */
	bool locked; /* what has no usable password cannot log in yet */
	bool mail; /* copy old mail too */
	const char *mail_base; /* what relative paths are below, or "" */
};

/* Returns the exit code. With how->mail the site's store is closed before old mail
 * is copied: no store is open beside processes that read an old site. */
int import(struct site *site, const struct import_how *how);

#endif
