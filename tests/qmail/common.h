/* SPDX-License-Identifier: MIT */
/* common.h: what the stand-ins for qmail's programs share: where qmail is, its
 * control files, and a way to end.
 */
#ifndef STANDIN_COMMON_H
#define STANDIN_COMMON_H

#include <stdbool.h>
#include <stddef.h>

/* The parent of the directory in which this program lies. Never NULL. */
const char *common_home(void);

/* home/name, for open(); static, good until the next call. */
const char *common_path(const char *name);

/* Says `program: fatal: text` and ends with code. */
_Noreturn void common_die(int code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A whole file below home, with a NUL behind it; NULL: there is none. */
char *common_read(const char *name, size_t *ret_len);

/* Cuts the next line off *rest, without its newline, blanks at its end taken
 * away as control_readfile does; NULL: there is none. Comments and blank
 * lines are passed over. */
char *common_control_line(char **rest);

/* Lower-cases in place, ASCII. */
void common_lower(char *text);

#endif
