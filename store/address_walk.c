/* address_walk.c: the addresses that have forwards, without a look into the rows
 * of the others, which are nearly all.
 */
#include "row.h"

enum {
	ROW_FRONT = 1 + 1,    /* version, has it a box */
	ROW_BOX = 2 + 4,      /* beside the handle's bytes */
	ROW_REST = 2 + RECORD_SUM /* length of the forwards, checksum */
};

/* By its length alone. A row that is damaged counts as one that has some, and is
 * looked at. */
static bool has_forwards(struct db_bytes row)
{
	const uint8_t *at = row.at;
	size_t box = 0;

	if (row.len >= ROW_FRONT + ROW_BOX + ROW_REST && at[1])
		box = ROW_BOX + (size_t)(at[2] | at[3] << 8);
	return row.len != ROW_FRONT + box + ROW_REST;
}

enum err store_forwarders(struct store_txn *txn, store_forwarder *found,
			  void *arg)
{
	struct db_walk walk = {.txn = txn->db, .table = DB_ADDRESS};
	struct store_address address;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = db_walk_next(&walk);
		if (err == ERR_NOTFOUND)
			return ERR_OK;
		if (err != ERR_OK || !has_forwards(walk.value))
			continue;
		err = address_decode(walk.key, walk.value, &address);
		if (err == ERR_OK && address.forwards_len)
			err = found(arg, &address);
		if (err == ERR_NOTFOUND)
			err = ERR_DAMAGED; /* not the end */
	}
	return err;
}
