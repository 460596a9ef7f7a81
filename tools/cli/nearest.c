/* SPDX-License-Identifier: MIT */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

#include "args.h"
#include "base/idn.h"
#include "base/say.h"

enum { LOOKS = 10000, FAR = 3 };

struct search {
	struct name_handle handle; /* each "" = not asked for */
	struct name_domain domain;
	struct name_local local; /* of the domain */
	uint32_t number;	 /* of the handle, if has_number */
	bool has_number;
	bool missing;
	unsigned distance; /* of best */
	char best[NAME_ADDRESS_TEXT]; /* "" = none is near */
};

/* Of short names nearly all are alike: ex1 is not ex2. */
static bool nearer(struct search *search, const char *word, const char *other)
{
	unsigned distance = args_distance(word, other);
	unsigned letters = search->local.s[0] ? 3 : 4; /* joe, jose */

	if (distance >= search->distance ||
	    (size_t)distance * letters > strlen(other))
		return false;
	search->distance = distance;
	return true;
}

static enum err near_handle(struct store_txn *txn, struct search *search)
{
	struct name_handle first = {{search->handle.s[0]}};
	struct store_handle handle;
	struct store_box box;
	enum err err = store_handle_get(txn, &search->handle, &handle);

	if (err != ERR_NOTFOUND)
		return err;
	search->missing = true;
	err = store_handle_next(txn, &first, &handle);
	for (unsigned looks = 0; err == ERR_OK && looks < LOOKS &&
				 handle.name.s[0] == first.s[0];
	     looks++) {
		struct name_box name = {handle.name, search->number};

		if ((!search->has_number ||
		     store_box_get(txn, &name, &box) == ERR_OK) &&
		    nearer(search, search->handle.s, handle.name.s)) {
			memset(search->best, 0, sizeof search->best);
			if (search->has_number)
				name_box_text(&name, search->best);
			else
				memcpy(search->best, handle.name.s,
				       sizeof handle.name.s);
		}
		err = store_handle_next(txn, &handle.name, &handle);
	}
	return err;
}

static enum err near_local(struct store_txn *txn, struct search *search)
{
	struct name_address first = {{{search->local.s[0]}}, search->domain};
	const struct name_address whole = {search->local, search->domain};
	struct store_address address;
	enum err err = store_address_get(txn, &whole, &address);

	if (err != ERR_NOTFOUND)
		return err;
	err = store_address_next(txn, &first, &address);
	for (unsigned looks = 0;
	     err == ERR_OK && looks < LOOKS &&
	     address.name.local.s[0] == first.local.s[0] &&
	     strcmp(address.name.domain.s, search->domain.s) == 0;
	     looks++) {
		if (nearer(search, search->local.s, address.name.local.s))
			name_address_text(&address.name, search->best);
		err = store_address_next(txn, &address.name, &address);
	}
	return err;
}

static enum err near_domain(struct store_txn *txn, struct search *search)
{
	struct name_domain first = {{search->domain.s[0]}};
	struct store_domain domain;
	enum err err = store_domain_get(txn, &search->domain, &domain);

	if (err == ERR_OK && search->local.s[0])
		return near_local(txn, search);
	if (err != ERR_NOTFOUND)
		return err;
	search->missing = true;
	err = store_domain_next(txn, &first, &domain);
	for (unsigned looks = 0; err == ERR_OK && looks < LOOKS &&
				 domain.name.s[0] == first.s[0];
	     looks++) {
		if (nearer(search, search->domain.s, domain.name.s))
			(void)snprintf(search->best, sizeof search->best,
				       "%.253s", domain.name.s);
		err = store_domain_next(txn, &domain.name, &domain);
	}
	return err;
}

static enum err search_body(struct store_txn *txn, void *arg)
{
	struct search *search = arg;
	enum err err;

	search->distance = FAR;
	search->best[0] = 0;
	err = search->handle.s[0] ? near_handle(txn, search)
				  : near_domain(txn, search);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Which sort of name is it? */
static bool read_operand(const char *operand, struct search *search)
{
	const char *at = strrchr(operand, '@');
	char utf8[NAME_DOMAIN_MAX + 1];
	struct name_address address;
	struct name_box box;

	if (at && !idn_address(operand, true, &address)) {
		search->local = address.local;
		search->domain = address.domain;
		return true;
	}
	if (strchr(operand, '.'))
		return !idn_domain(at ? at + 1 : operand, &search->domain,
				   utf8);
	if (!name_box_read(operand, strlen(operand), &box)) {
		search->handle = box.handle;
		search->number = box.number;
		search->has_number = true;
		return true;
	}
	return !name_handle_read(operand, strlen(operand), &search->handle);
}

/* For hints only: what fails here was said, or is said by others. */
static bool look(struct site *site, const char *operand, struct search *search)
{
	return site->store && read_operand(operand, search) &&
	       store_read(site->store, search_body, search) == ERR_OK;
}

void nearest_name(struct site *site, const char *operand)
{
	struct search search = {.number = 0};

	if (look(site, operand, &search) && search.best[0])
		say_note("did you mean '%s'?", search.best);
}

void nearest_target(struct site *site, const char *operand)
{
	struct search search = {.number = 0};

	if (look(site, operand, &search) && search.best[0] && !search.missing)
		say_note("did you mean '%s'?", search.best);
}

void nearest_absent(struct site *site, const char *name)
{
	struct search search = {.number = 0};

	if (!name || !look(site, name, &search) || !search.missing)
		return;
	say_note("there is no '%s'", name);
	if (search.best[0])
		say_note("did you mean '%s'?", search.best);
}
