/* SPDX-License-Identifier: MIT */
/* .qmail files: every line is the Maildir, a forward or the bounce; a file of
 * mode 0744, in which qmail-local runs nothing, has forwards alone; off is one
 * line, hold begins with a blank one. */
#include "fuzz.h"

#include "qmail/dotqmail.h"

static const enum store_delivery switches[] = {STORE_DELIVER, STORE_BOUNCE,
					       STORE_HOLD, STORE_DELIVER};

static void line_holds(const char *line, mode_t mode)
{
	static const char box[] = "/home/popmail/e/ex1/POP/ex1-0007/\n";
	static const char bounce[] = "|/var/qmail/bin/bouncesaying '";
	struct maildirsize limit;
	char whole[256];

	if (line[0] == '&')
		HOLDS(strchr(line, '@') && line[1] != '\n');
	else if (line[0] == '/')
		HOLDS(mode == 0644 && strncmp(line, box, strlen(box)) == 0);
	else if (strncmp(line, "|/popbox-quota ", 15) == 0)
		HOLDS(snprintf(whole, sizeof whole, "%.*s",
			       (int)strcspn(line, "\n"), line) < 256 &&
		      dotqmail_is_quota(whole, &limit));
	else if (strncmp(line, "|/popbox-vacation ", 18) == 0)
		HOLDS(snprintf(whole, sizeof whole, "%.*s",
			       (int)strcspn(line, "\n"), line) < 256 &&
		      dotqmail_is_vacation(whole) && mode == 0644 &&
		      strcmp(whole + strlen(whole) - 10, " || exit 0") == 0);
	else
		HOLDS(mode == 0644 &&
		      strncmp(line, bounce, strlen(bounce)) == 0);
}

/* Valid addresses, as the tool and the store take them. */
static void put_forwards(struct store_address *address, const uint8_t *data,
			 size_t size)
{
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;
		struct name_address name;
		char text[NAME_ADDRESS_TEXT];
		size_t room = sizeof address->forwards - address->forwards_len;

		if (!name_address_read((const char *)data, len, &name)) {
			name_address_text(&name, text);
			if (strlen(text) < room) {
				memcpy(address->forwards +
					       address->forwards_len,
				       text, strlen(text) + 1);
				address->forwards_len += strlen(text) + 1;
			}
		}
		len += end != NULL;
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static struct store_address address;
	struct config_fault fault;
	uint8_t how = fuzz_byte(&data, &size);
	const enum store_delivery all = switches[how & 3],
				  box = switches[how >> 2 & 3];
	const struct store_quota quota = {how & 32 ? 500 : 0,
					  how & 64 ? STORE_UNLIMITED : 0};
	char *text;
	size_t len;
	mode_t mode;

	if (!config.home[0])
		HOLDS(config_parse("", 0, &config, &fault) == ERR_OK);
	memcpy(config.quota_path, "/popbox-quota", sizeof "/popbox-quota");
	memcpy(config.vacation_path, "/popbox-vacation",
	       sizeof "/popbox-vacation");
	address = (struct store_address){
		.name = {{"joe"}, {"example.com"}},
		.has_box = how & 16,
		.box = {{"ex1"}, 7},
	};
	put_forwards(&address, data, size);
	if (!dotqmail_address(&config, &address, all, box, &quota, how & 128,
			      &text, &len, &mode)) {
		HOLDS(!address.has_box && !address.forwards_len);
		return 0;
	}
	HOLDS(len && text[len - 1] == '\n' && strlen(text) == len);
	HOLDS(all != STORE_BOUNCE || (text[0] == '|' &&
				      strchr(text, '\n') == text + len - 1));
	HOLDS(all != STORE_HOLD || text[0] == '\n' || text[0] == '|');
	HOLDS(mode == 0644 || mode == 0744);
	HOLDS(mode == 0744 || strchr(text, '/') || strchr(text, '|'));
	for (char *line = text + (text[0] == '\n'); *line;
	     line = strchr(line, '\n') + 1)
		line_holds(line, mode);
	free(text);
	return 0;
}
