/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "accounts/best.h"
#include "base/idn.h"
#include "base/moment.h"
#include "base/say.h"
#include "operand.h"
#include "store/hash/pwhash.h"
#include "store/login.h"
#include "store/secret.h"

static const char *const schemes[] = {
	"argon2id", "argon2i",	   "yescrypt",	  "gost-yescrypt", "scrypt",
	"bcrypt",   "sha512crypt", "sha256crypt", "wrapped",	   "none",
};

const char *filter_scheme(size_t number)
{
	return number < sizeof schemes / sizeof *schemes ? schemes[number]
							 : NULL;
}

static int read_scheme(const char *text, struct filter *filter)
{
	const char *scheme;

	for (size_t i = 0; (scheme = filter_scheme(i)) != NULL; i++) {
		if (strcmp(scheme, text) == 0) {
			filter->scheme = scheme;
			return CODE_DONE;
		}
	}
	return say_error(CODE_USAGE, "--hash: no scheme '%s' is stored "
				     "('popbox stats' shows those there are, "
				     "'none' is no password)",
			 text);
}

static int read_end(const struct args *args, struct filter *filter)
{
	const char *span = args_get(args, "--expiring");
	const int64_t now = time(NULL);
	int64_t seconds;

	if (span && args_has(args, "--expired"))
		return say_error(CODE_USAGE, "--expired and --expiring exclude "
					     "each other");
	filter->ends_upto = args_has(args, "--expired") ? now : 0;
	if (!span)
		return CODE_DONE;
	if (!moment_span(span, &seconds) ||
	    __builtin_add_overflow(now, seconds, &filter->ends_upto))
		return say_error(CODE_USAGE, "--expiring takes a span like 14d, "
					     "not '%s'",
				 span);
	filter->ends_after = now;
	return CODE_DONE;
}

int filter_read(const struct args *args, struct filter *filter)
{
	const char *handle = args_get(args, "--handle");
	const char *domain = args_get(args, "--domain");
	const char *idle = args_get(args, "--idle");
	const char *scheme = args_get(args, "--hash");
	uint64_t days = 0;
	int code;

	*filter = (struct filter){.by_handle = handle,
				  .by_domain = domain,
				  .suspended = args_has(args, "--suspended"),
				  .never = args_has(args, "--never"),
				  .match = args_get(args, "--match")};
	code = handle ? operand_handle(handle, &filter->handle) : CODE_DONE;
	if (code == CODE_DONE && domain)
		code = operand_domain(domain, &filter->domain);
	if (code == CODE_DONE && scheme)
		code = read_scheme(scheme, filter);
	if (code != CODE_DONE)
		return code;
	if (idle && !operand_number(idle, 1, 36500, &days))
		return say_error(CODE_USAGE, "--idle takes a number of days, "
					     "not '%s'",
				 idle);
	code = read_end(args, filter);
	if (code != CODE_DONE)
		return code;
	if (filter->match && !filter->match[0])
		return say_error(CODE_USAGE, "--match wants a text");
	filter->before = idle ? (int64_t)time(NULL) - (int64_t)days * 86400
			      : 0;
	filter->look = filter->never || idle;
	return CODE_DONE;
}

void filter_free(struct filter *filter)
{
	domain_boxes_free(&filter->members);
	holds_free_off(&filter->off);
}

bool filter_given(const struct args *args)
{
	static const struct args_option options[] = {FILTER_OPTIONS};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (args_has(args, options[i].name))
			return true;
	}
	return false;
}

static bool is_scheme(const struct filter *filter, const char *hash)
{
	const char *scheme = "none";

	if (hash[0] && pwhash_judge(hash, &scheme) != PWHASH_OK)
		scheme = NULL;
	return scheme && strcmp(scheme, filter->scheme) == 0;
}

/* The hash is gone before the next box. */
static enum err fits_scheme(struct store_txn *txn, const struct filter *filter,
			    const struct name_box *name, bool *ret_fits)
{
	struct store_account account;
	enum err err = store_login(txn, name, &account);

	*ret_fits = err == ERR_OK && is_scheme(filter, account.hash);
	secret_wipe(&account, sizeof account);
	return err;
}

static bool has_text(const struct filter *filter, const char *text)
{
	return strcasestr(text, filter->match) != NULL;
}

/* In its number or its name. */
static bool box_has_text(const struct filter *filter,
			 const struct store_box *box)
{
	char text[NAME_BOX_TEXT];

	name_box_text(&box->name, text);
	return has_text(filter, text) || has_text(filter, box->title);
}

static bool address_has_text(const struct filter *filter,
			     const struct name_address *name)
{
	char text[NAME_ADDRESS_TEXT], written[IDN_WRITTEN];

	name_address_text(name, text);
	return has_text(filter, text) ||
	       (strstr(name->domain.s, "xn--") &&
		has_text(filter, idn_written(text, written)));
}

static enum err fits_match(struct store_txn *txn, const struct filter *filter,
			   const struct store_box *box, bool *ret_fits)
{
	struct name_address at, *after = NULL;
	enum err err = ERR_OK;

	*ret_fits = box_has_text(filter, box);
	while (err == ERR_OK && !*ret_fits) {
		err = store_box_address_next(txn, &box->name, after, &at);
		after = &at;
		*ret_fits = err == ERR_OK && address_has_text(filter, &at);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Logins to the box, by all levels. */
static enum err fits_suspended(struct store_txn *txn,
			       const struct store_box *box, bool *ret_fits)
{
	bool login = box->state.login;
	enum err err = login ? holds_may_login(txn, box, &login) : ERR_OK;

	*ret_fits = err == ERR_OK && !login;
	return err;
}

static bool is_end(const struct filter *filter, int64_t expires)
{
	return expires > filter->ends_after && expires <= filter->ends_upto;
}

static enum err fits_end(struct store_txn *txn, const struct filter *filter,
			 const struct store_box *box, bool *ret_fits)
{
	struct login_terms terms = {box->state.expires, 0};
	enum err err = login_terms(txn, box, NULL, &terms);

	*ret_fits = err == ERR_OK && is_end(filter, terms.expires);
	return err;
}

static enum err fits(struct store_txn *txn, const struct filter *filter,
		     const struct store_box *box, bool *ret_fits)
{
	enum err err = ERR_OK;

	*ret_fits = !filter->by_handle ||
		    strcmp(filter->handle.s, box->name.handle.s) == 0;
	if (*ret_fits && filter->suspended)
		err = fits_suspended(txn, box, ret_fits);
	if (err == ERR_OK && *ret_fits && filter->ends_upto)
		err = fits_end(txn, filter, box, ret_fits);
	if (err == ERR_OK && *ret_fits && filter->scheme)
		err = fits_scheme(txn, filter, &box->name, ret_fits);
	if (err == ERR_OK && *ret_fits && filter->match)
		err = fits_match(txn, filter, box, ret_fits);
	return err;
}

struct filling {
	struct store_txn *txn;
	const struct filter *filter;
	struct filter_place *place;
	size_t most, count;
	struct filter_box *boxes;
};

/* What a row says by itself. A box fits, if it has all that it needs of its
 * addresses, and if the other levels say so where they are to be asked. */
enum {
	FITS = 1 << 0,
	NEEDS_TEXT = 1 << 1,
	NEEDS_OFF = 1 << 2,
	ASK = 1 << 3,
	/* Of an address. */
	HAS_TEXT = 1 << 4,
	HAS_OFF = 1 << 5, /* its domain is one of filter->off */
};

static bool asks_levels(const struct filter *filter)
{
	return filter->suspended || filter->ends_upto;
}

/* What asks_levels asks: one level alone can only make it less. */
static unsigned judge_levels(const struct filter *filter,
			     const struct store_box *box)
{
	const struct store_state *own = &box->state;

	if (own->off || own->expires || !own->login ||
	    holds_handle_off(&filter->off, &box->name.handle))
		return FITS | ASK;
	return filter->off.domains ? FITS | ASK | NEEDS_OFF : 0;
}

static unsigned judge_box(const void *arg, const struct store_account *account)
{
	const struct filling *filling = arg;
	const struct filter *filter = filling->filter;
	unsigned verdict = FITS;

	if (asks_levels(filter))
		verdict = judge_levels(filter, &account->box);
	if (verdict && filter->scheme && !is_scheme(filter, account->hash))
		verdict = 0;
	if (verdict && filter->match && !box_has_text(filter, &account->box))
		verdict |= NEEDS_TEXT;
	return verdict;
}

static unsigned judge_address(const void *arg, const struct name_address *name)
{
	const struct filling *filling = arg;
	const struct filter *filter = filling->filter;
	unsigned verdict = 0;

	if (filter->match && address_has_text(filter, name))
		verdict |= HAS_TEXT;
	if (asks_levels(filter) && holds_domain_off(&filter->off, &name->domain))
		verdict |= HAS_OFF;
	return verdict;
}

static enum err fits_levels(struct store_txn *txn, const struct filter *filter,
			    const struct store_box *box, bool *ret_fits)
{
	enum err err = ERR_OK;

	*ret_fits = true;
	if (filter->suspended)
		err = fits_suspended(txn, box, ret_fits);
	if (err == ERR_OK && *ret_fits && filter->ends_upto)
		err = fits_end(txn, filter, box, ret_fits);
	return err;
}

static enum err take_box(void *arg, const struct store_box *box,
			 unsigned verdict)
{
	struct filling *filling = arg;
	bool fit = !(verdict & NEEDS_TEXT && !(verdict & HAS_TEXT)) &&
		   !(verdict & NEEDS_OFF && !(verdict & HAS_OFF));
	enum err err = fit && verdict & ASK
			       ? fits_levels(filling->txn, filling->filter, box,
					     &fit)
			       : ERR_OK;

	if (err != ERR_OK || !fit)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	filling->boxes[filling->count++].box = *box;
	filling->place->started = true;
	filling->place->last = box->name;
	return filling->count == filling->most ? ERR_NOTFOUND : ERR_OK;
}

/* Boxes that fit what only a look at each row can tell. */
static enum err fill_by_scan(struct filling *filling)
{
	const struct filter *filter = filling->filter;
	const struct store_box_scan scan = {
		.handle = filter->by_handle ? &filter->handle : NULL,
		.after = filling->place->started ? &filling->place->last
						 : NULL,
		.judge = judge_box,
		.judge_address = filter->match || filter->off.domains
					 ? judge_address
					 : NULL,
		.take = take_box,
		.arg = filling};

	return store_box_scan(filling->txn, &scan);
}

/* The box after the last one, or the first that can be wanted. */
static enum err next_box(const struct filling *filling,
			 struct store_box *ret_box)
{
	const struct filter *filter = filling->filter;
	struct filter_place *place = filling->place;
	const struct name_box first = {.handle = filter->handle};
	enum err err;

	if (place->started || !filter->by_handle) {
		err = store_box_next(filling->txn,
				     place->started ? &place->last : NULL,
				     ret_box);
	} else {
		err = store_box_get(filling->txn, &first, ret_box);
		if (err == ERR_NOTFOUND)
			err = store_box_next(filling->txn, &first, ret_box);
	}
	if (err != ERR_OK)
		return err;
	if (filter->by_handle &&
	    strcmp(filter->handle.s, ret_box->name.handle.s) != 0)
		return ERR_NOTFOUND; /* past the last */
	place->started = true;
	place->last = ret_box->name;
	return ERR_OK;
}

/* The same of a domain's boxes; one that was deleted since they were collected
 * is passed over. */
static enum err next_member(struct store_txn *txn, struct filter *filter,
			    struct filter_place *place,
			    struct filter_box *ret_box)
{
	enum err err = ERR_OK;

	if (!place->started)
		err = domain_boxes_collect(txn, &filter->domain,
					   &filter->members);
	if (err != ERR_OK)
		return err;
	place->started = true;
	do {
		const struct domain_box *member;

		if (place->next == filter->members.count)
			return ERR_NOTFOUND;
		member = &filter->members.member[place->next++];
		err = store_box_get(txn, &member->box, &ret_box->box);
		ret_box->address = (struct name_address){member->local,
							 filter->domain};
	} while (err == ERR_NOTFOUND);
	return err;
}

static enum err fill_by_domain(struct filling *filling, struct filter *filter)
{
	enum err err = ERR_OK;

	while (err == ERR_OK && filling->count < filling->most) {
		struct filter_box *box = &filling->boxes[filling->count];
		bool fit = false;

		err = next_member(filling->txn, filter, filling->place, box);
		if (err == ERR_OK)
			err = fits(filling->txn, filter, &box->box, &fit);
		box->has_address = true;
		filling->count += err == ERR_OK && fit;
	}
	return err;
}

static enum err fill_in_order(struct filling *filling)
{
	enum err err = ERR_OK;

	while (err == ERR_OK && filling->count < filling->most) {
		err = next_box(filling, &filling->boxes[filling->count].box);
		filling->count += err == ERR_OK;
	}
	return err;
}

/* Behind boxes that were found comes what ended the search. */
static enum err add_addresses(struct filling *filling, enum err end)
{
	for (size_t i = 0; i < filling->count; i++) {
		struct filter_box *box = &filling->boxes[i];
		enum err err = best_address(filling->txn, &box->box.name,
					    &box->address);

		box->has_address = err == ERR_OK;
		if (err != ERR_OK && err != ERR_NOTFOUND) {
			filling->count = i;
			return err;
		}
	}
	return end;
}

enum err filter_next(struct store_txn *txn, struct filter *filter,
		     struct filter_place *place, size_t most,
		     struct filter_box *ret_boxes, size_t *ret_count)
{
	struct filling filling = {txn, filter, place, most, 0, ret_boxes};
	enum err err = ERR_OK;

	*ret_count = 0;
	if (asks_levels(filter) && !place->started && !filter->by_domain) {
		holds_free_off(&filter->off);
		err = holds_find_off(txn, &filter->off);
	}
	if (err != ERR_OK)
		return err;
	if (filter->by_domain) {
		err = fill_by_domain(&filling, filter);
	} else {
		err = asks_levels(filter) || filter->scheme || filter->match
			      ? fill_by_scan(&filling)
			      : fill_in_order(&filling);
		err = add_addresses(&filling, err);
	}
	*ret_count = filling.count;
	return err;
}

static enum err has_domain(struct store_txn *txn, const struct filter *filter,
			   const struct name_box *name, bool *ret_has)
{
	struct name_address at, *after = NULL;
	enum err err = ERR_OK;

	*ret_has = false;
	do {
		err = store_box_address_next(txn, name, after, &at);
		after = &at;
		if (err == ERR_OK && strcmp(at.domain.s, filter->domain.s) == 0)
			*ret_has = true;
	} while (err == ERR_OK && !*ret_has);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err filter_again(struct store_txn *txn, const struct filter *filter,
		      const struct name_box *name, struct store_box *ret_box,
		      bool *ret_fits)
{
	enum err err = store_box_get(txn, name, ret_box);

	*ret_fits = err == ERR_OK;
	if (err == ERR_OK && filter->by_domain)
		err = has_domain(txn, filter, name, ret_fits);
	if (err == ERR_OK && *ret_fits)
		err = fits(txn, filter, ret_box, ret_fits);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

int filter_last_login(const struct site *site, const struct name_box *box,
		      int64_t *ret_last, char ret_ip[MAILROOT_IP_MAX + 1])
{
	char path[PATH_MAX];
	int rc;

	*ret_last = 0;
	ret_ip[0] = 0;
	rc = asuser_lastlogin(site->asuser, box, ret_last, ret_ip, path);
	if (rc == 0 || rc == ENOENT)
		return 0;
	*ret_last = 0;
	return say_error(rc, "cannot read '%s': %s", path, strerror(rc));
}

bool filter_fits_login(const struct filter *filter, const struct store_box *box,
		       int64_t last)
{
	int64_t since = last ? last : box->state.created;

	return !(filter->never && last) &&
	       !(filter->before && since >= filter->before);
}
