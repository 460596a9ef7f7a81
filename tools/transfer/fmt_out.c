/* SPDX-License-Identifier: MIT */
#include "fmt_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/dovecot.h"
#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "csvfile.h"
#include "fmt_flags.h"
#include "popusr/mailroot.h"
#include "qmail/dotqmail.h"
#include "store/hash/pwhash.h"
#include "store/login.h"

const char fmt_out_csv_header[] =
	"address,box,hash,name,quota,handle,forward,login,delivery,reason,"
	"expires,messages,vacation,vacation_from,vacation_until\n";

const char fmt_out_no_memory[] = "no memory";

/* A spreadsheet takes such a cell for a formula, and runs it. */
static bool is_formula(const char *text)
{
	return text[0] && strchr("=+-@\t", text[0]) != NULL;
}

static bool put_cell(struct text *out, const struct fmt_out *row,
		     const char *cell, bool first)
{
	char guarded[1 + STORE_FORWARDS_MAX];

	if (!row->spreadsheet || !is_formula(cell) ||
	    strlen(cell) + 2 > sizeof guarded)
		return csvfile_put(out, cell, first);
	guarded[0] = '\'';
	memcpy(guarded + 1, cell, strlen(cell) + 1);
	return csvfile_put(out, guarded, first);
}

/* With blanks between. */
static void join_forwards(const struct store_address *address,
			  char ret_text[STORE_FORWARDS_MAX])
{
	size_t len = address ? address->forwards_len : 0;

	if (len)
		memcpy(ret_text, address->forwards, len);
	for (size_t i = 0; i + 1 < len; i++) {
		if (!ret_text[i])
			ret_text[i] = ' ';
	}
	if (!len)
		ret_text[0] = 0;
}

static bool put_box_cells(struct text *out, const struct fmt_out *row,
			  const struct store_account *account)
{
	const struct store_box *box = &account->box;
	char number[24] = "", text[NAME_BOX_TEXT];

	name_box_text(&box->name, text);
	if (box->quota.bytes)
		(void)snprintf(number, sizeof number, "%llu",
			       (unsigned long long)box->quota.bytes);
	return put_cell(out, row, text, false) &&
	       put_cell(out, row, account->hash[0] ? account->hash : "*",
			false) &&
	       put_cell(out, row, box->title, false) &&
	       put_cell(out, row, number, false);
}

/* Suspended under this name, at whatever level? */
static bool suspended(const struct fmt_out *row)
{
	return row->off && row->off != login_no_password;
}

/* An end that has come has a column. */
static const char *login_cell(const struct fmt_out *row,
			      char text[WORD_SWITCHES])
{
	if (suspended(row) && row->off != login_expired)
		return "off";
	return row->terms.off ? word_switches(row->terms.off, text) : "on";
}

/* The switch `login` as it is in effect: a csv has no place for the switches of
 * domain and handle, and a box that is suspended here must not log in there. */
static bool put_state_cells(struct text *out, const struct fmt_out *row,
			    const struct store_state *state)
{
	const uint64_t messages = row->account->box.quota.messages;
	char login[WORD_SWITCHES], when[SAY_TIME_TEXT], number[24] = "";
	const int64_t end = row->terms.expires;

	if (messages)
		(void)snprintf(number, sizeof number, "%llu",
			       (unsigned long long)messages); /* it fits */
	return put_cell(out, row, login_cell(row, login), false) &&
	       put_cell(out, row, word_delivery(state->delivery), false) &&
	       put_cell(out, row, state->reason, false) &&
	       put_cell(out, row, end ? say_time(end, when) : "", false) &&
	       put_cell(out, row, number, false);
}

static bool put_reply_cells(struct text *out, const struct fmt_out *row,
			    const struct store_box *box)
{
	char from[SAY_TIME_TEXT], until[SAY_TIME_TEXT];
	const bool on = box->vacation[0];

	return put_cell(out, row, box->vacation, false) &&
	       put_cell(out, row,
			on && box->vacation_from
				? say_time(box->vacation_from, from)
				: "",
			false) &&
	       put_cell(out, row,
			on && box->vacation_until
				? say_time(box->vacation_until, until)
				: "",
			false);
}

const char *fmt_out_csv(struct text *out, const struct fmt_out *row)
{
	const struct store_account *account = row->account;
	char address[NAME_ADDRESS_TEXT] = "", forwards[STORE_FORWARDS_MAX];
	const size_t before = out->len;
	bool good;

	if (row->address)
		name_address_text(&row->address->name, address);
	join_forwards(row->address, forwards);
	good = put_cell(out, row, address, true);
	if (account)
		good = good && put_box_cells(out, row, account);
	else
		good = good && text_put(out, ",,,,", 4);
	good = good &&
	       put_cell(out, row,
			row->domain ? row->domain->handle.s
				    : account->box.name.handle.s,
			false) &&
	       put_cell(out, row, forwards, false) &&
	       (account ? put_state_cells(out, row, &account->box.state) &&
				  put_reply_cells(out, row, &account->box)
			: text_put(out, ",,,,,,,,", 8)) &&
	       text_put(out, "\n", 1);
	if (good)
		return NULL;
	out->len = before;
	return fmt_out_no_memory;
}

__attribute__((format(printf, 2, 3))) static const char *
put_line(struct text *out, const char *format, ...)
{
	const size_t before = out->len;
	va_list args, again;
	char *line = NULL;
	bool good;
	int len;

	/* Not vasprintf, which leaves what it has so far where it grows. */
	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len >= 0)
		line = malloc((size_t)len + 1);
	good = line && vsnprintf(line, (size_t)len + 1, format, again) == len;
	va_end(again);
	va_end(args);
	if (!line)
		return fmt_out_no_memory;
	good = good && text_put(out, line, (size_t)len);
	explicit_bzero(line, (size_t)len); /* a hash is in it */
	free(line);
	if (!good)
		out->len = before;
	return good ? NULL : fmt_out_no_memory;
}

/* joe, or his box's name. */
static void user_of(const struct fmt_out *row, char ret_user[NAME_ADDRESS_TEXT])
{
	if (!row->address)
		name_box_text(&row->account->box.name, ret_user);
	else if (row->alias)
		(void)snprintf(ret_user, NAME_ADDRESS_TEXT, "%s@%s",
			       row->address->name.local.s, row->alias);
	else
		name_address_text(&row->address->name, ret_user);
}

static const char wrapped[] = "its hash is wrapped, which no other program "
			      "reads (a new password is needed there)";

const char *fmt_out_dovecot(struct text *out, const struct fmt_out *row)
{
	char user[NAME_ADDRESS_TEXT];

	if (!row->off && !dovecot_knows(row->account->hash))
		return wrapped;
	user_of(row, user);
	return dovecot_line(out, row->config, row->account, user, row->off,
			    row->terms.off)
		       ? NULL
		       : fmt_out_no_memory;
}

/* What crypt(3) of a usual system computes. */
static bool is_crypt(const char *hash)
{
	static const char *const starts[] = {"$6$", "$5$", "$2", "$y$", "$1$"};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		if (strncmp(hash, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

const char *fmt_out_vpopmail(struct text *out, const struct fmt_out *row)
{
	const struct store_account *account = row->account;
	const struct maildirsize limit = dotqmail_limit(&account->box.quota);
	const char *domain = row->address->name.domain.s;
	const char *local = row->address->name.local.s;
	char title[STORE_TITLE_MAX + 1], quota[64] = "NOQUOTA";

	if (account->hash[0] && !is_crypt(account->hash))
		return strncmp(account->hash, "$wrap$", 6) == 0
			       ? wrapped
			       : "its hash is none of crypt(3), which vpopmail "
				 "asks (a new password is needed there)";
	memcpy(title, account->box.title, sizeof title);
	for (char *c = title; *c; c++) {
		if (*c == ':' || *c == ',')
			*c = ' ';
	}
	if (limit.bytes || limit.messages)
		maildirsize_limit_text(&limit, quota);
	return put_line(out, "%s:%s:1:%d:%s:/home/vpopmail/domains/%s/%s:%s\n",
			local, account->hash[0] ? account->hash : "*",
			(int)(fmt_flags_vpopmail_off(suspended(row)
							     ? STORE_SERVICES
							     : row->terms.off) |
			      (row->bounce ? FMT_FLAGS_BOUNCE : 0)),
			title, domain, local, quota);
}
