/* SPDX-License-Identifier: MIT */
/* check_bybox.c: addresses, by-box and boxes beside each other; the rules 6
 * and 7 of check.c.
 *
 * An address and its row of by-box make the same key, so a tally of those keys
 * says whether one of both is without the other; and by-box has the order of
 * the boxes, so a walk along them says whether a box is missing. Only where
 * that does not come out even is each one looked up, to say which.
 */
#include <string.h>

#include "check_private.h"

uint64_t check_bybox_sum(const struct check *check,
			 const struct store_address *address)
{
	struct row_key back;

	if (!address->has_box)
		return 0;
	back = row_key_bybox(&address->box, &address->name);
	return tally_hash(&check->ways, back.bytes, back.len);
}

/* The box's key at the head of one of by-box. */
static struct db_bytes box_of(struct db_bytes key)
{
	const uint8_t *at = key.at, *nul = memchr(at, 0, key.len);
	size_t len = nul ? (size_t)(nul - at) + 1 + 4 : key.len;

	return (struct db_bytes){at, len < key.len ? len : key.len};
}

static int order(struct db_bytes a, struct db_bytes b)
{
	int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Along the boxes up to this one; is it there? */
static bool box_there(struct check *check, struct db_bytes box)
{
	struct db_walk *boxes = &check->boxes;
	enum err err = ERR_OK;

	while (err == ERR_OK &&
	       (boxes->key.len == 0 || order(boxes->key, box) < 0))
		err = db_walk_next(boxes);
	return err == ERR_OK && order(boxes->key, box) == 0;
}

static unsigned judge(const void *arg, struct db_bytes key, struct db_bytes row,
		      uint64_t *sum)
{
	const struct check *check = arg;

	*sum -= tally_hash(&check->ways, key.at, key.len);
	return bybox_decode(key, row) == ERR_OK ? CHECK_GOOD : CHECK_DAMAGED;
}

static void beside(struct check *check, struct db_bytes key,
		   struct db_bytes row, unsigned verdict)
{
	(void)row;
	if (verdict == CHECK_DAMAGED || !box_there(check, box_of(key)))
		check->unfit = true;
}

static void look_up_address(struct check *check, struct db_bytes key,
			    struct db_bytes row, unsigned verdict)
{
	struct store_address address;
	struct row_key box, back;

	(void)verdict;
	/* A damaged one was told. */
	if (address_decode(key, row, &address) != ERR_OK || !address.has_box)
		return;
	box = row_key_box(&address.box);
	if (!check_there(check, DB_BOX, &box))
		check_found_address(check, 6, &address.name,
				    "the address's box does not exist");
	back = row_key_bybox(&address.box, &address.name);
	if (!check_there(check, DB_BYBOX, &back))
		check_found_address(check, 7, &address.name,
				    "by-box does not know the address");
}

static void look_up_bybox(struct check *check, struct db_bytes key,
			  struct db_bytes row, unsigned verdict)
{
	struct store_address address;
	struct name_address name;
	struct row_key is, said;
	struct name_box box;

	(void)verdict;
	if (bybox_decode(key, row) != ERR_OK ||
	    row_name_bybox(key, &box, &name) != ERR_OK) {
		check_found_key(check, 1, key, "the row of by-box is damaged");
		return;
	}
	said = row_key_box(&box);
	if (store_address_get(check->txn, &name, &address) == ERR_OK &&
	    address.has_box) {
		is = row_key_box(&address.box);
		if (is.len == said.len &&
		    memcmp(is.bytes, said.bytes, is.len) == 0)
			return;
	}
	check_found_key(check, 7, key,
			"by-box names an address that leads elsewhere");
}

enum err check_bybox(struct check *check)
{
	enum err err = check_walk(check, DB_BYBOX, judge, beside);

	if (err != ERR_OK || (!check->unfit && tally_even(&check->ways)))
		return err;
	err = check_walk(check, DB_ADDRESS, NULL, look_up_address);
	return err == ERR_OK
		       ? check_walk(check, DB_BYBOX, NULL, look_up_bybox)
		       : err;
}
