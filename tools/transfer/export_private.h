/* export_private.h: what the parts of an export share: export.c (the story, and
 * formats of a line an account), export_json.c.
 */
#ifndef POPBOX_EXPORT_PRIVATE_H
#define POPBOX_EXPORT_PRIVATE_H

#include "base/text.h"
#include "export.h"

enum { EXPORT_FLUSH = 1 << 16 };

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
bool export_wanted(const struct export_how *how,
		   const struct store_domain *domain);

/* Calls each with every address of a domain. */
typedef enum err export_address(struct exporting *e,
				const struct store_domain *domain,
				const struct store_address *address);
MUST_USE enum err export_addresses(struct exporting *e,
				   const struct store_domain *domain,
				   export_address *each);

/* All of it as JSON. */
MUST_USE enum err export_json(struct exporting *e);

#endif
