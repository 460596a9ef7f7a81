/* SPDX-License-Identifier: MIT */
#include "fmt_modoboa.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fmt_clean.h"

static const enum fmt_csv_column account[] = {
	FMT_CSV_ADDRESS,   FMT_CSV_EITHER,  FMT_CSV_FIRST_NAME,
	FMT_CSV_LAST_NAME, FMT_CSV_ACTIVE,  FMT_CSV_IGNORED, /* its role */
	FMT_CSV_IGNORED,   FMT_CSV_QUOTA_MB};
static const enum fmt_csv_column forwards[] = {FMT_CSV_ADDRESS, FMT_CSV_ACTIVE};
static const enum fmt_csv_column domain[] = {
	FMT_CSV_ALIAS_DOMAIN, FMT_CSV_TARGET_DOMAIN, FMT_CSV_ACTIVE};

enum { ACCOUNT_ADDRESS = 7, FIRST_TARGET = 3 };

static const struct kind {
	const char *name;
	const enum fmt_csv_column *columns; /* NULL: left out */
	size_t count;
	enum import_account_part part;
} kinds[] = {
	{"account", account, sizeof account / sizeof *account,
	 IMPORT_ACCOUNT_BOX},
	{"alias", forwards, 2, IMPORT_ACCOUNT_FORWARDS},
	{"forward", forwards, 2, IMPORT_ACCOUNT_FORWARDS},
	{"dlist", forwards, 2, IMPORT_ACCOUNT_FORWARDS},
	{"domainalias", domain, 3, IMPORT_ACCOUNT_WHOLE},
	{"domain", NULL, 0, IMPORT_ACCOUNT_WHOLE},
	{"relaydomain", NULL, 0, IMPORT_ACCOUNT_WHOLE},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static bool put(struct csvfile *record, struct fmt_csv *columns,
		enum fmt_csv_column is, const char *text)
{
	columns->column[columns->count] = is;
	columns->count++;
	return csvfile_add(record, text, strlen(text)) == CSVFILE_ADDED;
}

/* All that stand behind the flag, with commas between. */
static bool put_targets(const struct csvfile *csv, struct csvfile *record,
			struct fmt_csv *columns)
{
	struct text all = {.bytes = NULL};
	bool good = true;

	for (size_t i = FIRST_TARGET; good && i < csv->count; i++) {
		const char *one = fmt_clean_address(csvfile_field(csv, i));

		good = text_put(&all, one, strlen(one)) &&
		       text_put(&all, ",", 1);
	}
	good = good && put(record, columns, FMT_CSV_FORWARD,
			   all.bytes ? all.bytes : "");
	if (all.bytes)
		free(all.bytes);
	return good;
}

/* An administrator has a login without an address, others one that is none. */
static const char *login_of(const struct csvfile *csv)
{
	const char *login = fmt_clean_address(csvfile_field(csv, 1));
	const char *address =
		csv->count > ACCOUNT_ADDRESS
			? fmt_clean_address(csvfile_field(csv, ACCOUNT_ADDRESS))
			: "";

	return address[0] ? address : login;
}

const char *fmt_modoboa(const struct csvfile *csv, struct csvfile *ret_record,
			struct fmt_csv *ret_columns,
			enum import_account_part *ret_part,
			const char **ret_left)
{
	const char *word = fmt_clean_blanks(csvfile_field(csv, 0));
	const struct kind *kind = kinds;
	bool good = true;

	*ret_left = NULL;
	*ret_part = IMPORT_ACCOUNT_WHOLE;
	*ret_columns = (struct fmt_csv){.count = 0};
	csvfile_clear(ret_record);
	while (kind < kinds + KINDS && strcasecmp(kind->name, word) != 0)
		kind++;
	if (kind == kinds + KINDS)
		return "its first field is none of account, alias, forward, "
		       "dlist, domain, domainalias and relaydomain";
	if (!kind->columns) {
		*ret_left = "a domain: those of accounts are made with them";
		return NULL;
	}
	if (csv->count < 3)
		return "the record has too few fields";
	*ret_part = kind->part;
	for (size_t i = 0; good && i < kind->count; i++)
		good = put(ret_record, ret_columns, kind->columns[i],
			   i == 0 && kind->columns == account ? login_of(csv)
			   : i + 1 < csv->count ? csvfile_field(csv, i + 1)
						: "");
	if (good && kind->columns == forwards)
		good = put_targets(csv, ret_record, ret_columns);
	if (kind->columns == account && !strchr(login_of(csv), '@'))
		*ret_left = "a login without an address";
	return good ? NULL : "the record is too large";
}

/* Is the second field an address or a domain, or are there as many as an account
 * has? A header in such words has neither. */
static bool is_record(const char *line, size_t len)
{
	size_t fields = 1, second = 0;

	for (size_t i = 0; i < len && line[i] != '\n'; i++) {
		fields += line[i] == ';';
		second += fields == 2 && (line[i] == '@' || line[i] == '.');
	}
	return second || fields >= ACCOUNT_ADDRESS + 1;
}

bool fmt_modoboa_resembles(const char *bytes, size_t len)
{
	const char *end = memchr(bytes, ';', len < 16 ? len : 16);
	size_t word = end ? (size_t)(end - bytes) : 0;

	while (word && bytes[word - 1] == ' ')
		word--;
	for (size_t i = 0; i < KINDS; i++) {
		if (word && strlen(kinds[i].name) == word &&
		    memcmp(kinds[i].name, bytes, word) == 0)
			return is_record(bytes, len);
	}
	return false;
}
