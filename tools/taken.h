/* taken.h: numbers of boxes that have a directory below the mail root, whether or
 * not the store remembers them: what a backup does not know was given after it.
 * Given again, a customer would find somebody else's mail.
 */
#ifndef POPBOX_TAKEN_H
#define POPBOX_TAKEN_H

#include "site.h"

/* Lets the counters of the handles pass them; a handle that the store does not
 * know is made and deleted again, so that it goes on counting if it comes back.
 * The store and the helper are open. Says what is wrong; returns the exit code. */
int taken_pass(struct site *site);

#endif
