/* SPDX-License-Identifier: MIT */
/* fmt_out.h: one account as a line of a file for another program, or for
 * ourselves. Pure.
 */
#ifndef POPBOX_FMT_OUT_H
#define POPBOX_FMT_OUT_H

#include "base/text.h"
#include "store/config.h"
#include "store/login.h"
#include "store/store.h"

/* What is known of it. An address without a box has no account, a box without
 * an address no address and no domain. */
struct fmt_out {
	const struct config *config;
	const struct store_domain *domain;
	const struct store_address *address;
	const struct store_account *account;
	const char *alias; /* write this domain's name instead, or NULL */
	const char *off;   /* why this name may not log in (login.h), or NULL */
	struct login_terms terms; /* until when it may, and by what not */
	bool bounce;	   /* with the switches of domain and handles */
	bool spreadsheet;  /* csv: guard cells that would be formulas */
};

extern const char fmt_out_no_memory[]; /* no fault of the account's */

/* Appends a line. NULL, or why the account cannot be carried; then nothing is
 * appended. */
typedef const char *fmt_out(struct text *out, const struct fmt_out *row);

/* address,box,hash,name,quota,handle,forward,login,delivery,reason,expires,messages,
 * vacation,vacation_from,vacation_until; login is on, off, or as smtp=off,imap=off. */
fmt_out fmt_out_csv;
extern const char fmt_out_csv_header[];

/* A passwd-file of Dovecot's, 2.3 and 2.4: user:{SCHEME}hash:uid:gid::home::extra.
 * Who may not log in has a password that nothing fits; services that are off are
 * in allow_nets, with a condition as 2.3 has them. */
fmt_out fmt_out_dovecot;

/* vpasswd: user:hash:1:flags:gecos:dir:quota. */
fmt_out fmt_out_vpopmail;

#endif
