/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stdio.h>
#include <string.h>

const char *word_kind(enum store_kind kind)
{
	switch (kind) {
	case STORE_POP:
		return "pop";
	case STORE_ALIAS:
		return "alias";
	case STORE_RELAY:
		return "relay";
	case STORE_BACKUP:
		return "backup";
	case STORE_DIALUP:
		return "dialup";
	}
	return "?";
}

const char *word_delivery(enum store_delivery delivery)
{
	switch (delivery) {
	case STORE_DELIVER:
		return "on";
	case STORE_BOUNCE:
		return "off";
	case STORE_HOLD:
		return "hold";
	}
	return "?";
}

const char *word_op(enum store_op op)
{
	switch (op) {
	case STORE_ADD:
		return "add";
	case STORE_SET:
		return "set";
	case STORE_PASSWORD:
		return "password";
	case STORE_OWED:
		return "owed";
	case STORE_DEL:
		return "del";
	case STORE_PURGE:
		return "purge";
	}
	return "?";
}

const char *word_table(enum store_table table)
{
	switch (table) {
	case STORE_HANDLES:
		return "handle";
	case STORE_DOMAINS:
		return "domain";
	case STORE_BOXES:
		return "box";
	case STORE_ADDRESSES:
		return "address";
	}
	return "?";
}

const char *word_service(size_t number, enum store_service *ret_service)
{
	static const char *const words[] = {"pop", "smtp", "imap", "webmail"};

	_Static_assert(STORE_SERVICES == (1 << sizeof words / sizeof *words) - 1,
		       "each has a word");
	if (number >= sizeof words / sizeof *words)
		return NULL;
	*ret_service = (enum store_service)(1 << number);
	return words[number];
}

/* Each of them with what is put behind it. */
static const char *join(unsigned services, const char *behind, char *text,
			size_t room)
{
	enum store_service service;
	const char *word;
	size_t len = 0;

	text[0] = 0;
	for (size_t i = 0; (word = word_service(i, &service)) != NULL; i++) {
		if (services & service) /* all of them fit */
			len += (size_t)snprintf(text + len, room - len,
						"%s%s%s", len ? "," : "", word,
						behind);
	}
	return text;
}

const char *word_services(unsigned services, char ret_text[WORD_SERVICES])
{
	return join(services, "", ret_text, WORD_SERVICES);
}

static unsigned find_service(const char *text, size_t len)
{
	enum store_service service;
	const char *word;

	for (size_t i = 0; (word = word_service(i, &service)) != NULL; i++) {
		if (strlen(word) == len && memcmp(text, word, len) == 0)
			return service;
	}
	return 0;
}

bool word_services_list(const char *text, unsigned *ret_services)
{
	unsigned services = 0;

	for (;; text++) {
		const size_t len = strcspn(text, ",");
		const unsigned service = find_service(text, len);

		if (!service)
			return false;
		services |= service;
		text += len;
		if (!*text)
			break;
	}
	*ret_services = services;
	return true;
}

const char *word_switches(unsigned off, char ret_text[WORD_SWITCHES])
{
	return join(off, "=off", ret_text, WORD_SWITCHES);
}

/* One of the list, up to its comma. */
static bool read_switch(const char *text, size_t len, unsigned *said,
			unsigned *off)
{
	enum store_service service;
	const char *word;

	for (size_t i = 0; (word = word_service(i, &service)) != NULL; i++) {
		const size_t head = strlen(word);

		if (len < head + 3 || memcmp(text, word, head) != 0 ||
		    text[head] != '=')
			continue;
		*said |= service;
		*off &= ~(unsigned)service;
		if (len == head + 4 && memcmp(text + head + 1, "off", 3) == 0)
			*off |= service;
		else if (len != head + 3 ||
			 memcmp(text + head + 1, "on", 2) != 0)
			return false;
		return true;
	}
	return false;
}

bool word_services_read(const char *text, unsigned *ret_said, unsigned *ret_off)
{
	unsigned said = 0, off = 0;

	for (;; text++) {
		const size_t len = strcspn(text, ",");

		if (!read_switch(text, len, &said, &off))
			return false;
		text += len;
		if (!*text)
			break;
	}
	*ret_said = said;
	*ret_off = off;
	return true;
}
