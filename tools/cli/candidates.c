/* SPDX-License-Identifier: MIT */
#include "candidates.h"

#include <stdio.h>
#include <string.h>

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Is there room for one more? */
static bool add(struct candidates *candidates, const char *name)
{
	if (candidates->count == CANDIDATES_MAX) {
		candidates->more = true;
		return false;
	}
	/* Every name fits. */
	(void)snprintf(candidates->name[candidates->count++], NAME_ADDRESS_TEXT,
		       "%s", name);
	return true;
}

/* A word that is too long for a name begins none. */
static bool fits(const char *word, size_t len, char *ret_text, size_t room)
{
	if (len >= room)
		return false;
	memset(ret_text, 0, room);
	memcpy(ret_text, word, len);
	return true;
}

/* The first name that begins with a prefix is the prefix itself, or the next
 * after it. The prefix is no name, but orders like one. */
static enum err first_handle(struct store_txn *txn,
			     const struct name_handle *prefix,
			     struct store_handle *ret_handle)
{
	enum err err = prefix->s[0]
			       ? store_handle_get(txn, prefix, ret_handle)
			       : ERR_NOTFOUND;

	return err == ERR_NOTFOUND
		       ? store_handle_next(txn, prefix->s[0] ? prefix : NULL,
					   ret_handle)
		       : err;
}

static enum err first_domain(struct store_txn *txn,
			     const struct name_domain *prefix,
			     struct store_domain *ret_domain)
{
	enum err err = prefix->s[0]
			       ? store_domain_get(txn, prefix, ret_domain)
			       : ERR_NOTFOUND;

	return err == ERR_NOTFOUND
		       ? store_domain_next(txn, prefix->s[0] ? prefix : NULL,
					   ret_domain)
		       : err;
}

static enum err first_address(struct store_txn *txn,
			      const struct name_address *prefix,
			      struct store_address *ret_address)
{
	enum err err = prefix->local.s[0]
			       ? store_address_get(txn, prefix, ret_address)
			       : ERR_NOTFOUND;

	return err == ERR_NOTFOUND
		       ? store_address_next(txn, prefix, ret_address)
		       : err;
}

static enum err first_box(struct store_txn *txn, const struct name_box *from,
			  struct store_box *ret_box)
{
	enum err err = store_box_get(txn, from, ret_box);

	return err == ERR_NOTFOUND ? store_box_next(txn, from, ret_box) : err;
}

static enum err handles(struct store_txn *txn, struct candidates *candidates)
{
	struct store_handle handle;
	struct name_handle prefix = {""};
	enum err err;

	if (!fits(candidates->word, strlen(candidates->word), prefix.s,
		  sizeof prefix.s))
		return ERR_OK;
	err = first_handle(txn, &prefix, &handle);
	while (err == ERR_OK && begins(handle.name.s, prefix.s) &&
	       add(candidates, handle.name.s))
		err = store_handle_next(txn, &handle.name, &handle);
	return err;
}

static enum err domains(struct store_txn *txn, struct candidates *candidates)
{
	struct store_domain domain;
	struct name_domain prefix;
	enum err err;

	if (!fits(candidates->word, strlen(candidates->word), prefix.s,
		  sizeof prefix.s))
		return ERR_OK;
	err = first_domain(txn, &prefix, &domain);
	while (err == ERR_OK && begins(domain.name.s, prefix.s) &&
	       add(candidates, domain.name.s))
		err = store_domain_next(txn, &domain.name, &domain);
	return err;
}

/* Boxes of one handle from number low to high. */
static enum err boxes_between(struct store_txn *txn,
			      struct candidates *candidates,
			      const struct name_handle *handle, uint64_t low,
			      uint64_t high)
{
	const struct name_box from = {*handle, (uint32_t)low};
	struct store_box box;
	enum err err = low > UINT32_MAX ? ERR_NOTFOUND
					: first_box(txn, &from, &box);

	while (err == ERR_OK && strcmp(box.name.handle.s, handle->s) == 0 &&
	       box.name.number <= high) {
		char text[NAME_BOX_TEXT];

		name_box_text(&box.name, text);
		if (!add(candidates, text))
			break;
		err = store_box_next(txn, &box.name, &box);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* ex1-00: of every length that a number has, those between 00.. and 00..9. */
static enum err boxes_numbered(struct store_txn *txn,
			       struct candidates *candidates,
			       const struct name_handle *handle,
			       const char *digits)
{
	size_t len = strlen(digits), length;
	uint64_t low = 0, span = 1;
	enum err err = ERR_OK;

	if (len > 10 || strspn(digits, "0123456789") != len)
		return ERR_OK;
	for (size_t i = 0; i < len; i++)
		low = low * 10 + (uint64_t)(digits[i] - '0');
	for (length = len; length < 4; length++) {
		low *= 10;
		span *= 10;
	}
	/* More than four digits never begin with a zero. */
	for (; length <= 10 && err == ERR_OK; length++) {
		uint64_t from = len == 0 && length > 4 ? span / 10 : low;

		if (length == 4 || digits[0] != '0')
			err = boxes_between(txn, candidates, handle, from,
					    low + span - 1);
		low *= 10;
		span *= 10;
	}
	return err;
}

/* Without a number: boxes of the handles that begin so. */
static enum err boxes(struct store_txn *txn, struct candidates *candidates)
{
	const char *hyphen = strchr(candidates->word, '-');
	size_t len = hyphen ? (size_t)(hyphen - candidates->word)
			    : strlen(candidates->word);
	struct store_handle handle;
	struct name_handle prefix = {""};
	enum err err;

	if (!fits(candidates->word, len, prefix.s, sizeof prefix.s))
		return ERR_OK;
	if (hyphen)
		return prefix.s[0] ? boxes_numbered(txn, candidates, &prefix,
						    hyphen + 1)
				   : ERR_OK;
	err = first_handle(txn, &prefix, &handle);
	for (size_t looks = 0; err == ERR_OK && begins(handle.name.s, prefix.s);
	     looks++) {
		candidates->more = candidates->more || looks == CANDIDATES_MAX;
		if (candidates->more)
			break;
		err = boxes_between(txn, candidates, &handle.name, 0,
				    UINT32_MAX);
		if (err == ERR_OK)
			err = store_handle_next(txn, &handle.name, &handle);
	}
	return err;
}

/* jo: addresses of one domain that begin so. */
static enum err addresses_in(struct store_txn *txn,
			     struct candidates *candidates,
			     const struct name_address *prefix)
{
	struct store_address address;
	enum err err = first_address(txn, prefix, &address);

	while (err == ERR_OK &&
	       strcmp(address.name.domain.s, prefix->domain.s) == 0 &&
	       begins(address.name.local.s, prefix->local.s)) {
		char text[NAME_ADDRESS_TEXT];

		name_address_text(&address.name, text);
		if (!add(candidates, text))
			break;
		err = store_address_next(txn, &address.name, &address);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* joe@: is there one at this domain, or might there be? */
static enum err address_at(struct store_txn *txn, struct candidates *candidates,
			   const struct name_address *name)
{
	struct store_address address;
	char text[NAME_ADDRESS_TEXT];
	enum err err = candidates->wanted & CANDIDATES_NEW_ADDRESSES
			       ? ERR_OK
			       : store_address_get(txn, name, &address);

	if (err == ERR_OK) {
		name_address_text(name, text);
		(void)add(candidates,
			  text); /* says so itself when it is full */
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* As it stands, or as one would have to write it? */
static bool is_local(const char *text)
{
	struct name_local local;

	return !name_local_or_catchall(text, strlen(text), &local) &&
	       strcmp(local.s, text) == 0;
}

/* What follows the @ narrows the domains; without one they are all looked at,
 * a handful in any case. */
static enum err addresses(struct store_txn *txn, struct candidates *candidates)
{
	const char *at = strrchr(candidates->word, '@');
	size_t len =
		at ? (size_t)(at - candidates->word) : strlen(candidates->word);
	struct name_address name = {.local = {""}};
	struct name_domain prefix = {""};
	struct store_domain domain;
	enum err err;

	if (!fits(candidates->word, len, name.local.s, sizeof name.local.s) ||
	    (at && !fits(at + 1, strlen(at + 1), prefix.s, sizeof prefix.s)))
		return ERR_OK;
	if (at ? !is_local(name.local.s)
	       : !(candidates->wanted & CANDIDATES_ADDRESSES))
		return ERR_OK;
	err = first_domain(txn, &prefix, &domain);
	for (size_t looks = 0; err == ERR_OK && begins(domain.name.s, prefix.s);
	     looks++) {
		candidates->more = candidates->more || looks == CANDIDATES_MAX;
		if (candidates->more)
			break;
		name.domain = domain.name;
		if (domain.kind == STORE_POP)
			err = at ? address_at(txn, candidates, &name)
				 : addresses_in(txn, candidates, &name);
		if (err == ERR_OK)
			err = store_domain_next(txn, &domain.name, &domain);
	}
	return err;
}

enum err candidates_body(struct store_txn *txn, void *arg)
{
	static const struct {
		unsigned kinds;
		enum err (*look)(struct store_txn *txn,
				 struct candidates *candidates);
	} looks[] = {
		{CANDIDATES_HANDLES, handles},
		{CANDIDATES_DOMAINS, domains},
		{CANDIDATES_BOXES, boxes},
		{CANDIDATES_ADDRESSES | CANDIDATES_NEW_ADDRESSES, addresses},
	};
	struct candidates *candidates = arg;

	candidates->count = 0;
	candidates->more = false;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		enum err err = ERR_OK;

		if (candidates->wanted & looks[i].kinds)
			err = looks[i].look(txn, candidates);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			return err;
	}
	return ERR_OK;
}
