/* SPDX-License-Identifier: MIT */
#include "upsert.h"

#include <stdio.h>
#include <string.h>

#include "accounts/postmaster.h"
#include "accounts/undelete.h"
#include "store/login.h"
#include "store/secret.h"

bool upsert_wants_box(const struct import_account *account)
{
	return account->has_box || account->has_title || account->has_quota ||
	       account->has_messages || account->has_vacation ||
	       account->has_login || account->has_delivery ||
	       account->has_expires ||
	       account->secret == IMPORT_ACCOUNT_PASSWORD ||
	       account->secret == IMPORT_ACCOUNT_HASH ||
	       account->secret == IMPORT_ACCOUNT_LOCKED || account->unusable ||
	       !account->has_forwards;
}

void upsert_text(unsigned differs, char ret_text[UPSERT_TEXT])
{
	static const char *const words[] = {"box",	"password", "name",
					    "quota",	"login",    "delivery",
					    "reason",	"forward",
					    "expires",	"vacation"};
	size_t at = 0;

	ret_text[0] = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (differs & 1u << i) /* all words fit */
			at += (size_t)snprintf(ret_text + at, UPSERT_TEXT - at,
					       "%s%s", at ? ", " : "",
					       words[i]);
	}
}

static bool same_box(const struct name_box *a, const struct name_box *b)
{
	return a->number == b->number && strcmp(a->handle.s, b->handle.s) == 0;
}

static enum err need_handle(struct store_txn *txn,
			    const struct name_handle *name)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, name, &handle);

	return err == ERR_NOTFOUND ? store_handle_add(txn, name) : err;
}

enum err upsert_domain(struct store_txn *txn, const struct upsert_how *how,
		       const struct store_domain *domain)
{
	struct store_parked parked;
	struct store_domain was;
	enum err err = need_handle(txn, &domain->handle);

	if (err != ERR_OK)
		return err;
	err = store_parked_domain_get(txn, &domain->name, domain->kind, &was,
				      &parked);
	if (err == ERR_NOTFOUND)
		return store_domain_add(txn, domain);
	if (err == ERR_OK && strcmp(was.handle.s, domain->handle.s) != 0)
		return store_refuse(txn, ERR_INVALID,
				    "the deleted domain '%s' belongs to the "
				    "handle '%s'",
				    domain->name.s, was.handle.s);
	if (err == ERR_OK && !how->undelete)
		return store_refuse(txn, ERR_EXISTS,
				    "the domain '%s' was deleted, and mail "
				    "for it may be on its way (--undelete "
				    "undeletes it, 'popbox purge' removes it "
				    "for good)",
				    domain->name.s);
	if (err == ERR_OK && strcmp(was.target.s, domain->target.s) != 0)
		return store_refuse(txn, ERR_INVALID,
				    "the deleted domain '%s' was another name "
				    "of '%s'",
				    domain->name.s, was.target.s);
	return err == ERR_OK ? store_domain_restore(txn, &was) : err;
}

static bool same_reply(const struct import_account *account,
		       const struct store_box *box)
{
	return strcmp(account->vacation, box->vacation) == 0 &&
	       (!account->vacation[0] ||
		(account->vacation_from == box->vacation_from &&
		 account->vacation_until == box->vacation_until));
}

/* What the row says of the box, put over what is there. */
static unsigned merge(const struct import_account *account, const char *hash,
		      struct store_account *stored)
{
	struct store_box *box = &stored->box;
	unsigned differs = 0;

	if (hash && strcmp(hash, stored->hash) != 0) {
		memset(stored->hash, 0, sizeof stored->hash);
		memcpy(stored->hash, hash, strlen(hash));
		differs |= UPSERT_PASSWORD;
	}
	if (account->has_title && strcmp(account->title, box->title) != 0) {
		memcpy(box->title, account->title, sizeof box->title);
		differs |= UPSERT_NAME;
	}
	if (account->has_quota && account->quota != box->quota.bytes) {
		box->quota.bytes = account->quota;
		differs |= UPSERT_QUOTA;
	}
	if (account->has_messages &&
	    account->messages != box->quota.messages) {
		box->quota.messages = account->messages;
		differs |= UPSERT_QUOTA;
	}
	if (account->has_login && account->login != box->state.login) {
		box->state.login = account->login;
		differs |= UPSERT_LOGIN;
	}
	if (account->has_services &&
	    account->services_off != box->state.off) {
		box->state.off = account->services_off;
		differs |= UPSERT_LOGIN;
	}
	if (account->has_expires && account->expires != box->state.expires) {
		box->state.expires = account->expires;
		differs |= UPSERT_EXPIRES;
	}
	if (account->has_delivery && account->delivery != box->state.delivery) {
		box->state.delivery = account->delivery;
		differs |= UPSERT_DELIVERY;
	}
	if (account->has_reason &&
	    strcmp(account->reason, box->state.reason) != 0) {
		memcpy(box->state.reason, account->reason,
		       sizeof box->state.reason);
		differs |= UPSERT_REASON;
	}
	if (account->has_vacation && !same_reply(account, box)) {
		memcpy(box->vacation, account->vacation, sizeof box->vacation);
		box->vacation_from = account->vacation_from;
		box->vacation_until = account->vacation_until;
		differs |= UPSERT_VACATION;
	}
	return differs;
}

static enum err create_box(struct store_txn *txn,
			   const struct import_account *account,
			   const char *hash, const struct name_box *name)
{
	struct store_account stored = {.hash = "",
				       .box.name = *name,
				       .box.state = store_state_new(txn)};
	enum err err;

	(void)merge(account, hash, &stored); /* of a new one all differs */
	err = store_account_add(txn, &stored);
	secret_wipe(&stored, sizeof stored);
	return err;
}

/* The box of a row that is not there yet: its own number or the next. */
static enum err name_new(struct store_txn *txn, const struct upsert_how *how,
			 const struct import_account *account,
			 struct name_box *ret_name)
{
	struct store_domain domain;
	enum err err;

	if (account->has_box) {
		*ret_name = account->box;
		return need_handle(txn, &ret_name->handle);
	}
	err = store_domain_get(txn, &account->address.domain, &domain);
	if (err == ERR_NOTFOUND)
		return store_unknown(txn, "there is no domain '%s'",
				     account->address.domain.s);
	ret_name->handle = domain.handle;
	return err == ERR_OK ? numbers_next(txn, how->numbers, &domain.handle,
					    &ret_name->number)
			     : err;
}

static enum err conflict(struct store_txn *txn, unsigned differs)
{
	char text[UPSERT_TEXT];

	upsert_text(differs, text);
	return store_refuse(txn, ERR_EXISTS,
			    "it is there with another %s (--update changes "
			    "it)",
			    text);
}

/* The same of its end and its services. */
static enum err match_terms(struct store_txn *txn,
			    const struct import_account *account,
			    struct store_account *stored)
{
	struct store_state *state = &stored->box.state;
	struct login_terms terms;
	enum err err = ERR_OK;

	if (!account->has_services && !account->has_expires)
		return ERR_OK;
	err = login_terms(txn, &stored->box, NULL, &terms);
	if (err == ERR_OK && account->has_services &&
	    account->services_off == terms.off)
		state->off = terms.off;
	if (err == ERR_OK && account->has_expires &&
	    account->expires == terms.expires)
		state->expires = terms.expires;
	return err;
}

/* A row with `off`, as our own csv has it, describes a box that its domain or
 * handle suspends. Only --update makes it a switch of the box itself. */
static enum err match_suspended(struct store_txn *txn,
				const struct import_account *account,
				struct store_account *stored)
{
	const struct login_name name = {stored, NULL, 0};
	struct name_address address;
	const char *off;
	enum err err = match_terms(txn, account, stored);

	if (err != ERR_OK || !account->has_login || account->login)
		return err;
	err = login_allowed(txn, &name, &off, &address);
	if (err == ERR_OK && off && off != login_no_password)
		stored->box.state.login = false;
	return err;
}

/* A box that is there becomes what the row says. */
static enum err update_box(struct store_txn *txn, const struct upsert_how *how,
			   const struct import_account *account,
			   const char *hash, const struct name_box *name,
			   unsigned *ret_differs)
{
	struct store_account stored;
	enum err err = store_login(txn, name, &stored);
	unsigned differs = 0;

	if (err == ERR_OK && !how->update)
		err = match_suspended(txn, account, &stored);
	if (err == ERR_OK)
		differs = merge(account, hash, &stored);
	if (err == ERR_OK && differs && !how->update)
		err = conflict(txn, differs);
	if (err == ERR_OK && differs & ~(unsigned)UPSERT_PASSWORD)
		err = store_box_set(txn, &stored.box);
	if (err == ERR_OK && differs & UPSERT_PASSWORD)
		err = store_box_password(txn, name, stored.hash);
	secret_wipe(&stored, sizeof stored);
	*ret_differs = differs;
	return err;
}

/* The box that the row speaks of, made or changed. */
static enum err upsert_box(struct store_txn *txn, const struct upsert_how *how,
			   const struct import_account *account,
			   const char *hash, const struct store_address *there,
			   struct upserted *ret)
{
	struct store_box box;
	enum err err = ERR_NOTFOUND;

	ret->has_box = true;
	if (account->has_box)
		ret->box = account->box;
	else if (there->has_box)
		ret->box = there->box;
	if (account->has_box || there->has_box)
		err = store_box_get(txn, &ret->box, &box);
	if (err == ERR_OK)
		return update_box(txn, how, account, hash, &ret->box,
				  &ret->differs);
	if (err != ERR_NOTFOUND)
		return err;
	err = name_new(txn, how, account, &ret->box);
	if (err == ERR_OK)
		err = create_box(txn, account, hash, &ret->box);
	ret->verdict = UPSERT_CREATE;
	return err;
}

static void put_forwards(const struct import_account *account,
			 struct store_address *address)
{
	address->forwards_len = account->forwards_len;
	memcpy(address->forwards, account->forwards, account->forwards_len);
}

static enum err create(struct store_txn *txn, const struct upsert_how *how,
		       const struct import_account *account, const char *hash,
		       struct store_address *address, struct upserted *ret)
{
	enum err err = ERR_OK;

	address->name = account->address;
	address->delivery = STORE_DELIVER;
	address->off_since = address->expires = 0;
	address->reason[0] = 0;
	address->has_box = false;
	if (upsert_wants_box(account))
		err = upsert_box(txn, how, account, hash, address, ret);
	ret->verdict = UPSERT_CREATE;
	address->has_box = ret->has_box;
	address->box = ret->box;
	put_forwards(account, address);
	return err == ERR_OK ? store_address_add(txn, address) : err;
}

/* An address that is there becomes what the row says. */
static enum err update(struct store_txn *txn, const struct upsert_how *how,
		       const struct import_account *account, const char *hash,
		       struct store_address *address, struct upserted *ret)
{
	unsigned differs = 0;
	enum err err = ERR_OK;

	ret->verdict = UPSERT_SAME;
	ret->has_box = address->has_box;
	ret->box = address->box;
	if (upsert_wants_box(account) &&
	    (!address->has_box ||
	     (account->has_box && !same_box(&account->box, &address->box))))
		differs |= UPSERT_BOX;
	if (account->has_forwards &&
	    (account->forwards_len != address->forwards_len ||
	     memcmp(account->forwards, address->forwards,
		    account->forwards_len) != 0))
		differs |= UPSERT_FORWARD;
	if (differs && !how->update) {
		ret->differs = differs;
		return conflict(txn, differs);
	}
	if (upsert_wants_box(account))
		err = upsert_box(txn, how, account, hash, address, ret);
	ret->differs |= differs;
	ret->verdict = ret->differs ? UPSERT_CHANGE : UPSERT_SAME;
	if (err != ERR_OK || !differs)
		return err;
	address->has_box = ret->has_box;
	address->box = ret->box;
	if (differs & UPSERT_FORWARD)
		put_forwards(account, address);
	return store_address_set(txn, address);
}

/* Deleted under this name: back with its box, and then as the row says. */
static enum err bring_back(struct store_txn *txn, const struct upsert_how *how,
			   const struct import_account *account,
			   const char *hash, struct store_address *address,
			   struct upserted *ret)
{
	const struct upsert_how all = {.update = true, .numbers = how->numbers};
	struct store_parked parked;
	struct store_box box;
	enum err err = ERR_OK;

	if (address->has_box)
		err = store_parked_box_get(txn, &address->box, &box, &parked);
	if (address->has_box && err == ERR_OK) {
		ret->back = (struct rejoin_box){address->box, parked.group};
		err = undelete_box(txn, &address->box);
	}
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = store_address_restore(txn, &account->address);
	if (err == ERR_OK)
		err = update(txn, &all, account, hash, address, ret);
	ret->verdict = UPSERT_BACK;
	return err;
}

static enum err upsert_address(struct store_txn *txn,
			       const struct upsert_how *how,
			       const struct import_account *account,
			       const char *hash, struct upserted *ret)
{
	struct store_address address;
	struct store_parked parked;
	enum err err = store_address_get(txn, &account->address, &address);

	if (err == ERR_OK)
		return update(txn, how, account, hash, &address, ret);
	if (err == ERR_NOTFOUND)
		err = store_parked_address_get(txn, &account->address, &address,
					       &parked);
	if (err == ERR_OK && how->undelete)
		return bring_back(txn, how, account, hash, &address, ret);
	if (err == ERR_OK)
		return store_refuse(txn, ERR_EXISTS,
				    "it was deleted, and mail for it may be "
				    "on its way (--undelete undeletes it "
				    "with its box, 'popbox purge' removes it "
				    "for good)");
	return err == ERR_NOTFOUND
		       ? create(txn, how, account, hash, &address, ret)
		       : err;
}

/* A row that names a box alone. */
static enum err upsert_alone(struct store_txn *txn,
			     const struct upsert_how *how,
			     const struct import_account *account,
			     const char *hash, struct upserted *ret)
{
	const struct store_address none = {.has_box = false};
	struct store_parked parked;
	struct store_box box;
	enum err err = ERR_NOTFOUND;

	if (how->undelete)
		err = store_parked_box_get(txn, &account->box, &box, &parked);
	if (err == ERR_OK)
		err = need_handle(txn, &account->box.handle);
	if (err == ERR_OK) {
		ret->back = (struct rejoin_box){account->box, parked.group};
		err = undelete_box(txn, &account->box);
	}
	ret->verdict = err == ERR_OK ? UPSERT_BACK : UPSERT_SAME;
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = upsert_box(txn, how, account, hash, &none, ret);
	if (ret->verdict == UPSERT_SAME && ret->differs)
		ret->verdict = UPSERT_CHANGE;
	return err;
}

enum err upsert_row(struct store_txn *txn, const struct upsert_how *how,
		    const struct import_account *account, const char *hash,
		    struct upserted *ret_upserted)
{
	*ret_upserted = (struct upserted){.verdict = UPSERT_SAME};
	return account->has_address
		       ? upsert_address(txn, how, account, hash, ret_upserted)
		       : upsert_alone(txn, how, account, hash, ret_upserted);
}

enum err upsert_postmaster(struct store_txn *txn, const struct upsert_how *how,
			   const struct name_domain *domain,
			   const struct name_handle *owner)
{
	const struct name_address name = {{"postmaster"}, *domain};
	struct postmaster postmaster = {.domain = *domain,
					.owner = *owner,
					.numbers = how->numbers};
	const struct import_account account = {.has_address = true,
					       .address = name,
					       .secret = IMPORT_ACCOUNT_KEEP};
	struct store_address address;
	struct store_parked parked;
	struct upserted upserted;
	enum err err = store_address_get(txn, &name, &address);

	if (err != ERR_NOTFOUND)
		return err;
	err = store_parked_address_get(txn, &name, &address, &parked);
	if (err == ERR_NOTFOUND)
		return postmaster_add(txn, &postmaster);
	return err == ERR_OK ? upsert_row(txn, how, &account, NULL, &upserted)
			     : err;
}
