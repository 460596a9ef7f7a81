/* SPDX-License-Identifier: MIT */
/* preflight.h: what stands in a change's way in qmail's files, asked before
 * anything is changed.
 */
#ifndef POPBOX_PREFLIGHT_H
#define POPBOX_PREFLIGHT_H

#include "accounts/site.h"
#include "qmail/lines.h"

/* The option of every command that makes an address. */
#define ADOPT_OPTION                                                          \
	{"--adopt", NULL, "take over an unmanaged .qmail file, keep a copy"}

/* Would the files take these domains, new or of another kind than before? Each
 * file is read once for all of them. Says what is in the way; returns the exit
 * code. */
int preflight_domains(const struct site *site,
		      const struct store_domain *domain, size_t count,
		      bool adopt);

/* The same for domains of an old site, whose lines in the files yield. */
int preflight_moving(const struct site *site,
		     const struct store_domain *domain, size_t count,
		     lines_yield *yields, void *arg);

#define FIX_LOCALS_OPTION                                                     \
	{"--fix-locals", NULL, "take the domain out of control/locals"}

/* The same of the .qmail-default that an extension of this domain needs, unless
 * the store has its catch-all. */
int preflight_extension(const struct site *site,
			const struct store_domain *domain, bool adopt);

/* Would the .qmail file of this new address overwrite one made by hand? Says
 * so, or with adopt keeps a copy beside it. Returns the exit code. */
int preflight_address(const struct site *site,
		      const struct name_handle *handle,
		      const struct store_address *address, bool adopt);

#endif
