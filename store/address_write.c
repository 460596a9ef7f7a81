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
		return store_refuse(txn, ERR_INVALID,
				    "there is no box '%s-%04u'",
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
				    "there is an address '%s@%s' already",
				    address->name.local.s, name);
	err = store_domain_get(txn, &address->name.domain, &domain);
	if (err == ERR_NOTFOUND)
		return store_refuse(txn, ERR_INVALID,
				    "there is no domain '%s' (popbox domain "
				    "add %s --handle HANDLE)",
				    name, name);
	if (err == ERR_OK && domain.kind != STORE_POP)
		return store_refuse(txn, ERR_INVALID,
				    "the domain '%s' is not of kind pop: it "
				    "has no addresses of its own",
				    name);
	return err == ERR_OK ? judge_target(txn, address) : err;
}

enum err store_address_add(struct store_txn *txn,
			   const struct store_address *address)
{
	struct row_key key = row_key_address(&address->name);
	struct row_key back;
	struct row row, empty;
	enum err err = judge(txn, address);

	if (err == ERR_OK)
		err = address_encode(address, &row);
	if (err == ERR_OK)
		err = row_write(txn, DB_ADDRESS, &key, &row);
	if (err == ERR_OK && address->has_box) {
		back = row_key_bybox(&address->box, &address->name);
		err = bybox_encode(&back, &empty);
		if (err == ERR_OK)
			err = row_write(txn, DB_BYBOX, &back, &empty);
	}
	if (err == ERR_OK)
		err = journal_append(txn, STORE_ADD, STORE_ADDRESSES, &key,
				     NULL, &row);
	return err;
}
