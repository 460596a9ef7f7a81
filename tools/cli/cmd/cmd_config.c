/* SPDX-License-Identifier: MIT */
/* cmd_config.c: popbox config list, get, set. */
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/relocate.h"
#include "cli/setting.h"

const struct args_option cmd_config_set_options[] = {
	CONFIRM_OPTION,
	{NULL, NULL, NULL},
};

static void list_one(const struct site *site, const struct config_key *key)
{
	char value[CONFIG_TEXT_MAX + 1] = "";

	if (config_value(&site->config, key->name, value) != ERR_OK)
		return; /* every key of the list has a value */
	if (site->json) {
		json_print(json_pack("{s:s, s:s, s:s, s:s}", "key", key->name,
				     "value", value, "default", key->fallback,
				     "meaning", key->meaning));
		return;
	}
	if (site->verbose)
		say_out("# %s [%s]", key->meaning, key->fallback);
	say_out("%s = %s", key->name, value);
}

int cmd_config_list(struct site *site, const struct args *args)
{
	const struct config_key *key;
	int code = site_config(site);

	(void)args;
	if (code != CODE_DONE)
		return code;
	for (size_t i = 0; (key = config_key(i)) != NULL; i++)
		list_one(site, key);
	return CODE_DONE;
}

static int no_such(const char *name)
{
	const struct config_key *key, *best = NULL;
	unsigned nearest = 3;

	for (size_t i = 0; (key = config_key(i)) != NULL; i++) {
		unsigned distance = args_distance(name, key->name);

		if (distance < nearest && distance < strlen(key->name)) {
			nearest = distance;
			best = key;
		}
	}
	if (best)
		return say_error(CODE_REFUSED,
				 "no setting '%s': did you mean '%s'?", name,
				 best->name);
	return say_error(CODE_REFUSED,
			 "no setting '%s' ('popbox config list -v' shows all)",
			 name);
}

int cmd_config_get(struct site *site, const struct args *args)
{
	char value[CONFIG_TEXT_MAX + 1];
	int code = site_config(site);

	if (code != CODE_DONE)
		return code;
	if (config_value(&site->config, args->operand[0], value) != ERR_OK)
		return no_such(args->operand[0]);
	say_out("%s", value);
	return CODE_DONE;
}

int cmd_config_set(struct site *site, const struct args *args)
{
	const char *key = args->operand[0], *value = args->operand[1];
	const char *why;
	int code = site_config(site);

	if (code != CODE_DONE)
		return code;
	why = config_judge(key, value);
	if (why && config_value(&site->config, key, (char[CONFIG_TEXT_MAX + 1]){
							    0}) != ERR_OK)
		return no_such(key);
	if (why)
		return say_error(CODE_REFUSED, "%s '%s': %s%s", key, value, why,
				 config_wants(key));
	code = relocate_confirm(site, args, key, value);
	if (code != CODE_DONE)
		return code;
	return setting_save(site, key, value);
}
