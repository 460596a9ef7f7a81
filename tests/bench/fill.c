/* SPDX-License-Identifier: MIT */
/* Many boxes quickly, for the bench and for tests of large changes.
 *
 * fill STORE HANDLE DOMAIN PREFIX COUNT [HASH [published]]: that many boxes with
 * an address each (PREFIX0, PREFIX1, ...) in a domain that is there, all with
 * this hash, in one change, and nothing of it published, or marked as if it
 * were. A hash that the store refuses is put past it.
 *
 * fill STORE DOMAINS BOXES HASH: a site: domains d0000000.example, ..., ten of
 * them a handle (h0000000, ...), each with a box for its postmaster and for
 * u000001, ... as long as BOXES, of all domains together, last. It counts as
 * published. Rows come in the order of their keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/hash/pwhash.h"
#include "store/row_write.h"

enum {
	PER_HANDLE = 10, /* domains */
	PART = 100000,	 /* boxes a change */
	ROOM = 2048,	 /* bytes that a box takes, of all tables */
};

struct fill {
	struct name_handle handle;
	struct name_domain domain;
	const char *prefix;
	unsigned long count;
	unsigned long domains; /* of a site */
	const char *hash;
	bool published;
	unsigned long at, end; /* of the part being made, in boxes */
};

/* As an older or a faulty program may have left it. */
static enum err put_bad(struct store_txn *txn, const struct name_box *box,
			const char *hash)
{
	struct row_key key = row_key_box(box);
	struct store_account account;
	struct row row;
	enum err err = store_login(txn, box, &account);

	(void)snprintf(account.hash, sizeof account.hash, "%s", hash);
	account.box.has_password = true;
	if (err == ERR_OK)
		err = box_encode(&account, &row);
	return err == ERR_OK ? row_write(txn, DB_BOX, &key, &row) : err;
}

static enum err add(struct store_txn *txn, const struct fill *fill,
		    const char *local)
{
	static struct store_account account;
	static struct store_address address;
	struct name_box *box = &account.box.name;
	const bool bad = fill->hash && pwhash_unstorable(fill->hash);
	enum err err;

	account.box.state = store_state_new(txn);
	box->handle = fill->handle;
	if (fill->hash && !bad)
		(void)snprintf(account.hash, sizeof account.hash, "%s",
			       fill->hash);
	err = store_box_number(txn, &fill->handle, &box->number);
	if (err == ERR_OK)
		err = store_account_add(txn, &account);
	if (err == ERR_OK && bad)
		err = put_bad(txn, box, fill->hash);
	address.name.domain = fill->domain;
	(void)snprintf(address.name.local.s, sizeof address.name.local.s, "%s",
		       local);
	address.has_box = true;
	address.box = *box;
	return err == ERR_OK ? store_address_add(txn, &address) : err;
}

static enum err mark_published(struct store_txn *txn)
{
	return store_pending_clear(txn);
}

static enum err one_domain(struct store_txn *txn, void *arg)
{
	const struct fill *fill = arg;
	char local[NAME_LOCAL_MAX + 1];
	enum err err = ERR_OK;

	for (unsigned long i = 0; err == ERR_OK && i < fill->count; i++) {
		(void)snprintf(local, sizeof local, "%.40s%lu", fill->prefix,
			       i);
		err = add(txn, fill, local);
	}
	if (err == ERR_OK && fill->published)
		err = mark_published(txn);
	return err;
}

static enum err begin_domain(struct store_txn *txn, struct fill *fill,
			     unsigned long number)
{
	struct store_domain domain = {.kind = STORE_POP, .subdomains = true};
	enum err err = ERR_OK;

	(void)snprintf(domain.name.s, sizeof domain.name.s,
		       "d%07lu.example", number);
	(void)snprintf(domain.handle.s, sizeof domain.handle.s, "h%07lu",
		       number / PER_HANDLE % 10000000);
	if (number % PER_HANDLE == 0)
		err = store_handle_add(txn, &domain.handle);
	fill->handle = domain.handle;
	fill->domain = domain.name;
	return err == ERR_OK ? store_domain_add(txn, &domain) : err;
}

/* Boxes are numbered through; a domain has those of its share. */
static unsigned long share(const struct fill *fill, unsigned long domain)
{
	return (unsigned long)((unsigned __int128)fill->count * domain /
			       fill->domains);
}

static enum err site_part(struct store_txn *txn, void *arg)
{
	struct fill *fill = arg;
	unsigned long d = (unsigned long)((unsigned __int128)fill->at *
					  fill->domains / fill->count);
	enum err err = ERR_OK;

	for (unsigned long i = fill->at; err == ERR_OK && i < fill->end; i++) {
		char local[NAME_LOCAL_MAX + 1] = "postmaster";

		while (share(fill, d + 1) <= i)
			d++;
		if (i == share(fill, d))
			err = begin_domain(txn, fill, d);
		else
			(void)snprintf(local, sizeof local, "u%06lu",
				       i - share(fill, d));
		if (err == ERR_OK)
			err = add(txn, fill, local);
	}
	return err == ERR_OK ? mark_published(txn) : err;
}

static enum err site(struct store *store, const struct store_actor *actor,
		     struct fill *fill)
{
	uint64_t last;
	enum err err = ERR_OK;

	while (err == ERR_OK && fill->at < fill->count) {
		fill->end = fill->at + PART < fill->count ? fill->at + PART
							  : fill->count;
		err = store_write(store, actor, site_part, fill, true, &last);
		fill->at = fill->end;
	}
	return err;
}

static bool read_arguments(int argc, char **argv, struct fill *fill)
{
	if (argc == 5) {
		fill->domains = strtoul(argv[2], NULL, 10);
		fill->count = strtoul(argv[3], NULL, 10);
		fill->hash = argv[4];
		return fill->domains && fill->domains <= fill->count;
	}
	if (argc < 6 || argc > 8 ||
	    name_handle_read(argv[2], strlen(argv[2]), &fill->handle) ||
	    name_domain_read(argv[3], strlen(argv[3]), &fill->domain))
		return false;
	fill->prefix = argv[4];
	fill->count = strtoul(argv[5], NULL, 10);
	fill->hash = argc > 6 ? argv[6] : NULL;
	fill->published = argc > 7;
	return true;
}

int main(int argc, char **argv)
{
	const struct store_actor actor = {0, "bench", "fill"};
	struct fill fill = {.count = 0};
	struct store *store = NULL;
	uint64_t last;
	enum err err;

	if (!read_arguments(argc, argv, &fill)) {
		fprintf(stderr, "usage: fill STORE HANDLE DOMAIN PREFIX COUNT "
				"[HASH [published]]\n"
				"       fill STORE DOMAINS BOXES HASH\n");
		return 2;
	}
	err = store_open_write(argv[1], &store);
	if (err == ERR_OK)
		err = store_reserve(store, fill.count * ROOM);
	if (err == ERR_OK)
		err = fill.domains ? site(store, &actor, &fill)
				   : store_write(store, &actor, one_domain,
						 &fill, true, &last);
	if (err != ERR_OK)
		fprintf(stderr, "fill: %s %s\n", err_text(err),
			store ? store_reason(store) : "");
	store_close(&store);
	return err == ERR_OK ? 0 : 1;
}
