/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "accounts/best.h"
#include "accounts/holds.h"
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

/* The only look at a hash, which is gone before the next box. */
static enum err fits_scheme(struct store_txn *txn, const struct filter *filter,
			    const struct name_box *name, bool *ret_fits)
{
	struct store_account account;
	const char *scheme = NULL;
	enum err err = store_login(txn, name, &account);

	if (err == ERR_OK && !account.hash[0])
		scheme = "none";
	else if (err == ERR_OK &&
		 pwhash_judge(account.hash, &scheme) != PWHASH_OK)
		scheme = NULL;
	*ret_fits = scheme && strcmp(scheme, filter->scheme) == 0;
	secret_wipe(&account, sizeof account);
	return err;
}

static bool has_text(const struct filter *filter, const char *text)
{
	return strcasestr(text, filter->match) != NULL;
}

static enum err fits_match(struct store_txn *txn, const struct filter *filter,
			   const struct store_box *box, bool *ret_fits)
{
	char text[NAME_ADDRESS_TEXT], written[IDN_WRITTEN];
	struct name_address at, *after = NULL;
	enum err err = ERR_OK;

	name_box_text(&box->name, text);
	*ret_fits = has_text(filter, text) || has_text(filter, box->title);
	while (err == ERR_OK && !*ret_fits) {
		err = store_box_address_next(txn, &box->name, after, &at);
		after = &at;
		if (err == ERR_OK)
			name_address_text(&at, text);
		*ret_fits = err == ERR_OK &&
			    (has_text(filter, text) ||
			     has_text(filter, idn_written(text, written)));
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The other levels are asked only where one of them suspends anything. */
static enum err fits_suspended(struct store_txn *txn,
			       const struct filter *filter,
			       const struct store_box *box, bool *ret_fits)
{
	const struct store_state *own = &box->state;
	bool login = own->login;
	enum err err = login && (filter->any_off || own->expires || own->off)
			       ? holds_may_login(txn, box, &login)
			       : ERR_OK;

	*ret_fits = err == ERR_OK && !login;
	return err;
}

/* The same: where no other level says anything, the box's own end is it. */
static enum err fits_end(struct store_txn *txn, const struct filter *filter,
			 const struct store_box *box, bool *ret_fits)
{
	struct login_terms terms = {box->state.expires, 0};
	enum err err = filter->any_off ? login_terms(txn, box, NULL, &terms)
				       : ERR_OK;

	*ret_fits = terms.expires > filter->ends_after &&
		    terms.expires <= filter->ends_upto;
	return err;
}

static enum err fits(struct store_txn *txn, const struct filter *filter,
		     const struct store_box *box, bool *ret_fits)
{
	enum err err = ERR_OK;

	*ret_fits = !filter->by_handle ||
		    strcmp(filter->handle.s, box->name.handle.s) == 0;
	if (*ret_fits && filter->suspended)
		err = fits_suspended(txn, filter, box, ret_fits);
	if (err == ERR_OK && *ret_fits && filter->ends_upto)
		err = fits_end(txn, filter, box, ret_fits);
	if (err == ERR_OK && *ret_fits && filter->scheme)
		err = fits_scheme(txn, filter, &box->name, ret_fits);
	if (err == ERR_OK && *ret_fits && filter->match)
		err = fits_match(txn, filter, box, ret_fits);
	return err;
}

/* The box after the last one, or the first that can be wanted. */
static enum err next_box(struct store_txn *txn, const struct filter *filter,
			 struct filter_place *place, struct filter_box *ret_box)
{
	const struct name_box first = {.handle = filter->handle};
	enum err err;

	if (place->started || !filter->by_handle) {
		err = store_box_next(txn, place->started ? &place->last : NULL,
				     &ret_box->box);
	} else {
		err = store_box_get(txn, &first, &ret_box->box);
		if (err == ERR_NOTFOUND)
			err = store_box_next(txn, &first, &ret_box->box);
	}
	if (err != ERR_OK)
		return err;
	if (filter->by_handle &&
	    strcmp(filter->handle.s, ret_box->box.name.handle.s) != 0)
		return ERR_NOTFOUND; /* past the last */
	place->started = true;
	place->last = ret_box->box.name;
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

enum err filter_next(struct store_txn *txn, struct filter *filter,
		     struct filter_place *place, struct filter_box *ret_box)
{
	bool fit = false;
	enum err err = ERR_OK;

	if ((filter->suspended || filter->ends_upto) && !place->started)
		err = holds_any_off(txn, &filter->any_off);
	while (err == ERR_OK && !fit) {
		err = filter->by_domain
			      ? next_member(txn, filter, place, ret_box)
			      : next_box(txn, filter, place, ret_box);
		if (err == ERR_OK)
			err = fits(txn, filter, &ret_box->box, &fit);
	}
	ret_box->has_address = filter->by_domain;
	if (err != ERR_OK || filter->by_domain)
		return err;
	err = best_address(txn, &ret_box->box.name, &ret_box->address);
	ret_box->has_address = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
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
