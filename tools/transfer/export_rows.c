/* SPDX-License-Identifier: MIT */
/* export_rows.c: a file of accounts, one a line. */
#include <errno.h>
#include <string.h>

#include "base/say.h"
#include "base/words.h"
#include "export_private.h"
#include "fmt_out.h"
#include "store/login.h"
#include "store/secret.h"

static enum err and_delivery(struct exporting *e,
			     const struct name_handle *name,
			     enum store_delivery *delivery)
{
	enum err err = ERR_OK;

	if (strcmp(e->owner.name.s, name->s) != 0)
		err = store_handle_get(e->txn, name, &e->owner);
	if (err == ERR_OK)
		*delivery = store_delivery_and(*delivery,
					       e->owner.state.delivery);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* The box of one handle may be behind the domain of another. */
static enum err find_bounce(struct exporting *e, struct fmt_out *row)
{
	const struct store_box *box = &row->account->box;
	enum store_delivery delivery = box->state.delivery;
	enum err err = and_delivery(e, &box->name.handle, &delivery);

	if (err == ERR_OK && row->domain) {
		delivery = store_delivery_and(delivery,
					      row->domain->state.delivery);
		err = and_delivery(e, &row->domain->handle, &delivery);
	}
	row->bounce = delivery == STORE_BOUNCE;
	return err;
}

static fmt_out *writer(enum export_format format)
{
	switch (format) {
	case EXPORT_CSV:
		return fmt_out_csv;
	case EXPORT_DOVECOT:
		return fmt_out_dovecot;
	case EXPORT_VPOPMAIL:
		return fmt_out_vpopmail;
	case EXPORT_JSON:
		break;
	}
	return NULL;
}

static void row_text(const struct fmt_out *row, char text[NAME_ADDRESS_TEXT])
{
	if (row->address)
		name_address_text(&row->address->name, text);
	else
		name_box_text(&row->account->box.name, text);
}

/* The rows of a box in a csv must not contradict each other: its switch is the
 * one for the box's own name. An address that is suspended although its box is
 * not must not get lost without a word. */
static enum err allowed_csv(struct exporting *e, struct fmt_out *row)
{
	char text[NAME_ADDRESS_TEXT];
	struct name_address address;
	const char *off = NULL;
	const struct login_name whole = {row->account, NULL, 0};
	const struct login_name name = {row->account, row->domain, 0};
	struct login_terms terms = {0, 0};
	enum err err = login_allowed(e->txn, &whole, &row->off, &address);

	if (err == ERR_OK)
		err = login_terms(e->txn, &row->account->box, NULL,
				  &row->terms);
	if (err == ERR_OK && row->domain)
		err = login_allowed(e->txn, &name, &off, &address);
	if (err == ERR_OK && row->domain)
		err = login_terms(e->txn, &row->account->box, row->domain,
				  &terms);
	if (err != ERR_OK || row->off)
		return err;
	if (!off && terms.off & ~row->terms.off)
		off = "some services are off";
	if (!off && terms.expires && terms.expires != row->terms.expires)
		off = "it expires";
	if (!off)
		return ERR_OK;
	row_text(row, text);
	say_error(0, "%s: %s, although its box is not: a csv cannot carry that "
		     "(--format json does)",
		  text, off);
	e->left++;
	return ERR_OK;
}

/* What is off by a date or a service that the format does not know must not get
 * lost without a word. */
static void note_terms(struct exporting *e, const struct fmt_out *row)
{
	const bool ends = row->terms.expires && !login_ended(row->terms.expires);
	const bool webmail = e->how->format == EXPORT_DOVECOT &&
			     row->terms.off & STORE_SERVICE_WEBMAIL;
	char text[NAME_ADDRESS_TEXT];

	if (row->off || (!ends && !webmail))
		return;
	row_text(row, text);
	say_error(0, "%s: its logins %s: such a file cannot carry that (--format "
		     "csv does)",
		  text, ends ? "expire" : "by webmail are off");
	e->left++;
}

/* name: the domain under which the line is a login; NULL: its box's name. */
static enum err allowed(struct exporting *e, struct fmt_out *row,
			const struct store_domain *name)
{
	const struct login_name as = {row->account, name, 0};
	struct name_address address;
	enum err err;

	if (!row->account)
		return ERR_OK;
	if (e->how->format == EXPORT_CSV)
		return allowed_csv(e, row);
	err = login_allowed(e->txn, &as, &row->off, &address);
	if (err == ERR_OK)
		err = login_terms(e->txn, &row->account->box, name,
				  &row->terms);
	if (err == ERR_OK)
		note_terms(e, row);
	return err;
}

/* One account that a format has one line for. */
static enum err put(struct exporting *e, struct fmt_out *row,
		    const struct store_domain *name)
{
	char text[NAME_ADDRESS_TEXT];
	enum err err = allowed(e, row, name);
	const char *why;

	if (err != ERR_OK)
		return err;
	why = writer(e->how->format)(&e->out, row);
	if (!why)
		return export_flush(e, EXPORT_HELD);
	if (why == fmt_out_no_memory) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	row_text(row, text);
	say_error(0, "%s: skipped: %s", text, why);
	e->left++;
	return ERR_OK;
}

/* Under each name of its domain that a login may use. */
static enum err put_names(struct exporting *e, struct fmt_out *row)
{
	struct name_domain *after = NULL;
	struct store_domain alias;
	enum err err = put(e, row, row->domain);

	if (e->how->format != EXPORT_DOVECOT || !row->domain)
		return err;
	while (err == ERR_OK) {
		err = store_alias_next(e->txn, &row->domain->name, after,
				       &alias);
		row->alias = alias.name.s;
		after = &alias.name;
		if (err == ERR_OK)
			err = put(e, row, &alias);
	}
	row->alias = NULL;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static bool is_login(const struct store_address *address)
{
	return address->has_box && strcmp(address->name.local.s, "*") != 0;
}

/* A suspension of its own, or an end, must not get lost without a word. */
static void note_switch(struct exporting *e,
			const struct store_address *address)
{
	char text[NAME_ADDRESS_TEXT];

	if (address->delivery == STORE_DELIVER && !address->expires)
		return;
	name_address_text(&address->name, text);
	say_error(0, "%s: it %s: such a file cannot carry that (--format json "
		     "does)",
		  text,
		  address->delivery != STORE_DELIVER ? "is suspended"
						     : "expires");
	e->left++;
}

static void note_forwards(const struct exporting *e,
			  const struct store_address *address)
{
	char text[NAME_ADDRESS_TEXT];

	if (e->how->format == EXPORT_CSV)
		return;
	name_address_text(&address->name, text);
	if (!is_login(address))
		say_note("%s: skipped: it is an address without an account",
			 text);
	else if (address->forwards_len)
		say_note("%s: its forwards are skipped", text);
}

static void note_apps(const struct store_box *box)
{
	char text[NAME_BOX_TEXT];

	if (!box->apps && !box->apps_only)
		return;
	name_box_text(&box->name, text);
	say_note("%s: its app passwords are skipped: such a file has one password "
		 "for a user (--format json has all)",
		 text);
}

/* Others than popbox have one level. A csv has columns for the box's own quota. */
static enum err held_quota(struct exporting *e, struct store_box *box)
{
	return e->how->format == EXPORT_CSV
		       ? ERR_OK
		       : store_box_quota(e->txn, box, &box->quota);
}

static enum err put_address(struct exporting *e,
			    const struct store_domain *domain,
			    const struct store_address *address)
{
	struct store_account account = {.hash = ""};
	struct fmt_out row = {.config = &e->site->config,
			      .domain = domain,
			      .address = address,
			      .spreadsheet = e->how->spreadsheet};
	enum err err = ERR_OK;

	note_forwards(e, address);
	note_switch(e, address);
	if (e->how->format != EXPORT_CSV && !is_login(address))
		return ERR_OK;
	if (address->has_box) {
		err = store_login(e->txn, &address->box, &account);
		row.account = &account;
		if (err == ERR_OK)
			note_apps(&account.box);
		if (err == ERR_OK)
			err = held_quota(e, &account.box);
		if (err == ERR_OK)
			err = find_bounce(e, &row);
	}
	if (err == ERR_OK)
		err = put_names(e, &row);
	secret_wipe(&account, sizeof account);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* What a file of accounts has no place for. */
static void note_domain(const struct exporting *e,
			const struct store_domain *domain)
{
	if (domain->kind == STORE_ALIAS && e->how->format == EXPORT_DOVECOT)
		return;
	say_note("%s: skipped: it is a domain of kind %s", domain->name.s,
		 word_kind(domain->kind));
}

static enum err next_domain(const struct exporting *e,
			    const struct name_domain *after,
			    struct store_domain *ret_domain)
{
	return e->how->has_handle
		       ? store_handle_domain_next(e->txn, &e->how->handle, after,
						  ret_domain)
		       : store_domain_next(e->txn, after, ret_domain);
}

static enum err each_domain(struct exporting *e)
{
	struct store_domain domain;
	enum err err = next_domain(e, NULL, &domain);

	while (err == ERR_OK) {
		if (export_wants(e->how, &domain) && domain.kind != STORE_POP)
			note_domain(e, &domain);
		else if (export_wants(e->how, &domain))
			err = export_each_address(e, &domain,
						  put_address);
		if (err == ERR_OK)
			err = next_domain(e, &domain.name, &domain);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The name of a box is a login by itself; in a csv only one that no address
 * leads to has a row of its own. */
static enum err put_box(struct exporting *e, const struct name_box *name)
{
	struct store_account account;
	struct fmt_out row = {.config = &e->site->config,
			      .account = &account,
			      .spreadsheet = e->how->spreadsheet};
	struct name_address address;
	enum err err = store_box_address_next(e->txn, name, NULL, &address);

	if (e->how->format == EXPORT_CSV && err != ERR_NOTFOUND)
		return err;
	err = store_login(e->txn, name, &account);
	if (err == ERR_OK)
		err = held_quota(e, &account.box);
	if (err == ERR_OK)
		err = find_bounce(e, &row);
	if (err == ERR_OK)
		err = put(e, &row, NULL);
	secret_wipe(&account, sizeof account);
	return err;
}

static enum err each_box(struct exporting *e)
{
	const struct export_how *how = e->how;
	struct name_box first = {how->handle, 0};
	struct store_box box;
	enum err err = ERR_NOTFOUND;

	if (how->has_domain || how->format == EXPORT_VPOPMAIL ||
	    (how->format == EXPORT_DOVECOT && !e->site->config.login_by_box))
		return ERR_OK;
	if (how->has_handle)
		err = store_box_get(e->txn, &first, &box);
	if (err == ERR_NOTFOUND)
		err = store_box_next(e->txn, how->has_handle ? &first : NULL,
				     &box);
	while (err == ERR_OK &&
	       (!how->has_handle ||
		strcmp(box.name.handle.s, how->handle.s) == 0)) {
		err = put_box(e, &box.name);
		if (err == ERR_OK)
			err = store_box_next(e->txn, &box.name, &box);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err export_rows(struct exporting *e)
{
	enum err err = ERR_OK;

	if (e->how->format == EXPORT_CSV &&
	    !text_put(&e->out, fmt_out_csv_header, strlen(fmt_out_csv_header)))
		err = ERR_SYSTEM;
	if (err == ERR_OK)
		err = each_domain(e);
	return err == ERR_OK ? each_box(e) : err;
}
