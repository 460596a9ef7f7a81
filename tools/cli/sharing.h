/* SPDX-License-Identifier: MIT */
/* sharing.h: what commands about the central database have in common.
 */
#ifndef POPBOX_SHARING_H
#define POPBOX_SHARING_H

#include "accounts/site.h"

/* Settings, popbox-central and the store of a host that has a central database. Says
 * what is wrong; returns the exit code. */
int sharing_open(struct site *site);

struct sharing_pending {
	uint64_t count; /* of objects that have pending work */
	bool fresh;	/* one of them was not tried */
	bool awaits;	/* another host is to make something first */
};
MUST_USE enum err sharing_pending(struct site *site,
				  struct sharing_pending *ret_pending);

/* The settings that hosts tell each other, a line each. */
void sharing_settings(const struct config *config, char ret_text[FRAMES_TEXT]);

/* In such a text: does the host await Maildirs that another one makes? */
bool sharing_awaits(const char *text);

/* Those that all hosts must have alike, and that differ between two texts; those of
 * the mail root only where they share one. How many. */
typedef void sharing_sink(void *arg, const char *name, const char *here,
			  const char *there);
size_t sharing_differences(const char *here, const char *there,
			   sharing_sink *sink, void *arg);

#endif
