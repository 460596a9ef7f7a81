/* Texts of somebody's file: what is taken fits, and says what the text said. */
#include "fuzz.h"

#include "transfer/intake.h"

static void names(struct intake *intake, const char *text)
{
	char printed[NAME_ADDRESS_TEXT];
	struct name_address again;
	struct name_box box;

	if (!intake_address(intake, text)) {
		HOLDS(intake->has_address);
		name_address_text(&intake->address, printed);
		HOLDS(intake->address.local.s[0] == '*' ||
		      !name_address_read(printed, strlen(printed), &again));
	}
	if (!intake_box(intake, text)) {
		name_box_text(&intake->box, printed);
		HOLDS(!name_box_read(printed, strlen(printed), &box) &&
		      box.number == intake->box.number);
	}
	if (!intake_forward(intake, text))
		HOLDS(intake->forwards_len &&
		      !intake->forwards[intake->forwards_len - 1] &&
		      !strchr(intake->forwards, '\n'));
}

static void secrets(struct intake *intake, const char *text)
{
	const char *scheme;

	intake->secret = INTAKE_SILENT;
	intake->has_login = false;
	if (intake_hash(intake, text))
		HOLDS(intake->secret == INTAKE_SILENT);
	else if (intake->secret == INTAKE_HASH)
		HOLDS(strcmp(intake->hash, text + (intake->has_login
						    ? strspn(text, "!*")
						    : 0)) == 0 &&
		      pwhash_judge(intake->hash, &scheme) == PWHASH_OK);
	if (!intake_password(intake, text)) {
		HOLDS(strcmp(intake->password, text) == 0 &&
		      intake->password_len == strlen(text));
		HOLDS(pwhash_judge(text, &scheme) != PWHASH_OK ||
		      text[0] != '$');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct intake intake;
	char *text = fuzz_text(data, size);

	names(&intake, text);
	secrets(&intake, text);
	if (!intake_quota(&intake, text, 1 << 20))
		HOLDS(intake.quota <= UINT64_MAX / 4);
	if (!intake_title(&intake, text))
		HOLDS(strlen(text) <= STORE_TITLE_MAX && !strchr(text, '\n') &&
		      !strchr(text, 0x1b));
	(void)intake_reason(&intake, text);
	(void)intake_login(&intake, text);
	(void)intake_delivery(&intake, text);
	intake_wipe(&intake);
	free(text);
	return 0;
}
