/* SPDX-License-Identifier: MIT */
#include "undelete.h"

enum err undelete_box(struct store_txn *txn, const struct name_box *name)
{
	char text[NAME_BOX_TEXT];
	struct store_parked parked;
	struct store_box box, now;
	enum err err = store_parked_box_get(txn, name, &box, &parked);

	if (err != ERR_OK)
		return err;
	err = store_box_become(txn, &box, &now);
	if (err == ERR_OK) {
		name_box_text(&now.name, text);
		return store_refuse(txn, ERR_INUSE,
				    "it has moved to another handle, and is "
				    "'%s' now ('popbox log --object %s' shows "
				    "the change, 'popbox undo' reverts it)",
				    text, text);
	}
	return err == ERR_NOTFOUND ? store_box_restore(txn, name) : err;
}
