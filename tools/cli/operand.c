/* SPDX-License-Identifier: MIT */
#include "operand.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/bytesize.h"
#include "base/idn.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/say.h"
#include "base/words.h"

int operand_handle(const char *text, struct name_handle *ret_name)
{
	const char *why = name_handle_read(text, strlen(text), ret_name);

	return why ? say_error(CODE_REFUSED, "handle '%s': %s", text, why)
		   : CODE_DONE;
}

bool operand_number(const char *text, uint64_t low, uint64_t high,
		    uint64_t *ret_number)
{
	size_t len = strlen(text);
	uint64_t number = 0;

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return false;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	if (number < low || number > high)
		return false;
	*ret_number = number;
	return true;
}

int operand_domain(const char *text, struct name_domain *ret_name)
{
	char utf8[NAME_DOMAIN_MAX + 1];
	const char *why = idn_domain(text, ret_name, utf8);

	return why ? say_error(CODE_REFUSED, "domain '%s': %s", text, why)
		   : CODE_DONE;
}

int operand_new_domain(const char *text, struct store_domain *domain)
{
	const char *why = idn_new_domain(text, &domain->name, domain->utf8);

	return why ? say_error(CODE_REFUSED, "domain '%s': %s", text, why)
		   : CODE_DONE;
}

int operand_address(const char *text, struct name_address *ret_name)
{
	const char *why = idn_address(text, true, ret_name);

	return why ? say_error(CODE_REFUSED, "address '%s': %s", text, why)
		   : CODE_DONE;
}

int operand_kind(const char *text, enum store_kind *ret_kind)
{
	for (int kind = 0; kind < STORE_KINDS; kind++) {
		if (kind != STORE_ALIAS &&
		    strcmp(text, word_kind((enum store_kind)kind)) == 0) {
			*ret_kind = (enum store_kind)kind;
			return CODE_DONE;
		}
	}
	return say_error(CODE_USAGE,
			 "kind '%s' is not known: it is pop, relay, backup or "
			 "dialup%s",
			 text,
			 strcmp(text, "alias") == 0
				 ? " (an alias has --alias-of)"
				 : "");
}

int operand_host(const char *text, struct store_domain *domain)
{
	const char *colon = strchr(text, ':'), *why = NULL;
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	char host[NAME_DOMAIN_MAX + 1] = "", utf8[NAME_DOMAIN_MAX + 1];
	struct name_domain name;
	unsigned char ip[4];
	uint64_t port = 0;

	if (colon && !operand_number(colon + 1, 1, 65535, &port))
		return say_error(CODE_REFUSED, "host '%s': the port is no "
					       "number from 1 to 65535",
				 text);
	if (len > NAME_DOMAIN_MAX)
		return say_error(CODE_REFUSED, "host '%s' is too long", text);
	memcpy(host, text, len);
	if (inet_pton(AF_INET, host, ip) != 1) {
		why = idn_domain(host, &name, utf8);
		if (!why)
			memcpy(host, name.s, sizeof name.s);
	}
	if (why)
		return say_error(CODE_REFUSED, "host '%s': %s (a name or an "
					       "IPv4 address)",
				 text, why);
	memcpy(domain->host, host, sizeof host);
	domain->port = (uint16_t)port;
	return CODE_DONE;
}

int operand_text(const char *what, const char *text, char *ret_text,
		 size_t room)
{
	size_t len;

	if (!text)
		return CODE_DONE;
	len = strlen(text);
	if (len >= room || !json_text_good(text))
		return say_error(CODE_REFUSED,
				 "the %s is not UTF-8 of at most %zu bytes "
				 "without control characters",
				 what, room - 1);
	memset(ret_text, 0, room);
	memcpy(ret_text, text, len);
	return CODE_DONE;
}

int operand_duration(const char *text, int64_t *ret_seconds)
{
	if (moment_span(text, ret_seconds))
		return CODE_DONE;
	return say_error(CODE_USAGE,
			 "'%s' is no time span like 30d, 12h or 90m", text);
}

int operand_size(const char *text, uint64_t *ret_bytes)
{
	if (bytesize_read(text, 1, ret_bytes))
		return CODE_DONE;
	return say_error(CODE_USAGE, "'%s' is no size like 500M or 1.5 GB, nor "
				     "'none'",
			 text);
}
