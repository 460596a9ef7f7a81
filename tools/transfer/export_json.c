/* SPDX-License-Identifier: MIT */
/* export_json.c: all of it as JSON, an object a line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/holds.h"
#include "base/json.h"
#include "export_private.h"
#include "store/secret.h"

static enum err put_json(struct exporting *e, const char *type, json_t *object)
{
	char *text;
	bool good;

	if (object)
		(void)json_object_set_new(object, "type", json_string(type));
	text = json_text(object);
	json_decref(object);
	good = text && text_put(&e->out, text, strlen(text)) &&
	       text_put(&e->out, "\n", 1);
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	if (!good) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	return export_flush(e, EXPORT_HELD);
}

static enum err json_handles(struct exporting *e)
{
	struct store_handle handle;
	enum err err = store_handle_next(e->txn, NULL, &handle);

	while (err == ERR_OK) {
		if (!e->how->has_domain &&
		    (!e->how->has_handle ||
		     strcmp(handle.name.s, e->how->handle.s) == 0))
			err = put_json(e, "handle", json_handle(&handle));
		if (err == ERR_OK)
			err = store_handle_next(e->txn, &handle.name, &handle);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err json_one_box(struct exporting *e, const struct name_box *name)
{
	struct store_account account;
	struct holds holds;
	enum err err = store_login(e->txn, name, &account);
	json_t *object;

	if (err != ERR_OK)
		return err;
	object = json_box(&account.box);
	err = holds_box(e->txn, &account.box, &holds);
	if (object && err == ERR_OK)
		holds_json(object, &holds);
	if (object)
		(void)json_object_set_new(object, "hash",
					  account.hash[0]
						  ? json_string(account.hash)
						  : json_null());
	if (object && err == ERR_OK && !json_put_apps(object, &account.apps))
		err = ERR_DAMAGED;
	secret_wipe(&account, sizeof account);
	if (err != ERR_OK) {
		json_decref(object);
		return err;
	}
	return put_json(e, "box", object);
}

/* With a domain alone the box that it leads to comes along. */
static enum err json_one_address(struct exporting *e,
				 const struct store_domain *domain,
				 const struct store_address *address)
{
	enum err err = ERR_OK;

	(void)domain; /* is said by the address */
	if (e->how->has_domain && address->has_box)
		err = json_one_box(e, &address->box);
	return err == ERR_OK ? put_json(e, "address", json_address(address))
			     : err;
}

static enum err json_domains(struct exporting *e)
{
	struct store_domain domain;
	enum err err = store_domain_next(e->txn, NULL, &domain);

	while (err == ERR_OK) {
		if (export_wants(e->how, &domain)) {
			err = put_json(e, "domain", json_domain(&domain));
			if (err == ERR_OK)
				err = export_each_address(e, &domain,
							  json_one_address);
		}
		if (err == ERR_OK)
			err = store_domain_next(e->txn, &domain.name, &domain);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err json_boxes(struct exporting *e)
{
	struct store_box box;
	enum err err = store_box_next(e->txn, NULL, &box);

	while (err == ERR_OK && !e->how->has_domain) {
		if (!e->how->has_handle ||
		    strcmp(box.name.handle.s, e->how->handle.s) == 0)
			err = json_one_box(e, &box.name);
		if (err == ERR_OK)
			err = store_box_next(e->txn, &box.name, &box);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err export_json(struct exporting *e)
{
	enum err err = json_handles(e);

	if (err == ERR_OK)
		err = json_boxes(e);
	return err == ERR_OK ? json_domains(e) : err;
}
