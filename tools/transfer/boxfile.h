/* boxfile.h: one box as a line of JSON: what `box show --json` prints, its hash,
 * and each address that leads to it. Text in, values out.
 */
#ifndef POPBOX_BOXFILE_H
#define POPBOX_BOXFILE_H

#include <stddef.h>

#include "base/json.h"
#include "store/store.h"

enum { BOXFILE_MAX = 64 << 20 }; /* bytes of a record that is read */

struct boxfile {
	struct store_account account;
	struct store_address *address; /* malloc'ed */
	size_t addresses;
};

/* One line with its newline; malloc'ed, to be wiped and freed. addresses is an
 * array of json_address. NULL: no memory. */
char *boxfile_write(const struct store_account *account,
		    const json_t *addresses, size_t *ret_len);

/* NULL, or why it is no such record. Every text passes the validators of its
 * kind. On any answer boxfile_free. */
const char *boxfile_read(const char *text, size_t len, struct boxfile *file);
void boxfile_free(struct boxfile *file);

#endif
