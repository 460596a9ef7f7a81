/* SPDX-License-Identifier: MIT */
#include "deletion.h"

#include <stdio.h>
#include <string.h>

#include "base/say.h"

int deletion_read(const struct args *args, enum store_fate usual,
		  enum store_fate *ret_fate)
{
	const bool bounce = args_has(args, "--bounce");
	const bool keep = args_has(args, "--keep");

	if (bounce && keep)
		return say_error(CODE_USAGE, "--bounce and --keep exclude each "
					     "other");
	*ret_fate = bounce ? STORE_BOUNCES_ON : keep ? STORE_GOES_ON : usual;
	return CODE_DONE;
}

enum err deletion_caught(struct store_txn *txn, const struct name_address *name,
			 bool *ret_caught)
{
	const struct name_address all = {{"*"}, name->domain};
	struct store_address address;
	enum err err;

	*ret_caught = false;
	if (strcmp(name->local.s, all.local.s) == 0)
		return ERR_OK;
	err = store_address_get(txn, &all, &address);
	*ret_caught = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

const char *deletion_text(enum store_fate fate, unsigned long count,
			  unsigned long caught, char text[DELETION_TEXT])
{
	const char *then = caught == 0	     ? "bounces"
			   : caught == count ? "goes to the catch-all"
					     : "goes to the catch-all where "
					       "its domain has one";

	if (fate == STORE_BOUNCES_ON)
		return "bounces from now on, after the purge as well";
	if (fate == STORE_BOUNCES && caught == 0)
		return "bounces from now on";
	(void)snprintf(text, DELETION_TEXT, "%s until the purge, and then %s",
		       fate == STORE_GOES_ON ? "goes where it went" : "bounces",
		       then);
	return text;
}
