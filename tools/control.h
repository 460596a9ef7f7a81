/* control.h: qmail's files on the disk: control/rcpthosts,
 * control/virtualdomains, users/assign. What they shall say comes from
 * render.h; here they are found, judged, shown and replaced.
 */
#ifndef POPBOX_CONTROL_H
#define POPBOX_CONTROL_H

#include "config.h"
#include "render.h"

/* Would the wanted lines go in? Says each reason against it and returns false:
 * a file that is missing where it must not be, is no regular file, cannot be
 * read, has no end, or has a line that contradicts. Changes nothing. */
bool control_judge(const struct config *config, enum render_file file,
		   struct render_lines *lines);

/* Puts them in; a file that says it all already is not touched. Says what
 * went wrong and returns false. */
bool control_write(const struct config *config, enum render_file file,
		   struct render_lines *lines);

/* Prints what control_write would change: `FILE: + LINE`. */
bool control_show(const struct config *config, enum render_file file,
		  struct render_lines *lines);

/* Is the domain in control/locals, which wins over virtualdomains? Says so,
 * with the line. */
bool control_local(const struct config *config,
		   const struct name_domain *domain);

/* Seconds that qmail keeps trying to deliver a message, qmail-send(8). */
unsigned long control_queuelifetime(const struct config *config);

#endif
