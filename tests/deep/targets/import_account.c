/* SPDX-License-Identifier: MIT */
/* Texts of somebody's file: what is taken fits, and says what the text said. */
#include "fuzz.h"

#include "transfer/import_account.h"

static void names(struct import_account *account, const char *text)
{
	char printed[NAME_ADDRESS_TEXT];
	struct name_address again;
	struct name_box box;

	if (!import_account_address(account, text)) {
		HOLDS(account->has_address);
		name_address_text(&account->address, printed);
		HOLDS(account->address.local.s[0] == '*' ||
		      !name_address_read(printed, strlen(printed), &again));
	}
	if (!import_account_box(account, text)) {
		name_box_text(&account->box, printed);
		HOLDS(!name_box_read(printed, strlen(printed), &box) &&
		      box.number == account->box.number);
	}
	if (!import_account_forward(account, text))
		HOLDS(account->forwards_len &&
		      !account->forwards[account->forwards_len - 1] &&
		      !strchr(account->forwards, '\n'));
}

static void secrets(struct import_account *account, const char *text)
{
	const char *scheme;

	account->secret = IMPORT_ACCOUNT_SILENT;
	account->has_login = false;
	if (import_account_hash(account, text))
		HOLDS(account->secret == IMPORT_ACCOUNT_SILENT);
	else if (account->secret == IMPORT_ACCOUNT_HASH)
		HOLDS(strcmp(account->hash,
			     text + (account->has_login ? strspn(text, "!*")
							: 0)) == 0 &&
		      pwhash_judge(account->hash, &scheme) == PWHASH_OK);
	if (!import_account_password(account, text)) {
		HOLDS(strcmp(account->password, text) == 0 &&
		      account->password_len == strlen(text));
		HOLDS(pwhash_judge(text, &scheme) != PWHASH_OK ||
		      text[0] != '$');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct import_account account;
	char *text = fuzz_text(data, size);

	names(&account, text);
	secrets(&account, text);
	if (!import_account_quota(&account, text, 1 << 20))
		HOLDS(account.quota <= UINT64_MAX / 4);
	if (!import_account_title(&account, text))
		HOLDS(strlen(text) <= STORE_TITLE_MAX && !strchr(text, '\n') &&
		      !strchr(text, 0x1b));
	(void)import_account_reason(&account, text);
	(void)import_account_login(&account, text);
	(void)import_account_delivery(&account, text);
	import_account_wipe(&account);
	free(text);
	return 0;
}
