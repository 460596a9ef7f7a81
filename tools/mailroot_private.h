/* mailroot_private.h: what the rooms that work below the mail root have in
 * common; for mailroot*.c alone.
 */
#ifndef POPBOX_MAILROOT_PRIVATE_H
#define POPBOX_MAILROOT_PRIVATE_H

#include "mailroot.h"

enum mailroot_part { MAILROOT_POP, MAILROOT_DOMAINS };

/* Opens HOME/e/ex1/POP or its neighbour, made and made durable where it is
 * missing; the way there may lead over symbolic links of the administrator's. */
int mailroot_part(const char *home, const struct name_handle *handle,
		  enum mailroot_part part, int *ret_fd);

/* Opens the directory of an address; *ret_path becomes that of its file. */
int mailroot_open_domain(const char *home, const struct name_handle *handle,
			 const struct name_address *address, int *ret_fd,
			 char ret_name[MAILROOT_QMAIL_NAME],
			 char ret_path[PATH_MAX]);

/* Does the file say this already? Then nothing is written. */
bool mailroot_is_same(int dir, const char *name, const char *text, size_t len,
		      mode_t mode);

/* ".popbox-tmp.qmail-joe": begins like no file that qmail-local looks for. */
#define MAILROOT_TEMPORARY_PREFIX ".popbox-tmp"
enum {
	MAILROOT_TEMPORARY = MAILROOT_QMAIL_NAME +
			     sizeof MAILROOT_TEMPORARY_PREFIX
};
void mailroot_temporary(const char *name, char ret_name[MAILROOT_TEMPORARY]);

#endif
