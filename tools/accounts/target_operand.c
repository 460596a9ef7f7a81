/* SPDX-License-Identifier: MIT */
#include "target_operand.h"

#include <string.h>
#include <strings.h>

#include "base/idn.h"

static bool same_address(const struct name_address *a,
			 const struct name_address *b)
{
	return strcmp(a->local.s, b->local.s) == 0 &&
	       strcmp(a->domain.s, b->domain.s) == 0;
}

enum err target_operand_forward(struct store_txn *txn, const char *text,
				struct store_address *address)
{
	size_t len = strlen(text) + 1;

	for (size_t at = 0; at < address->forwards_len;
	     at += strlen(address->forwards + at) + 1) {
		if (strcasecmp(address->forwards + at, text) == 0)
			return ERR_OK;
	}
	if (len > sizeof address->forwards - address->forwards_len)
		return store_refuse(txn, ERR_INVALID,
				    "it has more than %d bytes of forwards "
				    "(use a mailing list)",
				    STORE_FORWARDS_MAX);
	memcpy(address->forwards + address->forwards_len, text, len);
	address->forwards_len += len;
	return ERR_OK;
}

static bool same_box(const struct name_box *a, const struct name_box *b)
{
	return a->number == b->number && strcmp(a->handle.s, b->handle.s) == 0;
}

/* Leads this address to a box and to nothing else? */
static enum err is_only(struct store_txn *txn, const struct name_address *name,
			bool *ret_only)
{
	struct store_address address;
	enum err err = store_address_get(txn, name, &address);

	*ret_only = err == ERR_OK && address.forwards_len == 0;
	return err;
}

/* A second box: by the first address that leads to it alone and is not this
 * one. */
static enum err add_second(struct store_txn *txn, const struct name_box *box,
			   struct store_address *address)
{
	struct name_address other;
	char text[NAME_ADDRESS_TEXT];
	bool only = false;
	enum err err = store_box_address_next(txn, box, NULL, &other);

	while (err == ERR_OK && !only) {
		if (!same_address(&other, &address->name) &&
		    strcmp(other.local.s, "*") != 0)
			err = is_only(txn, &other, &only);
		if (err == ERR_OK && !only)
			err = store_box_address_next(txn, box, &other, &other);
	}
	if (err == ERR_OK) {
		name_address_text(&other, text);
		return target_operand_forward(txn, text, address);
	}
	if (err != ERR_NOTFOUND)
		return err;
	name_box_text(box, text);
	return store_refuse(txn, ERR_INVALID,
			    "it leads to one box already, and '%s' has no "
			    "address by which it alone could be reached as "
			    "well",
			    text);
}

static enum err add_box(struct store_txn *txn, const struct name_box *box,
			struct store_address *address)
{
	if (address->has_box && same_box(&address->box, box))
		return ERR_OK;
	if (address->has_box)
		return add_second(txn, box, address);
	address->box = *box;
	address->has_box = true;
	return ERR_OK;
}

/* One of ours that leads to one box and nowhere else, in the domain itself or
 * behind an alias. ERR_NOTFOUND: it is not ours, or a group, or a forward. */
static enum err find_ours(struct store_txn *txn, struct name_address *name,
			  struct store_address *ret_ours)
{
	struct store_domain domain;
	enum err err = store_domain_get(txn, &name->domain, &domain);

	if (err != ERR_OK)
		return err;
	if (domain.kind == STORE_ALIAS)
		name->domain = domain.target;
	err = store_address_get(txn, name, ret_ours);
	if (err == ERR_OK && (!ret_ours->has_box || ret_ours->forwards_len))
		err = ERR_NOTFOUND;
	return err;
}

static bool looks_like_one(const char *text, size_t len)
{
	struct name_box box;

	return memchr(text, '@', len) || !name_box_read(text, len, &box);
}

/* Is what stands before a blank or a comma a target by itself, and what stands
 * behind it? */
static bool is_several(const char *text)
{
	static const char between[] = " \t,;";
	const size_t len = strcspn(text, between);
	const char *rest = text + len + strspn(text + len, between);

	return looks_like_one(text, len) &&
	       looks_like_one(rest, strcspn(rest, between));
}

enum err target_operand_add(struct store_txn *txn, const char *target,
			    struct store_address *address)
{
	char forward[NAME_ADDRESS_TEXT];
	struct store_address ours;
	struct name_address name;
	struct name_box box;
	const char *why;
	enum err err;

	if (!name_box_read(target, strlen(target), &box))
		return add_box(txn, &box, address);
	why = idn_forward(target, forward);
	if (why && is_several(target))
		return store_refuse(txn, ERR_INVALID,
				    "target '%s': these are several (give each "
				    "as a word of its own)",
				    target);
	if (why)
		return store_refuse(txn, ERR_INVALID, "target '%s': %s", target,
				    strchr(target, '@')
					    ? why
					    : "it is neither a box (ex1-0001) "
					      "nor an address");
	if (idn_address(target, false, &name))
		return target_operand_forward(txn, forward, address);
	err = find_ours(txn, &name, &ours);
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	if (same_address(&name, &address->name))
		return store_refuse(txn, ERR_INVALID, "it would lead to itself");
	if (err == ERR_OK && (!address->has_box ||
			      same_box(&address->box, &ours.box)))
		return add_box(txn, &ours.box, address);
	return target_operand_forward(txn, forward, address);
}
