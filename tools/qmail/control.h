/* SPDX-License-Identifier: MIT */
/* control.h: qmail's files on the disk. What they shall say comes from lines.h
 * and render.h; here they are found, judged, shown and replaced.
 */
#ifndef POPBOX_CONTROL_H
#define POPBOX_CONTROL_H

#include "render.h"
#include "store/config.h"

/* Would the lines go in, and the unwanted be none? Says each reason against
 * it: a file that is missing where it must not be, is no regular file, cannot
 * be read, has no end, or has a line that contradicts. Changes nothing. Returns
 * the exit code; CODE_LATER: nobody can tell now. */
int control_judge(const struct config *config, enum lines_file file,
		  struct lines *lines);

/* Two things to do with a file and lines; each says what went wrong and returns
 * false. */
typedef bool control_how(const struct config *config, enum lines_file file,
			 struct lines *lines);

/* Puts them in; a file that says it all already is not touched. */
control_how control_write;

/* Prints what control_write would change: `FILE: + LINE`. */
control_how control_show;

/* Calls found for each line that control_write would add, change or take out,
 * and for what else is wrong with the file. The word names the check. */
typedef void control_found(void *arg, const char *check, bool mends,
			   const char *what);
typedef void control_audit_how(const struct config *config,
			       enum lines_file file, struct lines *lines,
			       control_found *found, void *arg);
control_audit_how control_audit;

/* The same of these lines alone, and of nothing else in the file. */
control_audit_how control_audit_lines;

/* Do users/cdb and morercpthosts.cdb say what users/assign and morercpthosts
 * do? */
void control_audit_cdb(const struct config *config, control_found *found,
		       void *arg);

/* Splits the wanted lines as control_accept does, and calls each with both
 * files in turn. False: said. */
typedef void control_part(void *arg, enum lines_file file, struct lines *lines);
bool control_parts(const struct config *config, struct lines *lines,
		   control_part *part, void *arg);

/* Does how with rcpthosts and morercpthosts, and splits the lines between them:
 * what is in one of them stays there, what is new goes into rcpthosts up to
 * the setting rcpthosts_max. Lines are either all wanted or all unwanted. With
 * anew, for all wanted lines that there are, the setting alone decides: a line
 * that changes its place is in both files until control_accept_once, so that
 * qmail-smtpd finds it at any instant. *ret_more: morercpthosts has to do with
 * it. */
bool control_accept(control_how *how, const struct config *config,
		    struct lines *lines, bool anew, bool *ret_more);
bool control_accept_once(control_how *how, const struct config *config,
			 struct lines *lines, bool *ret_more);

/* control/locals below dir, or what stands in for a missing one: the first line
 * of control/me. 0 or an errno. */
struct replace_text;
int control_load_locals(int dir, bool *ret_missing,
			struct replace_text *ret_text);

/* Is it there? What cannot be told is left to whoever reads it. */
bool control_exists(const struct config *config, enum lines_file file);

/* Seconds that qmail keeps trying to deliver a message, qmail-send(8). */
unsigned long control_queuelifetime(const struct config *config);

#endif
