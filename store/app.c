/* SPDX-License-Identifier: MIT */
#include "app.h"

#include <endian.h>
#include <string.h>

#include "secret.h"

/* The terms of one as bytes: the length of its name, then those below, then the name. A
 * time has 5 bytes: rows are short, because each login sums theirs. */
enum { TIME = 5, FIXED = 1 + 1 + 2 * TIME };

static bool good_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char c = name[i];
		const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return len > 0 && len <= STORE_APP_NAME;
}

bool store_app_name(const char *text, char ret_name[STORE_APP_NAME + 1])
{
	const size_t len = strnlen(text, STORE_APP_NAME + 1);

	if (len > STORE_APP_NAME)
		return false;
	for (size_t i = 0; i < len; i++)
		ret_name[i] = (char)(text[i] >= 'A' && text[i] <= 'Z'
					     ? text[i] + ('a' - 'A')
					     : text[i]);
	ret_name[len] = 0;
	return good_name(ret_name, len);
}

const struct store_app *store_apps_find(const struct store_apps *apps,
					const char *name)
{
	for (unsigned i = 0; i < apps->count; i++) {
		if (strcmp(apps->app[i].name, name) == 0)
			return &apps->app[i];
	}
	return NULL;
}

static uint8_t *put_time(uint8_t *at, int64_t time)
{
	const uint64_t value = htole64((uint64_t)time);

	memcpy(at, &value, TIME);
	return at + TIME;
}

static const uint8_t *get_time(const uint8_t *at, int64_t *ret_time)
{
	uint64_t value = 0;

	memcpy(&value, at, TIME);
	*ret_time = (int64_t)le64toh(value);
	return at + TIME;
}

void app_put(struct record *record, const struct store_packed *packed)
{
	record_put_bytes(record, packed->salt,
			 packed->count ? sizeof packed->salt : 0);
	record_put_bytes(record, packed->digest,
			 packed->count * sizeof packed->digest[0]);
	record_put_bytes(record, packed->terms, packed->len);
}

void app_get(struct record *record, struct store_packed *ret_packed)
{
	const size_t salt = record_get_bytes(record, ret_packed->salt,
					     sizeof ret_packed->salt);
	const size_t digests = record_get_bytes(record, ret_packed->digest,
						sizeof ret_packed->digest);

	ret_packed->len = record_get_bytes(record, ret_packed->terms,
					   sizeof ret_packed->terms);
	ret_packed->count = (unsigned)(digests / STORE_APP_DIGEST);
	if (digests % STORE_APP_DIGEST ||
	    salt != (digests ? sizeof ret_packed->salt : 0))
		record->bad = true;
}

void store_apps_pack(const struct store_apps *apps, struct store_packed *ret_packed)
{
	uint8_t *at = ret_packed->terms;

	_Static_assert(sizeof ret_packed->terms ==
			       (size_t)STORE_APPS_MAX *
				       (1 + FIXED + STORE_APP_NAME),
		       "all of them fit");
	ret_packed->count = apps->count;
	memcpy(ret_packed->salt, apps->salt, sizeof apps->salt);
	for (unsigned i = 0; i < apps->count; i++) {
		const struct store_app *app = &apps->app[i];
		const size_t len = strlen(app->name);

		memcpy(ret_packed->digest[i], app->digest, STORE_APP_DIGEST);
		*at++ = (uint8_t)len;
		*at++ = app->number;
		*at++ = (uint8_t)app->services;
		at = put_time(put_time(at, app->created), app->expires);
		memcpy(at, app->name, len);
		at += len;
	}
	ret_packed->len = (size_t)(at - ret_packed->terms);
}

/* Where the next begins, or NULL. */
static const uint8_t *get_terms(const uint8_t *at, const uint8_t *end,
				struct store_app *app)
{
	const size_t len = at < end ? *at++ : 0;

	if (len > STORE_APP_NAME || (size_t)(end - at) < FIXED + len)
		return NULL;
	app->number = *at++;
	app->services = *at++;
	at = get_time(get_time(at, &app->created), &app->expires);
	memcpy(app->name, at, len);
	app->name[len] = 0;
	return app->number >= 1 && app->number <= STORE_APPS_MAX &&
			       app->services &&
			       !(app->services & ~(unsigned)STORE_SERVICES) &&
			       good_name(app->name, len)
		       ? at + len
		       : NULL;
}

bool store_apps_unpack(const struct store_packed *packed, struct store_apps *ret_apps)
{
	const uint8_t *at = packed->terms, *end = at + packed->len;
	uint32_t numbers = 0;

	ret_apps->count = packed->count;
	memcpy(ret_apps->salt, packed->salt, sizeof packed->salt);
	for (unsigned i = 0; i < packed->count; i++) {
		struct store_app *app = &ret_apps->app[i];

		memcpy(app->digest, packed->digest[i], STORE_APP_DIGEST);
		at = get_terms(at, end, app);
		if (!at || numbers & (uint32_t)1 << app->number ||
		    (i && strcmp(app[-1].name, app->name) >= 0))
			return false;
		numbers |= (uint32_t)1 << app->number;
	}
	return at == end;
}

void app_digest(const uint8_t salt[STORE_APP_SALT], const void *password,
		size_t len, uint8_t ret_digest[STORE_APP_DIGEST])
{
	static const char label[] = "popbox app password";
	const struct secret_part parts[] = {{label, sizeof label - 1},
					    {password, len}};
	unsigned char whole[SECRET_DIGEST];

	_Static_assert((int)STORE_APP_SALT == (int)SECRET_KEY,
		       "the salt is the digest's key");
	secret_digest(salt, parts, 2, whole);
	memcpy(ret_digest, whole, STORE_APP_DIGEST);
	secret_wipe(whole, sizeof whole);
}

/* In words, without a way out: a call for each would cost more than the digest. */
static bool same(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[2], y[2];

	_Static_assert(sizeof x == STORE_APP_DIGEST, "two words");
	memcpy(x, a, sizeof x);
	memcpy(y, b, sizeof y);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

bool app_find(const struct store_packed *packed, const void *password,
	      size_t len, struct store_app *ret_app)
{
	const uint8_t *at = packed->terms, *end = at + packed->len;
	uint8_t digest[STORE_APP_DIGEST];
	unsigned found = STORE_APPS_MAX;

	/* Also where there are none: all logins take the same way. */
	app_digest(packed->salt, password, len, digest);
	for (unsigned i = 0; i < packed->count; i++)
		found = same(digest, packed->digest[i]) ? i : found;
	secret_wipe(digest, sizeof digest);
	if (found == STORE_APPS_MAX)
		return false;
	for (unsigned i = 0; at && i <= found; i++)
		at = get_terms(at, end, ret_app);
	return at != NULL;
}

void app_hide(struct store_packed *packed)
{
	secret_wipe(packed->salt, sizeof packed->salt);
	secret_wipe(packed->digest, sizeof packed->digest);
}
