#include "rejoin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One entry of the deletion, and its object as it was before and as it is. */
struct entry {
	struct store_txn *txn;
	const struct name_box *box;
	struct rejoin *rejoin;
	struct store_entry row;
	struct store_address was, left, now;
};

__attribute__((format(printf, 2, 3))) static enum err
lose(struct entry *e, const char *format, ...)
{
	char name[NAME_ADDRESS_TEXT], text[2 * NAME_ADDRESS_TEXT + 160];
	va_list args;
	int len;

	name_address_text(&e->was.name, name);
	len = snprintf(text, sizeof text, "address '%s' ", name);
	va_start(args, format);
	(void)vsnprintf(text + len, sizeof text - (size_t)len, format, args);
	va_end(args); /* two names and a sentence: it fits */
	return text_put(&e->rejoin->lost, text, strlen(text) + 1) ? ERR_OK
								  : ERR_SYSTEM;
}

static bool leads_to(const struct store_address *address,
		     const struct name_box *box)
{
	return address->has_box && address->box.number == box->number &&
	       strcmp(address->box.handle.s, box->handle.s) == 0;
}

/* An address that was deleted with the box comes back, unless its place is
 * taken. */
static enum err undelete(struct entry *e)
{
	const struct name_domain *name = &e->was.name.domain;
	struct store_domain domain;
	enum err err;

	if (!leads_to(&e->was, e->box))
		return ERR_OK;
	err = store_domain_get(e->txn, name, &domain);
	if (err == ERR_NOTFOUND || (err == ERR_OK && domain.kind != STORE_POP))
		return lose(e, "is not back: there is no domain '%s' with "
			       "boxes now",
			    name->s);
	if (err == ERR_OK)
		err = store_address_restore(e->txn, &e->was.name);
	if (err == ERR_OK)
		e->rejoin->addresses++;
	if (err != ERR_NOTFOUND)
		return err;
	err = store_address_get(e->txn, &e->was.name, &e->now);
	if (err == ERR_OK)
		return leads_to(&e->now, e->box)
			       ? ERR_OK
			       : lose(e, "was added anew and leads elsewhere");
	return err == ERR_NOTFOUND ? lose(e, "is not back: it was purged")
				   : err;
}

/* An address that led elsewhere as well leads to the box again. A box comes
 * before the forwards, so it is at its place. */
static enum err join(struct entry *e)
{
	char box[NAME_BOX_TEXT];
	enum err err;

	if (!leads_to(&e->was, e->box) || leads_to(&e->left, e->box))
		return ERR_OK;
	err = store_address_get(e->txn, &e->was.name, &e->now);
	if (err == ERR_NOTFOUND)
		return lose(e, "led to it and is gone meanwhile ('popbox log "
			       "--object' tells)");
	if (err != ERR_OK || leads_to(&e->now, e->box))
		return err;
	if (e->now.has_box) {
		name_box_text(&e->now.box, box);
		return lose(e, "led to it and leads to '%s' now ('popbox "
			       "address set' adds it)",
			    box);
	}
	e->now.has_box = true;
	e->now.box = *e->box;
	err = store_address_set(e->txn, &e->now);
	if (err == ERR_OK)
		e->rejoin->groups++;
	return err;
}

static enum err put_back(struct entry *e)
{
	const struct store_entry *row = &e->row;
	enum err err;

	if (row->table != STORE_ADDRESSES ||
	    (row->op != STORE_DEL && row->op != STORE_SET))
		return ERR_OK;
	err = store_address_row(row->key, row->key_len, row->before,
				row->before_len, &e->was);
	if (err == ERR_OK && row->op == STORE_DEL)
		return undelete(e);
	if (err == ERR_OK)
		err = store_address_row(row->key, row->key_len, row->after,
					row->after_len, &e->left);
	return err == ERR_OK ? join(e) : err;
}

enum err rejoin(struct store_txn *txn, const struct name_box *box,
		uint64_t group, struct rejoin *ret_rejoin)
{
	struct entry *e = calloc(1, sizeof *e);
	enum err err;

	if (!e)
		return ERR_SYSTEM;
	e->txn = txn;
	e->box = box;
	e->rejoin = ret_rejoin;
	ret_rejoin->addresses = ret_rejoin->groups = 0;
	ret_rejoin->lost.len = 0;
	/* The first entry of a change has the number of its group. */
	err = store_journal_next(txn, group - 1, &e->row);
	while (err == ERR_OK && e->row.group == group) {
		err = put_back(e);
		if (err == ERR_OK)
			err = store_journal_next(txn, e->row.number, &e->row);
	}
	free(e);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

void rejoin_free(struct rejoin *rejoin)
{
	free(rejoin->lost.bytes);
	rejoin->lost = (struct text){.bytes = NULL};
}
