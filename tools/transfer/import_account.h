/* SPDX-License-Identifier: MIT */
/* import_account.h: one account as a file of somebody's says it, before anybody has
 * looked into the store. Pure.
 *
 * What the file does not say is not set, and will not be changed in an account
 * that is there. The import_account_* calls take a text of the file; they return
 * NULL, or why it cannot be taken, static.
 */
#ifndef POPBOX_IMPORT_ACCOUNT_H
#define POPBOX_IMPORT_ACCOUNT_H

#include <limits.h>

#include "store/hash/pwhash.h"
#include "store/store.h"

enum import_account_secret {
	IMPORT_ACCOUNT_SILENT,	 /* the file says nothing */
	IMPORT_ACCOUNT_PASSWORD, /* in clear */
	IMPORT_ACCOUNT_HASH,
	IMPORT_ACCOUNT_LOCKED, /* none: cannot log in */
	IMPORT_ACCOUNT_KEEP,   /* what is there; a new account has none yet */
};

/* Of an account that two tables tell of: which of the two this is. */
enum import_account_part {
	IMPORT_ACCOUNT_WHOLE,
	IMPORT_ACCOUNT_BOX = 1 << 0,
	IMPORT_ACCOUNT_FORWARDS = 1 << 1,
};

enum { IMPORT_ACCOUNT_NOTE = 512 };

/* Wipe it with import_account_wipe. */
struct import_account {
	unsigned long line; /* from 1 */
	unsigned part;	    /* enum import_account_part, of both: both */
	bool itself;	    /* among its forwards: its box gets mail, too */
	bool has_address;
	struct name_address address;
	char utf8[NAME_DOMAIN_MAX + 1]; /* the domain's other form, or "" */
	bool has_handle;
	struct name_handle handle; /* whose the domain is */
	bool has_box;
	struct name_box box;
	enum import_account_secret secret;
	char password[PWHASH_PASSWORD_MAX + 1];
	size_t password_len;
	char hash[PWHASH_MAX + 1];
	const char *unusable; /* why the hash it has cannot be used; static */
	bool has_title;
	char title[STORE_TITLE_MAX + 1];
	bool has_quota;
	uint64_t quota;
	bool has_messages;
	uint64_t messages; /* at most so many; 0: no limit of its own */
	bool has_login, login;
	bool has_services; /* then login is on */
	unsigned services_off;
	bool has_delivery;
	enum store_delivery delivery;
	bool has_reason;
	char reason[STORE_REASON_MAX + 1];
	bool has_expires; /* said as such */
	int64_t expires; /* seconds since 1970; 0 = never */
	bool expires_mail; /* then its mail bounces, too */
	char bad[64]; /* what was refused, unless it is a secret; "" */
	char note
		[IMPORT_ACCOUNT_NOTE]; /* parts of the row that are not taken */
	bool has_vacation;
	int64_t vacation_from, vacation_until; /* 0: not said */
	bool has_forwards;
	size_t forwards_len;
	/* The last three are no secrets, large and mostly empty: import_account_wipe
	 * empties them without clearing what they held. */
	char maildir[PATH_MAX]; /* where its old mail lies; "" = not said */
	char vacation[STORE_VACATION_MAX + 1]; /* what answers mail; "" = none */
	char forwards[STORE_FORWARDS_MAX]; /* each NUL-ended */
};

/* What is left says nothing of an account: it may be filled anew. */
void import_account_wipe(struct import_account *account);

/* user@domain, the domain in ASCII or UTF-8; *@domain is the catch-all. */
const char *import_account_address(struct import_account *account,
				   const char *text);
/* A local part in a domain. */
const char *import_account_local(struct import_account *account,
				 const char *local, const char *domain);
const char *import_account_handle(struct import_account *account,
				  const char *text);
const char *import_account_box(struct import_account *account,
			       const char *text);
/* Refused: what looks like a hash. */
const char *import_account_password(struct import_account *account,
				    const char *text);
/* As crypt(5), PHC or Dovecot write it. "*": there is none. What begins with '!'
 * or '*' is locked: login off, with the hash behind it if that is a good one. A
 * {PLAIN} one is a password. Of a good form, but of a scheme or cost that no
 * login computes: taken, with account->unusable. */
const char *import_account_hash(struct import_account *account,
				const char *text);
const char *import_account_title(struct import_account *account,
				 const char *text);
const char *import_account_reason(struct import_account *account,
				  const char *text);
/* As bytesize.h reads them; unit multiplies a bare number. */
const char *import_account_quota(struct import_account *account,
				 const char *text, uint64_t unit);
/* How many at most; 0, none, unlimited, -1 or "": no limit. */
const char *import_account_messages(struct import_account *account,
				    const char *text);
/* What answers mail, and its times; none: nothing does. */
const char *import_account_vacation(struct import_account *account,
				    const char *text);
const char *import_account_vacation_from(struct import_account *account,
					 const char *text);
const char *import_account_vacation_until(struct import_account *account,
					  const char *text);
const char *import_account_login(struct import_account *account,
				 const char *text);
const char *import_account_delivery(struct import_account *account,
				    const char *text);
/* Absolute, or below a place that the import is told; never upwards. */
const char *import_account_maildir(struct import_account *account,
				   const char *text);
/* One address more. */
const char *import_account_forward(struct import_account *account,
				   const char *text);

/* Returns why, and keeps the text that it is about, for the message. */
const char *import_account_blame(struct import_account *account,
				 const char *text, const char *why);

/* A date, a date and time, or never. */
const char *import_account_end(struct import_account *account,
			       const char *text);

/* Its owner may log in, but by none of these; by all of them: not at all. */
void import_account_services(struct import_account *account, unsigned off);
/* The account exists, but its owner may not log in. */
void import_account_no_login(struct import_account *account);
/* Its mail is returned to the sender. */
void import_account_no_mail(struct import_account *account);
/* An expiry date that has passed suspends the account; but one that was said as
 * such, and a later one of which nothing hangs but logins, is that of its box. */
void import_account_expire(struct import_account *account, int64_t now);
/* Adds to the note: a part of the row that popbox does not take. */
void import_account_note(struct import_account *account, const char *format,
			 ...) __attribute__((format(printf, 2, 3)));

#endif
