/* fill STORE HANDLE DOMAIN PREFIX COUNT: that many boxes with an address each
 * (PREFIX0, PREFIX1, ...) in a domain that is there, in one change, and
 * nothing of it published. For the bench, and for tests of large changes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_write.h"

struct fill {
	struct name_handle handle;
	struct name_domain domain;
	const char *prefix;
	unsigned long count;
};

static enum err add(struct store_txn *txn, const struct fill *fill,
		    unsigned long i)
{
	static struct store_account account;
	static struct store_address address;
	struct name_box *box = &account.box.name;
	enum err err;

	account.box.state = store_state_new(txn);
	box->handle = fill->handle;
	err = store_box_number(txn, &fill->handle, &box->number);
	if (err == ERR_OK)
		err = store_account_add(txn, &account);
	address.name.domain = fill->domain;
	(void)snprintf(address.name.local.s, sizeof address.name.local.s,
		       "%s%lu", fill->prefix, i);
	address.has_box = true;
	address.box = *box;
	return err == ERR_OK ? store_address_add(txn, &address) : err;
}

static enum err body(struct store_txn *txn, void *arg)
{
	const struct fill *fill = arg;
	enum err err = ERR_OK;

	for (unsigned long i = 0; err == ERR_OK && i < fill->count; i++)
		err = add(txn, fill, i);
	return err;
}

int main(int argc, char **argv)
{
	const struct store_actor actor = {0, "bench", "fill"};
	struct fill fill = {.count = 0};
	struct store *store = NULL;
	uint64_t last;
	enum err err;

	if (argc != 6 ||
	    name_handle_read(argv[2], strlen(argv[2]), &fill.handle) ||
	    name_domain_read(argv[3], strlen(argv[3]), &fill.domain)) {
		fprintf(stderr,
			"usage: fill STORE HANDLE DOMAIN PREFIX COUNT\n");
		return 2;
	}
	fill.prefix = argv[4];
	fill.count = strtoul(argv[5], NULL, 10);
	err = store_open_write(argv[1], &store);
	if (err == ERR_OK)
		err = store_reserve(store, fill.count * 2048);
	if (err == ERR_OK)
		err = store_write(store, &actor, body, &fill, true, &last);
	if (err != ERR_OK)
		fprintf(stderr, "fill: %s %s\n", err_text(err),
			store ? store_reason(store) : "");
	store_close(&store);
	return err == ERR_OK ? 0 : 1;
}
