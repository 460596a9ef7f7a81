/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app.h"
#include "row_write.h"
#include "secret.h"
#include "store/hash/pwhash.h"

/* As the journal shows it: without hash and digests. */
static enum err encode_public(const struct store_account *account,
			      struct row *ret_row)
{
	struct store_packed shown = account->apps;

	app_hide(&shown);
	return box_encode_with(&account->box, "", &shown, ret_row);
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
		return store_refuse(txn, ERR_INVALID,
				    "the handle '%s' has no number left",
				    handle->s);
	*ret_number = owner.next_box;
	return ERR_OK;
}

/* Numbers are never used again: the counter stays above every one given. No
 * entry of its own, the box's says it; and nothing to publish. */
static enum err pass_number(struct store_txn *txn, const struct name_box *name)
{
	struct row_key key = row_key_handle(&name->handle);
	struct store_handle owner;
	struct row row;
	enum err err = store_handle_get(txn, &name->handle, &owner);

	if (err != ERR_OK || name->number < owner.next_box)
		return err;
	if (name->number == UINT32_MAX)
		return store_refuse(txn, ERR_INVALID,
				    "4294967295 is no number for a box");
	owner.next_box = name->number + 1;
	err = handle_encode(&owner, &row);
	return err == ERR_OK ? db_put(txn->db, DB_HANDLE, row_key_bytes(&key),
				      row_bytes(&row))
			     : err;
}

enum err store_box_pass(struct store_txn *txn, const struct name_box *name)
{
	return pass_number(txn, name);
}

/* No hash is stored of which a login could not tell, and no weak one. */
static enum err judge_hash(struct store_txn *txn, const char *hash)
{
	const char *why = hash[0] ? pwhash_unstorable(hash) : NULL;

	return why ? store_refuse(txn, ERR_INVALID, "the hash cannot be stored: "
						    "%s", why)
		   : ERR_OK;
}

static enum err judge(struct store_txn *txn, const struct name_box *name)
{
	struct row_key key = row_key_box(name);
	struct store_handle owner;
	bool exists;
	enum err err = store_handle_get(txn, &name->handle, &owner);

	if (err == ERR_NOTFOUND)
		return store_unknown(txn, "there is no handle '%s'",
				     name->handle.s);
	if (err == ERR_OK)
		err = row_exists(txn, DB_BOX, &key, &exists);
	if (err == ERR_OK && exists)
		return store_refuse(txn, ERR_EXISTS,
				    "there is a box '%s-%04u' already",
				    name->handle.s, name->number);
	return err == ERR_OK ? limit_note(txn, &name->handle, STORE_BOXES)
			     : err;
}

/* A number that was ever given is not given again: not while its box is parked,
 * nor after. Every number but 0 is below the counter by then; deleting the box
 * 0000 lets the counter pass 1, and so leaves a trace of itself. */
static enum err judge_number(struct store_txn *txn, const struct name_box *name)
{
	struct row_key key = row_key_box(name);

	return parked_refuse(txn, STORE_BOXES, &key, "the box of this number");
}

/* As it is, under a number that was never used. */
static enum err insert(struct store_txn *txn,
		       const struct store_account *account)
{
	const struct name_box *name = &account->box.name;
	struct row_key key = row_key_box(name);
	struct row row, shown;
	enum err err = judge(txn, name);

	if (err == ERR_OK)
		err = judge_number(txn, name);
	if (err == ERR_OK)
		err = pass_number(txn, name);
	if (err == ERR_OK)
		err = box_encode(account, &row);
	if (err == ERR_OK)
		err = encode_public(account, &shown);
	if (err == ERR_OK)
		err = row_write(txn, DB_BOX, &key, &row);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_BOXES, &key, NULL,
				     &shown);
	secret_wipe(&row, sizeof row);
	return err;
}

enum err store_account_add(struct store_txn *txn,
			   const struct store_account *account)
{
	struct store_account new = *account;
	struct store_box *box = &new.box;
	enum err err = judge_hash(txn, account->hash);

	box->state.created = box->state.changed = txn->now;
	box->has_password = new.hash[0] != 0;
	box->password_changed = box->has_password ? txn->now : 0;
	box->other = (struct name_box){.number = 0};
	if (err == ERR_OK)
		err = insert(txn, &new);
	secret_wipe(&new, sizeof new);
	return err;
}

enum err store_box_move(struct store_txn *txn, const struct name_box *from,
			const struct name_box *to)
{
	struct store_account account;
	enum err err = store_login(txn, from, &account);

	if (err != ERR_OK)
		return err;
	account.box.name = *to;
	account.box.other = *from;
	account.box.state.changed = txn->now;
	err = insert(txn, &account);
	secret_wipe(&account, sizeof account);
	return err;
}

enum err store_box_add(struct store_txn *txn, const struct store_box *box)
{
	struct store_account account = {.box = *box, .hash = ""};

	account.box.state = store_state_new(txn);
	account.box.state.expires = box->state.expires;
	return store_account_add(txn, &account);
}

static enum err set_hash(struct store_txn *txn, const struct row_key *key,
			 struct store_account *account, const char *hash)
{
	size_t len = strlen(hash);
	struct row row;
	enum err err = judge_hash(txn, hash);

	if (err != ERR_OK)
		return err;
	_Static_assert((int)PWHASH_MAX <= (int)STORE_HASH_MAX, "a good hash fits");
	memset(account->hash, 0, sizeof account->hash);
	memcpy(account->hash, hash, len);
	account->box.has_password = len > 0;
	account->box.state.changed = txn->now;
	err = box_encode(account, &row);
	if (err == ERR_OK)
		err = row_write(txn, DB_BOX, key, &row);
	secret_wipe(&row, sizeof row);
	return err;
}

/* Whoever reads the journal hears of it; what it says did not change may have:
 * the time. */
static enum err change_hash(struct store_txn *txn, const struct row_key *key,
			    struct store_account *account, const char *hash,
			    int64_t when)
{
	struct row before, after;
	enum err err = encode_public(account, &before);

	account->box.password_changed = when;
	if (err == ERR_OK)
		err = set_hash(txn, key, account, hash);
	if (err == ERR_OK)
		err = encode_public(account, &after);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_PASSWORD, STORE_BOXES, key,
				     &before, &after);
	return err;
}

enum err store_box_password(struct store_txn *txn, const struct name_box *name,
			    const char *hash)
{
	struct row_key key = row_key_box(name);
	struct store_account account;
	enum err err = store_login(txn, name, &account);

	if (err == ERR_OK)
		err = change_hash(txn, &key, &account, hash, txn->now);
	secret_wipe(&account, sizeof account);
	return err;
}

enum err store_box_rehash(struct store_txn *txn, const struct name_box *name,
			  const char *old, const char *hash)
{
	struct row_key key = row_key_box(name);
	struct store_account account;
	enum err err = store_login(txn, name, &account);

	if (err == ERR_OK && strcmp(account.hash, old) != 0)
		err = ERR_BUSY;
	if (err == ERR_OK)
		err = change_hash(txn, &key, &account, hash,
				  account.box.password_changed);
	secret_wipe(&account, sizeof account);
	return err;
}

static void set_vacation(struct store_box *to, const struct store_box *from)
{
	const bool on = from->vacation[0];

	memcpy(to->vacation, from->vacation, strlen(from->vacation) + 1);
	to->vacation_from = on ? from->vacation_from : 0;
	to->vacation_until = on ? from->vacation_until : 0;
}

static enum err judge_vacation(struct store_txn *txn,
			       const struct store_box *box)
{
	return box->vacation[0] && !store_vacation_good(box)
		       ? store_refuse(txn, ERR_INVALID,
				      "the vacation reply of '%s-%04u' would "
				      "end before it begins",
				      box->name.handle.s, box->name.number)
		       : ERR_OK;
}

enum err store_box_set(struct store_txn *txn, const struct store_box *box)
{
	struct row_key key = row_key_box(&box->name);
	struct store_account account;
	struct row before, after, whole;
	enum err err = store_login(txn, &box->name, &account);

	if (err != ERR_OK)
		return err;
	err = judge_vacation(txn, box);
	if (err == ERR_OK)
		err = encode_public(&account, &before);
	memcpy(account.box.title, box->title, sizeof box->title);
	memcpy(account.box.state.reason, box->state.reason,
	       sizeof box->state.reason);
	account.box.quota = box->quota;
	account.box.apps_only = box->apps_only;
	account.box.state.login = box->state.login;
	account.box.state.delivery = box->state.delivery;
	account.box.state.expires = box->state.expires;
	account.box.state.off = box->state.off;
	set_vacation(&account.box, box);
	if (err == ERR_OK)
		err = encode_public(&account, &after);
	if (err == ERR_OK && row_same(&before, &after))
		goto out;
	account.box.state.changed = txn->now;
	if (err == ERR_OK)
		err = encode_public(&account, &after);
	if (err == ERR_OK)
		err = box_encode(&account, &whole);
	if (err == ERR_OK)
		err = row_write(txn, DB_BOX, &key, &whole);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_SET, STORE_BOXES, &key, &before,
				     &after);
	secret_wipe(&whole, sizeof whole);
out:
	secret_wipe(&account, sizeof account);
	return err;
}

static enum err refuse_needed(struct store_txn *txn,
			      const struct name_box *name)
{
	struct name_address address;
	char text[NAME_ADDRESS_TEXT];
	enum err err = store_box_address_next(txn, name, NULL, &address);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	name_address_text(&address, text);
	return store_refuse(txn, ERR_INUSE, "the address '%s' leads to it",
			    text);
}

/* Parks it; to is the box that it has become, or NULL. */
static enum err park(struct store_txn *txn, const struct name_box *name,
		     const struct name_box *to)
{
	const struct name_box first = {name->handle, 1};
	struct row_key key = row_key_box(name);
	struct store_account account;
	struct row row, shown;
	enum err err = store_login(txn, name, &account);

	if (err != ERR_OK)
		return err;
	if (to)
		account.box.other = *to;
	err = refuse_needed(txn, name);
	if (err == ERR_OK)
		err = pass_number(txn, &first); /* see judge_number */
	if (err == ERR_OK)
		err = box_encode(&account, &row);
	if (err == ERR_OK)
		err = encode_public(&account, &shown);
	if (err == ERR_OK)
		err = parked_put(txn, STORE_BOXES, &key, &row, STORE_GOES_ON);
	if (err == ERR_OK)
		err = row_delete(txn, DB_BOX, STORE_BOXES, &key, &shown);
	secret_wipe(&account, sizeof account);
	secret_wipe(&row, sizeof row);
	return err;
}

enum err store_box_del(struct store_txn *txn, const struct name_box *name)
{
	return park(txn, name, NULL);
}

enum err store_box_moved(struct store_txn *txn, const struct name_box *from,
			 const struct name_box *to)
{
	return park(txn, from, to);
}

enum err store_box_restore(struct store_txn *txn, const struct name_box *name)
{
	struct row_key key = row_key_box(name);
	struct store_account account;
	struct parked parked;
	struct row shown;
	enum err err = parked_get(txn, STORE_BOXES, &key, &parked);

	if (err != ERR_OK)
		return err;
	err = box_decode(row_key_bytes(&key), row_bytes(&parked.row), &account);
	if (err == ERR_OK)
		err = judge(txn, name);
	if (err == ERR_OK)
		err = row_write(txn, DB_BOX, &key, &parked.row);
	if (err == ERR_OK)
		err = parked_drop(txn, STORE_BOXES, &key);
	if (err == ERR_OK)
		err = encode_public(&account, &shown);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_BOXES, &key, NULL,
				     &shown);
	secret_wipe(&account, sizeof account);
	secret_wipe(&parked, sizeof parked);
	return err;
}
