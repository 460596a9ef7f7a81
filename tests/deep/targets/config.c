/* SPDX-License-Identifier: MIT */
/* Settings: a file that is taken, written out by its values, says the same;
 * each value is printable, judged good, and its key stood there once. */
#include "fuzz.h"

#include "store/config.h"

static void holds(const struct config *config)
{
	static char text[CONFIG_SIZE_MAX];
	char value[CONFIG_TEXT_MAX + 1];
	const struct config_key *key;
	struct config_fault fault;
	struct config again;
	size_t len = 0;

	for (size_t i = 0; (key = config_key(i)); i++) {
		HOLDS(config_value(config, key->name, value) == ERR_OK);
		HOLDS(strlen(value) <= CONFIG_TEXT_MAX);
		for (const char *c = value; *c; c++)
			HOLDS(*c >= ' ' && *c < 0x7f);
		HOLDS(!config_judge(key->name, value));
		len += (size_t)snprintf(text + len, sizeof text - len,
					"%s = %s\n", key->name, value);
	}
	HOLDS(config_parse(text, len, &again, &fault) == ERR_OK);
	for (size_t i = 0; (key = config_key(i)); i++) {
		char was[CONFIG_TEXT_MAX + 1];

		HOLDS(config_value(config, key->name, was) == ERR_OK &&
		      config_value(&again, key->name, value) == ERR_OK);
		HOLDS(strcmp(was, value) == 0);
	}
	HOLDS(config->uid != 0 && config->gid != 0);
	HOLDS(config->home[0] == '/' && !strstr(config->home, "/."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1);
	struct config_fault fault = {0};
	struct config config;
	size_t lines = 1;

	if (size)
		memcpy(bytes, data, size);
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (config_parse(bytes, size, &config, &fault) == ERR_OK)
		holds(&config);
	else
		HOLDS(fault.why && fault.line <= lines);
	free(bytes);
	return 0;
}
