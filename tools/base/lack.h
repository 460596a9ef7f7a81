/* lack.h: errors that say nothing of what was looked at.
 */
#ifndef POPBOX_LACK_H
#define POPBOX_LACK_H

#include <errno.h>
#include <stdbool.h>

/* Have we too little memory, or too few descriptors? Another look would tell. */
static inline bool lack_of_ours(int rc)
{
	return rc == ENOMEM || rc == EMFILE || rc == ENFILE;
}

#endif
