/* SPDX-License-Identifier: MIT */
#include "setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/say.h"
#include "store/hash/pwhash.h"
#include "store/store_whole.h"

/* Is this line the one that sets the key? */
static bool sets(const char *line, size_t len, const char *key)
{
	size_t name = strlen(key);

	if (len <= name || memcmp(line, key, name) != 0)
		return false;
	while (name < len && (line[name] == ' ' || line[name] == '\t'))
		name++;
	return name < len && line[name] == '=';
}

/* The text with the key's line replaced, or one more at the end; malloc'ed. */
static char *edit(const struct replace_text *text, const char *key,
		  const char *value, size_t *ret_len)
{
	size_t room = text->len + strlen(key) + strlen(value) + 8, out = 0;
	char *new = malloc(room);
	const char *at = text->bytes;
	bool done = false;

	while (new && (*at || !done)) {
		size_t len = strcspn(at, "\n"), copy = len + (at[len] != 0);

		if (!done && (!*at || sets(at, len, key))) {
			if (out && new[out - 1] != '\n')
				new[out++] = '\n';
			out += (size_t)snprintf(new + out, room - out,
						"%s = %s\n", key, value);
			done = true;
		} else {
			memcpy(new + out, at, copy);
			out += copy;
		}
		at += copy;
	}
	*ret_len = out;
	return new;
}

/* What stands there is checked whole before it takes the old one's place. */
static int save(const struct site *site, int dir,
		const struct replace_text *text, const char *key,
		const char *value)
{
	struct config_fault fault;
	struct config scratch;
	size_t len = 0;
	char *new = edit(text, key, value, &len);
	int code = CODE_DONE, rc;

	if (!new)
		return say_error(CODE_LATER, "no memory");
	if (config_parse(new, len, &scratch, &fault) != ERR_OK) {
		code = say_error(CODE_REFUSED, "%s/config:%u: %s", site->dir,
				 fault.line, fault.why);
	} else if (strncmp(key, "argon2_", 7) == 0 &&
		   !pwhash_affordable((struct pwhash_cost){
			   scratch.argon2_kib, scratch.argon2_passes})) {
		code = say_error(CODE_REFUSED,
				 "%s '%s': argon2_kib times argon2_passes is at "
				 "most %u, or no login would compute the hash "
				 "(lower the other one first)",
				 key, value, (unsigned)PWHASH_ARGON2_WORK_MAX);
	} else {
		rc = replace_file(dir, "config", "config.popbox-tmp", text, new,
				  len);
		if (rc != 0)
			code = say_error(CODE_LATER,
					 "cannot write '%s/config': %s",
					 site->dir, strerror(rc));
	}
	free(new);
	return code;
}

int setting_save(const struct site *site, const char *key, const char *value)
{
	struct replace_text text;
	int dir, rc, code;
	/* A restore that is at work takes the settings along under this lock. */
	enum err err = store_gate(site->dir, &dir);

	if (err != ERR_OK)
		return site_failed(site, err, key);
	rc = replace_read(dir, "config", &text);
	if (rc != 0) {
		code = say_error(CODE_LATER, "cannot read '%s/config': %s",
				 site->dir, strerror(rc));
	} else {
		code = save(site, dir, &text, key, value);
		replace_free(&text);
	}
	(void)close(dir); /* gives the lock up */
	return code;
}
