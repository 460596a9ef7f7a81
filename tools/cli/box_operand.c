/* SPDX-License-Identifier: MIT */
#include "box_operand.h"

#include <string.h>

#include "base/idn.h"
#include "base/say.h"

int box_operand_read(const char *operand, struct box_operand *ret_target)
{
	struct box_operand target = {.by_address =
					     strchr(operand, '@') != NULL};
	const char *why = target.by_address
				  ? idn_address(operand, true, &target.address)
				  : name_box_read(operand, strlen(operand),
						  &target.box);

	if (why)
		return say_error(CODE_REFUSED, "'%s': %s%s", operand, why,
				 target.by_address
					 ? ""
					 : " (or give an address)");
	if (target.by_address)
		name_address_text(&target.address, target.text);
	else
		name_box_text(&target.box, target.text);
	*ret_target = target;
	return CODE_DONE;
}

enum err box_operand_find(struct store_txn *txn, struct box_operand *target,
			  struct store_box *ret_box)
{
	struct store_address address;
	enum err err;

	if (target->by_address) {
		err = store_address_get(txn, &target->address, &address);
		if (err == ERR_OK && !address.has_box)
			err = ERR_NOTFOUND;
		if (err != ERR_OK)
			return err;
		target->box = address.box;
	}
	return store_box_get(txn, &target->box, ret_box);
}

int box_operand_missing(const struct box_operand *target, int code)
{
	return say_error_as(code, SAY_UNKNOWN,
			    "%s: there is no such %s ('popbox box list' "
			    "shows all)",
			    target->text,
			    target->by_address ? "address with a box" : "box");
}
