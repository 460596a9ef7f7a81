/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <stdlib.h>
#include <string.h>

#include "accounts/holds.h"
#include "store/hash/pwhash.h"
#include "store/secret.h"

static unsigned class_of(int64_t now, int64_t then)
{
	static const int days[] = {1, 7, 30, 90, 365};

	if (then == 0)
		return STATS_NEVER;
	for (unsigned i = 0; i < STATS_LONGER; i++) {
		if (now - then < (int64_t)days[i] * 86400)
			return i;
	}
	return STATS_LONGER;
}

static int by_name(const void *a, const void *b)
{
	const struct stats_handle *x = a, *y = b;

	return strcmp(x->name.s, y->name.s);
}

static struct stats_handle *find(const struct stats *stats,
				 const struct name_handle *name)
{
	const struct stats_handle key = {.name = *name};

	return stats->handles ? bsearch(&key, stats->handle, stats->handles,
					sizeof key, by_name)
			      : NULL;
}

static enum err add(struct stats *stats, const struct store_handle *handle)
{
	if (stats->handles == stats->room) {
		size_t room = stats->room ? stats->room * 2 : 64;
		struct stats_handle *more =
			reallocarray(stats->handle, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		stats->handle = more;
		stats->room = room;
	}
	stats->suspends = stats->suspends || !handle->state.login;
	stats->handle[stats->handles++] =
		(struct stats_handle){.name = handle->name,
				      .suspended = !handle->state.login};
	return ERR_OK;
}

/* In the order of their names, as find wants them. */
static enum err add_handles(struct store_txn *txn, struct stats *stats)
{
	struct store_handle handle;
	enum err err = ERR_OK;

	stats->handles = 0;
	stats->suspends = stats->one; /* other handles are not looked at */
	if (stats->one) {
		err = store_handle_get(txn, &stats->only, &handle);
		return err == ERR_OK	       ? add(stats, &handle)
		       : err == ERR_NOTFOUND ? ERR_OK
					     : err;
	}
	for (err = store_handle_next(txn, NULL, &handle); err == ERR_OK;
	     err = store_handle_next(txn, &handle.name, &handle)) {
		err = add(stats, &handle);
		if (err != ERR_OK)
			return err;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err add_domains(struct store_txn *txn, struct stats *stats)
{
	struct store_domain domain;
	enum err err;

	for (err = store_domain_next(txn, NULL, &domain); err == ERR_OK;
	     err = store_domain_next(txn, &domain.name, &domain)) {
		struct stats_handle *handle = find(stats, &domain.handle);

		if (handle)
			handle->domains++;
		stats->suspends = stats->suspends || !domain.state.login;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err stats_start_body(struct store_txn *txn, void *arg)
{
	struct stats *stats = arg;
	enum err err = add_handles(txn, stats);

	if (err == ERR_OK)
		err = add_domains(txn, stats);
	if (err == ERR_OK)
		err = store_size(txn, &stats->size);
	if (err == ERR_OK)
		err = store_id(txn, stats->id);
	if (err == ERR_OK)
		err = store_journal_last(txn, &stats->journal);
	if (err == ERR_OK)
		err = store_published(txn, &stats->published);
	return err;
}

/* The last slot takes what no slot is left for. */
static void add_scheme(struct stats *stats, const char *hash)
{
	const char *scheme = NULL;
	size_t i = 0;

	if (!hash[0])
		scheme = "none";
	else if (pwhash_judge(hash, &scheme) != PWHASH_OK || !scheme)
		scheme = "unknown";
	while (i + 1 < STATS_SCHEMES && stats->scheme[i].boxes &&
	       strcmp(stats->scheme[i].name, scheme) != 0)
		i++;
	stats->scheme[i].name = scheme;
	stats->scheme[i].boxes++;
}

/* The other levels are asked only where one of them suspends anything. */
static enum err is_off(struct store_txn *txn, const struct stats *stats,
		       const struct store_box *box, bool *ret_off)
{
	bool login;
	enum err err;

	*ret_off = !box->state.login;
	if (*ret_off || !stats->suspends)
		return ERR_OK;
	err = holds_may_login(txn, box, &login);
	*ret_off = err == ERR_OK && !login;
	return err;
}

static void add_box(struct stats *stats, const struct store_account *account,
		    struct stats_handle *handle, bool off,
		    const struct store_quota *quota)
{
	const struct store_box *box = &account->box;

	handle->boxes++;
	handle->off += off;
	handle->without_password += !box->has_password;
	handle->quota += quota->bytes;
	add_scheme(stats, account->hash);
	stats->password[class_of(stats->now, box->has_password
						     ? box->password_changed
						     : 0)]++;
	stats->box[stats->seen++] =
		(struct stats_seen){box->name,
				    (size_t)(handle - stats->handle), *quota};
}

/* The first one of the customer has number 0 or a higher one. */
static enum err next(struct store_txn *txn, const struct stats *stats,
		     struct store_box *ret_box)
{
	const struct name_box zero = {stats->only, 0};
	enum err err;

	if (stats->started || !stats->one)
		return store_box_next(txn, stats->started ? &stats->last : NULL,
				      ret_box);
	err = store_box_get(txn, &zero, ret_box);
	return err == ERR_NOTFOUND ? store_box_next(txn, &zero, ret_box) : err;
}

/* The tool's reader runs a body once; a login's alone may run again (db.h). */
enum err stats_boxes_body(struct store_txn *txn, void *arg)
{
	struct stats *stats = arg;
	struct store_account account;
	struct store_box box;
	enum err err = ERR_OK;

	stats->seen = 0;
	while (err == ERR_OK && stats->seen < STATS_HANDFUL) {
		struct store_quota quota = {0, 0};
		struct stats_handle *handle;
		bool off = false;

		err = next(txn, stats, &box);
		if (err == ERR_OK && stats->one &&
		    strcmp(box.name.handle.s, stats->only.s) != 0)
			err = ERR_NOTFOUND; /* past the last */
		if (err == ERR_OK)
			err = store_login(txn, &box.name, &account);
		if (err == ERR_OK)
			err = is_off(txn, stats, &box, &off);
		if (err == ERR_OK)
			err = store_box_quota(txn, &box, &quota);
		if (err != ERR_OK)
			break;
		stats->last = box.name;
		stats->started = true;
		handle = find(stats, &box.name.handle);
		if (handle) /* else a customer who came meanwhile */
			add_box(stats, &account, handle, off, &quota);
	}
	secret_wipe(&account, sizeof account);
	return err;
}

void stats_login(struct stats *stats, size_t handle, int64_t last)
{
	stats->login[class_of(stats->now, last)]++;
	stats->handle[handle].never += last == 0;
}

void stats_mail(struct stats *stats, size_t handle, uint64_t bytes)
{
	stats->handle[handle].mail += bytes;
}

void stats_full(struct stats *stats, size_t handle)
{
	stats->handle[handle].full++;
}

void stats_free(struct stats *stats)
{
	free(stats->handle);
	stats->handle = NULL;
}
