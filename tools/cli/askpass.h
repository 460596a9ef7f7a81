/* SPDX-License-Identifier: MIT */
/* askpass.h: asking on the terminal: passwords without echo.
 */
#ifndef POPBOX_ASKPASS_H
#define POPBOX_ASKPASS_H

#include <stdbool.h>
#include <stddef.h>

/* Is there somebody to ask? (stdin and stderr are a terminal.) */
bool askpass_terminal(void);

/* Asks on /dev/tty and reads one line without its newline into bytes, which
 * the caller wipes. False: no terminal, end of input, or a line that is too
 * long; errno 0 for the last two. Ctrl-C ends the program as usual, with the
 * echo back on. */
bool askpass_read(const char *prompt, char *ret_bytes, size_t room,
		  size_t *ret_len);

#endif
