/* row_csv_head.c: which columns a header names, in whose words. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "row_clean.h"
#include "row_csv.h"

struct column {
	const char *name; /* as row_clean_same compares it */
	enum row_csv_column is;
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
	{"address", ROW_CSV_ADDRESS},
	{"local", ROW_CSV_LOCAL},
	{"domain", ROW_CSV_DOMAIN},
	{"password", ROW_CSV_PASSWORD},
	{"hash", ROW_CSV_HASH},
	{"name", ROW_CSV_NAME},
	{"quota", ROW_CSV_QUOTA},
	{"handle", ROW_CSV_HANDLE},
	{"box", ROW_CSV_BOX},
	{"forward", ROW_CSV_FORWARD},
	{"login", ROW_CSV_LOGIN},
	{"delivery", ROW_CSV_DELIVERY},
	{"reason", ROW_CSV_REASON},
	{"maildir", ROW_CSV_MAILDIR},
	{"email", ROW_CSV_ADDRESS},
	{"mail", ROW_CSV_ADDRESS},
	{"email address", ROW_CSV_ADDRESS},
	{"mail address", ROW_CSV_ADDRESS},
	{"mailbox", ROW_CSV_ADDRESS},
	{"account", ROW_CSV_ADDRESS},
	{"user", ROW_CSV_ADDRESS},
	{"user name", ROW_CSV_ADDRESS},
	{"user principal name", ROW_CSV_ADDRESS},
	{"adresse", ROW_CSV_ADDRESS},
	{"mailadresse", ROW_CSV_ADDRESS},
	{"emailadresse", ROW_CSV_ADDRESS},
	{"benutzer", ROW_CSV_ADDRESS},
	{"benutzername", ROW_CSV_ADDRESS},
	{"postfach", ROW_CSV_ADDRESS},
	{"adresse email", ROW_CSV_ADDRESS},
	{"adresse mail", ROW_CSV_ADDRESS},
	{"adresse e mail", ROW_CSV_ADDRESS},
	{"adresse électronique", ROW_CSV_ADDRESS},
	{"courriel", ROW_CSV_ADDRESS},
	{"utilisateur", ROW_CSV_ADDRESS},
	{"correo", ROW_CSV_ADDRESS},
	{"correo electrónico", ROW_CSV_ADDRESS},
	{"correo electronico", ROW_CSV_ADDRESS},
	{"usuario", ROW_CSV_ADDRESS},
	{"indirizzo", ROW_CSV_ADDRESS},
	{"indirizzo email", ROW_CSV_ADDRESS},
	{"utente", ROW_CSV_ADDRESS},
	{"e mailadres", ROW_CSV_ADDRESS},
	{"gebruiker", ROW_CSV_ADDRESS},
	{"local part", ROW_CSV_LOCAL},
	{"domäne", ROW_CSV_DOMAIN},
	{"domaine", ROW_CSV_DOMAIN},
	{"dominio", ROW_CSV_DOMAIN},
	{"pass", ROW_CSV_PASSWORD},
	{"passwd", ROW_CSV_PASSWORD},
	{"pwd", ROW_CSV_PASSWORD},
	{"passwort", ROW_CSV_PASSWORD},
	{"kennwort", ROW_CSV_PASSWORD},
	{"mot de passe", ROW_CSV_PASSWORD},
	{"contraseña", ROW_CSV_PASSWORD},
	{"contrasena", ROW_CSV_PASSWORD},
	{"clave", ROW_CSV_PASSWORD},
	{"senha", ROW_CSV_PASSWORD},
	{"wachtwoord", ROW_CSV_PASSWORD},
	{"password hash", ROW_CSV_HASH},
	{"hashed password", ROW_CSV_HASH},
	{"crypt", ROW_CSV_HASH},
	{"full name", ROW_CSV_NAME},
	{"display name", ROW_CSV_NAME},
	{"real name", ROW_CSV_NAME},
	{"anzeigename", ROW_CSV_NAME},
	{"vollständiger name", ROW_CSV_NAME},
	{"nom complet", ROW_CSV_NAME},
	{"nombre completo", ROW_CSV_NAME},
	{"nome completo", ROW_CSV_NAME},
	{"first name", ROW_CSV_FIRST_NAME},
	{"given name", ROW_CSV_FIRST_NAME},
	{"vorname", ROW_CSV_FIRST_NAME},
	{"prénom", ROW_CSV_FIRST_NAME},
	{"nombre", ROW_CSV_FIRST_NAME},
	{"nome", ROW_CSV_FIRST_NAME},
	{"last name", ROW_CSV_LAST_NAME},
	{"surname", ROW_CSV_LAST_NAME},
	{"family name", ROW_CSV_LAST_NAME},
	{"nachname", ROW_CSV_LAST_NAME},
	{"nom", ROW_CSV_LAST_NAME},
	{"apellidos", ROW_CSV_LAST_NAME},
	{"cognome", ROW_CSV_LAST_NAME},
	{"quota mb", ROW_CSV_QUOTA_MB},
	{"quota (mb)", ROW_CSV_QUOTA_MB},
	{"forward to", ROW_CSV_FORWARD},
	{"weiterleitung", ROW_CSV_FORWARD},
	{"customer", ROW_CSV_HANDLE},
	{NULL, ROW_CSV_IGNORED},
};

static const struct column cpanel[] = {
	{"email", ROW_CSV_ADDRESS},   {"password", ROW_CSV_PASSWORD},
	{"domain", ROW_CSV_DOMAIN},   {"quota", ROW_CSV_QUOTA_MB},
	{NULL, ROW_CSV_IGNORED},
};

static const struct column google[] = {
	{"email address [required]", ROW_CSV_ADDRESS},
	{"password [required]", ROW_CSV_PASSWORD},
	{"password hash function [upload only]", ROW_CSV_FUNCTION},
	{"first name [required]", ROW_CSV_FIRST_NAME},
	{"last name [required]", ROW_CSV_LAST_NAME},
	{"status [read only]", ROW_CSV_STATUS},
	{"new status [upload only]", ROW_CSV_NEW_STATUS},
	{NULL, ROW_CSV_IGNORED},
};

static const struct column mailboxes[] = {
	{"username", ROW_CSV_ADDRESS}, {"password", ROW_CSV_HASH},
	{"name", ROW_CSV_NAME},	       {"maildir", ROW_CSV_MAILDIR},
	{"quota", ROW_CSV_QUOTA},      {"active", ROW_CSV_ACTIVE},
	{NULL, ROW_CSV_IGNORED},
};

/* iRedMail has Postfixadmin's table, with the quota in MB. */
static const struct column iredmail[] = {
	{"username", ROW_CSV_ADDRESS}, {"password", ROW_CSV_HASH},
	{"name", ROW_CSV_NAME},	       {"quota", ROW_CSV_QUOTA_MB},
	{"active", ROW_CSV_ACTIVE},    {NULL, ROW_CSV_IGNORED},
};

static const struct column aliases[] = {
	{"address", ROW_CSV_ADDRESS}, {"goto", ROW_CSV_FORWARD},
	{"active", ROW_CSV_ACTIVE},   {NULL, ROW_CSV_IGNORED},
};

/* iRedMail has a row for each target. */
static const struct column forwardings[] = {
	{"address", ROW_CSV_ADDRESS}, {"forwarding", ROW_CSV_FORWARD},
	{"active", ROW_CSV_ACTIVE},   {NULL, ROW_CSV_IGNORED},
};

static const struct column alias_list[] = {
	{"alias", ROW_CSV_ADDRESS},   {"to", ROW_CSV_FORWARD},
	{"active", ROW_CSV_ACTIVE},   {NULL, ROW_CSV_IGNORED},
};

static const struct column alias_domains[] = {
	{"alias_domain", ROW_CSV_ALIAS_DOMAIN},
	{"target_domain", ROW_CSV_TARGET_DOMAIN},
	{"active", ROW_CSV_ACTIVE},
	{NULL, ROW_CSV_IGNORED},
};

static const struct column vpopmail[] = {
	{"pw_name", ROW_CSV_LOCAL},	{"pw_domain", ROW_CSV_DOMAIN},
	{"pw_passwd", ROW_CSV_HASH},	{"pw_gid", ROW_CSV_VFLAGS},
	{"pw_gecos", ROW_CSV_NAME},	{"pw_shell", ROW_CSV_VQUOTA},
	{"pw_dir", ROW_CSV_VDIR},	{"pw_clear_passwd", ROW_CSV_VCLEAR},
	{NULL, ROW_CSV_IGNORED},
};

/* Plesk's mail_auth_view, and what people take out of its table. */
static const struct column mail_auth[] = {
	{"address", ROW_CSV_ADDRESS},
	{"password", ROW_CSV_EITHER},
	{NULL, ROW_CSV_IGNORED},
};

static const struct column plesk[] = {
	{"mail_name", ROW_CSV_LOCAL},  {"name", ROW_CSV_DOMAIN},
	{"domain", ROW_CSV_DOMAIN},    {"domain_name", ROW_CSV_DOMAIN},
	{"password", ROW_CSV_EITHER},  {"mbox_quota", ROW_CSV_QUOTA},
	{NULL, ROW_CSV_IGNORED},
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
	return row_clean_blanks(csvfile_field(csv, i));
}

static const struct column *find_column(const struct column *column,
					const char *name)
{
	while (column->name && !row_clean_same(column->name, name))
		column++;
	return column;
}

static bool has_field(const struct csvfile *csv, const char *name)
{
	for (size_t i = 0; i < csv->count; i++) {
		if (row_clean_same(field(csv, i), name))
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
		if (!find_column(ours, row_clean_blanks(mine))->name)
			return false;
		if (row_clean_same(row_clean_blanks(theirs), name))
			*ret_name = find_column(ours, row_clean_blanks(mine))
					    ->name;
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

static const char *judge(const struct csvfile *csv, const struct row_csv *row,
			 bool any_known)
{
	if (!any_known && names_columns(csv))
		return "none of the columns is known (--map "
		       "'THEIRS=address,THEIRS=password' says what they are)";
	if (!any_known)
		return "the file has no header (its first line names the "
		       "columns: address,password or address,hash at least)";
	if (!row_csv_has(row, ROW_CSV_ADDRESS) &&
	    !row_csv_has(row, ROW_CSV_LOCAL) && !row_csv_has(row, ROW_CSV_BOX) &&
	    !row_csv_has(row, ROW_CSV_ALIAS_DOMAIN))
		return "the header has no column 'address' (or 'local' and "
		       "'domain'; --map 'THEIRS=address' says which it is)";
	return NULL;
}

/* A column named login is a switch beside addresses, else it has them. */
static void settle_login(struct row_csv *row)
{
	if (row_csv_has(row, ROW_CSV_ADDRESS) || row_csv_has(row, ROW_CSV_LOCAL) ||
	    row_csv_has(row, ROW_CSV_BOX))
		return;
	for (size_t i = 0; i < row->count; i++) {
		if (row->column[i] == ROW_CSV_LOGIN)
			row->column[i] = ROW_CSV_ADDRESS;
	}
}

const char *row_csv_header(const struct csvfile *csv,
			   const struct row_csv_how *how,
			   struct row_csv *ret_row, const char **ret_bad)
{
	const struct dialect *dialect = find_dialect(csv, how->format);
	const char *unknown = NULL, *why;
	bool any = false;

	*ret_bad = NULL;
	if (!dialect)
		return "the header is not one of this format";
	*ret_row = (struct row_csv){.format = dialect->format,
				    .whose = dialect->whose};
	for (size_t i = 0; i < csv->count; i++) {
		const char *name = field(csv, i), *ours_is = NULL;
		const struct column *column;

		if (!mapped(how->map, name, &ours_is))
			return "--map wants THEIRS=OURS, where OURS is "
			       "address, local, domain, password, hash, name, "
			       "quota, handle, box, forward, login, delivery, "
			       "reason or maildir";
		column = ours_is ? find_column(ours, ours_is)
				 : find_column(dialect->columns, name);
		if (column->name && row_csv_has(ret_row, column->is)) {
			*ret_bad = name;
			return "the header has this column twice";
		}
		if (!column->name && name[0] && !dialect->others && !unknown)
			unknown = name;
		any = any || column->name;
		ret_row->column[ret_row->count++] =
			name[0] ? column->is : ROW_CSV_NAMELESS;
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

bool row_csv_blank(const struct csvfile *csv)
{
	for (size_t i = 0; i < csv->count; i++) {
		if (field(csv, i)[0])
			return false;
	}
	return true;
}

bool row_csv_title(const struct csvfile *csv)
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
