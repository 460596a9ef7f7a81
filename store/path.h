/* SPDX-License-Identifier: MIT */
/* path.h: where a box and a domain lie below the setting `home`, popbox-store(5).
 *
 *	HOME/e/ex1/POP/ex1-0001		the Maildir of a box
 *	HOME/e/ex1/POP/ex1-0001/.lastlogin	when it was last logged into
 *	HOME/e/ex1/POP/ex1-0001/.lastapp-3	and so of its app password of number 3
 *	HOME/e/ex1/DOMAINS/example.com	the .qmail files of a domain
 *	SERIALMAIL/host.example.com	the files and the Maildir of a dial-up domain
 *
 * Of validated names alone. The texts are absolute, NUL-ended and never cut: each
 * part is bounded, and CONFIG_TEXT_MAX bounds the settings. Pure.
 */
#ifndef POPBOX_PATH_H
#define POPBOX_PATH_H

#include "config.h"
#include "name.h"

enum {
	PATH_BOX_TEXT = CONFIG_TEXT_MAX + 3 + NAME_HANDLE_MAX + 5 +
			NAME_BOX_TEXT,
	PATH_DOMAIN_TEXT = CONFIG_TEXT_MAX + 3 + NAME_HANDLE_MAX + 9 +
			   NAME_DOMAIN_MAX + 1,
	PATH_DIALUP_TEXT = CONFIG_TEXT_MAX + 1 + NAME_DOMAIN_MAX + 1,
};

#define PATH_LASTLOGIN ".lastlogin"
enum { PATH_LASTAPP_TEXT = sizeof ".lastapp-4294967295" };

void path_box(const char *home, const struct name_box *box,
	      char ret_path[PATH_BOX_TEXT]);
void path_domain(const char *home, const struct name_handle *handle,
		 const struct name_domain *domain,
		 char ret_path[PATH_DOMAIN_TEXT]);
void path_dialup(const char *serialmail, const struct name_domain *domain,
		 char ret_path[PATH_DIALUP_TEXT]);
/* The name alone, in the Maildir. */
void path_lastapp(unsigned number, char ret_name[PATH_LASTAPP_TEXT]);

#endif
