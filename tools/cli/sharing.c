/* SPDX-License-Identifier: MIT */
#include "sharing.h"

#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "store/secret.h"

int sharing_open(struct site *site)
{
	int code = site_config(site);

	if (code == CODE_DONE && !site->config.central[0])
		return say_error(CODE_REFUSED,
				 "this store has no central database ('popbox "
				 "cluster init' makes one, 'popbox cluster "
				 "join' takes one)");
	return code == CODE_DONE
		       ? site_open_central(site, site->config.central)
		       : code;
}

struct counting {
	uint64_t count;
	bool fresh;
};

static enum err count_body(struct store_txn *txn, void *arg)
{
	struct counting *c = arg;
	struct store_pending row;
	enum err err = store_pending_all(txn, &c->fresh);

	c->count = c->fresh;
	if (err == ERR_OK)
		err = store_pending_next(txn, NULL, &row);
	while (err == ERR_OK) {
		c->count++;
		c->fresh = c->fresh || store_pending_fresh(&row);
		err = store_pending_next(txn, &row, &row);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err sharing_pending(struct site *site, uint64_t *ret_count,
			 bool *ret_fresh)
{
	struct counting counting = {0, false};
	enum err err = store_read(site->store, count_body, &counting);

	*ret_count = counting.count;
	*ret_fresh = counting.fresh;
	return err;
}

void sharing_settings(const struct config *config, char ret_word[SHARING_WORD])
{
	static const char *const shared[] = {
		"separators",	   "default_domain", "login_by_box",
		"refuse_delay_ms", "argon2_kib",     "argon2_passes"};
	enum { SHARED = sizeof shared / sizeof *shared };
	static const unsigned char key[SECRET_KEY];
	unsigned char digest[SECRET_DIGEST];
	char value[SHARED][CONFIG_TEXT_MAX + 1];
	struct secret_part part[SHARED];

	for (size_t i = 0; i < SHARED; i++) {
		if (config_value(config, shared[i], value[i]) != ERR_OK)
			value[i][0] = 0; /* each is a setting */
		part[i] = (struct secret_part){value[i], strlen(value[i])};
	}
	secret_digest(key, part, SHARED, digest);
	for (size_t i = 0; i < SHARING_WORD / 2; i++)
		(void)snprintf(ret_word + 2 * i, 3, "%02x", digest[i]);
}
