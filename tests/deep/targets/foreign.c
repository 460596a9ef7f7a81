/* SPDX-License-Identifier: MIT */
/* Rows of other programs' files: whatever their bytes, one account whose names
 * read back, whose old mail lies nowhere upwards, and whose texts end; or why
 * not. */
#include "fuzz.h"

#include "transfer/fmt_dotqmail.h"
#include "transfer/fmt_passwd.h"
#include "transfer/fmt_vmailmgr.h"

static struct import_account account;

static void names(void)
{
	char text[NAME_ADDRESS_TEXT];
	struct name_address again;

	if (!account.has_address)
		return;
	name_address_text(&account.address, text);
	HOLDS(account.address.local.s[0] == '*' ||
	      !name_address_read(text, strlen(text), &again));
}

static void forwards(void)
{
	size_t at = 0;

	HOLDS(account.forwards_len <= sizeof account.forwards);
	while (at < account.forwards_len) {
		const char *one = account.forwards + at;

		HOLDS(memchr(one, 0, account.forwards_len - at));
		HOLDS(strchr(one, '@') && !strpbrk(one, "\n\r\t "));
		at += strlen(one) + 1;
	}
}

static void account_holds(void)
{
	const char *scheme;

	names();
	forwards();
	for (const char *c = account.maildir; *c; c++)
		HOLDS(strncmp(c, "..", 2) != 0 ||
		      (c > account.maildir && c[-1] != '/') ||
		      (c[2] && c[2] != '/'));
	if (account.has_title)
		HOLDS(!strpbrk(account.title, "\n\r\x1b"));
	if (account.has_quota)
		HOLDS(account.quota <= UINT64_MAX / 4);
	if (account.secret == IMPORT_ACCOUNT_HASH && !account.unusable)
		HOLDS(pwhash_judge(account.hash, &scheme) == PWHASH_OK);
	if (account.secret == IMPORT_ACCOUNT_PASSWORD)
		HOLDS(account.password_len == strlen(account.password));
}

/* As input hands them out: without a NUL, without the newline. */
static void line(fmt_passwd *read, const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	const char *left;

	text[strcspn(text, "\n")] = 0;
	if (!read(text, "example.com", &account, &left) && !left)
		account_holds();
	free(text);
}

static void entry(const uint8_t *data, size_t size)
{
	static const struct fmt_vmailmgr_site site = {
		"example.com", "/home/old", "host.example.com"};
	static struct fmt_vmailmgr_cells cells;
	size_t len = fuzz_byte(&data, &size);
	char *user, *value, dir[PATH_MAX];
	const char *left;

	len = len < size ? len : size;
	user = fuzz_text(data, len);
	value = malloc(size - len ? size - len : 1); /* no NUL behind it */
	if (size - len)
		memcpy(value, data + len, size - len);
	if (!fmt_vmailmgr(user, len, value, size - len, &site, &account,
			  &left) &&
	    !left)
		account_holds();
	if (fmt_vmailmgr_dir(value, size - len, &site, dir))
		HOLDS(strlen(dir) < sizeof dir);
	if (fmt_vmailmgr_cells(user, len, value, size - len, &site, &cells))
		HOLDS(strlen(cells.forwards) < sizeof cells.forwards);
	free(user);
	free(value);
}

static void dotqmail(const uint8_t *data, size_t size)
{
	static struct fmt_dotqmail row;
	char *text = malloc(size ? size : 1); /* no NUL behind it */

	if (size)
		memcpy(text, data, size);
	if (!fmt_dotqmail(text, size, &account, &row))
		account_holds();
	HOLDS(row.boxes <= FMT_DOTQMAIL_BOXES);
	for (size_t i = 0; i < row.boxes; i++)
		HOLDS(row.box[i][0] &&
		      row.box[i][strlen(row.box[i]) - 1] == '/');
	free(text);
}

static void file_name(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct name_local local, again;

	if (fmt_dotqmail_name(text, &local))
		HOLDS(local.s[0] == '*' ||
		      !name_local_read(local.s, strlen(local.s), &again));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how = fuzz_byte(&data, &size) % 6;

	import_account_wipe(&account);
	if (how == 0)
		line(fmt_passwd_vpopmail, data, size);
	else if (how == 1)
		line(fmt_passwd_dovecot, data, size);
	else if (how == 2)
		line(fmt_passwd_shadow, data, size);
	else if (how == 3)
		entry(data, size);
	else if (how == 4)
		dotqmail(data, size);
	else
		file_name(data, size);
	return 0;
}
