/* SPDX-License-Identifier: MIT */
/* box_record.h: one box as a line of JSON: what `box show --json` prints, its hash,
 * and each address that leads to it. Text in, values out.
 */
#ifndef POPBOX_BOX_RECORD_H
#define POPBOX_BOX_RECORD_H

#include <stddef.h>

#include "base/json.h"
#include "store/store.h"

enum { BOX_RECORD_MAX = 64 << 20 }; /* bytes of a record that is read */

struct box_record {
	struct store_account account;
	struct store_address *address; /* malloc'ed */
	size_t addresses;
};

/* One line with its newline; malloc'ed, to be wiped and freed. addresses is an
 * array of json_address. NULL: no memory. */
char *box_record_write(const struct store_account *account,
		       const json_t *addresses, size_t *ret_len);

/* NULL, or why it is no such record. Every text passes the validators of its
 * kind. On any answer box_record_free. */
const char *box_record_read(const char *text, size_t len,
			    struct box_record *file);
void box_record_free(struct box_record *file);

#endif
