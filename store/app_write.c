/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app.h"
#include "row_write.h"
#include "secret.h"

static enum err encode_shown(const struct store_account *account,
			     struct row *ret_row)
{
	struct store_packed shown = account->apps;

	app_hide(&shown);
	return box_encode_with(&account->box, "", &shown, ret_row);
}

/* The row gets these, and the journal says so, without digests. */
static enum err change(struct store_txn *txn, struct store_account *account,
		       const struct store_apps *apps)
{
	struct row_key key = row_key_box(&account->box.name);
	struct row before, after, whole;
	enum err err = encode_shown(account, &before);

	store_apps_pack(apps, &account->apps);
	account->box.state.changed = txn->now;
	if (err == ERR_OK)
		err = encode_shown(account, &after);
	if (err == ERR_OK)
		err = box_encode(account, &whole);
	if (err == ERR_OK)
		err = row_write(txn, DB_BOX, &key, &whole);
	if (err == ERR_OK)
		err = journal_append(txn, STORE_SET, STORE_BOXES, &key, &before,
				     &after);
	secret_wipe(&whole, sizeof whole);
	return err;
}

/* Wipe both, whatever comes. */
static enum err get(struct store_txn *txn, const struct name_box *name,
		    struct store_account *account, struct store_apps *apps)
{
	enum err err = store_login(txn, name, account);

	return err == ERR_OK && !store_apps_unpack(&account->apps, apps) ? ERR_DAMAGED
								  : err;
}

enum err store_apps_set(struct store_txn *txn, const struct name_box *name,
			const struct store_packed *packed)
{
	struct store_account account;
	struct store_apps now, apps;
	enum err err = get(txn, name, &account, &now);

	if (err == ERR_OK && !store_apps_unpack(packed, &apps))
		err = store_refuse(txn, ERR_INVALID,
				   "the app passwords are of no form");
	/* Where nothing differs the journal says nothing. */
	if (err == ERR_OK &&
	    (packed->count != account.apps.count ||
	     packed->len != account.apps.len ||
	     memcmp(packed->terms, account.apps.terms, packed->len) != 0 ||
	     memcmp(packed->salt, account.apps.salt, sizeof packed->salt) != 0 ||
	     memcmp(packed->digest, account.apps.digest,
		    packed->count * sizeof packed->digest[0]) != 0))
		err = change(txn, &account, &apps);
	secret_wipe(&now, sizeof now);
	secret_wipe(&apps, sizeof apps);
	secret_wipe(&account, sizeof account);
	return err;
}

static uint8_t free_number(const struct store_apps *apps)
{
	uint32_t taken = 0;
	uint8_t number = 1;

	for (unsigned i = 0; i < apps->count; i++)
		taken |= (uint32_t)1 << apps->app[i].number;
	while (taken & (uint32_t)1 << number)
		number++;
	return number;
}

/* In its place by name; there is room. */
static void insert(struct store_apps *apps, const struct store_app *app)
{
	unsigned at = apps->count++;

	for (; at > 0 && strcmp(apps->app[at - 1].name, app->name) > 0; at--)
		apps->app[at] = apps->app[at - 1];
	apps->app[at] = *app;
}

static enum err judge(struct store_txn *txn, const struct store_apps *apps,
		      const char *name)
{
	if (store_apps_find(apps, name))
		return store_refuse(txn, ERR_EXISTS,
				    "the box has an app password '%s' already "
				    "(--revoke revokes it, or choose another "
				    "name)",
				    name);
	if (apps->count == STORE_APPS_MAX)
		return store_refuse(txn, ERR_INVALID,
				    "the box has %d app passwords, which is the "
				    "most it may have (--revoke one of them)",
				    STORE_APPS_MAX);
	return ERR_OK;
}

enum err store_app_add(struct store_txn *txn, const struct name_box *name,
		       const struct store_app *app, const void *password,
		       size_t len)
{
	struct store_app new = *app;
	struct store_account account;
	struct store_apps apps;
	enum err err = get(txn, name, &account, &apps);

	if (err == ERR_OK)
		err = judge(txn, &apps, app->name);
	if (err == ERR_OK) {
		if (!apps.count)
			secret_random(apps.salt, sizeof apps.salt);
		new.number = free_number(&apps);
		new.created = txn->now;
		app_digest(apps.salt, password, len, new.digest);
		insert(&apps, &new);
		err = change(txn, &account, &apps);
	}
	secret_wipe(&new, sizeof new);
	secret_wipe(&apps, sizeof apps);
	secret_wipe(&account, sizeof account);
	return err;
}

/* The salt goes with the last of them. */
static void take_out(struct store_apps *apps, const char *name)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < apps->count; i++) {
		if (strcmp(apps->app[i].name, name) != 0)
			apps->app[kept++] = apps->app[i];
	}
	apps->count = kept;
	if (!kept)
		memset(apps->salt, 0, sizeof apps->salt);
}

enum err store_app_del(struct store_txn *txn, const struct name_box *name,
		       const char *app)
{
	struct store_account account;
	struct store_apps apps;
	enum err err = get(txn, name, &account, &apps);

	if (err == ERR_OK && !store_apps_find(&apps, app)) {
		err = store_unknown(txn, "the box has no app password '%s'", app);
	} else if (err == ERR_OK) {
		take_out(&apps, app);
		err = change(txn, &account, &apps);
	}
	secret_wipe(&apps, sizeof apps);
	secret_wipe(&account, sizeof account);
	return err;
}
