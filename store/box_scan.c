/* SPDX-License-Identifier: MIT */
/* box_scan.c: boxes and addresses that are looked for among many, judged in several
 * threads.
 */
#include <string.h>

#include "row.h"
#include "scan.h"
#include "secret.h"

/* Of a row that cannot be read: whoever takes it learns why. */
static const unsigned UNREAD = 1U << 31;

static unsigned judge_box(const void *arg, struct db_bytes key,
			  struct db_bytes row, uint64_t *sum)
{
	const struct store_box_scan *scan = arg;
	struct store_account account;
	unsigned verdict = UNREAD;

	(void)sum;
	if (box_decode(key, row, &account) == ERR_OK) {
		verdict = scan->judge(scan->arg, &account);
		secret_wipe(account.hash, sizeof account.hash);
		secret_wipe(&account.apps, sizeof account.apps);
	}
	return verdict;
}

static unsigned judge_bybox(const void *arg, struct db_bytes key,
			    struct db_bytes row, uint64_t *sum)
{
	const struct store_box_scan *scan = arg;
	struct name_address name;
	struct name_box box;

	(void)sum;
	if (bybox_decode(key, row) != ERR_OK ||
	    row_name_bybox(key, &box, &name) != ERR_OK)
		return UNREAD;
	return scan->judge_address(scan->arg, &name);
}

/* Both tables have the order of the boxes. */
struct beside {
	struct scan *boxes, *ways; /* ways: NULL, or along by-box */
	struct scan_row way;	   /* the next one; verdict 0: none is left */
};

static enum err next_way(struct beside *beside)
{
	enum err err = scan_next(beside->ways, &beside->way);

	if (err != ERR_OK)
		beside->way.verdict = 0;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* What the addresses of this box were judged to be, all together. */
static enum err add_ways(struct beside *beside, struct db_bytes box,
			 unsigned *ret_verdict)
{
	enum err err = ERR_OK;

	while (err == ERR_OK && beside->way.verdict) {
		const struct db_bytes key = beside->way.key;
		const size_t len = key.len < box.len ? key.len : box.len;
		const int order = memcmp(key.at, box.at, len);

		if (order > 0)
			break;
		if (beside->way.verdict == UNREAD)
			return ERR_DAMAGED;
		if (order == 0 && key.len > box.len)
			*ret_verdict |= beside->way.verdict;
		err = next_way(beside);
	}
	return err;
}

static enum err take_box(const struct store_box_scan *scan,
			 struct beside *beside, const struct scan_row *row)
{
	unsigned verdict = row->verdict;
	struct store_box box;
	enum err err = store_box_row(row->key.at, row->key.len, row->value.at,
				     row->value.len, &box);

	if (err == ERR_OK && beside->ways)
		err = add_ways(beside, row->key, &verdict);
	if (err == ERR_OK)
		err = scan->take(scan->arg, &box, verdict);
	return err;
}

static enum err begin(struct store_txn *txn, const struct store_box_scan *scan,
		      struct beside *beside)
{
	const struct row_key none = {.len = 0};
	struct row_key head = scan->handle ? row_key_handle(scan->handle)
					   : none;
	struct row_key after = scan->after ? row_key_box(scan->after) : none;
	struct scan_order order = {.txn = txn->db,
				   .table = DB_BOX,
				   .judge = judge_box,
				   .arg = scan};
	enum err err;

	if (scan->handle)
		head.bytes[head.len++] = 0;
	order.head = row_key_bytes(&head);
	order.after = row_key_bytes(scan->after ? &after : &head);
	err = scan_begin(&order, &beside->boxes);
	order.table = DB_BYBOX;
	order.judge = judge_bybox;
	if (err == ERR_OK && scan->judge_address)
		err = scan_begin(&order, &beside->ways);
	return err == ERR_OK && beside->ways ? next_way(beside) : err;
}

enum err store_box_scan(struct store_txn *txn,
			const struct store_box_scan *scan)
{
	struct beside beside = {.boxes = NULL};
	struct scan_row row;
	enum err err = begin(txn, scan, &beside);

	while (err == ERR_OK) {
		err = scan_next(beside.boxes, &row);
		if (err != ERR_OK)
			break;
		err = take_box(scan, &beside, &row);
		if (err == ERR_NOTFOUND) {
			err = ERR_OK; /* it has enough */
			break;
		}
	}
	scan_end(&beside.ways);
	scan_end(&beside.boxes);
	return err;
}

static unsigned judge_address(const void *arg, struct db_bytes key,
			      struct db_bytes row, uint64_t *sum)
{
	const struct store_address_scan *scan = arg;
	struct store_address address;

	(void)sum;
	return address_decode(key, row, &address) == ERR_OK
		       ? scan->judge(scan->arg, &address)
		       : UNREAD;
}

static enum err take_address(const struct store_address_scan *scan,
			     const struct scan_row *row)
{
	struct store_address address;
	enum err err = address_decode(row->key, row->value, &address);

	return err == ERR_OK ? scan->take(scan->arg, &address) : err;
}

enum err store_address_scan(struct store_txn *txn,
			    const struct store_address_scan *scan)
{
	const struct row_key none = {.len = 0};
	struct row_key head = scan->domain ? row_key_domain(scan->domain)
					   : none;
	struct row_key after = scan->after ? row_key_address(scan->after)
					   : none;
	struct scan_order order = {.txn = txn->db,
				   .table = DB_ADDRESS,
				   .judge = judge_address,
				   .arg = scan};
	struct scan *rows = NULL;
	struct scan_row row;
	enum err err;

	if (scan->domain)
		head.bytes[head.len++] = 0;
	order.head = row_key_bytes(&head);
	order.after = row_key_bytes(scan->after ? &after : &head);
	err = scan_begin(&order, &rows);
	while (err == ERR_OK) {
		err = scan_next(rows, &row);
		if (err != ERR_OK)
			break;
		err = take_address(scan, &row);
		if (err == ERR_NOTFOUND) {
			err = ERR_OK; /* it has enough */
			break;
		}
	}
	scan_end(&rows);
	return err;
}
