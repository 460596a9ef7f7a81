/* SPDX-License-Identifier: MIT */
#include "source_reply.h"

#include <errno.h>
#include <string.h>

#include "fmt_reply.h"
#include "maildir/vacation_file.h"
#include "source_dotqmails.h"

bool source_reply(const char *top, const char *path,
		  struct import_account *account)
{
	char text[MAILROOT_QMAIL_MAX];
	const char *body, *why;
	size_t len = 0, body_len;

	if (!source_dotqmails_read(top, path, text, &len)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return false;
		import_account_note(account, "its vacation reply in %s: %s",
				    path, strerror(errno));
		return true;
	}
	if (!len)
		return false;
	body = fmt_reply_body(text, len, &body_len);
	why = vacation_text_read(body, body_len, account->vacation);
	if (why)
		import_account_note(account, "its vacation reply, since %s %s",
				    path, why);
	account->has_vacation = !why;
	if (why)
		account->vacation[0] = 0;
	return true;
}
