/* SPDX-License-Identifier: MIT */
/* cmd_domain_move.c: popbox domain move: domains, with their boxes, to another
 * handle.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/numbers.h"
#include "accounts/postmaster.h"
#include "base/json.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "publish/change.h"

const struct args_option cmd_domain_move_options[] = {
	{"--handle", "H", "the handle to move to; made if new"},
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

/* A box, and what it becomes. */
struct moved {
	struct name_box was, is;
};

/* Of each domain: whose it was; the box that its postmaster leaves to the domains
 * that stay, handle "" if none, and the one that it gets, if it gets one. */
struct origin {
	struct name_handle handle;
	struct name_box left, gets;
	bool has_box;
};

struct moving {
	struct store_domain *domain;
	size_t domains;
	struct origin *from;
	struct name_handle to;
	struct numbers numbers;
	struct moved *box; /* malloc'ed */
	size_t boxes, room;
	unsigned long addresses;
	bool new_handle;
	struct text staying; /* addresses in the way, each with its box and a
			      * NUL behind both */
	struct store_address address; /* being changed */
	struct postmaster postmaster; /* of the domains that leave one */
};

static bool is_one(const struct moving *m, const struct name_domain *name)
{
	for (size_t i = 0; i < m->domains; i++) {
		if (strcmp(m->domain[i].name.s, name->s) == 0)
			return true;
	}
	return false;
}

static enum err note_staying(struct moving *m, const struct name_box *box,
			     const struct name_address *name)
{
	char text[NAME_ADDRESS_TEXT], of[NAME_BOX_TEXT];

	name_address_text(name, text);
	name_box_text(box, of);
	return text_put(&m->staying, of, strlen(of) + 1) &&
			       text_put(&m->staying, text, strlen(text) + 1)
		       ? ERR_OK
		       : ERR_SYSTEM;
}

/* The next address of a box whose domain does not move. ERR_NOTFOUND. */
static enum err next_staying(struct store_txn *txn, const struct moving *m,
			     const struct name_box *box,
			     const struct name_address *after,
			     struct name_address *ret_name)
{
	enum err err = store_box_address_next(txn, box, after, ret_name);

	while (err == ERR_OK && is_one(m, &ret_name->domain))
		err = store_box_address_next(txn, box, ret_name, ret_name);
	return err;
}

/* Keeps in mind each of them. */
static enum err look_around(struct store_txn *txn, struct moving *m,
			    const struct name_box *box)
{
	struct name_address at;
	enum err err = next_staying(txn, m, box, NULL, &at);

	while (err == ERR_OK) {
		err = note_staying(m, box, &at);
		if (err == ERR_OK)
			err = next_staying(txn, m, box, &at, &at);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err note_box(struct moving *m, const struct name_box *was,
			 const struct name_box *is)
{
	if (m->boxes == m->room) {
		size_t room = m->room ? m->room * 2 : 16;
		struct moved *more = reallocarray(m->box, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		m->box = more;
		m->room = room;
	}
	m->box[m->boxes++] = (struct moved){*was, *is};
	return ERR_OK;
}

/* Every address of the old box leads to the new one. */
static enum err lead(struct store_txn *txn, struct moving *m,
		     const struct name_box *was, const struct name_box *is)
{
	struct name_address name;
	enum err err = store_box_address_next(txn, was, NULL, &name);

	while (err == ERR_OK) {
		err = store_address_get(txn, &name, &m->address);
		m->address.box = *is;
		if (err == ERR_OK)
			err = store_address_set(txn, &m->address);
		if (err == ERR_OK)
			err = store_box_address_next(txn, was, NULL, &name);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err move_box(struct store_txn *txn, struct moving *m,
			 const struct name_box *was)
{
	struct name_box is = {.handle = m->to};
	enum err err = look_around(txn, m, was);

	if (err == ERR_OK)
		err = (was->number ? numbers_next : numbers_first)(
			txn, &m->numbers, &m->to, &is.number);
	if (err == ERR_OK)
		err = store_box_move(txn, was, &is);
	if (err == ERR_OK)
		err = lead(txn, m, was, &is);
	if (err == ERR_OK)
		err = store_box_moved(txn, was, &is);
	return err == ERR_OK ? note_box(m, was, &is) : err;
}

/* Does it lead to a box that goes with the domain? An address may lead to a box of
 * somebody else, who keeps that. */
static bool goes(const struct moving *m, size_t i)
{
	return m->address.has_box && strcmp(m->address.box.handle.s,
					    m->from[i].handle.s) == 0;
}

static enum err get_postmaster(struct store_txn *txn, struct moving *m,
			       size_t i)
{
	const struct name_address name = {{"postmaster"}, m->domain[i].name};

	return store_address_get(txn, &name, &m->address);
}

/* All domains of a customer have one postmaster, unless it was set otherwise. A
 * domain that leaves the others leaves it to them, and has that of its new
 * handle. The domains are still those of the old one. */
static enum err leave_postmaster(struct store_txn *txn, struct moving *m,
				 size_t i)
{
	struct postmaster *pm = &m->postmaster;
	struct name_address at;
	enum err err = get_postmaster(txn, m, i);

	m->from[i].left = (struct name_box){.handle = {""}};
	if (err == ERR_OK && !goes(m, i))
		return ERR_OK;
	if (err == ERR_OK)
		err = next_staying(txn, m, &m->address.box, NULL, &at);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	m->from[i].left = m->address.box;
	pm->domain = m->domain[i].name;
	err = postmaster_turn(txn, pm);
	m->from[i].has_box = pm->address.has_box;
	m->from[i].gets = pm->address.box;
	return err;
}

/* The postmaster's box comes first, since it may be the first of the handle. */
static enum err move_postmaster(struct store_txn *txn, struct moving *m,
				size_t i)
{
	enum err err = get_postmaster(txn, m, i);

	if (err == ERR_OK && goes(m, i)) {
		const struct name_box was = m->address.box;

		err = move_box(txn, m, &was);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err move_boxes(struct store_txn *txn, struct moving *m, size_t i)
{
	struct name_address at = {{""}, m->domain[i].name};
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		struct store_address *address = &m->address;

		err = store_address_next(txn, &at, address);
		if (err != ERR_OK || strcmp(address->name.domain.s,
					    at.domain.s) != 0)
			break;
		at = address->name;
		m->addresses++;
		if (goes(m, i)) {
			const struct name_box was = address->box;

			err = move_box(txn, m, &was);
		}
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err judge_domain(struct store_txn *txn, struct moving *m, size_t i)
{
	struct store_domain *domain = &m->domain[i];
	const struct name_domain name = domain->name;
	enum err err = store_domain_get(txn, &name, domain);

	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no domain '%s' ('popbox domain "
				     "list' shows all)",
				     name.s);
	if (err == ERR_OK && domain->kind == STORE_ALIAS)
		return store_refuse(txn, ERR_INVALID,
				    "'%s' is an alias, and goes with its domain "
				    "('popbox domain move %s')",
				    name.s, domain->target.s);
	if (err == ERR_OK && strcmp(domain->handle.s, m->to.s) == 0)
		return store_refuse(txn, ERR_EXISTS,
				    "the domain '%s' belongs to the handle "
				    "'%s' already",
				    name.s, m->to.s);
	m->from[i].handle = domain->handle;
	return err;
}

static enum err move_domain(struct store_txn *txn, struct moving *m, size_t i)
{
	struct store_domain *domain = &m->domain[i];
	const struct name_domain name = domain->name;
	enum err err;

	domain->handle = m->to;
	err = store_domain_set(txn, domain);
	/* What is printed is what there is. */
	return err == ERR_OK ? store_domain_get(txn, &name, domain) : err;
}

static enum err refuse_staying(struct store_txn *txn, const struct moving *m)
{
	return m->staying.len
		       ? store_refuse(txn, ERR_INUSE,
				      "boxes have addresses in domains that "
				      "stay (move those domains along, or give "
				      "such an address a box of its own with "
				      "'popbox address set')")
		       : ERR_OK;
}

static enum err move_body(struct store_txn *txn, void *arg)
{
	struct moving *m = arg;
	struct store_handle handle;
	enum err err = store_handle_get(txn, &m->to, &handle);

	m->boxes = m->staying.len = 0;
	m->addresses = 0;
	m->postmaster = (struct postmaster){.owner = m->to,
					    .numbers = &m->numbers};
	m->new_handle = err == ERR_NOTFOUND;
	if (m->new_handle)
		err = store_handle_add(txn, &m->to);
	for (size_t i = 0; err == ERR_OK && i < m->domains; i++)
		err = judge_domain(txn, m, i);
	for (size_t i = 0; err == ERR_OK && i < m->domains; i++)
		err = leave_postmaster(txn, m, i);
	for (size_t i = 0; err == ERR_OK && i < m->domains; i++)
		err = move_domain(txn, m, i);
	for (size_t i = 0; err == ERR_OK && i < m->domains; i++)
		err = move_postmaster(txn, m, i);
	for (size_t i = 0; err == ERR_OK && i < m->domains; i++)
		err = move_boxes(txn, m, i);
	return err == ERR_OK ? refuse_staying(txn, m) : err;
}

/* What popusr says against one rename; the exit code. */
static int judge(int rc, const char *what, const char *path)
{
	switch (rc) {
	case 0:
		return CODE_DONE;
	case ENOENT:
		return say_error(CODE_REFUSED,
				 "%s '%s' is not there ('popbox sync --full' "
				 "makes what is missing)",
				 what, path);
	case EEXIST:
		return say_error(CODE_REFUSED,
				 "'%s' is there already (rename it)", path);
	case ENOTDIR:
		return say_error(CODE_REFUSED,
				 "'%s' is no directory (popbox moves no link)",
				 path);
	case EXDEV:
		return say_error(CODE_REFUSED,
				 "'%s' would be on another file system: mail is "
				 "moved by renaming",
				 path);
	default:
		return say_error(CODE_LATER, "cannot look at '%s': %s", path,
				 strerror(rc));
	}
}

/* Everything that is in the way of the renames is named. */
static int look_files(const struct site *site, struct moving *m)
{
	int code = CODE_DONE;

	for (size_t i = 0; i < m->domains; i++) {
		char path[PATH_MAX] = "";
		int rc, is;

		if (m->domain[i].kind != STORE_POP)
			continue;
		rc = asuser_move_domain(site->asuser, &m->from[i].handle, &m->to,
					&m->domain[i].name,
					MAILROOT_MOVE_LOOK, path);
		is = judge(rc, "the directory", path);
		code = is == CODE_DONE ? code : is;
	}
	for (size_t i = 0; i < m->boxes; i++) {
		char path[PATH_MAX] = "";
		int rc = asuser_move_box(site->asuser, &m->box[i].was,
					 &m->box[i].is, MAILROOT_MOVE_LOOK,
					 path);
		int is = judge(rc, "the Maildir", path);

		code = is == CODE_DONE ? code : is;
	}
	return code;
}

static void say_staying(const struct moving *m)
{
	const struct text *t = &m->staying;

	for (size_t at = 0; at < t->len;) {
		const char *box = t->bytes + at;
		const char *address = box + strlen(box) + 1;

		say_error(0, "box '%s' also has the address '%s'", box,
			  address);
		at = (size_t)(address - t->bytes) + strlen(address) + 1;
	}
}

/* What the store says against it, then what popusr's directories do. */
static int look(struct site *site, struct moving *m)
{
	const char *what = m->domain->name.s;
	int code = change_try(site, move_body, m, what);

	if (code != CODE_DONE)
		say_staying(m);
	if (code == CODE_DONE)
		code = look_files(site, m);
	return code == CODE_DONE
		       ? CODE_DONE
		       : say_error(code, "%s was moved: nothing was changed",
				   m->domains == 1 ? "no domain"
						   : "none of the domains");
}

/* Where a postmaster leads that left its box to the domains that stay. */
static void say_postmaster(struct site *site, const struct moving *m, size_t i)
{
	const struct origin *from = &m->from[i];
	const char *domain = m->domain[i].name.s;
	char was[NAME_BOX_TEXT], is[NAME_BOX_TEXT] = "";

	name_box_text(&from->left, was);
	if (from->has_box)
		name_box_text(&from->gets, is);
	if (site->json)
		json_print(json_pack("{s:o, s:s?, s:s}", "address",
				     json_sprintf("postmaster@%s", domain),
				     "box", from->has_box ? is : NULL, "was",
				     was));
	else if (from->has_box)
		say_note("postmaster@%s leads to box '%s' now: box '%s' stays "
			 "with the other domains",
			 domain, is, was);
	else
		say_note("postmaster@%s leads where that of the other domains of "
			 "'%s' does: box '%s' stays",
			 domain, m->to.s, was);
}

static void say_moved(struct site *site, const struct moving *m)
{
	char was[NAME_BOX_TEXT], is[NAME_BOX_TEXT];

	for (size_t i = 0; i < m->boxes; i++) {
		name_box_text(&m->box[i].was, was);
		name_box_text(&m->box[i].is, is);
		if (site->json)
			json_print(json_pack("{s:s, s:s}", "box", is, "was",
					     was));
		else
			say_note("box '%s' is '%s' now: a login as '%s' is "
				 "refused",
				 was, is, was);
	}
	for (size_t i = 0; i < m->domains; i++) {
		if (m->from[i].left.handle.s[0])
			say_postmaster(site, m, i);
	}
}

static void say_done(struct site *site, const struct moving *m)
{
	char boxes[SAY_COUNT_TEXT], addresses[SAY_COUNT_TEXT];
	char domains[SAY_COUNT_TEXT];

	for (size_t i = 0; site->json && i < m->domains; i++)
		change_print(site, json_domain(&m->domain[i]));
	if (!site->json && m->domains == 1)
		say_note("domain '%s' belongs to %shandle '%s' now, with %s "
			 "and %s",
			 m->domain->name.s, m->new_handle ? "the new " : "",
			 m->to.s, say_count(m->boxes, "box", boxes),
			 say_count(m->addresses, "address", addresses));
	else if (!site->json)
		say_note("%s belong to %shandle '%s' now, with %s and %s",
			 say_count(m->domains, "domain", domains),
			 m->new_handle ? "the new " : "", m->to.s,
			 say_count(m->boxes, "box", boxes),
			 say_count(m->addresses, "address", addresses));
	say_moved(site, m);
}

static int read_domains(const struct args *args, struct moving *m)
{
	int code = CODE_DONE;

	m->domain = calloc(args->operands, sizeof *m->domain);
	m->from = calloc(args->operands, sizeof *m->from);
	if (!m->domain || !m->from)
		return say_error(CODE_LATER, "no memory");
	for (size_t i = 0; code == CODE_DONE && i < args->operands; i++) {
		struct name_domain name;

		code = operand_domain(args->operand[i], &name);
		if (code == CODE_DONE && !is_one(m, &name))
			m->domain[m->domains++].name = name;
	}
	return code;
}

int cmd_domain_move(struct site *site, const struct args *args)
{
	struct moving *m = calloc(1, sizeof *m);
	const char *handle = args_get(args, "--handle");
	bool changed = false;
	int code;

	if (!m)
		return say_error(CODE_LATER, "no memory");
	code = handle ? operand_handle(handle, &m->to)
		      : say_error(CODE_USAGE, "to which handle? use "
					      "--handle H");
	if (code == CODE_DONE)
		code = read_domains(args, m);
	if (code == CODE_DONE)
		code = site_open_write(site);
	m->numbers.asuser = site->asuser;
	if (code == CODE_DONE)
		code = look(site, m);
	if (code == CODE_DONE)
		code = change(site, move_body, m, m->domain->name.s, &changed);
	if (changed)
		say_done(site, m);
	else if (site->dry_run && code == CODE_DONE)
		say_moved(site, m);
	numbers_free(&m->numbers);
	free(m->domain);
	free(m->from);
	free(m->box);
	free(m->staying.bytes);
	free(m);
	return code;
}
