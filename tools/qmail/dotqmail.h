/* SPDX-License-Identifier: MIT */
/* dotqmail.h: the texts of .qmail files. Pure.
 */
#ifndef POPBOX_DOTQMAIL_H
#define POPBOX_DOTQMAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "maildir/maildirsize.h"
#include "store/config.h"
#include "store/store.h"

/* The .qmail file of an address: its Maildir's path, then its forwards.
 * *ret_text is malloc'ed. *ret_mode is 0744 for forwards alone: qmail-local
 * then refuses any program or file line in it.
 *
 * all is the switch of the whole address (handle and domain), box that of its
 * box. Off: one line that makes the mail bounce, since without a file it would
 * fall to the catch-all; a box that is off leaves the forwards. Hold: a blank
 * line first, for which qmail-local defers the mail. A box with a quota has a line
 * before that of its Maildir that runs popbox-quota(8); config->quota_path says
 * where that is. One that answers has a line behind it that runs popbox-vacation(8), in
 * config->vacation_path. False: cut, or no memory. */
bool dotqmail_address(const struct config *config,
		      const struct store_address *address,
		      enum store_delivery all, enum store_delivery box,
		      const struct store_quota *quota, bool answers,
		      char **ret_text, size_t *ret_len, mode_t *ret_mode);

/* The .qmail-default of a domain with the extension '+': a line before the
 * catch-all's own ones, or before one that bounces, hands mail for joe+tag to joe;
 * "joe+" has to begin with another letter than '+'. qmail-local looks for defaults
 * behind hyphens alone, so no name of a file could do that. It takes *text over,
 * and leaves it NULL where there is no catch-all to begin with; a hold of the
 * catch-all becomes a line of its own behind the first. False: cut, or no
 * memory. */
bool dotqmail_extension(const struct config *config, char **text, size_t *len,
			mode_t *mode);

/* The lines that popbox makes, for those who read such a file: of mail for
 * joe+tag, of a hold, and one that bounces, whatever it says. */
bool dotqmail_is_extension(const struct config *config, const char *line);
bool dotqmail_is_hold(const char *line);
bool dotqmail_is_bounce(const struct config *config, const char *line);

/* Is it a line that runs popbox-quota, wherever that is? Then its limits. */
bool dotqmail_is_quota(const char *line, struct maildirsize *ret_limit);

/* The same of popbox-vacation. */
bool dotqmail_is_vacation(const char *line);

/* A quota as the file maildirsize has it. */
struct maildirsize dotqmail_limit(const struct store_quota *quota);

/* The part of a local part that is before its extension, or 0: it has none. */
size_t dotqmail_base(const char *local, size_t len);

/* The .qmail-default of a dial-up domain: ./Maildir/, or what its switches say.
 * The same otherwise. */
bool dotqmail_dialup(const struct config *config, enum store_delivery delivery,
		     char **ret_text, size_t *ret_len);

#endif
