/* SPDX-License-Identifier: MIT */
/* cmd_sync.c: popbox sync. */
#include "base/interrupt.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/expiry.h"
#include "publish/publish.h"
#include "publish/rehearse.h"

const struct args_option cmd_sync_options[] = {
	{"--dry-run", NULL, "show pending changes; exit 1 if there are any"},
	{"--full", NULL, "compare all files, not only those with pending "
			 "changes"},
	{"--fix-locals", NULL, "take domains out of control/locals"},
	{NULL, NULL, NULL},
};

struct showing {
	const struct site *site;
	bool full;
	unsigned long steps;
};

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct showing *showing = arg;

	return rehearse(showing->site, txn,
			showing->full ? PLAN_ALL : PLAN_PENDING, &showing->steps);
}

int cmd_sync(struct site *site, const struct args *args)
{
	struct showing showing = {site, args_has(args, "--full"), 0};
	int code = site->dry_run ? site_open_read(site) : site_open_local(site);
	int ended;
	enum err err;

	if (code != CODE_DONE)
		return code;
	interrupt_says("run 'popbox sync' again, which goes on where it was");
	ended = expiry_end(site);
	/* The files of this host are written whether or not others can be asked. */
	if (ended != CODE_DONE && ended != CODE_NO && !site->copy.central)
		return ended;
	if (!site->dry_run) {
		code = publish(site, showing.full);
		return ended > code ? ended : code;
	}
	err = store_read(site->store, show_body, &showing);
	if (err != ERR_OK)
		return site_failed(site, err, "sync");
	return showing.steps ? CODE_NO : ended;
}
