/* SPDX-License-Identifier: MIT */
/* fmt_reply.h: the replies of other autoresponders, as they lie in files: qmailadmin's
 * and vmailmgr's, which autorespond and qmail-autoresponder send. Pure.
 */
#ifndef POPBOX_FMT_REPLY_H
#define POPBOX_FMT_REPLY_H

#include <stdbool.h>
#include <stddef.h>

/* What stands behind its header, if it begins with one. */
const char *fmt_reply_body(const char *text, size_t len, size_t *ret_len);

/* Takes the lines that run autorespond with a file vacation/message out of the text of a
 * .qmail file, if others stay that deliver. False: there is none, or it is all. */
bool fmt_reply_strip(char *text, size_t *len);

#endif
