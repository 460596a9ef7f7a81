/* SPDX-License-Identifier: MIT */
/* holds.h: what holds for a box, a domain or an address, of all switches that
 * count for it, and which of them it is: for lists and `show`.
 */
#ifndef POPBOX_HOLDS_H
#define POPBOX_HOLDS_H

#include "base/json.h"
#include "store/login.h"
#include "store/store.h"

/* The object whose switch counts. name "": none is off. */
struct holds_by {
	enum store_table table;
	char name[STORE_OBJECT_TEXT];
	int64_t ended; /* of a login: it has an end, which has come; 0: no */
};

struct holds {
	bool login; /* by some service */
	struct holds_by login_by;
	struct login_terms terms; /* until when, and by which services not */
	enum store_delivery delivery;
	struct holds_by delivery_by;
};

/* login is login_allowed's answer (login.h), but that a box without a password
 * is not suspended. A box gets mail if one of its addresses does. */
MUST_USE enum err holds_box(struct store_txn *txn, const struct store_box *box,
			    struct holds *ret_holds);
/* Its login alone, for those who look at many boxes. */
MUST_USE enum err holds_may_login(struct store_txn *txn,
				  const struct store_box *box,
				  bool *ret_login);
/* The handles and domains of which one has its login off, or for a service, or an
 * end, and the domains of such a handle: in the order of their names. Of a box that
 * has nothing to do with them, what it says itself is all there is. Costs what there
 * is of both. */
struct holds_off {
	struct name_handle *handle;
	struct name_domain *domain;
	size_t handles, domains;
};
MUST_USE enum err holds_find_off(struct store_txn *txn,
				 struct holds_off *ret_off);
void holds_free_off(struct holds_off *off);
bool holds_handle_off(const struct holds_off *off,
		      const struct name_handle *name);
bool holds_domain_off(const struct holds_off *off,
		      const struct name_domain *name);
void holds_handle(const struct store_handle *handle, struct holds *ret_holds);
MUST_USE enum err holds_domain(struct store_txn *txn,
			       const struct store_domain *domain,
			       struct holds *ret_holds);
/* Of the login by this address, and of mail to it. */
MUST_USE enum err holds_address(struct store_txn *txn,
				const struct store_address *address,
				struct holds *ret_holds);

/* For a cell of a table: "on", "off", "hold", "not smtp,imap", "expired"; with the
 * level where it is not the own one: "off (handle)". */
enum { HOLDS_CELL = 48 };
const char *holds_login_cell(const struct holds *holds, enum store_table own,
			     char text[HOLDS_CELL]);
const char *holds_delivery_cell(const struct holds *holds,
				enum store_table own, char text[HOLDS_CELL]);

/* The members login_holds, login_by, login_services (those that are on),
 * login_expires, delivery_holds and delivery_by. */
void holds_json(json_t *object, const struct holds *holds);

/* For `show`: "on", "on until ..., not by smtp", "off: handle ex1 expired at ...",
 * or "off: handle ex1 is suspended since ..., by ..., reason: ...". Says how far the
 * journal tells. In a body. */
enum { HOLDS_LINE = 640 };
MUST_USE enum err holds_login_line(struct store_txn *txn,
				   const struct holds *holds,
				   char ret_line[HOLDS_LINE]);
MUST_USE enum err holds_delivery_line(struct store_txn *txn,
				      const struct holds *holds,
				      char ret_line[HOLDS_LINE]);

#endif
