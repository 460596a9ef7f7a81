/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "row_write.h"

static enum err judge_target(struct store_txn *txn,
			     const struct store_address *address)
{
	struct store_box box;
	enum err err;

	if (!address->has_box)
		return address->forwards_len
			       ? ERR_OK
			       : store_refuse(txn, ERR_INVALID,
					      "it leads nowhere");
	err = store_box_get(txn, &address->box, &box);
	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no box '%s-%04u' ('popbox box "
				     "list' shows all)",
				     address->box.handle.s,
				     address->box.number);
	return err;
}

static enum err judge(struct store_txn *txn,
		      const struct store_address *address)
{
	struct row_key key = row_key_address(&address->name);
	const char *name = address->name.domain.s;
	struct store_domain domain;
	bool exists;
	enum err err = row_exists(txn, DB_ADDRESS, &key, &exists);

	if (err != ERR_OK)
		return err;
	if (exists)
		return store_refuse(txn, ERR_EXISTS,
				    "there is an address '%s@%s' already "
				    "('popbox address set' changes where it "
				    "leads)",
				    address->name.local.s, name);
	err = store_domain_get(txn, &address->name.domain, &domain);
	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no domain '%s' (popbox domain "
				     "add %s --handle HANDLE)",
				     name, name);
	if (err == ERR_OK && domain.kind != STORE_POP)
		return store_refuse(txn, ERR_INVALID,
				    "the domain '%s' is not of kind pop: it "
				    "has no addresses of its own",
				    name);
	if (err == ERR_OK)
		err = judge_target(txn, address);
	return err == ERR_OK
		       ? limit_note(txn, &domain.handle, STORE_ADDRESSES)
		       : err;
}

/* The way back from its box. */
static enum err put_back(struct store_txn *txn,
			 const struct store_address *address)
{
	struct row_key back = row_key_bybox(&address->box, &address->name);
	struct row empty;
	enum err err;

	if (!address->has_box)
		return ERR_OK;
	err = bybox_encode(&back, &empty);
	return err == ERR_OK ? row_write(txn, DB_BYBOX, &back, &empty) : err;
}

static enum err drop_back(struct store_txn *txn,
			  const struct store_address *address)
{
	struct row_key back = row_key_bybox(&address->box, &address->name);

	if (!address->has_box)
		return ERR_OK;
	return row_drop(txn, DB_BYBOX, &back);
}

enum err store_first_end_set(struct store_txn *txn, int64_t time)
{
	return meta_set(txn, until_word, (uint64_t)time);
}

static enum err note_end(struct store_txn *txn,
			 const struct store_address *address)
{
	int64_t first;
	enum err err = address->expires ? store_first_end(txn, &first) : ERR_OK;

	return err == ERR_OK && address->expires && address->expires < first
		       ? store_first_end_set(txn, address->expires)
		       : err;
}

static enum err insert(struct store_txn *txn,
		       const struct store_address *address)
{
	struct row_key key = row_key_address(&address->name);
	struct row row;
	enum err err = judge(txn, address);

	if (err == ERR_OK)
		err = address_encode(address, &row);
	if (err == ERR_OK)
		err = row_write(txn, DB_ADDRESS, &key, &row);
	if (err == ERR_OK)
		err = put_back(txn, address);
	if (err == ERR_OK)
		err = note_end(txn, address);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_ADDRESSES, &key,
				     NULL, &row);
	return err;
}

/* One that was deleted comes back where it leads to the same again; anything
 * else could get mail that is on its way to the old one. */
static enum err judge_parked(struct store_txn *txn,
			     const struct store_address *address)
{
	struct row_key key = row_key_address(&address->name);
	char text[NAME_ADDRESS_TEXT];
	struct parked parked;
	struct row row;
	enum err err = parked_get(txn, STORE_ADDRESSES, &key, &parked);

	if (err == ERR_OK)
		err = address_encode(address, &row);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	if (row_same(&row, &parked.row))
		return parked_drop(txn, STORE_ADDRESSES, &key);
	name_address_text(&address->name, text);
	return parked_refuse(txn, STORE_ADDRESSES, &key, text);
}

enum err store_address_add(struct store_txn *txn,
			   const struct store_address *address)
{
	enum err err = judge_parked(txn, address);

	return err == ERR_OK ? insert(txn, address) : err;
}

enum err store_address_set(struct store_txn *txn,
			   const struct store_address *address)
{
	struct row_key key = row_key_address(&address->name);
	struct store_address was, is = *address;
	struct row before, after;
	enum err err = store_address_get(txn, &address->name, &was);

	if (err == ERR_OK)
		err = judge_target(txn, address);
	if (err == ERR_OK)
		err = address_encode(&was, &before);
	if (err == ERR_OK)
		is.off_since = was.delivery == is.delivery ? was.off_since
							   : txn->now;
	if (err == ERR_OK)
		err = address_encode(&is, &after);
	if (err != ERR_OK || row_same(&before, &after))
		return err;
	err = drop_back(txn, &was);
	if (err == ERR_OK)
		err = put_back(txn, address);
	if (err == ERR_OK)
		err = note_end(txn, address);
	return err == ERR_OK ? row_update(txn, DB_ADDRESS, STORE_ADDRESSES,
					  &key, &before, &after)
			     : err;
}

enum err store_address_del(struct store_txn *txn,
			   const struct name_address *name, enum store_fate fate)
{
	struct row_key key = row_key_address(name);
	struct store_address address;
	struct row row;
	enum err err = store_address_get(txn, name, &address);

	if (err == ERR_OK)
		err = address_encode(&address, &row);
	if (err == ERR_OK)
		err = parked_put(txn, STORE_ADDRESSES, &key, &row, fate);
	if (err == ERR_OK)
		err = drop_back(txn, &address);
	return err == ERR_OK ? row_delete(txn, DB_ADDRESS, STORE_ADDRESSES,
					  &key, &row)
			     : err;
}

enum err store_address_restore(struct store_txn *txn,
			       const struct name_address *name)
{
	struct row_key key = row_key_address(name);
	struct store_address address;
	struct store_parked parked;
	enum err err = store_parked_address_get(txn, name, &address, &parked);

	if (err == ERR_OK)
		err = parked_drop(txn, STORE_ADDRESSES, &key);
	return err == ERR_OK ? insert(txn, &address) : err;
}
