/* SPDX-License-Identifier: MIT */
/* json.h: the tool's data as JSON, one object a line; names are stable and
 * documented in popbox-NOUN(8). Over jansson; where memory lacked something is
 * missing, and the program's end says so.
 */
#ifndef POPBOX_JSON_H
#define POPBOX_JSON_H

#include <jansson.h>

#include "store/store.h"

/* The object in one line; letters that a terminal must not get (utf8_shown) are
 * escapes, \u009b. NULL: no object or no memory. The caller wipes and frees. */
MUST_USE char *json_text(const json_t *object);

/* Prints the object on a line of its own and releases it. */
void json_print(json_t *object);

/* Where json_print's lines go from now on, without their ends; NULL: to stdout. */
void json_into(void (*take)(const char *text));

/* Called first of all: of an object that lacks a member for want of memory the
 * program's end says so (say_lost). */
void json_start(void);

/* Is this text UTF-8 of letters that are shown (utf8_shown)? */
bool json_text_good(const char *text);

/* Null for 0. */
json_t *json_time(int64_t seconds);
/* A list of their words. */
json_t *json_services(unsigned services);
json_t *json_domain(const struct store_domain *domain);
json_t *json_box(const struct store_box *box);
json_t *json_app(const struct store_app *app);
/* Members app_salt and app_passwords, with their digests. Of a box without any:
 * none of both. False: no memory, or they are damaged. */
MUST_USE bool json_put_apps(json_t *object, const struct store_packed *packed);
json_t *json_address(const struct store_address *address);
json_t *json_handle(const struct store_handle *handle);
json_t *json_entry(const struct store_entry *entry);

#endif
