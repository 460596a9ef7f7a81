/* SPDX-License-Identifier: MIT */
/* fault.h: what a damaged page of the store does to a process. LMDB faults where
 * it reads one, and aborts where it notices (as db.c does); what that means is
 * for each main to say.
 */
#ifndef POPBOX_FAULT_H
#define POPBOX_FAULT_H

/* From here on such signals, signal(7): SIGSEGV, SIGBUS, SIGABRT, SIGFPE, call
 * handler, and are blocked no more; built with gcc's address sanitizer SIGABRT
 * alone. It may not return but to end in the same way. On the stack that
 * faulted: one that is full ends the process without a word. */
void fault_catch(void (*handler)(int number));

#endif
