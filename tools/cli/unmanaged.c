/* SPDX-License-Identifier: MIT */
#include "unmanaged.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "transfer/fmt_dotqmail.h"

struct looking {
	const struct name_domain *domain;
	struct store_domain row;
	struct name_address name;
	bool ours;
};

static enum err domain_body(struct store_txn *txn, void *arg)
{
	struct looking *looking = arg;

	return store_domain_get(txn, looking->domain, &looking->row);
}

/* An address of the store, or one that was and is not purged yet. */
static enum err ours_body(struct store_txn *txn, void *arg)
{
	struct looking *looking = arg;
	struct store_address address;
	struct store_parked parked;
	enum err err = store_address_get(txn, &looking->name, &address);

	if (err == ERR_NOTFOUND)
		err = store_parked_address_get(txn, &looking->name, &address,
					       &parked);
	looking->ours = err == ERR_OK || (looking->row.extension &&
					  looking->name.local.s[0] == '*');
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void print(const struct site *site, const char *file,
		  const struct name_address *name)
{
	char text[NAME_ADDRESS_TEXT] = "", clean[NAME_MAX + 1];

	if (name)
		name_address_text(name, text);
	say_clean(file, clean, sizeof clean); /* JSON has UTF-8 alone */
	if (site->json) {
		json_print(json_pack("{s:s?, s:s, s:b}", "address",
				     name ? text : NULL, "file", clean,
				     "foreign", 1));
		return;
	}
	if (name)
		say_out("%s  unmanaged file: %s", text, clean);
	else
		say_out("-  unmanaged file without an address: %s",
			clean);
}

static enum err judge(struct site *site, struct looking *looking,
		      const char *file)
{
	bool read = fmt_dotqmail_name(file, &looking->name.local);
	enum err err = ERR_OK;

	looking->ours = false;
	looking->name.domain = *looking->domain;
	if (read)
		err = store_read(site->store, ours_body, looking);
	if (err == ERR_OK && !looking->ours)
		print(site, file, read ? &looking->name : NULL);
	return err;
}

int unmanaged_list(struct site *site, const struct name_domain *domain)
{
	char text[MAILROOT_QMAIL_MAX], path[PATH_MAX];
	struct looking looking = {.domain = domain};
	size_t len = 0;
	bool start = true;
	enum err err = store_read(site->store, domain_body, &looking);

	if (err == ERR_NOTFOUND)
		return say_error_as(CODE_NO, SAY_UNKNOWN,
				    "there is no domain '%s' ('popbox "
				    "domain list' shows all)",
				    domain->s);
	if (!site->asuser || (err == ERR_OK && looking.row.kind != STORE_POP))
		return CODE_DONE; /* nobody who could look; nowhere to look */
	while (err == ERR_OK && (start || len)) {
		int rc = asuser_list(site->asuser, &looking.row.handle, domain,
				     start, text, &len, path);

		if (rc != 0)
			return say_error(CODE_LATER, "cannot list '%s': %s",
					 path, strerror(rc));
		start = false;
		for (size_t at = 0; err == ERR_OK && at < len;
		     at += strnlen(text + at, len - at) + 1)
			err = judge(site, &looking, text + at);
	}
	return site_failed(site, err, domain->s);
}
