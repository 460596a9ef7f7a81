/* control_private.h: how the findings of control_audit*.c are told.
 */
#ifndef POPBOX_CONTROL_PRIVATE_H
#define POPBOX_CONTROL_PRIVATE_H

#include "base/replace.h"
#include "qmail/control.h"

/* One file that is looked at. */
struct control_audit {
	const struct config *config;
	enum lines_file file;
	control_found *found;
	void *arg;
	char name[64]; /* control/rcpthosts */
};

__attribute__((format(printf, 4, 5))) void
control_tell(const struct control_audit *a, const char *check, bool mends,
	     const char *format, ...);

/* A file below qmail's home. 0 or an errno. */
int control_read(const struct config *config, const char *name,
		 struct replace_text *ret_text);

#endif
