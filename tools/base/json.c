/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "store/secret.h"
#include "utf8.h"
#include "words.h"

static void *allocate(size_t size)
{
	void *got = malloc(size);

	if (!got)
		say_lost();
	return got;
}

/* Hashes and passwords are among the texts. */
static void forget(void *got)
{
	if (got)
		secret_wipe(got, malloc_usable_size(got));
	free(got);
}

static void (*into)(const char *text);

void json_into(void (*take)(const char *text))
{
	into = take;
}

void json_start(void)
{
	json_set_alloc_funcs(allocate, forget);
}

/* "\uXXXX", and its NUL. */
enum { ESCAPE = 6 };

static char *put_unit(char *at, uint32_t unit)
{
	(void)snprintf(at, ESCAPE + 1, "\\u%04x", unit & 0xffff); /* fits */
	return at + ESCAPE;
}

static char *put_escape(char *at, uint32_t letter)
{
	if (letter < 0x10000)
		return put_unit(at, letter);
	letter -= 0x10000;
	return put_unit(put_unit(at, 0xd800 + (letter >> 10)),
			0xdc00 + (letter & 0x3ff));
}

/* Only strings hold other letters than ASCII, so an escape is never outside of
 * one. An escape of a letter, at least one byte long, has at most 12. */
static char *escape_hidden(const char *text)
{
	const size_t len = strlen(text);
	char *line = allocate(len * 2 * ESCAPE + 2), *to = line;
	uint32_t letter;

	for (size_t at = 0, bytes; line && at < len; at += bytes) {
		bytes = utf8_letter(text + at, len - at, &letter);
		if (bytes == 0 || utf8_shown(letter)) {
			bytes = bytes ? bytes : 1;
			memcpy(to, text + at, bytes);
			to += bytes;
		} else {
			to = put_escape(to, letter);
		}
	}
	if (line)
		*to = 0;
	return line;
}

char *json_text(const json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	char *line = text;

	if (text && !utf8_plain(text, strlen(text))) {
		line = escape_hidden(text);
		secret_wipe(text, strlen(text));
		free(text);
	}
	return line;
}

void json_print(json_t *object)
{
	char *text = json_text(object);

	if (!text)
		say_lost();
	else if (into)
		into(text);
	else
		(void)fputs(text, stdout); /* say_finish looks at stdout */
	if (!into)
		(void)putchar('\n');
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	json_decref(object);
}

bool json_text_good(const char *text)
{
	return utf8_plain(text, strlen(text));
}

json_t *json_time(int64_t seconds)
{
	char text[SAY_TIME_TEXT];

	return seconds ? json_string(say_time(seconds, text)) : json_null();
}

json_t *json_services(unsigned services)
{
	json_t *list = json_array();
	enum store_service service;
	const char *word;

	for (size_t i = 0; (word = word_service(i, &service)) != NULL; i++) {
		if (services & service)
			(void)json_array_append_new(list, json_string(word));
	}
	return list;
}

static void put_state(json_t *object, const struct store_state *state)
{
	/* A failed set leaves the member out; json_print cannot know. Memory
	 * for a handful of short strings is the only thing it can lack. */
	(void)json_object_set_new(object, "login", json_boolean(state->login));
	(void)json_object_set_new(object, "delivery",
				  json_string(word_delivery(state->delivery)));
	(void)json_object_set_new(object, "reason",
				  state->reason[0] ? json_string(state->reason)
						   : json_null());
	(void)json_object_set_new(object, "created", json_time(state->created));
	(void)json_object_set_new(object, "changed", json_time(state->changed));
	(void)json_object_set_new(object, "expires", json_time(state->expires));
	(void)json_object_set_new(object, "services_off",
				  json_services(state->off));
}

/* 0: nothing is said here. */
static void put_quota(json_t *object, const struct store_quota *quota)
{
	(void)json_object_set_new(object, "quota",
				  json_integer((json_int_t)quota->bytes));
	(void)json_object_set_new(object, "messages",
				  json_integer((json_int_t)quota->messages));
}

/* The same. */
static void put_limits(json_t *object, const struct store_handle *handle)
{
	(void)json_object_set_new(object, "max_boxes",
				  json_integer(handle->max_boxes));
	(void)json_object_set_new(object, "max_addresses",
				  json_integer(handle->max_addresses));
	(void)json_object_set_new(object, "max_domains",
				  json_integer(handle->max_domains));
}

json_t *json_handle(const struct store_handle *handle)
{
	json_t *object = json_pack("{s:s, s:s, s:I}", "handle", handle->name.s,
				   "name", handle->title, "next_box",
				   (json_int_t)handle->next_box);

	if (object)
		put_quota(object, &handle->quota);
	if (object)
		put_limits(object, handle);
	if (object)
		put_state(object, &handle->state);
	return object;
}

json_t *json_domain(const struct store_domain *domain)
{
	const char extension[] = {domain->extension, 0};
	json_t *object = json_pack(
		"{s:s, s:s?, s:s, s:s, s:s?, s:s?, s:o, s:s?, s:b, s:s?}",
		"domain", domain->name.s, "utf8",
		domain->utf8[0] ? domain->utf8 : NULL, "handle",
		domain->handle.s, "kind", word_kind(domain->kind), "alias_of",
		domain->target.s[0] ? domain->target.s : NULL, "host",
		domain->host[0] ? domain->host : NULL, "port",
		domain->port ? json_integer(domain->port) : json_null(), "ip",
		domain->ip[0] ? domain->ip : NULL, "subdomains",
		(int)domain->subdomains, "extension",
		domain->extension ? extension : NULL);

	if (object)
		put_quota(object, &domain->quota);
	if (object)
		put_state(object, &domain->state);
	return object;
}

json_t *json_box(const struct store_box *box)
{
	char text[NAME_BOX_TEXT];
	json_t *object;

	name_box_text(&box->name, text);
	object = json_pack("{s:s, s:s, s:s, s:b, s:o, s:i, s:b}", "box", text,
			   "handle", box->name.handle.s, "name", box->title,
			   "password", (int)box->has_password,
			   "password_changed",
			   json_time(box->password_changed), "app_count",
			   (int)box->apps, "apps_only", (int)box->apps_only);
	if (object) {
		put_quota(object, &box->quota);
		(void)json_object_set_new(object, "vacation",
					  box->vacation[0]
						  ? json_string(box->vacation)
						  : json_null());
		(void)json_object_set_new(object, "vacation_from",
					  json_time(box->vacation_from));
		(void)json_object_set_new(object, "vacation_until",
					  json_time(box->vacation_until));
	}
	if (object)
		put_state(object, &box->state);
	return object;
}

json_t *json_app(const struct store_app *app)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "name", app->name, "services",
			 json_services(app->services), "created",
			 json_time(app->created), "expires",
			 json_time(app->expires));
}

static json_t *json_hex(const uint8_t *bytes, size_t len)
{
	char text[2 * STORE_APP_SALT + 1];

	for (size_t i = 0; i < len && i < STORE_APP_SALT; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]); /* two digits */
	return json_stringn(text, 2 * len);
}

bool json_put_apps(json_t *object, const struct store_packed *packed)
{
	json_t *list = NULL;
	struct store_apps apps;
	bool good = store_apps_unpack(packed, &apps);

	if (good && apps.count) {
		list = json_array();
		good = json_object_set_new(object, "app_salt",
					   json_hex(apps.salt, sizeof apps.salt)) ==
			       0 &&
		       json_object_set_new(object, "app_passwords", list) == 0;
	}
	for (unsigned i = 0; good && i < apps.count; i++) {
		const struct store_app *app = &apps.app[i];
		json_t *one = json_app(app);

		good = json_object_set_new(one, "number",
					   json_integer(app->number)) == 0 &&
		       json_object_set_new(one, "digest",
					   json_hex(app->digest,
						    sizeof app->digest)) == 0;
		good = json_array_append_new(list, one) == 0 && good;
	}
	secret_wipe(&apps, sizeof apps);
	return good;
}

static json_t *box_with_apps(const struct store_box *box,
			     const struct store_apps *apps)
{
	json_t *object = json_box(box), *list = json_array();

	for (unsigned i = 0; i < apps->count; i++)
		(void)json_array_append_new(list, json_app(&apps->app[i]));
	(void)json_object_set_new(object, "app_passwords", list);
	return object;
}

json_t *json_address(const struct store_address *address)
{
	char text[NAME_ADDRESS_TEXT], box[NAME_BOX_TEXT];
	json_t *forwards = json_array();

	name_address_text(&address->name, text);
	name_box_text(&address->box, box);
	for (size_t at = 0; at < address->forwards_len;
	     at += strlen(address->forwards + at) + 1)
		(void)json_array_append_new(
			forwards, json_string(address->forwards + at));
	return json_pack("{s:s, s:s?, s:o, s:s, s:s?, s:o}", "address", text,
			 "box", address->has_box ? box : NULL, "forwards",
			 forwards, "delivery", word_delivery(address->delivery),
			 "reason", address->reason[0] ? address->reason : NULL,
			 "expires", json_time(address->expires));
}

/* A row of an entry, null where there is none. */
static json_t *row(const struct store_entry *e, const uint8_t *bytes,
		   size_t len)
{
	struct store_address address;
	struct store_handle handle;
	struct store_domain domain;
	struct store_apps apps;
	struct store_box box;

	if (len == 0)
		return json_null();
	switch (e->table) {
	case STORE_HANDLES:
		if (store_handle_row(e->key, e->key_len, bytes, len, &handle) ==
		    ERR_OK)
			return json_handle(&handle);
		break;
	case STORE_DOMAINS:
		if (store_domain_row(e->key, e->key_len, bytes, len, &domain) ==
		    ERR_OK)
			return json_domain(&domain);
		break;
	case STORE_BOXES:
		if (store_box_row(e->key, e->key_len, bytes, len, &box) ==
			    ERR_OK &&
		    store_apps_row(e->key, e->key_len, bytes, len, &apps) ==
			    ERR_OK)
			return box_with_apps(&box, &apps);
		break;
	case STORE_ADDRESSES:
		if (store_address_row(e->key, e->key_len, bytes, len,
				      &address) == ERR_OK)
			return json_address(&address);
		break;
	}
	return json_string("damaged");
}

json_t *json_entry(const struct store_entry *entry)
{
	char object[STORE_OBJECT_TEXT], why[STORE_WHY_MAX + 1];
	json_t *after = store_entry_why(entry, why)
				? json_pack("{s:s}", "why", why)
				: row(entry, entry->after, entry->after_len);

	if (store_entry_object(entry, object) != ERR_OK)
		memcpy(object, "damaged", sizeof "damaged");
	return json_pack(
		"{s:I, s:I, s:o, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:o}",
		"number", (json_int_t)entry->number, "group",
		(json_int_t)entry->group, "time", json_time(entry->time),
		"actor", entry->actor, "uid", (json_int_t)entry->uid, "command",
		entry->command, "op", word_op(entry->op), "table",
		word_table(entry->table), "object", object, "before",
		row(entry, entry->before, entry->before_len), "after", after);
}
