/* SPDX-License-Identifier: MIT */
/* cmd_upgrade.c: popbox upgrade. */
#include <stdio.h>
#include <sys/stat.h>

#include "backup/backup.h"
#include "base/say.h"
#include "cli/commands.h"
#include "store/store_whole.h"

/* A run that was killed may have left its backup: the store may be another by
 * now. */
static bool free_name(const struct site *site, uint64_t format,
		      char ret_path[PATH_MAX])
{
	struct stat st;
	int len, rc = 0;

	for (unsigned i = 1; rc == 0; i++) {
		char more[16] = "";

		if (i > 1)
			(void)snprintf(more, sizeof more, ".%u", i);
		len = snprintf(ret_path, PATH_MAX, "%s.format-%llu.backup%s",
			       site->dir, (unsigned long long)format, more);
		if (len < 0 || len >= PATH_MAX)
			return false;
		rc = lstat(ret_path, &st);
	}
	return true;
}

static int upgrade(struct site *site, uint64_t format)
{
	char path[PATH_MAX];
	enum err err;
	int code;

	if (!free_name(site, format, path))
		return say_error(CODE_LATER, "'%s' is too long", site->dir);
	code = backup_store(site, path);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code != CODE_DONE)
		return code;
	err = store_upgrade(site->store, store_steps, STORE_FORMAT, &format);
	if (err == ERR_OK)
		say_note("the store is of format %llu now; as it was, it is in "
			 "'%s'",
			 (unsigned long long)format, path);
	return site_failed(site, err, "upgrade");
}

int cmd_upgrade(struct site *site, const struct args *args)
{
	uint64_t format = 0;
	enum err err;
	int code = site_open_read(site);

	(void)args; /* it has none */
	if (code != CODE_DONE)
		return code;
	err = store_format(site->store, &format);
	store_close(&site->store);
	if (err != ERR_OK)
		return site_failed(site, err, "upgrade");
	if (format > STORE_FORMAT)
		return say_error(CODE_LATER,
				 "the store in '%s' is of format %llu, which is "
				 "newer than this popbox (%d): nothing was "
				 "changed (use the newer popbox)",
				 site->dir, (unsigned long long)format,
				 STORE_FORMAT);
	if (format < STORE_FORMAT)
		return upgrade(site, format);
	say_note("the store is of format %d, which is today's: nothing to do",
		 STORE_FORMAT);
	return CODE_DONE;
}
