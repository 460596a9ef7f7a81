#include <string.h>

#include "row_write.h"

enum { FIRST_BOX = 1 }; /* number 0 is the one of `postmaster` */

enum err store_handle_add(struct store_txn *txn, const struct name_handle *name)
{
	struct store_handle handle = {.name = *name,
				      .next_box = FIRST_BOX,
				      .state = store_state_new(txn)};
	struct row_key key = row_key_handle(name);
	struct row row;
	bool exists;
	enum err err = row_exists(txn, DB_HANDLE, &key, &exists);

	if (err != ERR_OK)
		return err;
	if (exists)
		return store_refuse(txn, ERR_EXISTS,
				    "there is a handle '%s' already", name->s);
	err = handle_encode(&handle, &row);
	if (err == ERR_OK)
		err = row_write(txn, DB_HANDLE, &key, &row);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_HANDLES, &key, NULL,
				     &row);
	return err;
}
