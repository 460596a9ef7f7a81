/* SPDX-License-Identifier: MIT */
#include "path.h"

#include <stdio.h>

void path_box(const char *home, const struct name_box *box,
	      char ret_path[PATH_BOX_TEXT])
{
	char text[NAME_BOX_TEXT];

	name_box_text(box, text);
	(void)snprintf(ret_path, PATH_BOX_TEXT, "%s/%c/%s/POP/%s", home,
		       box->handle.s[0], box->handle.s, text);
}

void path_domain(const char *home, const struct name_handle *handle,
		 const struct name_domain *domain,
		 char ret_path[PATH_DOMAIN_TEXT])
{
	(void)snprintf(ret_path, PATH_DOMAIN_TEXT, "%s/%c/%s/DOMAINS/%s", home,
		       handle->s[0], handle->s, domain->s);
}

void path_dialup(const char *serialmail, const struct name_domain *domain,
		 char ret_path[PATH_DIALUP_TEXT])
{
	(void)snprintf(ret_path, PATH_DIALUP_TEXT, "%s/%s", serialmail,
		       domain->s);
}

void path_lastapp(unsigned number, char ret_name[PATH_LASTAPP_TEXT])
{
	(void)snprintf(ret_name, PATH_LASTAPP_TEXT, ".lastapp-%u", number);
}
