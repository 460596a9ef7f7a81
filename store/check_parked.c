/* SPDX-License-Identifier: MIT */
/* check_parked.c: what is parked, rule 12 of check.c. */
#include "check_private.h"
#include "secret.h"

/* The row as it was; and whether one of that name is there again. */
static bool parked_good(struct check *check, enum store_table table,
			struct db_bytes key, const struct row *row,
			bool *ret_again)
{
	struct store_address address;
	struct store_handle handle;
	struct store_domain domain = {.kind = STORE_POP};
	struct store_account account;
	struct store_box box;
	struct db_bytes bytes = row_bytes(row);
	enum store_kind kind;
	enum err err = ERR_DAMAGED;
	const char *why;

	switch (table) {
	case STORE_HANDLES:
		err = handle_decode(key, bytes, &handle);
		*ret_again = err == ERR_OK &&
			     store_handle_get(check->txn, &handle.name,
					      &handle) == ERR_OK;
		break;
	case STORE_DOMAINS:
		err = domain_was(key, bytes, &domain);
		kind = domain.kind;
		*ret_again = err == ERR_OK &&
			     store_domain_get(check->txn, &domain.name,
					      &domain) == ERR_OK &&
			     domain.kind == kind;
		break;
	case STORE_BOXES:
		err = box_decode(key, bytes, &account);
		if (err == ERR_OK && !check_apps(&account)) {
			secret_wipe(&account, sizeof account);
			err = ERR_DAMAGED;
		}
		*ret_again = err == ERR_OK &&
			     store_box_get(check->txn, &account.box.name,
					   &box) == ERR_OK;
		why = err == ERR_OK ? check_hash(&account) : NULL;
		if (why)
			check_found_hash(check, &account.box.name, why);
		break;
	case STORE_ADDRESSES:
		err = address_decode(key, bytes, &address);
		*ret_again = err == ERR_OK &&
			     store_address_get(check->txn, &address.name,
					       &address) == ERR_OK;
		break;
	}
	return err == ERR_OK;
}

void check_parked(struct check *check, struct db_bytes key, struct db_bytes row,
		  unsigned verdict)
{
	struct parked parked;
	const uint8_t *at = key.at;
	bool again = false;

	(void)verdict;
	if (parked_decode(key, row, &parked) != ERR_OK ||
	    at[0] > STORE_ADDRESSES ||
	    !parked_good(check, (enum store_table)at[0],
			 (struct db_bytes){at + 1, key.len - 1}, &parked.row,
			 &again))
		check_found_key(check, 1, key, "the retained row is damaged");
	else if (again)
		check_found_key(check, 12, key,
				"it is retained and in use as well");
	secret_wipe(&parked, sizeof parked);
}
