/* SPDX-License-Identifier: MIT */
/* named.h: names out of texts that are known to be good. */
#ifndef POPBOX_NAMED_H
#define POPBOX_NAMED_H

#include "store/name.h"
#include "unit.h"

static inline struct name_handle handle(const char *text)
{
	struct name_handle name;

	assert_null(name_handle_read(text, strlen(text), &name));
	return name;
}

static inline struct name_domain domain(const char *text)
{
	struct name_domain name;

	assert_null(name_domain_read(text, strlen(text), &name));
	return name;
}

static inline struct name_address address(const char *text)
{
	struct name_address name;

	assert_null(name_address_read(text, strlen(text), &name));
	return name;
}

#endif
