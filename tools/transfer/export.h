/* SPDX-License-Identifier: MIT */
/* export.h: all accounts, or those of one domain or handle, as a file for another
 * program or for `import`, from one snapshot.
 */
#ifndef POPBOX_EXPORT_H
#define POPBOX_EXPORT_H

#include "accounts/site.h"

enum export_format { EXPORT_CSV, EXPORT_JSON, EXPORT_DOVECOT, EXPORT_VPOPMAIL };

struct export_how {
	enum export_format format;
	bool has_domain;
	struct name_domain domain;
	bool has_handle;
	struct name_handle handle;
	bool spreadsheet;
	const char *output; /* a file that is replaced as one; NULL: stdout */
	gid_t gid;	    /* whose group it gets, mode 0640; -1: 0600 */
};

/* Names every account that the format cannot carry; then the code is CODE_NO, and
 * the others are written. */
int export(struct site *site, const struct export_how *how);

#endif
