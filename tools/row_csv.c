#include "row_csv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "row_flags.h"

struct column {
	const char *name; /* in any letter case */
	enum row_csv_column is;
};

/* A header that has the mark is of this format. */
struct dialect {
	const char *format;
	const char *mark;
	bool others; /* it may have columns that say nothing to us */
	const struct column *columns; /* name NULL ends */
};

static const struct column ours[] = {
	{"address", ROW_CSV_ADDRESS},	{"local", ROW_CSV_LOCAL},
	{"domain", ROW_CSV_DOMAIN},	{"password", ROW_CSV_PASSWORD},
	{"hash", ROW_CSV_HASH},		{"name", ROW_CSV_NAME},
	{"quota", ROW_CSV_QUOTA},	{"handle", ROW_CSV_HANDLE},
	{"box", ROW_CSV_BOX},		{"forward", ROW_CSV_FORWARD},
	{"login", ROW_CSV_LOGIN},	{"delivery", ROW_CSV_DELIVERY},
	{"reason", ROW_CSV_REASON},	{"maildir", ROW_CSV_MAILDIR},
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
	{"first name [required]", ROW_CSV_NAME},
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

static const struct column aliases[] = {
	{"address", ROW_CSV_ADDRESS}, {"goto", ROW_CSV_FORWARD},
	{"active", ROW_CSV_ACTIVE},   {NULL, ROW_CSV_IGNORED},
};

static const struct dialect dialects[] = {
	{"google", "email address [required]", true, google},
	{"postfixadmin", "username", true, mailboxes},
	{"postfixadmin", "goto", true, aliases},
	{"cpanel", "email", false, cpanel},
	{"csv", "", false, ours}, /* last: takes what is no other's */
};

static bool has_field(const struct csvfile *csv, const char *name)
{
	for (size_t i = 0; i < csv->count; i++) {
		if (strcasecmp(csvfile_field(csv, i), name) == 0)
			return true;
	}
	return !name[0];
}

static const struct dialect *find_dialect(const struct csvfile *csv,
					  const char *format)
{
	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
		const struct dialect *dialect = &dialects[i];

		if (format && strcmp(format, dialect->format) != 0)
			continue;
		if (has_field(csv, dialect->mark))
			return dialect;
	}
	return NULL;
}

static const struct column *find_column(const struct dialect *dialect,
					const char *name)
{
	const struct column *column = dialect->columns;

	while (column->name && strcasecmp(column->name, name) != 0)
		column++;
	return column;
}

static bool has_column(const struct row_csv *row, enum row_csv_column is)
{
	for (size_t i = 0; i < row->count; i++) {
		if (row->column[i] == is)
			return true;
	}
	return false;
}

static const char *judge(const struct row_csv *row, bool any_known)
{
	if (!any_known)
		return "the file has no header (its first line names the "
		       "columns: address,password or address,hash at least)";
	if (!has_column(row, ROW_CSV_ADDRESS) &&
	    !has_column(row, ROW_CSV_LOCAL) && !has_column(row, ROW_CSV_BOX))
		return "the header has no column 'address' (or 'local' and "
		       "'domain')";
	return NULL;
}

const char *row_csv_header(const struct csvfile *csv, const char *format,
			   bool ignore_unknown, struct row_csv *ret_row,
			   const char **ret_bad)
{
	const struct dialect *dialect = find_dialect(csv, format);
	const char *unknown = NULL, *why;
	bool any = false;

	*ret_bad = NULL;
	if (!dialect)
		return "the header is not one of this format";
	*ret_row = (struct row_csv){.format = dialect->format};
	for (size_t i = 0; i < csv->count; i++) {
		const char *name = csvfile_field(csv, i);
		const struct column *column = find_column(dialect, name);

		if (column->name && has_column(ret_row, column->is)) {
			*ret_bad = name;
			return "the header has this column twice";
		}
		if (!column->name && !dialect->others && !unknown)
			unknown = name;
		any = any || column->name;
		ret_row->column[ret_row->count++] = column->is;
	}
	why = judge(ret_row, any);
	if (why || !unknown || ignore_unknown)
		return why;
	*ret_bad = unknown;
	return "the header has a column that is not known "
	       "(--ignore-unknown passes over it)";
}

/* The texts of a record by what they mean; "" where there are none. */
struct texts {
	const char *of[ROW_CSV_COLUMNS];
};

static const char *take_name(struct intake *intake, const struct texts *texts)
{
	const char *first = texts->of[ROW_CSV_NAME];
	const char *last = texts->of[ROW_CSV_LAST_NAME];
	char both[2 * STORE_TITLE_MAX];
	int len;

	if (!last[0])
		return first[0] ? intake_title(intake, first) : NULL;
	len = snprintf(both, sizeof both, "%s %s", first, last);
	if (len < 0 || (size_t)len >= sizeof both)
		return "the name has more than 200 bytes";
	return intake_title(intake, both);
}

/* **** in Google's files: what is there stays. */
static const char *take_secret(struct intake *intake, const struct texts *texts)
{
	const char *password = texts->of[ROW_CSV_PASSWORD];
	const char *function = texts->of[ROW_CSV_FUNCTION];
	const char *hash = texts->of[ROW_CSV_HASH];

	if (hash[0] && password[0])
		return "it has both a password and a hash";
	if (hash[0])
		return intake_hash(intake, hash);
	if (strcmp(password, "****") == 0) {
		intake->secret = INTAKE_KEEP;
		return NULL;
	}
	if (!password[0])
		return NULL;
	return function[0] ? intake_hash(intake, password)
			   : intake_password(intake, password);
}

/* Addresses between blanks or commas. One that is the address itself means its
 * box. */
static const char *take_forwards(struct intake *intake, const char *text,
				 bool *ret_itself)
{
	char one[NAME_ADDRESS_TEXT], self[NAME_ADDRESS_TEXT] = "";
	const char *why = NULL;

	if (intake->has_address)
		name_address_text(&intake->address, self);
	*ret_itself = false;
	for (text += strspn(text, " ,\t"); !why && *text;
	     text += strspn(text, " ,\t")) {
		size_t len = strcspn(text, " ,\t");

		if (len >= sizeof one)
			return "a forward is too long for an address";
		memcpy(one, text, len);
		one[len] = 0;
		text += len;
		if (strcasecmp(one, self) == 0)
			*ret_itself = true;
		else
			why = intake_forward(intake, one);
	}
	return why;
}

static const char *take_address(struct intake *intake,
				const struct texts *texts, const char *domain)
{
	const char *address = texts->of[ROW_CSV_ADDRESS];
	const char *local = texts->of[ROW_CSV_LOCAL];

	if (texts->of[ROW_CSV_DOMAIN][0])
		domain = texts->of[ROW_CSV_DOMAIN];
	if (address[0] == '@' && address[1])
		return intake_local(intake, "*", address + 1);
	if (address[0] && (strchr(address, '@') || !domain))
		return intake_address(intake, address);
	if (address[0])
		return intake_local(intake, address, domain);
	if (local[0] && domain)
		return intake_local(intake, local, domain);
	if (local[0])
		return "it has no domain (column 'domain', or --domain)";
	return texts->of[ROW_CSV_BOX][0] ? NULL : "it has no address";
}

/* The rest: every column that has a call of its own. */
static const char *take_plain(struct intake *intake, const struct texts *texts)
{
	static const struct {
		enum row_csv_column column;
		const char *(*take)(struct intake *, const char *);
	} calls[] = {
		{ROW_CSV_HANDLE, intake_handle}, {ROW_CSV_BOX, intake_box},
		{ROW_CSV_LOGIN, intake_login},
		{ROW_CSV_DELIVERY, intake_delivery},
		{ROW_CSV_REASON, intake_reason},
		{ROW_CSV_MAILDIR, intake_maildir},
	};
	const char *why = NULL;

	for (size_t i = 0; !why && i < sizeof calls / sizeof *calls; i++) {
		const char *text = texts->of[calls[i].column];

		if (text[0])
			why = calls[i].take(intake, text);
	}
	if (!why && texts->of[ROW_CSV_QUOTA][0])
		why = intake_quota(intake, texts->of[ROW_CSV_QUOTA], 1);
	if (!why && texts->of[ROW_CSV_QUOTA_MB][0])
		why = intake_quota(intake, texts->of[ROW_CSV_QUOTA_MB],
				   1 << 20);
	return why;
}

/* Rows may be switched off. The status that an upload asks for outweighs the
 * one that there was. */
static const char *take_flags(const struct row_csv *row,
			      const struct texts *texts, struct intake *intake,
			      const char **ret_left)
{
	const char *active = texts->of[ROW_CSV_ACTIVE];
	const char *status = texts->of[ROW_CSV_NEW_STATUS];
	const char *why;

	if (!status[0])
		status = texts->of[ROW_CSV_STATUS];
	why = row_flags_status(intake, status);
	if (!why)
		why = row_flags_active(intake, active);
	if (why || !has_column(row, ROW_CSV_ACTIVE) ||
	    !has_column(row, ROW_CSV_FORWARD))
		return why;
	if (intake->has_delivery)
		*ret_left = "an alias that is not active";
	/* An alias has no box to switch. */
	intake->has_login = intake->has_delivery = intake->has_reason = false;
	return NULL;
}

const char *row_csv_fill(const struct row_csv *row, const struct csvfile *csv,
			 const char *domain, struct intake *intake,
			 const char **ret_left)
{
	struct texts texts;
	const char *why;
	bool itself;

	*ret_left = NULL;
	if (csv->count != row->count)
		return csv->count < row->count
			       ? "the record has too few fields"
			       : "the record has too many fields (is there a "
				 "comma that is not in quotes?)";
	for (size_t i = 0; i < ROW_CSV_COLUMNS; i++)
		texts.of[i] = "";
	for (size_t i = 0; i < row->count; i++)
		texts.of[row->column[i]] = csvfile_field(csv, i);
	why = take_address(intake, &texts, domain);
	if (!why)
		why = take_forwards(intake, texts.of[ROW_CSV_FORWARD],
				    &itself);
	if (!why && itself && !intake->has_forwards)
		*ret_left = "an alias of itself";
	if (!why)
		why = take_secret(intake, &texts);
	if (!why)
		why = take_name(intake, &texts);
	if (!why)
		why = take_plain(intake, &texts);
	return why ? why : take_flags(row, &texts, intake, ret_left);
}
