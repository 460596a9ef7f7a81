/* SPDX-License-Identifier: MIT */
/* source_reply.h: the reply of another autoresponder, in a file of a user's.
 */
#ifndef POPBOX_SOURCE_REPLY_H
#define POPBOX_SOURCE_REPLY_H

#include "import_account.h"

/* What the file at path, which begins with top or with none (safe_open.h), says goes
 * into the account; why it cannot be taken, into its note. False: there is no such file,
 * or nothing in it. */
bool source_reply(const char *top, const char *path,
		  struct import_account *account);

#endif
