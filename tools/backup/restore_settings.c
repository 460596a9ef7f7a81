/* SPDX-License-Identifier: MIT */
#include "restore_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/say.h"

int restore_settings_read(struct site *site, const char *place,
			  const char *path, const char *backup, size_t len,
			  struct restore_settings *ret_settings)
{
	struct restore_settings *s = ret_settings;
	struct config_fault fault = {0, NULL};
	int dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	*s = (struct restore_settings){.bytes = backup, .len = len};
	rc = dir < 0 ? errno : replace_read(dir, "config", &s->own);
	if (dir >= 0)
		(void)close(dir); /* read only */
	if (rc != 0 && rc != ENOENT)
		return say_error(CODE_LATER, "cannot read '%s/config': %s",
				 place, strerror(rc));
	s->theirs = rc == ENOENT;
	if (!s->theirs) {
		s->bytes = s->own.bytes;
		s->len = s->own.len;
	}
	if (s->theirs && len == 0)
		return say_error(CODE_REFUSED,
				 "'%s' has no settings in it, and there are "
				 "none in '%s' (make a store with 'popbox init' "
				 "first)",
				 path, place);
	if (config_parse(s->bytes, s->len, &site->config, &fault) != ERR_OK)
		return say_error(CODE_REFUSED, "the settings of '%s', line %u: "
					       "%s",
				 s->theirs ? path : place, fault.line,
				 fault.why);
	site_find_programs(&site->config);
	return CODE_DONE;
}

void restore_settings_free(struct restore_settings *settings)
{
	replace_free(&settings->own);
}

/* How many say other than the default; the defaults are ours. */
static unsigned show(const struct site *site, const char *path)
{
	char value[CONFIG_TEXT_MAX + 1];
	const struct config_key *key;
	unsigned shown = 0;

	for (size_t i = 0; (key = config_key(i)) != NULL; i++) {
		if (!key->leads ||
		    config_value(&site->config, key->name, value) != ERR_OK ||
		    strcmp(value, key->fallback) == 0)
			continue;
		if (site->dry_run)
			say_out("settings: %s = %s", key->name, value);
		else
			say_error(0, "setting in '%s': %s = %s", path,
				  key->name, value);
		shown++;
	}
	return shown;
}

int restore_settings_confirm(const struct site *site,
			     const struct restore_asker *asker,
			     const char *path,
			     const struct restore_settings *settings)
{
	char what[RESTORE_ASK_TEXT];

	if (!settings->theirs || show(site, path) == 0)
		return CODE_DONE;
	(void)snprintf(what, sizeof what,
		       "take these settings from '%s', which say what root "
		       "runs, where it writes, and which user has the mail "
		       "('popbox init' first makes a store with settings of "
		       "your own)",
		       path); /* cut is enough */
	return asker->ask(asker, site, RESTORE_SETTINGS, what);
}

int restore_settings_write(const struct restore_settings *settings, int dir,
			   const char *name)
{
	const struct replace_text like = {.mode = 0644, .uid = (uid_t)-1};
	int rc = replace_file(dir, "config", "config.popbox-tmp", &like,
			      settings->bytes, settings->len);

	return rc == 0 ? CODE_DONE
		       : say_error(CODE_LATER, "cannot write '%s/config': %s",
				   name, strerror(rc));
}

bool restore_settings_same(const struct config *a, const struct config *b)
{
	return a->uid == b->uid && a->gid == b->gid &&
	       strcmp(a->home, b->home) == 0 &&
	       strcmp(a->serialmail, b->serialmail) == 0;
}
