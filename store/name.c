/* SPDX-License-Identifier: MIT */
#include "name.h"

#include <stdbool.h>
#include <string.h>

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ASCII only, whatever the locale says. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

const char *name_handle_read(const char *bytes, size_t len,
			     struct name_handle *ret_name)
{
	struct name_handle name = {{0}};

	if (len == 0)
		return "a handle cannot be empty";
	if (len > NAME_HANDLE_MAX)
		return "a handle has at most 15 characters";
	for (size_t i = 0; i < len; i++) {
		char c = lower(bytes[i]);

		if (!is_lower(c) && !(i > 0 && is_digit(c)))
			return "a handle is a letter, then letters and digits";
		name.s[i] = c;
	}
	*ret_name = name;
	return NULL;
}

/* Judges one label, bytes[0..len). */
static const char *label_refuse(const char *bytes, size_t len)
{
	if (len == 0)
		return "a domain has no empty label, leading or trailing dot";
	if (len > NAME_LABEL_MAX)
		return "a label of a domain has at most 63 characters";
	if (bytes[0] == '-' || bytes[len - 1] == '-')
		return "a label of a domain neither begins nor ends in '-'";
	return NULL;
}

const char *name_domain_read(const char *bytes, size_t len,
			     struct name_domain *ret_name)
{
	struct name_domain name = {{0}};
	size_t start = 0;
	bool numeric = true;

	if (len == 0)
		return "a domain cannot be empty";
	if (len > NAME_DOMAIN_MAX)
		return "a domain has at most 253 characters";
	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? lower(bytes[i]) : '.';
		const char *why;

		if (c == '.') {
			why = label_refuse(name.s + start, i - start);
			if (why)
				return why;
			start = i + 1;
			if (i == len)
				break;
			numeric = true;
		} else if (!is_lower(c) && !is_digit(c) && c != '-') {
			return "a domain has letters, digits, '-' and '.' only";
		} else if (!is_digit(c)) {
			numeric = false;
		}
		name.s[i] = c;
	}
	if (numeric)
		return "a domain does not end in a number";
	*ret_name = name;
	return NULL;
}

/* Names that qmail-local takes for something else: a catch-all of names below
 * them (default) or an order to rewrite the sender (owner). */
static bool local_reserved(const char *s, size_t len)
{
	static const char *const words[] = {"default", "owner"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t w = strlen(words[i]);

		if (len < w || memcmp(s + len - w, words[i], w) != 0)
			continue;
		if (len == w || s[len - w - 1] == '-')
			return true;
	}
	return false;
}

const char *name_local_read(const char *bytes, size_t len,
			    struct name_local *ret_name)
{
	static const char others[] = "!#$%&'+-=?^_`{|}~.";
	struct name_local name = {{0}};

	if (len == 0)
		return "a local part cannot be empty";
	if (len > NAME_LOCAL_MAX)
		return "a local part has at most 64 characters";
	for (size_t i = 0; i < len; i++) {
		char c = lower(bytes[i]);

		if (!is_lower(c) && !is_digit(c) &&
		    (c == 0 || !strchr(others, c)))
			return "a local part has a-z, digits and "
			       "!#$%&'+-=?^_`{|}~. only";
		if (c == '.' &&
		    (i == 0 || i + 1 == len || bytes[i - 1] == '.'))
			return "a local part has no leading, trailing or "
			       "double dot";
		name.s[i] = c;
	}
	if (local_reserved(name.s, len))
		return "'default', 'owner' and names ending in '-default' or "
		       "'-owner' are reserved by qmail-local";
	*ret_name = name;
	return NULL;
}

const char *name_foreign_local(const char *bytes, size_t len)
{
	static const char others[] = "!#$%&'*+-/=?^_`{|}~.";

	if (len == 0 || len > NAME_LOCAL_MAX)
		return "a local part has 1 to 64 characters";
	for (size_t i = 0; i < len; i++) {
		char c = lower(bytes[i]);

		if (!is_lower(c) && !is_digit(c) &&
		    (c == 0 || !strchr(others, c)))
			return "a local part has a-z, digits and "
			       "!#$%&'*+-/=?^_`{|}~. only";
		if (c == '.' &&
		    (i == 0 || i + 1 == len || bytes[i - 1] == '.'))
			return "a local part has no leading, trailing or "
			       "double dot";
	}
	return NULL;
}

const char *name_local_or_catchall(const char *bytes, size_t len,
				   struct name_local *ret_name)
{
	if (len == 1 && bytes[0] == '*') {
		*ret_name = (struct name_local){"*"};
		return NULL;
	}
	return name_local_read(bytes, len, ret_name);
}

const char *name_address_read(const char *bytes, size_t len,
			      struct name_address *ret_name)
{
	const char *at = len ? memrchr(bytes, '@', len) : NULL;
	struct name_address name = {0};
	const char *why;
	size_t before;

	if (!at)
		return "an address has the form user@domain";
	before = (size_t)(at - bytes);
	why = name_local_read(bytes, before, &name.local);
	if (why)
		return why;
	why = name_domain_read(at + 1, len - before - 1, &name.domain);
	if (why)
		return why;
	*ret_name = name;
	return NULL;
}

/* The digits after the hyphen: at least four, no fifth that is a leading
 * zero, so that one box has one name. */
static const char *number_read(const char *bytes, size_t len,
			       uint32_t *ret_number)
{
	uint64_t number = 0;

	if (len < 4 || len > 10 || (len > 4 && bytes[0] == '0'))
		return "a box is named as printed: ex1-0001";
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(bytes[i]))
			return "a box is named as printed: ex1-0001";
		number = number * 10 + (uint64_t)(bytes[i] - '0');
	}
	if (number > UINT32_MAX)
		return "a box number is at most 4294967295";
	*ret_number = (uint32_t)number;
	return NULL;
}

const char *name_box_read(const char *bytes, size_t len,
			  struct name_box *ret_name)
{
	const char *dash = len ? memchr(bytes, '-', len) : NULL;
	struct name_box name = {0};
	const char *why;
	size_t before;

	if (!dash)
		return "a box is named as printed: ex1-0001";
	before = (size_t)(dash - bytes);
	why = name_handle_read(bytes, before, &name.handle);
	if (why)
		return why;
	why = number_read(dash + 1, len - before - 1, &name.number);
	if (why)
		return why;
	*ret_name = name;
	return NULL;
}

static char *put(char *to, const char *text, size_t most)
{
	const size_t len = strnlen(text, most);

	memcpy(to, text, len);
	return to + len;
}

/* By hand, since a login names its box and its address several times, and printf
 * was a tenth of it. The sizes are those of the widest value. */
void name_box_text(const struct name_box *name, char text[NAME_BOX_TEXT])
{
	char *at = put(text, name->handle.s, NAME_HANDLE_MAX);
	uint32_t rest = name->number;
	size_t digits = 4;

	for (uint32_t more = rest / 10000; more; more /= 10)
		digits++;
	*at++ = '-';
	at[digits] = 0;
	for (size_t i = digits; i-- > 0; rest /= 10)
		at[i] = (char)('0' + rest % 10);
}

void name_address_text(const struct name_address *name,
		       char text[NAME_ADDRESS_TEXT])
{
	char *at = put(text, name->local.s, NAME_LOCAL_MAX);

	*at++ = '@';
	*put(at, name->domain.s, NAME_DOMAIN_MAX) = 0;
}
