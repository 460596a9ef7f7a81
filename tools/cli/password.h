/* SPDX-License-Identifier: MIT */
/* password.h: where a password comes from on a command line, and whether it
 * may be set. It never is an argument: ps and the shell's history show those.
 */
#ifndef POPBOX_PASSWORD_H
#define POPBOX_PASSWORD_H

#include "accounts/site.h"
#include "args.h"
#include "store/hash/pwhash.h"

/* The options of every command that sets a password. */
#define PASSWORD_OPTIONS                                                      \
	PASSWORD_SOURCES,                                                     \
		{"--generate", "[LEN]",                                       \
		 "make a password, print it once [20 characters]"},           \
		{"--hash-stdin", NULL, "take a hash from standard input"},    \
		{"--legacy-ok", NULL, "take a hash of DES"},                  \
		{"--no-password", NULL, "none: cannot log in yet"},           \
	{                                                                     \
		"--force", NULL, "take a weak password"                       \
	}

/* Where one can be read from. */
#define PASSWORD_SOURCES                                                      \
	{"--stdin", NULL, "read the password from standard input"},           \
		{"--fd", "N", "read the password from descriptor N"},         \
	{                                                                     \
		"--file", "F", "read the password from the first line of F"   \
	}

/* Wipe it with password_wipe. */
struct password {
	char bytes[PWHASH_PASSWORD_MAX + 1];
	size_t len;
	char hash[PWHASH_MAX + 1]; /* "" = no password */
	bool generated;
	bool forced;
};

/* Reads the password itself: from an option's source, or asked for on the
 * terminal (twice, if new). Says what is wrong; returns the exit code. */
int password_read(const struct site *site, const struct args *args, bool new,
		  struct password *password);

/* The whole way to a new hash: read or generate, judge, compute. The words are
 * what it must not contain: local part, domain, handle; "" for none. */
int password_new(struct site *site, const struct args *args,
		 const char *local, const char *domain, const char *handle,
		 struct password *password);

/* The length that --generate asks for; "" is the usual one. Says what is wrong;
 * returns the exit code. */
int password_length(const char *text, size_t *ret_len);


void password_wipe(struct password *password);

#endif
