/* SPDX-License-Identifier: MIT */
/* CSV: any bytes end in records or reasons; fields that are written read back
 * as they were; accounts that are taken from them have good names. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "transfer/csvfile.h"
#include "transfer/import_account.h"

static char path[64];
static int file = -1;

static void put_file(const void *bytes, size_t len)
{
	if (file < 0) {
		file = memfd_create("csv", 0);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	}
	HOLDS(ftruncate(file, 0) == 0);
	HOLDS(pwrite(file, bytes, len, 0) == (ssize_t)len);
}

/* Text of a field, in the places that take one. */
static void take(const char *text)
{
	static struct import_account account;
	struct name_address again;
	char address[NAME_ADDRESS_TEXT];

	if (!import_account_address(&account, text) &&
	    account.address.local.s[0] != '*') {
		name_address_text(&account.address, address);
		HOLDS(!name_address_read(address, strlen(address), &again));
	}
	if (!import_account_quota(&account, text, 1))
		HOLDS(account.quota <= UINT64_MAX / 4);
	(void)import_account_hash(&account,
				  text); /* what it makes: target account */
	if (!import_account_password(&account, text))
		HOLDS(account.password_len == strlen(text) &&
		      account.password_len <= PWHASH_PASSWORD_MAX);
	if (!import_account_title(&account, text))
		HOLDS(strcmp(account.title, text) == 0 && !strchr(text, '\n'));
	(void)import_account_handle(&account, text);
	(void)import_account_box(&account, text);
	(void)import_account_forward(&account, text);
	HOLDS(account.forwards_len <= sizeof account.forwards);
	account.forwards_len = 0;
}

/* Returns how many records were good; the first one's fields in out. */
static size_t read_all(char delimiter, struct text *out, size_t *ret_fields)
{
	static struct input input; /* opened once: its buffer is large */
	struct csvfile csv;
	size_t good = 0, lines = 0;

	if (!input.buffer)
		HOLDS(input_open(&input, path));
	HOLDS(lseek(input.fd, 0, SEEK_SET) == 0);
	input.at = input.len = input.line = 0;
	input.end = input.begun = false;
	input.encoding = (struct encoding){.is = ENCODING_UNKNOWN};
	HOLDS(csvfile_open(&csv, &input, delimiter));
	while (csvfile_next(&csv) == INPUT_LINE) {
		HOLDS(csv.line > lines && csv.line <= input.line);
		lines = csv.line;
		if (csv.why)
			continue;
		HOLDS(csv.count > 0 && csv.count <= CSVFILE_FIELDS_MAX);
		for (size_t i = 0; i < csv.count; i++) {
			const char *field = csvfile_field(&csv, i);

			HOLDS(csv.at[i] + strlen(field) < csv.fields.len);
			if (out && !good)
				HOLDS(text_put(out, field, strlen(field) + 1));
			if (!out && i < 3)
				take(field);
		}
		if (out && !good)
			*ret_fields = csv.count;
		good++;
	}
	csvfile_close(&csv);
	return good;
}

/* The input as fields, cut at NULs, without what a input refuses. */
static void round_trip(const uint8_t *data, size_t size)
{
	struct text fields = {0}, line = {0}, back = {0};
	size_t count = 0, got = 0;
	bool filled = false;

	for (size_t at = 0; at < size && count < CSVFILE_FIELDS_MAX; count++) {
		size_t len = strnlen((const char *)data + at, size - at);
		char *field = fuzz_text(data + at, len);

		for (size_t i = 0; i < len; i++) {
			if ((field[i] & 0x80) || field[i] == '\r')
				field[i] = 'x';
		}
		filled = filled || *field;
		HOLDS(text_put(&fields, field, len + 1));
		csvfile_put(&line, field, count == 0);
		free(field);
		at += len + 1;
	}
	if (count && filled) {
		put_file(line.bytes, line.len);
		HOLDS(read_all(',', &back, &got) == 1);
		HOLDS(got == count && back.len == fields.len);
		HOLDS(memcmp(back.bytes, fields.bytes, back.len) == 0);
	}
	free(fields.bytes);
	free(line.bytes);
	free(back.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how = fuzz_byte(&data, &size);

	if (how & 1) {
		round_trip(data, size);
		return 0;
	}
	put_file(data, size);
	(void)read_all(how & 2 ? 0 : ';', NULL, NULL);
	return 0;
}
