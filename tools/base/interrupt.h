/* SPDX-License-Identifier: MIT */
/* interrupt.h: what ends the tool in the middle of its work. After Ctrl-C, or
 * SIGTERM, it ends as it would have, but first says what was done and what is
 * left to do; after a fault likewise, with CODE_LATER.
 *
 * Nothing needs it to be safe: before the commit there is no change, after it
 * 'popbox sync' finishes. It only tells which of the two it was, and rightly:
 * the signals wait while a commit is written.
 */
#ifndef POPBOX_INTERRUPT_H
#define POPBOX_INTERRUPT_H

/* What holds between a commit and the end of publishing. */
#define INTERRUPT_OWED \
	"the store is changed, qmail's files are not: run 'popbox sync'"

/* A damaged page faults inside LMDB, or LMDB aborts: from here on that is told.
 * In children that are forked later such signals do what they always did. */
void interrupt_faults(void);

/* From here on an interruption says that nothing was changed. After the helper
 * was started, which has its own mind about signals; a signal that was ignored
 * stays so. Called again it does nothing. */
void interrupt_start(void);

/* ... that what; a text that is never freed. Returns what it said before. */
const char *interrupt_says(const char *what);

/* Signals wait from the one to the other. */
void interrupt_hold(void);
void interrupt_release(void);

#endif
