/* SPDX-License-Identifier: MIT */
/* help.h: finding commands in the table, and telling about them.
 */
#ifndef POPBOX_HELP_H
#define POPBOX_HELP_H

#include "commands.h"

/* NULL: there is no such command. verb may be NULL. */
const struct command *help_find(const char *noun, const char *verb);
bool help_is_noun(const char *word);

void help_usage(const struct command *command);
void help_command(const struct command *command);
/* Every noun, on one screen of 24 lines and 80 columns. */
void help_overview(void);
/* All commands, or those of one noun. */
void help_list(const char *noun);

/* "no such", with the nearest word of the table; returns the exit code. */
int help_no_such(const char *noun, const char *verb);

#endif
