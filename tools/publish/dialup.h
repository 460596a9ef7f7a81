/* SPDX-License-Identifier: MIT */
/* dialup.h: what the files of a dial-up domain say. Pure.
 */
#ifndef POPBOX_DIALUP_H
#define POPBOX_DIALUP_H

#include "popusr/mailroot.h"
#include "store/config.h"
#include "store/store.h"

/* delivery is that of the domain and its handle. False: cut, or no memory. */
bool dialup_files(const struct config *config,
		  const struct store_domain *domain,
		  enum store_delivery delivery,
		  struct mailroot_dialup *ret_files);

#endif
