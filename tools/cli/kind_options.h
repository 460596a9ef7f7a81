/* SPDX-License-Identifier: MIT */
/* kind_options.h: of which kind a domain shall be, on a command line, and what
 * goes with it: the host that gets its mail, and whether hosts below it are meant.
 */
#ifndef POPBOX_KIND_OPTIONS_H
#define POPBOX_KIND_OPTIONS_H

#include "args.h"
#include "store/store.h"

#define KIND_OPTIONS                                                          \
	{"--kind", "KIND",                                                    \
	 "pop: boxes here; relay: to --host; backup: to the better MX; "      \
	 "dialup: kept for --host"},                                          \
		{"--host", "HOST[:PORT]", "where mail for a relay or dialup goes"}, \
		{"--subdomains", NULL, "also for hosts below it [all but dialup]"}, \
	{                                                                     \
		"--no-subdomains", NULL, "not for hosts below it"             \
	}

/* Puts into *domain what the options say; without an option what is in it
 * stays, but that fresh, or of a new kind, it gets that kind's usual. Says what
 * is wrong; returns the exit code. */
int kind_options_read(const struct args *args, bool fresh,
		      struct store_domain *domain);

/* Is any of them given? */
bool kind_options_any(const struct args *args);

#endif
