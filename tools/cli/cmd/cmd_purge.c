/* SPDX-License-Identifier: MIT */
/* cmd_purge.c: popbox purge. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/deletion.h"
#include "cli/operand.h"
#include "publish/change.h"
#include "qmail/control.h"

const struct args_option cmd_purge_options[] = {
	{"--older-than", "SPAN", "boxes deleted longer ago than this [30d]"},
	{"--now", NULL,
	 "what is named, however young: mail on its way bounces"},
	CONFIRM_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

struct purge {
	int64_t boxes_before;  /* deleted before this moment */
	int64_t others_before; /* the same, of domains and addresses */
	bool named;	       /* only what is named */
	struct name_domain domain;
	struct name_address address;
	struct name_box box;
	enum store_table what;
	unsigned long domains, addresses, boxes;
	unsigned long alone;   /* addresses without their domain, */
	unsigned long caught;  /* and of those: the catch-all takes their mail */
	unsigned long lasting; /* addresses that go on bouncing */
	unsigned long waiting; /* boxes whose mail is still to be moved */
	struct asuser *asuser;
};

static bool same_domain(const struct name_domain *a,
			const struct name_domain *b)
{
	return strcmp(a->s, b->s) == 0;
}

static bool wants_domain(const struct purge *purge,
			 const struct name_domain *name)
{
	return !purge->named || (purge->what == STORE_DOMAINS &&
				 same_domain(name, &purge->domain));
}

static bool wants_address(const struct purge *purge,
			  const struct store_address *address)
{
	const struct name_address *name = &address->name;

	if (!purge->named)
		return true;
	if (purge->what == STORE_ADDRESSES)
		return same_domain(&name->domain, &purge->address.domain) &&
		       strcmp(name->local.s, purge->address.local.s) == 0;
	if (purge->what == STORE_BOXES)
		return address->has_box &&
		       address->box.number == purge->box.number &&
		       strcmp(address->box.handle.s, purge->box.handle.s) == 0;
	return same_domain(&name->domain, &purge->domain);
}

static bool wants_box(const struct purge *purge, const struct name_box *name)
{
	return !purge->named || (purge->what == STORE_BOXES &&
				 name->number == purge->box.number &&
				 strcmp(name->handle.s,
					purge->box.handle.s) == 0);
}

/* One that shall bounce on goes only by its own name, or with its domain. */
static bool names_address(const struct purge *purge)
{
	return purge->named && purge->what == STORE_ADDRESSES;
}

static enum err purge_addresses(struct store_txn *txn, struct purge *purge,
				const struct name_domain *of)
{
	struct store_address *address = malloc(sizeof *address);
	struct name_address at = {{""}, {""}};
	struct store_parked parked;
	bool started = of != NULL, caught;
	enum err err = address ? ERR_OK : ERR_SYSTEM;

	if (of)
		at.domain = *of;
	while (err == ERR_OK) {
		err = store_parked_address_next(txn, started ? &at : NULL,
						address, &parked);
		if (err != ERR_OK ||
		    (of && !same_domain(&address->name.domain, of)))
			break;
		at = address->name;
		started = true;
		if (!of && (parked.since >= purge->others_before ||
			    !wants_address(purge, address)))
			continue;
		if (!of && parked.lasting && !names_address(purge)) {
			purge->lasting++;
			continue;
		}
		purge->addresses++;
		caught = false;
		if (!of)
			err = deletion_caught(txn, &address->name, &caught);
		purge->alone += !of;
		purge->caught += caught;
		if (err == ERR_OK)
			err = store_address_purge(txn, &address->name);
	}
	free(address);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Each after its addresses, whose files are in its directory. */
static enum err purge_domains(struct store_txn *txn, struct purge *purge)
{
	struct store_domain domain;
	struct store_parked parked;
	enum err err = store_parked_domain_next(txn, NULL, &domain, &parked);

	while (err == ERR_OK) {
		if (parked.since < purge->others_before &&
		    wants_domain(purge, &domain.name)) {
			purge->domains++;
			if (domain.kind == STORE_POP)
				err = purge_addresses(txn, purge, &domain.name);
			if (err == ERR_OK)
				err = store_domain_purge(txn, &domain);
		}
		if (err == ERR_OK)
			err = store_parked_domain_next(txn, &domain, &domain,
						       &parked);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Does its Maildir still have the mail of a box that it has become? Then what was
 * to be renamed is pending, and must not go. */
static enum err still_has_mail(struct store_txn *txn, struct purge *purge,
			       const struct store_box *box, bool *ret_has)
{
	char path[PATH_MAX];
	struct store_box now;
	enum err err = store_box_become(txn, box, &now);
	int rc;

	*ret_has = false;
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	rc = asuser_move_box(purge->asuser, &box->name, &now.name,
			     MAILROOT_MOVE_LOOK, path);
	*ret_has = rc != ENOENT;
	return ERR_OK;
}

static enum err purge_boxes(struct store_txn *txn, struct purge *purge)
{
	struct store_box box;
	struct store_parked parked;
	enum err err = store_parked_box_next(txn, NULL, &box, &parked);

	while (err == ERR_OK) {
		bool has = false;

		if (parked.since < purge->boxes_before &&
		    wants_box(purge, &box.name)) {
			err = still_has_mail(txn, purge, &box, &has);
			purge->waiting += has;
			purge->boxes += !has;
			if (err == ERR_OK && !has)
				err = store_box_purge(txn, &box.name);
		}
		if (err == ERR_OK)
			err = store_parked_box_next(txn, &box.name, &box,
						    &parked);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err purge_body(struct store_txn *txn, void *arg)
{
	struct purge *purge = arg;
	enum err err;

	purge->domains = purge->addresses = purge->boxes = 0;
	purge->alone = purge->caught = purge->lasting = purge->waiting = 0;
	err = purge_domains(txn, purge);
	if (err == ERR_OK)
		err = purge_addresses(txn, purge, NULL);
	if (err == ERR_OK)
		err = purge_boxes(txn, purge);
	if (err == ERR_OK && purge->named && !purge->waiting &&
	    purge->domains + purge->addresses + purge->boxes == 0)
		return store_refuse(txn, ERR_INVALID,
				    "nothing of this name is deleted and old "
				    "enough ('popbox log --object X' tells "
				    "when it was; --now takes it at once)");
	return err;
}

static int read_name(const char *text, struct purge *purge)
{
	purge->named = true;
	if (!name_box_read(text, strlen(text), &purge->box)) {
		purge->what = STORE_BOXES;
		return CODE_DONE;
	}
	if (strchr(text, '@')) {
		purge->what = STORE_ADDRESSES;
		return operand_address(text, &purge->address);
	}
	purge->what = STORE_DOMAINS;
	return operand_domain(text, &purge->domain);
}

/* With --now all that was deleted up to this second; else boxes by
 * --older-than, and the rest by the time that qmail keeps a message. */
static int read_ages(const struct site *site, const struct args *args,
		     struct purge *purge)
{
	const char *span = args_get(args, "--older-than");
	const int64_t now = (int64_t)time(NULL);
	int64_t seconds = INT64_C(30) * 86400;
	int code = span ? operand_duration(span, &seconds) : CODE_DONE;

	purge->boxes_before = now - seconds;
	purge->others_before =
		now - (int64_t)control_queuelifetime(&site->config);
	if (args_has(args, "--now"))
		purge->boxes_before = purge->others_before = now + 1;
	/* A Maildir outlives the files that name it. */
	if (purge->boxes_before > purge->others_before)
		purge->boxes_before = purge->others_before;
	return code;
}

static const char *say_gone(const struct purge *purge,
			    char text[SAY_COUNTS_TEXT])
{
	const struct say_part gone[] = {{purge->domains, "domain"},
					{purge->addresses, "address"},
					{purge->boxes, "box"}};

	return say_counts(gone, sizeof gone / sizeof *gone, text);
}

static int run(struct site *site, const struct args *args, struct purge *purge)
{
	const char *what = args->operands ? args->operand[0] : "purge";
	char gone[SAY_COUNTS_TEXT], lasting[SAY_COUNT_TEXT];
	char caught[96] = "", waiting[SAY_COUNT_TEXT];
	bool changed = false;
	int code = change_try(site, purge_body, purge, what);

	if (code != CODE_DONE)
		return code;
	if (purge->waiting)
		say_note("%s not purged: mail has not moved to another handle "
			 "yet ('popbox sync' moves it)",
			 say_count(purge->waiting, "box", waiting));
	if (purge->domains + purge->addresses + purge->boxes == 0) {
		say_note("nothing to purge");
		return CODE_DONE;
	}
	if (purge->caught)
		(void)snprintf(caught, sizeof caught,
			       "; mail for %lu of the addresses then goes to "
			       "the catch-all",
			       purge->caught);
	code = confirm(site, args,
		       "remove for good %s, with all mail in them%s",
		       say_gone(purge, gone), caught);
	if (code == CODE_DONE)
		code = change(site, purge_body, purge, what, &changed);
	if (changed)
		say_note("purged: %s", say_gone(purge, gone));
	if (changed && purge->alone)
		say_note("mail for the purged addresses: to the catch-all %lu, "
			 "bounces %lu",
			 purge->caught, purge->alone - purge->caught);
	if (changed && purge->lasting)
		say_note("deleted with --bounce, mail goes on bouncing: %s "
			 "('popbox purge ADDRESS' ends that)",
			 say_count(purge->lasting, "address", lasting));
	return code;
}

int cmd_purge(struct site *site, const struct args *args)
{
	struct purge purge = {.named = false};
	int code = CODE_DONE;

	if (args->operands)
		code = read_name(args->operand[0], &purge);
	else if (args_has(args, "--now"))
		return say_error(CODE_USAGE, "--now wants the name of what is "
					     "to go now");
	if (code == CODE_DONE)
		code = site_open_write(site);
	purge.asuser = site->asuser;
	if (code == CODE_DONE)
		code = read_ages(site, args, &purge);
	return code == CODE_DONE ? run(site, args, &purge) : code;
}
