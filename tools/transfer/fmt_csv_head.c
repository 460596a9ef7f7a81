/* SPDX-License-Identifier: MIT */
/* fmt_csv_head.c: which columns a header names, in whose words. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fmt_clean.h"
#include "fmt_csv.h"

struct column {
	const char *name; /* as fmt_clean_same compares it */
	enum fmt_csv_column is;
};

/* A header that has both marks is of this format. */
struct dialect {
	const char *format;
	const char *mark[2]; /* NULL: any */
	bool others;	     /* it may have columns that say nothing to us */
	const struct column *columns; /* name NULL ends */
	const char *whose;	      /* for people; NULL: none's */
};

/* Our own words come first; then those of spreadsheets that people keep, in the
 * languages that were met. */
static const struct column ours[] = {
	{"address", FMT_CSV_ADDRESS},
	{"local", FMT_CSV_LOCAL},
	{"domain", FMT_CSV_DOMAIN},
	{"password", FMT_CSV_PASSWORD},
	{"hash", FMT_CSV_HASH},
	{"name", FMT_CSV_NAME},
	{"quota", FMT_CSV_QUOTA},
	{"handle", FMT_CSV_HANDLE},
	{"box", FMT_CSV_BOX},
	{"forward", FMT_CSV_FORWARD},
	{"login", FMT_CSV_LOGIN},
	{"delivery", FMT_CSV_DELIVERY},
	{"reason", FMT_CSV_REASON},
	{"expires", FMT_CSV_EXPIRES},
	{"messages", FMT_CSV_MESSAGES},
	{"vacation", FMT_CSV_VACATION},
	{"vacation from", FMT_CSV_VACATION_FROM},
	{"vacation until", FMT_CSV_VACATION_UNTIL},
	{"maildir", FMT_CSV_MAILDIR},
	{"email", FMT_CSV_ADDRESS},
	{"mail", FMT_CSV_ADDRESS},
	{"email address", FMT_CSV_ADDRESS},
	{"mail address", FMT_CSV_ADDRESS},
	{"mailbox", FMT_CSV_ADDRESS},
	{"account", FMT_CSV_ADDRESS},
	{"user", FMT_CSV_ADDRESS},
	{"user name", FMT_CSV_ADDRESS},
	{"user principal name", FMT_CSV_ADDRESS},
	{"adresse", FMT_CSV_ADDRESS},
	{"mailadresse", FMT_CSV_ADDRESS},
	{"emailadresse", FMT_CSV_ADDRESS},
	{"benutzer", FMT_CSV_ADDRESS},
	{"benutzername", FMT_CSV_ADDRESS},
	{"postfach", FMT_CSV_ADDRESS},
	{"adresse email", FMT_CSV_ADDRESS},
	{"adresse mail", FMT_CSV_ADDRESS},
	{"adresse e mail", FMT_CSV_ADDRESS},
	{"adresse électronique", FMT_CSV_ADDRESS},
	{"courriel", FMT_CSV_ADDRESS},
	{"utilisateur", FMT_CSV_ADDRESS},
	{"correo", FMT_CSV_ADDRESS},
	{"correo electrónico", FMT_CSV_ADDRESS},
	{"correo electronico", FMT_CSV_ADDRESS},
	{"usuario", FMT_CSV_ADDRESS},
	{"indirizzo", FMT_CSV_ADDRESS},
	{"indirizzo email", FMT_CSV_ADDRESS},
	{"utente", FMT_CSV_ADDRESS},
	{"e mailadres", FMT_CSV_ADDRESS},
	{"gebruiker", FMT_CSV_ADDRESS},
	{"local part", FMT_CSV_LOCAL},
	{"domäne", FMT_CSV_DOMAIN},
	{"domaine", FMT_CSV_DOMAIN},
	{"dominio", FMT_CSV_DOMAIN},
	{"pass", FMT_CSV_PASSWORD},
	{"passwd", FMT_CSV_PASSWORD},
	{"pwd", FMT_CSV_PASSWORD},
	{"passwort", FMT_CSV_PASSWORD},
	{"kennwort", FMT_CSV_PASSWORD},
	{"mot de passe", FMT_CSV_PASSWORD},
	{"contraseña", FMT_CSV_PASSWORD},
	{"contrasena", FMT_CSV_PASSWORD},
	{"clave", FMT_CSV_PASSWORD},
	{"senha", FMT_CSV_PASSWORD},
	{"wachtwoord", FMT_CSV_PASSWORD},
	{"password hash", FMT_CSV_HASH},
	{"hashed password", FMT_CSV_HASH},
	{"crypt", FMT_CSV_HASH},
	{"full name", FMT_CSV_NAME},
	{"display name", FMT_CSV_NAME},
	{"real name", FMT_CSV_NAME},
	{"anzeigename", FMT_CSV_NAME},
	{"vollständiger name", FMT_CSV_NAME},
	{"nom complet", FMT_CSV_NAME},
	{"nombre completo", FMT_CSV_NAME},
	{"nome completo", FMT_CSV_NAME},
	{"first name", FMT_CSV_FIRST_NAME},
	{"given name", FMT_CSV_FIRST_NAME},
	{"vorname", FMT_CSV_FIRST_NAME},
	{"prénom", FMT_CSV_FIRST_NAME},
	{"nombre", FMT_CSV_FIRST_NAME},
	{"nome", FMT_CSV_FIRST_NAME},
	{"last name", FMT_CSV_LAST_NAME},
	{"surname", FMT_CSV_LAST_NAME},
	{"family name", FMT_CSV_LAST_NAME},
	{"nachname", FMT_CSV_LAST_NAME},
	{"nom", FMT_CSV_LAST_NAME},
	{"apellidos", FMT_CSV_LAST_NAME},
	{"cognome", FMT_CSV_LAST_NAME},
	{"quota mb", FMT_CSV_QUOTA_MB},
	{"quota (mb)", FMT_CSV_QUOTA_MB},
	{"forward to", FMT_CSV_FORWARD},
	{"weiterleitung", FMT_CSV_FORWARD},
	{"customer", FMT_CSV_HANDLE},
	{NULL, FMT_CSV_IGNORED},
};

static const struct column cpanel[] = {
	{"email", FMT_CSV_ADDRESS}, {"password", FMT_CSV_PASSWORD},
	{"domain", FMT_CSV_DOMAIN}, {"quota", FMT_CSV_QUOTA_MB},
	{NULL, FMT_CSV_IGNORED},
};

static const struct column google[] = {
	{"email address [required]", FMT_CSV_ADDRESS},
	{"password [required]", FMT_CSV_PASSWORD},
	{"password hash function [upload only]", FMT_CSV_FUNCTION},
	{"first name [required]", FMT_CSV_FIRST_NAME},
	{"last name [required]", FMT_CSV_LAST_NAME},
	{"status [read only]", FMT_CSV_STATUS},
	{"new status [upload only]", FMT_CSV_NEW_STATUS},
	{NULL, FMT_CSV_IGNORED},
};

static const struct column mailboxes[] = {
	{"username", FMT_CSV_ADDRESS}, {"password", FMT_CSV_HASH},
	{"name", FMT_CSV_NAME},	       {"maildir", FMT_CSV_MAILDIR},
	{"quota", FMT_CSV_QUOTA},      {"active", FMT_CSV_ACTIVE},
	{NULL, FMT_CSV_IGNORED},
};

/* iRedMail has Postfixadmin's table, with the quota in MB. */
static const struct column iredmail[] = {
	{"username", FMT_CSV_ADDRESS}, {"password", FMT_CSV_HASH},
	{"name", FMT_CSV_NAME},	       {"quota", FMT_CSV_QUOTA_MB},
	{"active", FMT_CSV_ACTIVE},    {NULL, FMT_CSV_IGNORED},
};

static const struct column aliases[] = {
	{"address", FMT_CSV_ADDRESS},
	{"goto", FMT_CSV_FORWARD},
	{"active", FMT_CSV_ACTIVE},
	{NULL, FMT_CSV_IGNORED},
};

/* iRedMail has a row for each target. */
static const struct column forwardings[] = {
	{"address", FMT_CSV_ADDRESS},
	{"forwarding", FMT_CSV_FORWARD},
	{"active", FMT_CSV_ACTIVE},
	{NULL, FMT_CSV_IGNORED},
};

static const struct column alias_list[] = {
	{"alias", FMT_CSV_ADDRESS},
	{"to", FMT_CSV_FORWARD},
	{"active", FMT_CSV_ACTIVE},
	{NULL, FMT_CSV_IGNORED},
};

static const struct column alias_domains[] = {
	{"alias_domain", FMT_CSV_ALIAS_DOMAIN},
	{"target_domain", FMT_CSV_TARGET_DOMAIN},
	{"active", FMT_CSV_ACTIVE},
	{NULL, FMT_CSV_IGNORED},
};

static const struct column vpopmail[] = {
	{"pw_name", FMT_CSV_LOCAL},  {"pw_domain", FMT_CSV_DOMAIN},
	{"pw_passwd", FMT_CSV_HASH}, {"pw_gid", FMT_CSV_VFLAGS},
	{"pw_gecos", FMT_CSV_NAME},  {"pw_shell", FMT_CSV_VQUOTA},
	{"pw_dir", FMT_CSV_VDIR},    {"pw_clear_passwd", FMT_CSV_VCLEAR},
	{NULL, FMT_CSV_IGNORED},
};

/* Plesk's mail_auth_view, and what people take out of its table. */
static const struct column mail_auth[] = {
	{"address", FMT_CSV_ADDRESS},
	{"password", FMT_CSV_EITHER},
	{NULL, FMT_CSV_IGNORED},
};

static const struct column plesk[] = {
	{"mail_name", FMT_CSV_LOCAL}, {"name", FMT_CSV_DOMAIN},
	{"domain", FMT_CSV_DOMAIN},   {"domain_name", FMT_CSV_DOMAIN},
	{"password", FMT_CSV_EITHER}, {"mbox_quota", FMT_CSV_QUOTA},
	{NULL, FMT_CSV_IGNORED},
};

static const struct dialect dialects[] = {
	{"google", {"email address [required]", NULL}, true, google,
	 "Google Workspace"},
	{"postfixadmin", {"alias_domain", "target_domain"}, true, alias_domains,
	 "other names of domains"},
	{"postfixadmin", {"username", "storagebasedirectory"}, true, iredmail,
	 "mailboxes of iRedMail"},
	{"postfixadmin", {"username", "active"}, true, mailboxes, "mailboxes"},
	{"postfixadmin", {"username", "maildir"}, true, mailboxes, "mailboxes"},
	{"postfixadmin", {"goto", NULL}, true, aliases, "aliases"},
	{"postfixadmin", {"address", "forwarding"}, true, forwardings,
	 "forwardings of iRedMail"},
	{"postfixadmin", {"alias", "to"}, true, alias_list, "aliases"},
	{"csv", {"pw_name", "pw_passwd"}, true, vpopmail, "table of vpopmail"},
	{"csv", {"address", "flags"}, true, mail_auth, "Plesk"},
	{"csv", {"mail_name", "password"}, true, plesk, "Plesk"},
	{"cpanel", {"email", NULL}, false, cpanel, NULL},
	{"csv", {"user name", "display name"}, true, ours, "Microsoft 365"},
	{"csv", {"user principal name", NULL}, true, ours, "Microsoft 365"},
	{"csv", {NULL, NULL}, false, ours, NULL}, /* what is no other's */
};

static char *field(const struct csvfile *csv, size_t i)
{
	return fmt_clean_blanks(csvfile_field(csv, i));
}

static const struct column *find_column(const struct column *column,
					const char *name)
{
	while (column->name && !fmt_clean_same(column->name, name))
		column++;
	return column;
}

static bool has_field(const struct csvfile *csv, const char *name)
{
	for (size_t i = 0; i < csv->count; i++) {
		if (fmt_clean_same(field(csv, i), name))
			return true;
	}
	return !name;
}

static bool knows_all(const struct csvfile *csv, const struct column *columns)
{
	for (size_t i = 0; i < csv->count; i++) {
		const char *name = field(csv, i);

		if (name[0] && !find_column(columns, name)->name)
			return false;
	}
	return true;
}

static bool fits(const struct csvfile *csv, const struct dialect *dialect,
		 bool asked)
{
	for (size_t i = 0; i < 2; i++) {
		if (dialect->mark[i] && !has_field(csv, dialect->mark[i]))
			return false;
	}
	/* Of a header that is not asked for all must be known: a spreadsheet's
	 * has the same first column. */
	return asked || dialect->others || !dialect->mark[0] ||
	       knows_all(csv, dialect->columns);
}

static const struct dialect *find_dialect(const struct csvfile *csv,
					  const char *format)
{
	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
		const struct dialect *dialect = &dialects[i];

		if ((!format || strcmp(format, dialect->format) == 0) &&
		    fits(csv, dialect, format != NULL))
			return dialect;
	}
	return NULL;
}

/* "Their Name=ours,...": what is ours of that name. False: our part is no
 * column of ours. */
static bool mapped(const char *map, const char *name, const char **ret_name)
{
	char theirs[256], mine[64];

	while (map && *map) {
		size_t part = strcspn(map, ","), len = strcspn(map, "=");

		if (len >= part || len >= sizeof theirs ||
		    part - len > sizeof mine)
			return false;
		memcpy(theirs, map, len);
		theirs[len] = 0;
		memcpy(mine, map + len + 1, part - len - 1);
		mine[part - len - 1] = 0;
		if (!find_column(ours, fmt_clean_blanks(mine))->name)
			return false;
		if (fmt_clean_same(fmt_clean_blanks(theirs), name))
			*ret_name =
				find_column(ours, fmt_clean_blanks(mine))->name;
		map += part + (map[part] != 0);
	}
	return true;
}

/* Is this a line of names, and not of somebody's data? */
static bool names_columns(const struct csvfile *csv)
{
	for (size_t i = 0; i < csv->count; i++) {
		const char *name = csvfile_field(csv, i);

		if (strpbrk(name, "@$/{}:|"))
			return false;
	}
	return csv->count > 1;
}

static const char *judge(const struct csvfile *csv, const struct fmt_csv *row,
			 bool any_known)
{
	if (!any_known && names_columns(csv))
		return "none of the columns is known (--map "
		       "'THEIRS=address,THEIRS=password' says what they are)";
	if (!any_known)
		return "the file has no header (its first line names the "
		       "columns: address,password or address,hash at least)";
	if (!fmt_csv_has(row, FMT_CSV_ADDRESS) &&
	    !fmt_csv_has(row, FMT_CSV_LOCAL) &&
	    !fmt_csv_has(row, FMT_CSV_BOX) &&
	    !fmt_csv_has(row, FMT_CSV_ALIAS_DOMAIN))
		return "the header has no column 'address' (or 'local' and "
		       "'domain'; --map 'THEIRS=address' says which it is)";
	return NULL;
}

/* A column named login is a switch beside addresses, else it has them. */
static void settle_login(struct fmt_csv *row)
{
	if (fmt_csv_has(row, FMT_CSV_ADDRESS) ||
	    fmt_csv_has(row, FMT_CSV_LOCAL) || fmt_csv_has(row, FMT_CSV_BOX))
		return;
	for (size_t i = 0; i < row->count; i++) {
		if (row->column[i] == FMT_CSV_LOGIN)
			row->column[i] = FMT_CSV_ADDRESS;
	}
}

const char *fmt_csv_header(const struct csvfile *csv,
			   const struct fmt_csv_how *how,
			   struct fmt_csv *ret_row, const char **ret_bad)
{
	const struct dialect *dialect = find_dialect(csv, how->format);
	const char *unknown = NULL, *why;
	bool any = false;

	*ret_bad = NULL;
	if (!dialect)
		return "the header is not one of this format";
	*ret_row = (struct fmt_csv){.format = dialect->format,
				    .whose = dialect->whose};
	for (size_t i = 0; i < csv->count; i++) {
		const char *name = field(csv, i), *ours_is = NULL;
		const struct column *column;

		if (!mapped(how->map, name, &ours_is))
			return "--map wants THEIRS=OURS, where OURS is "
			       "address, local, domain, password, hash, name, "
			       "quota, handle, box, forward, login, delivery, "
			       "reason, expires, messages, vacation, "
			       "vacation_from, vacation_until or maildir";
		column = ours_is ? find_column(ours, ours_is)
				 : find_column(dialect->columns, name);
		if (column->name && fmt_csv_has(ret_row, column->is)) {
			*ret_bad = name;
			return "the header has this column twice";
		}
		if (!column->name && name[0] && !dialect->others && !unknown)
			unknown = name;
		any = any || column->name;
		ret_row->column[ret_row->count++] =
			name[0] ? column->is : FMT_CSV_NAMELESS;
	}
	settle_login(ret_row);
	why = judge(csv, ret_row, any);
	if (why || !unknown || how->ignore_unknown)
		return why;
	*ret_bad = unknown;
	return "the header has a column that is not known (--map "
	       "'THEIRS=OURS' says which of ours it is, --ignore-unknown "
	       "passes over it)";
}

bool fmt_csv_blank(const struct csvfile *csv)
{
	for (size_t i = 0; i < csv->count; i++) {
		if (field(csv, i)[0])
			return false;
	}
	return true;
}

bool fmt_csv_title(const struct csvfile *csv)
{
	size_t filled = 0;

	for (size_t i = 0; i < csv->count; i++) {
		const char *text = field(csv, i);

		filled += text[0] != 0;
		for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
			if (text[0] &&
			    find_column(dialects[d].columns, text)->name)
				return false;
		}
	}
	return filled == 1 && (csv->count > 1 || !strpbrk(csvfile_field(csv, 0),
							   "@$:|"));
}
