/* SPDX-License-Identifier: MIT */
/* fmt_modoboa.h: Modoboa's csv, which has no header: the first field of a record
 * says what it is. Pure.
 */
#ifndef POPBOX_FMT_MODOBOA_H
#define POPBOX_FMT_MODOBOA_H

#include "csvfile.h"
#include "fmt_csv.h"
#include "import_account.h"

/* What fmt_csv_fill takes instead of a record. *ret_left: why it is left out, or
 * NULL. NULL, or why it cannot be taken. */
const char *fmt_modoboa(const struct csvfile *csv, struct csvfile *ret_record,
			struct fmt_csv *ret_columns,
			enum import_account_part *ret_part,
			const char **ret_left);

/* Does a file that begins so look like it? */
bool fmt_modoboa_resembles(const char *bytes, size_t len);

#endif
