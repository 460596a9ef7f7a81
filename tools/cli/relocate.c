/* SPDX-License-Identifier: MIT */
#include "relocate.h"

#include <string.h>

#include "base/say.h"
#include "confirm.h"

static const char *const keys[] = {"home", "serialmail", "qmail", "uid",
				   "gid"};

static bool is_place(const char *key)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcmp(keys[i], key) == 0)
			return true;
	}
	return false;
}

/* Is there anything, retained or not, that has files? */
static enum err look_body(struct store_txn *txn, void *arg)
{
	bool *any = arg;
	struct store_parked parked;
	struct store_domain domain;
	struct store_box box;
	enum err err = store_box_next(txn, NULL, &box);

	if (err == ERR_NOTFOUND)
		err = store_domain_next(txn, NULL, &domain);
	if (err == ERR_NOTFOUND)
		err = store_parked_box_next(txn, NULL, &box, &parked);
	if (err == ERR_NOTFOUND)
		err = store_parked_domain_next(txn, NULL, &domain, &parked);
	*any = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* What to do by hand, and in which order. */
static void say_how(const struct site *site, const char *key, const char *was,
		    const char *value)
{
	const struct config *config = &site->config;

	if (strcmp(key, "home") == 0)
		say_note("boxes and .qmail files stay in '%s': stop qmail-send "
			 "and the POP server, 'mv -T %s %s', then set this",
			 was, was, value);
	else if (strcmp(key, "serialmail") == 0)
		say_note("mail that waits for dial-up domains stays in '%s': "
			 "stop qmail-send, 'mv -T %s %s', then set this",
			 was, was, value);
	else if (strcmp(key, "qmail") == 0)
		say_note("the lines of popbox stay in '%s/control' and "
			 "'%s/users/assign': take them out there if that qmail "
			 "goes on",
			 was, was);
	else
		say_note("files stay those of %s %s: stop qmail-send and the "
			 "POP server, 'chown -Rh --from=%s%s %s%s %s %s', then "
			 "set this",
			 key, was, *key == 'g' ? ":" : "", was,
			 *key == 'g' ? ":" : "", value, config->home,
			 config->serialmail);
	say_note("after it, 'popbox sync --full' writes qmail's files anew, "
		 "and 'popbox check' says what is missing");
}

int relocate_confirm(struct site *site, const struct args *args,
		     const char *key, const char *value)
{
	char was[CONFIG_TEXT_MAX + 1];
	bool any = false;
	int code;

	if (!is_place(key) ||
	    config_value(&site->config, key, was) != ERR_OK ||
	    strcmp(was, value) == 0 || strcmp(was, "none") == 0)
		return CODE_DONE;
	code = site_open_read(site);
	if (code == CODE_DONE)
		code = site_failed(site,
				   store_read(site->store, look_body, &any),
				   "the store");
	store_close(&site->store);
	if (code != CODE_DONE || !any)
		return code;
	say_how(site, key, was, value);
	return confirm(site, args, "change '%s' from '%s' to '%s'", key, was,
		       value);
}
