/* row_write.h: writing rows; inside store/ and outside the login program. */
#ifndef POPBOX_ROW_WRITE_H
#define POPBOX_ROW_WRITE_H

#include "db_write.h"
#include "row.h"
#include "store_write.h"

/* One row. */
MUST_USE enum err row_write(struct store_txn *txn, enum db_table db_table,
			    const struct row_key *key, const struct row *row);

MUST_USE enum err journal_append(struct store_txn *txn, enum store_op op,
				 enum store_table table,
				 const struct row_key *key,
				 const struct row *before,
				 const struct row *after);

/* Is there a row under this key? */
MUST_USE enum err row_exists(struct store_txn *txn, enum db_table table,
			     const struct row_key *key, bool *ret_exists);

/* Sets a number of meta. */
MUST_USE enum err meta_set(struct store_txn *txn, const char *word,
			   uint64_t number);

#endif
