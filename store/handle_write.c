/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "row_write.h"

enum { FIRST_BOX = 1 }; /* number 0 is the one of `postmaster` */

/* Numbers go on where a deleted handle of this name left off. */
static enum err first_number(struct store_txn *txn, const struct row_key *key,
			     uint32_t *ret_number)
{
	struct store_handle was;
	struct parked parked;
	enum err err = parked_get(txn, STORE_HANDLES, key, &parked);

	if (err == ERR_NOTFOUND) {
		*ret_number = FIRST_BOX;
		return ERR_OK;
	}
	if (err == ERR_OK)
		err = handle_decode(row_key_bytes(key), row_bytes(&parked.row),
				    &was);
	if (err == ERR_OK)
		err = parked_drop(txn, STORE_HANDLES, key);
	if (err == ERR_OK)
		*ret_number = was.next_box;
	return err;
}

static enum err refuse_there(struct store_txn *txn, const struct row_key *key,
			     const struct name_handle *name)
{
	bool exists;
	enum err err = row_exists(txn, DB_HANDLE, key, &exists);

	if (err == ERR_OK && exists)
		return store_refuse(txn, ERR_EXISTS,
				    "there is a handle '%s' already", name->s);
	return err;
}

static enum err insert(struct store_txn *txn, const struct row_key *key,
		       const struct store_handle *handle)
{
	struct row row;
	enum err err = handle_encode(handle, &row);

	if (err == ERR_OK)
		err = row_write(txn, DB_HANDLE, key, &row);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_HANDLES, key, NULL,
				     &row);
	return err;
}

enum err store_handle_add(struct store_txn *txn, const struct name_handle *name)
{
	struct store_handle handle = {.name = *name,
				      .state = store_state_new(txn)};
	struct row_key key = row_key_handle(name);
	enum err err = refuse_there(txn, &key, name);

	if (err == ERR_OK)
		err = first_number(txn, &key, &handle.next_box);
	return err == ERR_OK ? insert(txn, &key, &handle) : err;
}

enum err store_handle_set(struct store_txn *txn,
			  const struct store_handle *handle)
{
	struct row_key key = row_key_handle(&handle->name);
	struct store_handle was, is = *handle;
	struct row before, after;
	enum err err = store_handle_get(txn, &handle->name, &was);

	if (err != ERR_OK)
		return err;
	is.next_box = was.next_box;
	is.state.created = was.state.created;
	is.state.changed = was.state.changed;
	err = handle_encode(&was, &before);
	if (err == ERR_OK)
		err = handle_encode(&is, &after);
	if (err != ERR_OK || row_same(&before, &after))
		return err;
	is.state.changed = txn->now;
	err = handle_encode(&is, &after);
	return err == ERR_OK ? row_update(txn, DB_HANDLE, STORE_HANDLES, &key,
					  &before, &after)
			     : err;
}

static enum err refuse_needed(struct store_txn *txn,
			      const struct name_handle *name)
{
	const struct name_box first = {*name, 0};
	struct store_domain domain;
	struct store_box box;
	char text[NAME_BOX_TEXT];
	enum err err = store_handle_domain_next(txn, name, NULL, &domain);

	if (err == ERR_OK)
		return store_refuse(txn, ERR_INUSE,
				    "it still has the domain '%s' ('popbox "
				    "domain list --handle %s' shows all)",
				    domain.name.s, name->s);
	if (err != ERR_NOTFOUND)
		return err;
	err = store_box_get(txn, &first, &box);
	if (err == ERR_NOTFOUND)
		err = store_box_next(txn, &first, &box);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	if (strcmp(box.name.handle.s, name->s) != 0)
		return ERR_OK;
	name_box_text(&box.name, text);
	return store_refuse(txn, ERR_INUSE, "it still has the box '%s' "
					      "('popbox box list --handle %s' "
					      "shows all)",
			    text, name->s);
}

enum err store_handle_del(struct store_txn *txn, const struct name_handle *name)
{
	struct row_key key = row_key_handle(name);
	struct store_handle handle;
	struct row row;
	enum err err = store_handle_get(txn, name, &handle);

	if (err == ERR_OK)
		err = refuse_needed(txn, name);
	if (err == ERR_OK)
		err = handle_encode(&handle, &row);
	if (err == ERR_OK)
		err = parked_put(txn, STORE_HANDLES, &key, &row, STORE_GOES_ON);
	return err == ERR_OK ? row_delete(txn, DB_HANDLE, STORE_HANDLES, &key,
					  &row)
			     : err;
}

enum err store_handle_restore(struct store_txn *txn,
			      const struct store_handle *handle)
{
	struct row_key key = row_key_handle(&handle->name);
	struct store_handle is = *handle;
	enum err err = refuse_there(txn, &key, &handle->name);

	if (err == ERR_OK)
		err = first_number(txn, &key, &is.next_box);
	if (is.next_box < handle->next_box)
		is.next_box = handle->next_box;
	return err == ERR_OK ? insert(txn, &key, &is) : err;
}
