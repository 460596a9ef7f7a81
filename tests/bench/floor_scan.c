/* SPDX-License-Identifier: MIT */
/* floor_scan STORE: a bare cursor over every table of a store, every row of it
 * looked at. Prints the rows, and the bytes of keys and values, first of all
 * tables and then of the journal.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "floor_scan: %s\n", mdb_strerror(rc));
	exit(1);
}

struct sum {
	unsigned long rows, bytes, touched;
};

static void scan(MDB_txn *txn, const char *name, struct sum *sum)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_dbi dbi;
	int rc = mdb_dbi_open(txn, name, 0, &dbi);

	if (rc == MDB_NOTFOUND)
		return;
	need(rc);
	need(mdb_cursor_open(txn, dbi, &cursor));
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		sum->rows++;
		sum->bytes += key.mv_size + value.mv_size;
		sum->touched += value.mv_size ?
			*(const unsigned char *)value.mv_data : 0;
	}
	need(rc == MDB_NOTFOUND ? 0 : rc);
	mdb_cursor_close(cursor);
}

int main(int argc, char **argv)
{
	static const char *const tables[] = {"meta",   "handle",  "domain",
					     "box",    "address", "by-box",
					     "parked", "by-owner"};
	struct sum sum = {0, 0, 0}, journal = {0, 0, 0};
	MDB_env *env;
	MDB_txn *txn;

	if (argc != 2) {
		fprintf(stderr, "usage: floor_scan STORE\n");
		return 2;
	}
	need(mdb_env_create(&env));
	need(mdb_env_set_maxdbs(env, 16));
	need(mdb_env_open(env, argv[1], MDB_RDONLY | MDB_NOLOCK, 0));
	need(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		scan(txn, tables[i], &sum);
	scan(txn, "journal", &journal);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	printf("%lu %lu %lu %lu\n", sum.rows, sum.bytes, journal.rows,
	       journal.bytes);
	return sum.touched + journal.touched == 0;
}
