#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import_private.h"
#include "preflight.h"
#include "say.h"

/* One question to each of qmail's files for all new domains. */
static int preflight_fresh(struct import *import)
{
	struct store_domain *fresh = calloc(import->domains + 1, sizeof *fresh);
	size_t count = 0;
	int code = CODE_DONE;

	if (!fresh)
		return say_error(CODE_LATER, "no memory");
	for (size_t i = 0; i < import->domains; i++) {
		if (import->domain[i].fresh)
			fresh[count++] = *import->domain[i].fresh;
	}
	if (count)
		code = preflight_domains(import->site, fresh, count, false);
	free(fresh);
	return code;
}

/* Are there .qmail files in its directory already? Asked once a domain. */
static bool has_files(struct import *import, const struct intake *intake)
{
	char text[MAILROOT_QMAIL_MAX], path[PATH_MAX];
	struct import_domain *domain;
	size_t number, len = 0;

	if (!names_add(&import->names, intake->address.domain.s, &number) ||
	    number >= import->domains)
		return true;
	domain = &import->domain[number];
	if (!domain->files)
		domain->files =
			asuser_list(import->site->asuser, &domain->handle,
				    &intake->address.domain, true, text, &len,
				    path) == ENOENT ||
					len == 0
				? 1
				: 2;
	return domain->files == 2;
}

static int preflight_row(struct import *import, size_t number)
{
	struct store_address *address;
	struct intake intake;
	size_t domain;
	int code = CODE_DONE;

	roster_get(&import->roster, number, &intake);
	if (!has_files(import, &intake))
		return CODE_DONE;
	address = calloc(1, sizeof *address);
	if (!address ||
	    !names_add(&import->names, intake.address.domain.s, &domain)) {
		free(address);
		return say_error(CODE_LATER, "no memory");
	}
	address->name = intake.address;
	address->forwards_len = intake.forwards_len;
	memcpy(address->forwards, intake.forwards, intake.forwards_len);
	address->has_box = enroll_wants_box(&intake);
	address->box = intake.box; /* a new one is in no file yet */
	code = preflight_address(import->site, &import->domain[domain].handle,
				 address, false);
	if (code == CODE_REFUSED)
		import_refuse_row(import, number, &intake,
				  "its .qmail file was made by hand");
	free(address);
	intake_wipe(&intake);
	return code == CODE_REFUSED ? CODE_DONE : code;
}

int import_preflight(struct import *import)
{
	const char *format = import->how->source.format;
	int code = preflight_fresh(import);

	/* What a site taken over says itself was read from these files. */
	if (format && strcmp(format, "qmail") == 0)
		return code;
	for (size_t i = 0; code == CODE_DONE && i < import->roster.count; i++) {
		const struct roster_row *row = &import->roster.row[i];

		if (!row->bad && row->fresh)
			code = preflight_row(import, i);
	}
	return code;
}
