/* SPDX-License-Identifier: MIT */
#include "dialup.h"

#include <stdlib.h>
#include <string.h>

#include "qmail/dotqmail.h"
#include "qmail/lines.h"

bool dialup_files(const struct config *config,
		  const struct store_domain *domain,
		  enum store_delivery delivery,
		  struct mailroot_dialup *ret_files)
{
	struct mailroot_dialup files = {.qmail = ""};
	char *text;
	size_t len;
	bool good = lines_host(domain, false, files.relayhost,
			       sizeof files.relayhost - 1) &&
		    dotqmail_dialup(config, delivery, &text, &len);

	if (!good)
		return false;
	files.relayhost[strlen(files.relayhost)] = '\n';
	good = len < sizeof files.qmail;
	if (good)
		memcpy(files.qmail, text, len);
	free(text);
	if (good)
		*ret_files = files;
	return good;
}
