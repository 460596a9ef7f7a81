/* preflight.h: what stands in a change's way in qmail's files, asked before
 * anything is changed.
 */
#ifndef POPBOX_PREFLIGHT_H
#define POPBOX_PREFLIGHT_H

#include "site.h"

/* Would the files take this new domain? Says what is in the way. */
bool preflight_domain(const struct site *site,
			  const struct store_domain *domain);

/* Would the .qmail file of this new address overwrite one made by hand? Says
 * so. Returns the exit code. */
int preflight_address(const struct site *site,
			  const struct name_handle *handle,
			  const struct store_address *address);

#endif
