/* SPDX-License-Identifier: MIT */
/* quota_options.h: how much mail a box may have, on a command line, for handles,
 * domains and boxes alike.
 */
#ifndef POPBOX_QUOTA_OPTIONS_H
#define POPBOX_QUOTA_OPTIONS_H

#include "args.h"
#include "store/store.h"

/* The options of every `set`. */
#define QUOTA_OPTIONS                                                         \
	{"--quota", "SIZE|none", "how much mail a box may hold"},             \
	{                                                                     \
		"--messages", "N|none", "how many messages a box may hold"    \
	}

struct quota_options {
	bool set_bytes, set_messages;
	struct store_quota quota;
};

/* What the options say. Returns the exit code. */
int quota_options_read(const struct args *args,
		       struct quota_options *ret_options);

/* Is there anything to set? */
bool quota_options_any(const struct quota_options *options);

void quota_options_apply(const struct quota_options *options,
			 struct store_quota *quota);

#endif
