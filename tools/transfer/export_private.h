/* SPDX-License-Identifier: MIT */
/* export_private.h: what the files of the export share; for export*.c alone. */
#ifndef POPBOX_EXPORT_PRIVATE_H
#define POPBOX_EXPORT_PRIVATE_H

#include "base/text.h"
#include "export.h"

enum { EXPORT_HELD = 1 << 16 }; /* bytes that are held back before a write */

struct exporting {
	struct site *site;
	const struct export_how *how;
	struct store_txn *txn;
	int fd;
	struct text out;
	struct store_handle owner; /* of the last domain */
	unsigned long left;	   /* accounts that could not be carried */
	int rc;			   /* of writing */
};

/* Writes and wipes what is held back, if it is more than that. */
MUST_USE enum err export_flush(struct exporting *e, size_t above);

/* Is the domain one of those that were asked for? */
bool export_wants(const struct export_how *how,
		  const struct store_domain *domain);

/* Calls each with every address of a domain. */
typedef enum err address_body(struct exporting *e,
			      const struct store_domain *domain,
			      const struct store_address *address);
MUST_USE enum err export_each_address(struct exporting *e,
				      const struct store_domain *domain,
				      address_body *each);

/* A line for each account: csv, Dovecot, vpopmail. */
MUST_USE enum err export_rows(struct exporting *e);
/* An object for each handle, box, domain and address. */
MUST_USE enum err export_json(struct exporting *e);

#endif
