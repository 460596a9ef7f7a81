/* SPDX-License-Identifier: MIT */
/* oldroutes.h: what qmail's files say before an import: which domains lead into a
 * directory of the old site, and whether hosts below a domain are meant too.
 */
#ifndef POPBOX_OLDROUTES_H
#define POPBOX_OLDROUTES_H

#include <sys/stat.h>

#include "base/strtab.h"
#include "qmail/lines.h"
#include "store/config.h"
#include "store/name.h"

/* Where mail is delivered; ino 0: unknown. */
struct oldroutes_dir {
	dev_t dev;
	ino_t ino;
};

/* A file that is not there is empty. */
struct oldroutes {
	struct strtab assigned; /* the ids that users/assign has a prefix for */
	struct oldroutes_dir *home; /* of each */
	struct strtab routed;	    /* the keys of virtualdomains, lower-case */
	char **id;		    /* of each; the last line counts */
	size_t ids;		    /* fewer, after a failure */
	struct oldroutes_dir *into; /* the same */
	struct strtab below;	    /* what begins with a dot in rcpthosts */
	char me[NAME_DOMAIN_MAX + 1];	  /* this host's name, or "" */
	char nohost[NAME_DOMAIN_MAX + 1]; /* of a recipient without a domain */
};

/* Says what is wrong; returns the exit code. Without qmail all is empty. Frees
 * nothing on failure: oldroutes_free does. */
int oldroutes_read(const struct config *config, struct oldroutes *ret_old);
void oldroutes_free(struct oldroutes *old);

/* Is mail for hosts below the domain accepted, and routed as its own is? */
bool oldroutes_subdomains(const struct oldroutes *old,
			  const struct name_domain *domain);

/* Calls each with every domain of virtualdomains whose mail is delivered in this
 * directory, in the order of the file; false ends it. */
typedef bool oldroutes_each(void *arg, const struct name_domain *domain);
void oldroutes_into(const struct oldroutes *old, const struct stat *dir,
		    oldroutes_each *each, void *arg);

/* Where a line of users/assign or virtualdomains leads. */
struct oldroutes_dir oldroutes_line(const struct oldroutes *old,
				    enum lines_file file, const char *line,
				    size_t len);
bool oldroutes_is(struct oldroutes_dir dir, const struct stat *st);

#endif
