/* SPDX-License-Identifier: MIT */
#include "box_record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/moment.h"
#include "base/words.h"
#include "import_account.h"
#include "store/hash/pwhash.h"
#include "store/login.h"
#include "store/secret.h"

enum { VERSION = 1 };

char *box_record_write(const struct store_account *account,
		       const json_t *addresses, size_t *ret_len)
{
	json_t *object = json_box(&account->box);
	char *text = NULL, *line = NULL;
	size_t len = 0;

	if (object &&
	    json_object_set_new(object, "popbox_box", json_integer(VERSION)) ==
		    0 &&
	    json_object_set_new(object, "hash", json_string(account->hash)) ==
		    0 &&
	    json_object_set_new(object, "addresses",
				json_deep_copy(addresses)) == 0 &&
	    json_put_apps(object, &account->apps))
		text = json_text(object);
	json_decref(object);
	if (text) {
		len = strlen(text);
		line = malloc(len + 2);
	}
	if (line) {
		memcpy(line, text, len);
		memcpy(line + len, "\n", 2);
		*ret_len = len + 1;
	}
	if (text)
		secret_wipe(text, len);
	free(text);
	return line;
}

/* A text of the object, "" for null or for none. NULL: something else. */
static const char *text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return "";
	return json_string_value(value);
}

static const char *read_hash(const char *hash, struct import_account *given)
{
	const char *why = hash[0] ? import_account_hash(given, hash) : NULL;

	if (why || !hash[0])
		return why;
	if (given->secret != IMPORT_ACCOUNT_HASH)
		return "'hash' is none";
	if (pwhash_weakness(hash) != PWHASH_STRONG)
		return "'hash' is of a scheme that is never stored as it is "
		       "(popbox passwd --hash-stdin wraps it)";
	return NULL;
}

/* An older file has none. */
static bool read_services(const json_t *list, unsigned *ret_off)
{
	unsigned off = 0;

	if (list && !json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (!word || !login_service(word))
			return false;
		off |= login_service(word);
	}
	*ret_off = off;
	return true;
}

static const char *read_switches(const json_t *object, struct store_state *state)
{
	const json_t *login = json_object_get(object, "login");
	const char *delivery = text_of(object, "delivery");

	if (!json_is_boolean(login))
		return "'login' is neither true nor false";
	if (!read_services(json_object_get(object, "services_off"),
			   &state->off))
		return "'services_off' is no list of services";
	state->login = json_is_true(login);
	for (int i = STORE_DELIVER; delivery && i <= STORE_HOLD; i++) {
		if (strcmp(word_delivery((enum store_delivery)i), delivery) ==
		    0) {
			state->delivery = (enum store_delivery)i;
			return NULL;
		}
	}
	return "'delivery' is none of on, off and hold";
}

/* An older file has none. */
static const char *read_messages(const json_t *object, struct store_quota *quota)
{
	const json_t *messages = json_object_get(object, "messages");

	if (messages && (!json_is_integer(messages) ||
			 json_integer_value(messages) < 0))
		return "'messages' is no number";
	quota->messages =
		messages ? (uint64_t)json_integer_value(messages) : 0;
	return NULL;
}

/* An older file has none. */
static const char *read_reply(const json_t *object, struct import_account *given,
			      struct store_box *box)
{
	const char *text = text_of(object, "vacation");
	const char *from = text_of(object, "vacation_from");
	const char *until = text_of(object, "vacation_until");
	const char *why = NULL;

	if (!text || !from || !until)
		return "'vacation' or one of its times is no text";
	if (!text[0])
		return NULL;
	why = import_account_vacation(given, text);
	if (!why && from[0])
		why = import_account_vacation_from(given, from);
	if (!why && until[0])
		why = import_account_vacation_until(given, until);
	memcpy(box->vacation, given->vacation, sizeof box->vacation);
	box->vacation_from = given->vacation_from;
	box->vacation_until = given->vacation_until;
	return why;
}

/* All but the addresses. */
/* Small letters, as they are written. */
static bool read_hex(const json_t *value, uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const char *text = json_string_value(value);

	if (!text || strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit)
			return false;
		bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (digit - digits));
	}
	return true;
}

static bool read_time(const json_t *object, const char *key, int64_t *ret_time)
{
	const char *text = text_of(object, key);

	*ret_time = 0;
	return text && (!text[0] || moment_read(text, time(NULL), false, ret_time));
}

static bool read_app(const json_t *object, struct store_app *app)
{
	const char *name = text_of(object, "name");
	const json_int_t number =
		json_integer_value(json_object_get(object, "number"));

	app->number = number >= 1 && number <= STORE_APPS_MAX ? (uint8_t)number
							      : 0;
	return name && store_app_name(name, app->name) &&
	       read_services(json_object_get(object, "services"),
			     &app->services) &&
	       read_time(object, "created", &app->created) &&
	       read_time(object, "expires", &app->expires) &&
	       read_hex(json_object_get(object, "digest"), app->digest,
			sizeof app->digest);
}

/* A file without has none. */
static const char *read_apps(const json_t *object, struct store_packed *packed)
{
	const json_t *list = json_object_get(object, "app_passwords");
	const size_t count = json_array_size(list);
	struct store_apps apps = {.count = 0};
	bool good = !list || (json_is_array(list) && count <= STORE_APPS_MAX);

	if (good && count)
		good = read_hex(json_object_get(object, "app_salt"), apps.salt,
				sizeof apps.salt);
	for (size_t i = 0; good && i < count; i++)
		good = read_app(json_array_get(list, i), &apps.app[apps.count++]);
	if (good) { /* they are in order, and each is there once */
		store_apps_pack(&apps, packed);
		good = store_apps_unpack(packed, &apps);
	}
	secret_wipe(&apps, sizeof apps);
	return good ? NULL : "'app_passwords' is no list of app passwords";
}

static const char *read_account(const json_t *object,
				struct import_account *given,
				struct store_account *account)
{
	const json_t *quota = json_object_get(object, "quota");
	const char *box = text_of(object, "box"), *why;
	const char *title = text_of(object, "name");
	const char *reason = text_of(object, "reason");
	const char *hash = text_of(object, "hash");
	const char *expires = text_of(object, "expires");

	if (!box || !title || !reason || !hash || !expires)
		return "one of box, name, reason, hash and expires is no text";
	if (!json_is_integer(quota) || json_integer_value(quota) < 0)
		return "'quota' is no number of bytes";
	why = import_account_box(given, box);
	if (!why)
		why = import_account_title(given, title);
	if (!why)
		why = import_account_reason(given, reason);
	if (!why)
		why = read_hash(hash, given);
	if (!why && expires[0])
		why = import_account_end(given, expires);
	if (!why)
		why = read_switches(object, &account->box.state);
	if (why)
		return why;
	account->box.name = given->box;
	account->box.state.expires = given->expires;
	account->box.quota.bytes = (uint64_t)json_integer_value(quota);
	memcpy(account->box.title, given->title, sizeof given->title);
	memcpy(account->box.state.reason, given->reason, sizeof given->reason);
	memcpy(account->hash, given->hash, sizeof given->hash);
	account->box.has_password = hash[0] != 0;
	account->box.apps_only =
		json_is_true(json_object_get(object, "apps_only"));
	why = read_messages(object, &account->box.quota);
	if (!why)
		why = read_apps(object, &account->apps);
	return why ? why : read_reply(object, given, &account->box);
}

static const char *read_forwards(const json_t *list,
				 struct import_account *given)
{
	const char *why = NULL;

	if (list && !json_is_array(list))
		return "'forwards' is no list";
	for (size_t i = 0; !why && i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		why = text ? import_account_forward(given, text)
			   : "a forward is no text";
	}
	return why;
}

static const char *read_address(const json_t *object,
				struct import_account *given,
				const struct name_box *box,
				struct store_address *address)
{
	const char *text = text_of(object, "address"), *why;

	given->forwards_len = 0;
	if (!text)
		return "an address is no text";
	why = import_account_address(given, text);
	if (!why)
		why = read_forwards(json_object_get(object, "forwards"), given);
	if (why)
		return why;
	*address = (struct store_address){.name = given->address,
					  .has_box = true,
					  .box = *box,
					  .forwards_len = given->forwards_len};
	memcpy(address->forwards, given->forwards, given->forwards_len);
	return NULL;
}

static const char *read_all(const json_t *object, struct import_account *given,
			    struct box_record *file)
{
	const json_t *list = json_object_get(object, "addresses");
	const char *why;

	if (json_integer_value(json_object_get(object, "popbox_box")) !=
	    VERSION)
		return "it is no box that popbox backup --only wrote";
	why = read_account(object, given, &file->account);
	if (why)
		return why;
	if (!json_is_array(list))
		return "'addresses' is no list";
	file->address = calloc(json_array_size(list) + 1,
			       sizeof *file->address);
	if (!file->address)
		return "no memory";
	while (!why && file->addresses < json_array_size(list)) {
		why = read_address(json_array_get(list, file->addresses), given,
				   &file->account.box.name,
				   &file->address[file->addresses]);
		file->addresses += !why;
	}
	return why;
}

const char *box_record_read(const char *text, size_t len,
			    struct box_record *file)
{
	struct import_account *given = calloc(1, sizeof *given);
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *why = "it is no JSON object";

	*file = (struct box_record){.address = NULL};
	if (!given)
		why = "no memory";
	else if (json_is_object(object))
		why = read_all(object, given, file);
	if (given)
		import_account_wipe(given);
	free(given);
	json_decref(object);
	return why;
}

void box_record_free(struct box_record *file)
{
	secret_wipe(&file->account, sizeof file->account);
	free(file->address);
	*file = (struct box_record){.address = NULL};
}
