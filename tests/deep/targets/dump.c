/* SPDX-License-Identifier: MIT */
/* Dumps: whatever their bytes, rows whose fields are as many as were counted and
 * end where they end, the same in pieces of any size; and accounts whose names
 * read back. */
#include "fuzz.h"

#include "transfer/fmt_csv.h"
#include "transfer/fmt_pairs.h"
#include "transfer/fmt_sql.h"

static struct import_account account;

static void whole(const struct csvfile *record)
{
	size_t bytes = 0;

	HOLDS(record->count <= CSVFILE_FIELDS_MAX);
	HOLDS(record->fields.len <= 2 * CSVFILE_RECORD_MAX);
	for (size_t i = 0; i < record->count; i++)
		bytes += strlen(csvfile_field(record, i)) + 1;
	HOLDS(bytes == record->fields.len);
}

static void account_holds(void)
{
	struct name_address again;
	char text[NAME_ADDRESS_TEXT];

	if (account.has_address && account.address.local.s[0] != '*') {
		name_address_text(&account.address, text);
		HOLDS(!name_address_read(text, strlen(text), &again));
	}
	HOLDS(account.forwards_len <= sizeof account.forwards);
	if (account.has_title)
		HOLDS(!strpbrk(account.title, "\n\r\x1b"));
	HOLDS(account.password_len == strlen(account.password));
}

struct sum {
	size_t rows, bytes;
	uint64_t of;
};

static void add(struct sum *sum, const char *text)
{
	for (; *text; text++)
		sum->of = (sum->of ^ (unsigned char)*text) * 1099511628211u;
	sum->of += 7;
}

static bool see(void *arg, const struct fmt_sql_row *row)
{
	static const struct fmt_csv_how how = {NULL, NULL, true};
	struct sum *sum = arg;
	const char *bad, *left;
	struct fmt_csv columns;

	sum->rows++;
	add(sum, row->table);
	HOLDS(strlen(row->table) < FMT_SQL_NAME);
	whole(row->columns);
	whole(row->values);
	for (size_t i = 0; i < row->values->count; i++)
		add(sum, csvfile_field(row->values, i));
	if (row->why)
		return true;
	HOLDS(row->columns->count == row->values->count);
	if (fmt_csv_header(row->columns, &how, &columns, &bad))
		return true;
	import_account_wipe(&account);
	account.part = IMPORT_ACCOUNT_BOX;
	if (!fmt_csv_fill(&columns, row->values, "w.example", &account, &left))
		account_holds();
	return true;
}

static struct sum dump(const char *data, size_t size, size_t piece)
{
	struct sum sum = {.rows = 0};
	struct fmt_sql *sql = fmt_sql_new(see, &sum);

	HOLDS(sql);
	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		HOLDS(fmt_sql_take(sql, data + at, len) == FMT_SQL_MORE);
	}
	(void)fmt_sql_end(sql);
	fmt_sql_free(sql);
	return sum;
}

static void sql(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1); /* no NUL behind it */
	struct sum one, other;

	if (size)
		memcpy(bytes, data, size);
	one = dump(bytes, size, size ? size : 1);
	other = dump(bytes, size, 3);
	HOLDS(one.rows == other.rows && one.of == other.of);
	(void)fmt_sql_resembles(bytes, size);
	(void)fmt_pairs_is_ldif(bytes, size);
	(void)fmt_pairs_is_vuserinfo(bytes, size);
	(void)fmt_pairs_is_virtualmin(bytes, size);
	free(bytes);
}

static void fill(struct fmt_pairs *pairs)
{
	const char *left;

	whole(&pairs->values);
	HOLDS(pairs->columns.count == pairs->values.count);
	import_account_wipe(&account);
	if (!fmt_pairs_fill(pairs, "w.example", &account, &left) && !left)
		account_holds();
	fmt_pairs_clear(pairs);
}

static void pairs(fmt_pairs *parse, const uint8_t *data, size_t size)
{
	struct fmt_pairs told;

	fmt_pairs_open(&told);
	for (size_t len; size; data += len, size -= len) {
		const uint8_t *newline = memchr(data, '\n', size);
		enum fmt_pairs_got got;
		char *line;

		len = newline ? (size_t)(newline - data) : size;
		line = fuzz_text(data, len); /* input refuses a NUL */
		got = parse(&told, line, strlen(line));
		if (got == FMT_PAIRS_BEFORE) {
			HOLDS(told.begun);
			fill(&told);
			got = parse(&told, line, strlen(line));
			HOLDS(got != FMT_PAIRS_BEFORE);
		}
		free(line);
		if (got == FMT_PAIRS_DONE)
			fill(&told);
		len += newline != NULL;
	}
	fill(&told);
	fmt_pairs_close(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t how = fuzz_byte(&data, &size) % 6;

	if (how < 2)
		sql(data, size);
	else if (how == 2)
		pairs(fmt_pairs_ldif, data, size);
	else if (how == 3)
		pairs(fmt_pairs_vuserinfo, data, size);
	else if (how == 4)
		pairs(fmt_pairs_hestia, data, size);
	else
		pairs(fmt_pairs_virtualmin, data, size);
	return 0;
}
