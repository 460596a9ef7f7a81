/* SPDX-License-Identifier: MIT */
/* fmt_csv.c: what a record says. */
#include "fmt_csv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/idn.h"
#include "fmt_clean.h"
#include "fmt_flags.h"
#include "fmt_passwd.h"

bool fmt_csv_has(const struct fmt_csv *row, enum fmt_csv_column is)
{
	for (size_t i = 0; i < row->count; i++) {
		if (row->column[i] == is)
			return true;
	}
	return false;
}

/* The texts of a record by what they mean; "" where there are none. */
struct texts {
	const char *of[FMT_CSV_COLUMNS];
};

static const char *take_name(struct import_account *account,
			     const struct texts *texts)
{
	const char *first = texts->of[FMT_CSV_FIRST_NAME];
	const char *last = texts->of[FMT_CSV_LAST_NAME];
	char both[2 * STORE_TITLE_MAX];
	int len;

	if (texts->of[FMT_CSV_NAME][0])
		return import_account_title(account, texts->of[FMT_CSV_NAME]);
	if (!last[0])
		return first[0] ? import_account_title(account, first) : NULL;
	len = snprintf(both, sizeof both, "%s%s%s", first,
		       first[0] ? " " : "", last);
	if (len < 0 || (size_t)len >= sizeof both)
		return "the name has more than 200 bytes";
	return import_account_title(account, both);
}

/* Plesk encrypts what it shall be able to read again. */
static const char *take_either(struct import_account *account, const char *text)
{
	if (strncmp(text, "$AES-", 5) == 0) {
		account->unusable = "the password is encrypted with a key that "
				    "only Plesk has";
		return NULL;
	}
	return pwhash_resembles(text) || text[0] == '{' || text[0] == '!'
		       ? import_account_hash(account, text)
		       : import_account_password(account, text);
}

/* **** in Google's files: what is there stays. */
static const char *take_secret(struct import_account *account,
			       const struct texts *texts)
{
	const char *password = texts->of[FMT_CSV_PASSWORD];
	const char *function = texts->of[FMT_CSV_FUNCTION];
	const char *hash = texts->of[FMT_CSV_HASH];

	if (texts->of[FMT_CSV_EITHER][0])
		return take_either(account, texts->of[FMT_CSV_EITHER]);
	if (texts->of[FMT_CSV_VCLEAR][0])
		return fmt_passwd_either(account, hash,
					 texts->of[FMT_CSV_VCLEAR]);
	if (hash[0] && password[0])
		return "it has both a password and a hash";
	if (hash[0])
		return import_account_hash(account, hash);
	if (strcmp(password, "****") == 0) {
		account->secret = IMPORT_ACCOUNT_KEEP;
		return NULL;
	}
	if (!password[0])
		return NULL;
	return function[0] ? import_account_hash(account, password)
			   : import_account_password(account, password);
}

/* Addresses between blanks or commas. One that is the address itself means its
 * box. */
static const char *take_forwards(struct import_account *account,
				 const char *text, bool *ret_itself)
{
	char one[NAME_ADDRESS_TEXT], self[NAME_ADDRESS_TEXT] = "";
	const char *why = NULL;

	if (account->has_address)
		name_address_text(&account->address, self);
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
			why = import_account_forward(account, one);
	}
	return why;
}

static const char *take_address(struct import_account *account,
				const struct texts *texts, const char *domain)
{
	const char *address = texts->of[FMT_CSV_ADDRESS];
	const char *local = texts->of[FMT_CSV_LOCAL];

	if (texts->of[FMT_CSV_DOMAIN][0])
		domain = texts->of[FMT_CSV_DOMAIN];
	if (address[0] == '@' && address[1])
		return import_account_local(account, "*", address + 1);
	if (address[0] && (strchr(address, '@') || !domain))
		return import_account_address(account, address);
	if (address[0])
		return import_account_local(account, address, domain);
	if (local[0] && domain)
		return import_account_local(account, local, domain);
	if (local[0])
		return "it has no domain (column 'domain', or --domain)";
	return texts->of[FMT_CSV_BOX][0] ? NULL : "it has no address";
}

/* The rest: every column that has a call of its own. */
static const char *take_plain(struct import_account *account,
			      const struct texts *texts)
{
	static const struct {
		enum fmt_csv_column column;
		const char *(*take)(struct import_account *, const char *);
	} calls[] = {
		{FMT_CSV_HANDLE, import_account_handle},
		{FMT_CSV_BOX, import_account_box},
		{FMT_CSV_LOGIN, import_account_login},
		{FMT_CSV_DELIVERY, import_account_delivery},
		{FMT_CSV_REASON, import_account_reason},
		{FMT_CSV_EXPIRES, import_account_end},
		{FMT_CSV_MESSAGES, import_account_messages},
		{FMT_CSV_VACATION, import_account_vacation},
		{FMT_CSV_VACATION_FROM, import_account_vacation_from},
		{FMT_CSV_VACATION_UNTIL, import_account_vacation_until},
		{FMT_CSV_MAILDIR, import_account_maildir},
	};
	const char *why = NULL;

	for (size_t i = 0; !why && i < sizeof calls / sizeof *calls; i++) {
		const char *text = texts->of[calls[i].column];

		if (text[0])
			why = calls[i].take(account, text);
	}
	if (!why && texts->of[FMT_CSV_QUOTA][0])
		why = import_account_quota(account, texts->of[FMT_CSV_QUOTA],
					   1);
	if (!why && texts->of[FMT_CSV_QUOTA_MB][0])
		why = import_account_quota(account, texts->of[FMT_CSV_QUOTA_MB],
					   1 << 20);
	if (!why && texts->of[FMT_CSV_QUOTA_KB][0])
		why = import_account_quota(account, texts->of[FMT_CSV_QUOTA_KB],
					   1 << 10);
	if (!why && texts->of[FMT_CSV_VQUOTA][0])
		why = fmt_passwd_quota(account, texts->of[FMT_CSV_VQUOTA]);
	if (!why && texts->of[FMT_CSV_VDIR][0])
		why = fmt_passwd_dir(account, texts->of[FMT_CSV_VDIR]);
	if (!why && texts->of[FMT_CSV_VFLAGS][0])
		why = fmt_passwd_flags(account, texts->of[FMT_CSV_VFLAGS]);
	return why;
}

/* Rows may be switched off. The status that an upload asks for outweighs the
 * one that there was. */
static const char *take_flags(const struct fmt_csv *row,
			      const struct texts *texts,
			      struct import_account *account,
			      const char **ret_left)
{
	const char *active = texts->of[FMT_CSV_ACTIVE];
	const char *status = texts->of[FMT_CSV_NEW_STATUS];
	const char *why;

	if (!status[0])
		status = texts->of[FMT_CSV_STATUS];
	why = fmt_flags_status(account, status);
	if (!why)
		why = fmt_flags_active(account, active);
	if (why || !fmt_csv_has(row, FMT_CSV_ACTIVE) ||
	    !fmt_csv_has(row, FMT_CSV_FORWARD))
		return why;
	if (account->has_delivery)
		*ret_left = "an alias that is not active";
	/* An alias has no box to switch. */
	account->has_login = account->has_delivery = account->has_reason =
		account->has_services = false;
	return NULL;
}

/* What each column says, cleaned: but a password is what it is. NULL, or why it
 * cannot be read. */
static const char *read_texts(const struct fmt_csv *row,
			      const struct csvfile *csv, struct texts *texts)
{
	const char *why = NULL;

	for (size_t i = 0; i < FMT_CSV_COLUMNS; i++)
		texts->of[i] = "";
	if (csv->count < row->count)
		return "the record has too few fields";
	for (size_t i = 0; i < csv->count; i++) {
		enum fmt_csv_column is =
			i < row->count ? row->column[i] : FMT_CSV_NAMELESS;
		char *text = csvfile_field(csv, i);

		if (is == FMT_CSV_ADDRESS)
			text = fmt_clean_address(text);
		else if (is == FMT_CSV_DOMAIN || is == FMT_CSV_ALIAS_DOMAIN ||
			 is == FMT_CSV_TARGET_DOMAIN)
			text = fmt_clean_domain(text);
		else if ((is != FMT_CSV_PASSWORD && is != FMT_CSV_EITHER &&
			  is != FMT_CSV_VCLEAR) ||
			 csv->boxed)
			text = fmt_clean_field(text);
		texts->of[is] = text;
		if (is == FMT_CSV_NAMELESS && text[0])
			why = i < row->count
				      ? "a field below a column without a name "
					"is not empty"
				      : "the record has too many fields (is "
					"there a comma that is not in quotes?)";
	}
	return why;
}

const char *fmt_csv_fill(const struct fmt_csv *row, const struct csvfile *csv,
			 const char *domain, struct import_account *account,
			 const char **ret_left)
{
	struct texts texts;
	const char *why = read_texts(row, csv, &texts);
	bool itself = false;

	*ret_left = NULL;
	if (!why)
		why = take_address(account, &texts, domain);
	if (!why)
		why = take_forwards(account, texts.of[FMT_CSV_FORWARD],
				    &itself);
	account->itself = itself;
	if (!why && itself && !account->has_forwards && !account->part)
		*ret_left = "an alias of itself";
	if (!why)
		why = take_secret(account, &texts);
	if (!why)
		why = take_name(account, &texts);
	if (!why)
		why = take_plain(account, &texts);
	return why ? why : take_flags(row, &texts, account, ret_left);
}

static const char *read_alias(const struct texts *texts, const char *name,
			      const char *target, struct fmt_csv_alias *alias,
			      const char **ret_left)
{
	char other[NAME_DOMAIN_MAX + 1];
	const char *why = idn_domain(name, &alias->name, alias->utf8);

	if (!why)
		why = idn_domain(target, &alias->target, other);
	if (!why && strcmp(alias->name.s, alias->target.s) == 0)
		*ret_left = "another name of a domain, and the same";
	if (fmt_flags_inactive(texts->of[FMT_CSV_ACTIVE]))
		*ret_left = "another name of a domain that is not active";
	return why;
}

bool fmt_csv_is_alias(const struct fmt_csv *row, const struct csvfile *csv,
		      struct fmt_csv_alias *ret_alias, const char **ret_why,
		      const char **ret_left)
{
	const char *name, *target;
	struct texts texts;

	*ret_left = NULL;
	*ret_why = read_texts(row, csv, &texts);
	name = texts.of[FMT_CSV_ALIAS_DOMAIN];
	target = texts.of[FMT_CSV_TARGET_DOMAIN];
	if (!fmt_csv_has(row, FMT_CSV_ALIAS_DOMAIN)) {
		/* Postfixadmin's @alias to @target among its aliases */
		if (texts.of[FMT_CSV_ADDRESS][0] != '@' ||
		    texts.of[FMT_CSV_FORWARD][0] != '@' ||
		    strpbrk(texts.of[FMT_CSV_FORWARD], " ,"))
			return false;
		name = texts.of[FMT_CSV_ADDRESS] + 1;
		target = texts.of[FMT_CSV_FORWARD] + 1;
	}
	if (!*ret_why)
		*ret_why = read_alias(&texts, name, target, ret_alias,
				      ret_left);
	return true;
}
