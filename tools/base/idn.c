/* SPDX-License-Identifier: MIT */
#include "idn.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return *text == 0;
}

/* The A-label form of a text that is not ASCII. Without the library's rules for ASCII:
 * they let a blank or an underscore vanish, which is refused here. */
static const char *to_ascii(const char *text, struct name_domain *ret_name)
{
	char *ascii = NULL;
	const char *why = NULL;
	int rc = idn2_to_ascii_8z(text, &ascii,
				  IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (rc != IDN2_OK)
		why = idn2_strerror(rc);
	else
		why = name_domain_read(ascii, strlen(ascii), ret_name);
	idn2_free(ascii);
	return why;
}

static const char *to_utf8(const struct name_domain *name,
			   char ret_utf8[NAME_DOMAIN_MAX + 1])
{
	char *utf8 = NULL;
	const char *why = NULL;
	int rc = idn2_to_unicode_8z8z(name->s, &utf8, 0);

	if (rc != IDN2_OK)
		why = idn2_strerror(rc);
	else if (strlen(utf8) <= NAME_DOMAIN_MAX)
		memcpy(ret_utf8, utf8, strlen(utf8) + 1);
	idn2_free(utf8);
	return why;
}

const char *idn_domain(const char *text, struct name_domain *ret_name,
		       char ret_utf8[NAME_DOMAIN_MAX + 1])
{
	const char *why;

	ret_utf8[0] = 0;
	/* ASCII never goes to the library, which would mend it: a blank inside
	 * a name simply vanishes there. */
	if (is_ascii(text))
		why = name_domain_read(text, strlen(text), ret_name);
	else
		why = to_ascii(text, ret_name);
	if (!why && strstr(ret_name->s, "xn--"))
		why = to_utf8(ret_name, ret_utf8);
	return why;
}

/* One A-label, text[0..len): it must be what its letters encode to, and those
 * must be letters that a registry may take (IDNA2008, RFC 5891, 4). */
static const char *judge_label(const char *text, size_t len)
{
	char label[NAME_LABEL_MAX + 1] = "";
	int rc;

	memcpy(label, text, len); /* name_domain_read looked */
	rc = idn2_register_u8(NULL, (uint8_t *)label, NULL, 0);
	return rc == IDN2_OK ? NULL : idn2_strerror(rc);
}

const char *idn_new_domain(const char *text, struct name_domain *ret_name,
			   char ret_utf8[NAME_DOMAIN_MAX + 1])
{
	const char *why = idn_domain(text, ret_name, ret_utf8);
	size_t len;

	for (const char *at = ret_name->s; !why && *at;
	     at += len + (at[len] == '.')) {
		len = strcspn(at, ".");
		if (strncmp(at, "xn--", 4) == 0)
			why = judge_label(at, len);
	}
	return why;
}

const char *idn_address(const char *text, bool catch_all,
			struct name_address *ret_name)
{
	const char *at = strrchr(text, '@');
	struct name_address name = {0};
	char utf8[NAME_DOMAIN_MAX + 1];
	const char *why;
	size_t local;

	if (!at)
		return "an address has the form user@domain";
	local = (size_t)(at - text);
	why = catch_all ? name_local_or_catchall(text, local, &name.local)
			: name_local_read(text, local, &name.local);
	if (!why)
		why = idn_domain(at + 1, &name.domain, utf8);
	if (!why)
		*ret_name = name;
	return why;
}

const char *idn_forward(const char *text, char ret_text[NAME_ADDRESS_TEXT])
{
	const char *at = strrchr(text, '@');
	char utf8[NAME_DOMAIN_MAX + 1];
	struct name_domain domain;
	const char *why;
	size_t local;

	if (!at)
		return "an address has the form user@domain";
	local = (size_t)(at - text);
	why = name_foreign_local(text, local);
	if (!why)
		why = idn_domain(at + 1, &domain, utf8);
	if (!why)
		(void)snprintf(ret_text, NAME_ADDRESS_TEXT, "%.*s@%s",
			       (int)local, text, domain.s); /* both bounded */
	return why;
}

const char *idn_written(const char *name, char ret_text[IDN_WRITTEN])
{
	const char *at = strrchr(name, '@');
	const char *domain = at ? at + 1 : name;
	char utf8[NAME_DOMAIN_MAX + 1];
	struct name_domain read, again;

	if (!strstr(domain, "xn--") || idn_domain(domain, &read, utf8) ||
	    !utf8[0] || to_ascii(utf8, &again) ||
	    strcmp(read.s, again.s) != 0 || domain - name > NAME_LOCAL_MAX + 1)
		(void)snprintf(ret_text, IDN_WRITTEN, "%s", name);
	else
		(void)snprintf(ret_text, IDN_WRITTEN, "%.*s%s",
			       (int)(domain - name), name, utf8);
	return ret_text;
}
