#include <string.h>

#include "row_write.h"
#include "secret.h"

/* As the journal shows it: without the hash. */
static enum err encode_public(const struct store_box *box, struct row *ret_row)
{
	struct store_account account = {.box = *box, .hash = ""};

	return box_encode(&account, ret_row);
}

enum err store_box_number(struct store_txn *txn,
			  const struct name_handle *handle,
			  uint32_t *ret_number)
{
	struct store_handle owner;
	enum err err = store_handle_get(txn, handle, &owner);

	if (err != ERR_OK)
		return err;
	if (owner.next_box == UINT32_MAX)
		return store_refuse(txn, ERR_FULL,
				    "the handle '%s' has no number left",
				    handle->s);
	*ret_number = owner.next_box;
	return ERR_OK;
}

/* Numbers are never used again: the counter stays above every one given. No
 * entry of its own, the box's says it. */
static enum err pass_number(struct store_txn *txn, const struct name_box *name)
{
	struct row_key key = row_key_handle(&name->handle);
	struct store_handle owner;
	struct row row;
	enum err err = store_handle_get(txn, &name->handle, &owner);

	if (err != ERR_OK || name->number < owner.next_box)
		return err;
	if (name->number == UINT32_MAX)
		return store_refuse(txn, ERR_FULL,
				    "4294967295 is no number for a box");
	owner.next_box = name->number + 1;
	err = handle_encode(&owner, &row);
	return err == ERR_OK ? row_write(txn, DB_HANDLE, &key, &row) : err;
}

static enum err judge(struct store_txn *txn, const struct name_box *name)
{
	struct row_key key = row_key_box(name);
	struct store_handle owner;
	bool exists;
	enum err err = store_handle_get(txn, &name->handle, &owner);

	if (err == ERR_NOTFOUND)
		return store_refuse(txn, ERR_INVALID, "there is no handle '%s'",
				    name->handle.s);
	if (err == ERR_OK)
		err = row_exists(txn, DB_BOX, &key, &exists);
	if (err == ERR_OK && exists)
		return store_refuse(txn, ERR_EXISTS,
				    "there is a box '%s-%04u' already",
				    name->handle.s, name->number);
	return err;
}

enum err store_box_add(struct store_txn *txn, const struct store_box *box)
{
	struct store_box new = *box;
	struct row_key key = row_key_box(&box->name);
	struct row row;
	enum err err = judge(txn, &box->name);

	if (err == ERR_OK)
		err = pass_number(txn, &box->name);
	if (err != ERR_OK)
		return err;
	new.state = store_state_new(txn);
	new.has_password = false;
	new.password_changed = 0;
	err = encode_public(&new, &row);
	if (err == ERR_OK)
		err = row_write(txn, DB_BOX, &key, &row);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_BOXES, &key, NULL,
				     &row);
	return err;
}

static enum err set_hash(struct store_txn *txn, const struct row_key *key,
			 struct store_account *account, const char *hash)
{
	size_t len = strlen(hash);
	struct row row;
	enum err err;

	if (len > STORE_HASH_MAX)
		return store_refuse(txn, ERR_INVALID,
				    "the hash has more than %d bytes",
				    STORE_HASH_MAX);
	memset(account->hash, 0, sizeof account->hash);
	memcpy(account->hash, hash, len);
	account->box.has_password = len > 0;
	account->box.password_changed = txn->now;
	account->box.state.changed = txn->now;
	err = box_encode(account, &row);
	if (err == ERR_OK)
		err = row_write(txn, DB_BOX, key, &row);
	secret_wipe(&row, sizeof row);
	return err;
}

enum err store_box_password(struct store_txn *txn, const struct name_box *name,
			    const char *hash)
{
	struct row_key key = row_key_box(name);
	struct store_account account;
	struct row before, after;
	enum err err = store_login(txn, name, &account);

	if (err == ERR_OK)
		err = encode_public(&account.box, &before);
	if (err == ERR_OK)
		err = set_hash(txn, &key, &account, hash);
	if (err == ERR_OK)
		err = encode_public(&account.box, &after);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_PASSWORD, STORE_BOXES, &key,
				     &before, &after);
	secret_wipe(&account, sizeof account);
	return err;
}
