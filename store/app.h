/* SPDX-License-Identifier: MIT */
/* app.h: app passwords in a box's row, and which of them a password is; inside
 * store/ only.
 *
 * They are random, so that a fast digest is as good as a slow hash. All of a box have
 * one salt: one digest of what was offered is compared with each of them, and the
 * cost hardly grows with their number.
 */
#ifndef POPBOX_APP_H
#define POPBOX_APP_H

#include "record.h"
#include "store.h"

/* Behind the other fields of a row. _get looks at lengths alone. */
void app_put(struct record *record, const struct store_packed *packed);
void app_get(struct record *record, struct store_packed *ret_packed);

/* The digest of a password of 1 to PWHASH_PASSWORD_MAX bytes, with this salt. */
void app_digest(const uint8_t salt[STORE_APP_SALT], const void *password,
		size_t len, uint8_t ret_digest[STORE_APP_DIGEST]);

/* Has one of them this password? Takes the same time whichever it is. Without its
 * digest. */
MUST_USE bool app_find(const struct store_packed *packed, const void *password,
		       size_t len, struct store_app *ret_app);

/* Names and terms alone, as they are shown. */
void app_hide(struct store_packed *packed);

#endif
