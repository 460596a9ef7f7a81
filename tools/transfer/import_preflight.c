/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "import_private.h"
#include "publish/preflight.h"

/* One question to each of qmail's files for all new domains. */
static int preflight_fresh(struct import *import)
{
	struct store_domain *fresh = calloc(
		import->domains + import->moves + 1, sizeof *fresh);
	size_t count = 0;
	int code = CODE_DONE;

	if (!fresh)
		return say_error(CODE_LATER, "no memory");
	for (size_t i = 0; i < import->domains; i++) {
		if (import->domain[i].fresh)
			fresh[count++] = *import->domain[i].fresh;
	}
	for (size_t i = 0; i < import->moves; i++) {
		if (import->moved[i].alias)
			fresh[count++] = *import->moved[i].alias;
	}
	if (count)
		code = preflight_moving(import->site, fresh, count,
					import_site_yields, import);
	free(fresh);
	return code;
}

/* The names of the .qmail files in a domain's directory. */
static int list_files(struct import *import, struct import_domain *domain,
		      const struct name_domain *name)
{
	char text[MAILROOT_QMAIL_MAX], path[PATH_MAX];
	size_t len = 0, number;
	bool start = true;
	int rc = 0;

	while (rc == 0 && (start || len)) {
		rc = asuser_list(import->site->asuser, &domain->handle, name,
				 start, text, &len, path);
		start = false;
		for (size_t at = 0; rc == 0 && at < len;
		     at += strnlen(text + at, len - at) + 1) {
			if (!strtab_add(&domain->files, text + at, &number))
				rc = ENOMEM;
		}
	}
	return rc;
}

/* Is there a .qmail file of its name already? A directory is listed once; one
 * that cannot be has whatever the look at the file itself says. */
static bool has_file(struct import *import, struct import_domain *domain,
		     const struct name_address *address)
{
	char name[MAILROOT_QMAIL_NAME];

	if (domain->listed == FILES_UNKNOWN) {
		int rc = list_files(import, domain, &address->domain);

		domain->listed = rc == 0 || rc == ENOENT ? FILES_LISTED
							 : FILES_UNLISTED;
	}
	mailroot_qmail_name(&address->local, name);
	return domain->listed == FILES_UNLISTED ||
	       strtab_has(&domain->files, name);
}

/* One whose file is there. */
static int preflight_there(struct import *import, size_t number,
			   const struct import_account *account,
			   const struct name_handle *handle)
{
	struct store_address *address = calloc(1, sizeof *address);
	int code;

	if (!address)
		return say_error(CODE_LATER, "no memory");
	address->name = account->address;
	address->forwards_len = account->forwards_len;
	memcpy(address->forwards, account->forwards, account->forwards_len);
	address->has_box = upsert_wants_box(account);
	address->box = account->box; /* a new one is in no file yet */
	code = preflight_address(import->site, handle, address, false);
	free(address);
	if (code != CODE_REFUSED)
		return code;
	if (import_refuse_row(import, number, account,
			      "its .qmail file cannot be taken over"))
		return CODE_DONE;
	return say_error(CODE_LATER, "no memory");
}

static int preflight_row(struct import *import, size_t number)
{
	struct import_domain *domain;
	struct import_account account;
	size_t at;
	int code = CODE_DONE;

	import_table_get(&import->table, number, &account);
	/* It is one of them: it was judged. */
	if (!strtab_add(&import->names, account.address.domain.s, &at)) {
		import_account_wipe(&account);
		return say_error(CODE_LATER, "no memory");
	}
	domain = &import->domain[at];
	if (has_file(import, domain, &account.address))
		code = preflight_there(import, number, &account,
				       &domain->handle);
	import_account_wipe(&account);
	return code;
}

int import_preflight(struct import *import)
{
	const char *format = import->how->source.format;
	int code;

	import->yielded = 0;
	code = preflight_fresh(import);

	/* What a site taken over says itself was read from these files. */
	if (format && strcmp(format, "qmail") == 0)
		return code;
	for (size_t i = 0; code == CODE_DONE && i < import->table.count; i++) {
		const struct import_table_row *row = &import->table.row[i];

		if (!row->bad && row->fresh)
			code = preflight_row(import, i);
	}
	return code;
}
