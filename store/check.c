/* SPDX-License-Identifier: MIT */
/* check.c: the numbered rules of popbox-store(5), over everything.
 *
 *	1  every row has a right checksum, form and key, and is found by it
 *	2  a domain has an existing handle
 *	3  an alias domain leads to an existing pop domain
 *	4  a domain and its second keys (UTF-8, local IP) point at each other
 *	5  a box has an existing handle, whose next number is greater
 *	6  an address has an existing pop domain, and leads somewhere that is
 *	7  by-box holds what the addresses say, no more and no less
 *	8  a pop domain has a postmaster
 *	9  no domain is another one's name followed by '-'
 *	10 the journal has no gap, and neither pending work nor journal_upto is beyond
 *	   its end
 *	11 meta has format and id
 *	12 what is parked is not there as well; a domain not in the same kind
 *	13 by-owner holds what the domains say, no more and no less, and meta says
 *	   so; or there is neither
 *	14 no table has another name
 *	15 each hash is one that a login can compute, and no weak one
 *
 * Rules 16 and 17, of forwards, are tools/accounts/destination.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "check_private.h"
#include "pending.h"
#include "secret.h"
#include "store/hash/pwhash.h"

void check_found(struct check *check, unsigned rule, const char *object,
		 const char *what)
{
	/* What is called missing may just not have been looked at. */
	if (db_failed(check->txn->db))
		return;
	check->found++;
	check->report(check->arg, rule, object, what);
}

/* A key for people: printable bytes, the others as dots. */
void check_found_key(struct check *check, unsigned rule, struct db_bytes key,
		     const char *what)
{
	size_t len = key.len < STORE_KEY_MAX ? key.len : STORE_KEY_MAX;
	char text[STORE_KEY_MAX + 1];

	for (size_t i = 0; i < len; i++) {
		char c = ((const char *)key.at)[i];

		text[i] = c > ' ' && c < 0x7f ? c : '.';
	}
	text[len] = 0;
	check_found(check, rule, text, what);
}

void check_found_address(struct check *check, unsigned rule,
			 const struct name_address *name, const char *what)
{
	char text[NAME_ADDRESS_TEXT];

	name_address_text(name, text);
	check_found(check, rule, text, what);
}

void check_found_box(struct check *check, unsigned rule,
		     const struct name_box *name, const char *what)
{
	char text[NAME_BOX_TEXT];

	name_box_text(name, text);
	check_found(check, rule, text, what);
}

bool check_there(struct check *check, enum db_table table,
		 const struct row_key *key)
{
	struct db_bytes row;

	return db_get(check->txn->db, table, row_key_bytes(key), &row) !=
	       ERR_NOTFOUND;
}

static enum err get_handle(struct check *check, const struct name_handle *name)
{
	struct store_handle handle;
	enum err err;

	if (strcmp(check->handle.name.s, name->s) == 0)
		return ERR_OK;
	err = store_handle_get(check->txn, name, &handle);
	if (err == ERR_OK)
		check->handle = handle;
	return err;
}

static enum err get_domain(struct check *check, const struct name_domain *name)
{
	struct store_domain domain;
	enum err err;

	if (strcmp(check->domain.name.s, name->s) == 0)
		return ERR_OK;
	err = store_domain_get(check->txn, name, &domain);
	if (err == ERR_OK)
		check->domain = domain;
	return err;
}

static void check_handle(struct check *check, struct db_bytes key,
			 struct db_bytes row, unsigned verdict)
{
	struct store_handle handle;

	(void)verdict;
	if (handle_decode(key, row, &handle) != ERR_OK)
		check_found_key(check, 1, key,
				"the row of the handle is damaged");
}

static bool is_key(struct db_bytes key, const char *text)
{
	return strlen(text) == key.len && memcmp(text, key.at, key.len) == 0;
}

static void check_pointer(struct check *check, struct db_bytes key,
			  struct db_bytes row)
{
	struct store_domain domain;
	struct name_domain to;

	if (domain_decode_pointer(key, row, &to) != ERR_OK)
		check_found_key(check, 1, key,
				"the row of the domain is damaged");
	else if (store_domain_get(check->txn, &to, &domain) != ERR_OK ||
		 (!is_key(key, domain.utf8) && !is_key(key, domain.ip)))
		check_found_key(check, 4, key,
				"the second key points at no such domain");
}

static void check_pop(struct check *check, const struct store_domain *domain)
{
	struct name_address postmaster = {{"postmaster"}, domain->name};
	struct row_key key = row_key_address(&postmaster);

	if (domain->kind == STORE_POP && !check_there(check, DB_ADDRESS, &key))
		check_found(check, 8, domain->name.s,
			    "the domain has no postmaster");
}

static void check_alias(struct check *check, const struct store_domain *domain)
{
	struct store_domain target;

	if (domain->kind != STORE_ALIAS)
		return;
	if (store_domain_get(check->txn, &domain->target, &target) != ERR_OK ||
	    target.kind != STORE_POP)
		check_found(check, 3, domain->name.s,
			    "the domain is an alias of no pop domain");
}

static void check_prefix(struct check *check, const struct store_domain *domain)
{
	const char *name = domain->name.s;
	struct name_domain head;

	for (const char *dash = strchr(name, '-'); dash;
	     dash = strchr(dash + 1, '-')) {
		struct row_key key;

		if (name_domain_read(name, (size_t)(dash - name), &head))
			continue;
		key = row_key_domain(&head);
		if (check_there(check, DB_DOMAIN, &key))
			check_found(check, 9, name,
				    "the name is another domain's and '-'");
	}
}

static void check_owner(struct check *check, const struct store_domain *domain)
{
	struct row_key owned = row_key_owned(&domain->handle, &domain->name);
	struct row_key alias = row_key_alias(&domain->target, &domain->name);

	if (check->owned && (!check_there(check, DB_BYOWNER, &owned) ||
			     (domain->kind == STORE_ALIAS &&
			      !check_there(check, DB_BYOWNER, &alias))))
		check_found(check, 13, domain->name.s,
			    "by-owner does not know the domain");
}

static void check_domain(struct check *check, struct db_bytes key,
			 struct db_bytes row, unsigned verdict)
{
	struct store_domain domain;
	struct row_key owner, utf8, ip;
	enum err err = domain_decode(key, row, &domain);

	(void)verdict;
	if (err == ERR_NOTFOUND) {
		check_pointer(check, key, row);
		return;
	}
	if (err != ERR_OK) {
		check_found_key(check, 1, key,
				"the row of the domain is damaged");
		return;
	}
	owner = row_key_handle(&domain.handle);
	if (!check_there(check, DB_HANDLE, &owner))
		check_found_key(check, 2, key,
				"the domain's handle does not exist");
	utf8 = row_key_text(domain.utf8);
	if (domain.utf8[0] && !check_there(check, DB_DOMAIN, &utf8))
		check_found_key(check, 4, key,
				"the domain's UTF-8 key is missing");
	ip = row_key_text(domain.ip);
	if (domain.ip[0] && !check_there(check, DB_DOMAIN, &ip))
		check_found_key(check, 4, key,
				"the key of the domain's IP is missing");
	check_alias(check, &domain);
	check_pop(check, &domain);
	check_prefix(check, &domain);
	check_owner(check, &domain);
}

const char *check_hash(struct store_account *account)
{
	const char *why = account->hash[0] ? pwhash_unstorable(account->hash)
					   : NULL;

	secret_wipe(account->hash, sizeof account->hash);
	secret_wipe(&account->apps, sizeof account->apps);
	return why;
}

void check_found_hash(struct check *check, const struct name_box *name,
		      const char *why)
{
	char text[160];

	(void)snprintf(text, sizeof text,
		       "its password hash cannot be used for logins: %s (set a "
		       "new password)",
		       why);
	check_found_box(check, STORE_RULE_HASH, name, text);
}

/* Rows are decoded without a look at each. */
bool check_apps(const struct store_account *account)
{
	struct store_apps apps;
	const bool good = store_apps_unpack(&account->apps, &apps);

	secret_wipe(&apps, sizeof apps);
	return good;
}

static unsigned judge_box(const void *arg, struct db_bytes key,
			  struct db_bytes row, uint64_t *sum)
{
	struct store_account account;

	(void)arg;
	(void)sum;
	if (box_decode(key, row, &account) != ERR_OK || !check_apps(&account))
		return CHECK_DAMAGED;
	return check_hash(&account) ? CHECK_UNFIT : CHECK_GOOD;
}

static void check_box(struct check *check, struct db_bytes key,
		      struct db_bytes row, unsigned verdict)
{
	struct store_account account;
	struct name_box name;

	if (verdict == CHECK_DAMAGED || row_name_box(key, &name) != ERR_OK) {
		check_found_key(check, 1, key, "the row of the box is damaged");
		return;
	}
	if (get_handle(check, &name.handle) != ERR_OK)
		check_found_box(check, 5, &name,
				"the box's handle does not exist");
	else if (name.number >= check->handle.next_box)
		check_found_box(check, 5, &name,
				"the box's number is still to be given");
	if (verdict == CHECK_UNFIT && box_decode(key, row, &account) == ERR_OK)
		check_found_hash(check, &name, check_hash(&account));
}

static unsigned judge_address(const void *arg, struct db_bytes key,
			      struct db_bytes row, uint64_t *sum)
{
	struct store_address address;

	if (address_decode(key, row, &address) != ERR_OK)
		return CHECK_DAMAGED;
	*sum += check_bybox_sum(arg, &address);
	return address.has_box || address.forwards_len ? CHECK_GOOD
						       : CHECK_UNFIT;
}

/* Is its domain the one that was looked up last? */
static bool same_domain(const struct check *check, struct db_bytes key)
{
	const size_t len = strlen(check->domain.name.s);

	return len && key.len > len &&
	       memcmp(key.at, check->domain.name.s, len + 1) == 0;
}

static void check_address(struct check *check, struct db_bytes key,
			  struct db_bytes row, unsigned verdict)
{
	struct name_address name;

	(void)row;
	if (verdict == CHECK_GOOD && same_domain(check, key) &&
	    check->domain.kind == STORE_POP)
		return;
	if (verdict == CHECK_DAMAGED ||
	    row_name_address(key, &name) != ERR_OK) {
		check_found_key(check, 1, key,
				"the row of the address is damaged");
		return;
	}
	if (get_domain(check, &name.domain) != ERR_OK)
		check_found_address(check, 6, &name,
				    "the address's domain does not exist");
	else if (check->domain.kind != STORE_POP)
		check_found_address(check, 6, &name,
				    "the address's domain is not of kind pop");
	if (verdict == CHECK_UNFIT)
		check_found_address(check, 6, &name,
				    "the address leads nowhere");
}

static bool is_row_key(struct db_bytes key, const struct row_key *wanted)
{
	return key.len == wanted->len &&
	       memcmp(key.at, wanted->bytes, key.len) == 0;
}

static void check_byowner(struct check *check, struct db_bytes key,
			  struct db_bytes row, unsigned verdict)
{
	const char *at = key.at, *nul = memrchr(at, 0, key.len);
	struct store_domain domain;
	struct row_key owned, alias;
	struct name_domain name;

	(void)verdict;
	if (bybox_decode(key, row) != ERR_OK || !nul ||
	    name_domain_read(nul + 1, (size_t)(at + key.len - nul) - 1,
			     &name)) {
		check_found_key(check, 1, key,
				"the row of by-owner is damaged");
		return;
	}
	if (store_domain_get(check->txn, &name, &domain) == ERR_OK) {
		owned = row_key_owned(&domain.handle, &name);
		alias = row_key_alias(&domain.target, &name);
		if (is_row_key(key, &owned) ||
		    (domain.kind == STORE_ALIAS && is_row_key(key, &alias)))
			return;
	}
	check_found_key(check, 13, key,
			"by-owner names a domain that is not below it");
}

static unsigned judge_entry(const void *arg, struct db_bytes key,
			    struct db_bytes row, uint64_t *sum)
{
	struct store_entry entry;

	(void)arg;
	(void)sum;
	return entry_decode(key, row, &entry) == ERR_OK ? CHECK_GOOD
							: CHECK_DAMAGED;
}

static void check_entry(struct check *check, struct db_bytes key,
			struct db_bytes row, unsigned verdict)
{
	const uint64_t number = key.len == 8 ? row_number(key.at) : 0;

	(void)row;
	if (verdict == CHECK_DAMAGED)
		check_found_key(check, 1, key,
				"the entry of the journal is damaged");
	else if (number != check->last + 1)
		check_found_key(check, 10, key,
				"the journal has a gap before it");
	if (key.len == 8)
		check->last = number;
}

/* Behind the journal, whose end is known then. */
static unsigned judge_pending(const void *arg, struct db_bytes key,
			      struct db_bytes row, uint64_t *sum)
{
	const struct check *check = arg;
	struct store_pending pending;

	(void)sum;
	if (pending_decode(key, row, &pending) != ERR_OK)
		return CHECK_DAMAGED;
	return pending.last > check->last || pending.tried > check->last
		       ? CHECK_UNFIT
		       : CHECK_GOOD;
}

static void check_pending(struct check *check, struct db_bytes key,
			  struct db_bytes row, unsigned verdict)
{
	(void)row;
	if (verdict == CHECK_DAMAGED)
		check_found_key(check, 1, key,
				"the row of pending work is damaged");
	else if (verdict == CHECK_UNFIT)
		check_found_key(check, 10, key,
				"the pending work is beyond the journal");
}

static unsigned judge_none(const void *arg, struct db_bytes key,
			   struct db_bytes row, uint64_t *sum)
{
	(void)arg;
	(void)key;
	(void)row;
	(void)sum;
	return CHECK_GOOD;
}

enum err check_walk(struct check *check, enum db_table table, scan_judge *judge,
		    check_row *row)
{
	const struct scan_order order = {.txn = check->txn->db,
					 .table = table,
					 .judge = judge ? judge : judge_none,
					 .arg = check};
	struct scan_row found;
	struct scan *scan = NULL;
	enum err err = scan_begin(&order, &scan);

	while (err == ERR_OK) {
		err = scan_next(scan, &found);
		if (err == ERR_OK)
			row(check, found.key, found.value, found.verdict);
	}
	if (scan)
		tally_add(&check->ways, scan_sum(scan));
	scan_end(&scan);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void check_word(struct check *check, struct db_bytes key,
		       struct db_bytes row, unsigned verdict)
{
	struct record record;

	(void)verdict;
	if (record_open(row.at, row.len, key.at, key.len, ROW_VERSION,
			&record) != ERR_OK)
		check_found_key(check, 1, key, "the row of meta is damaged");
}

static enum err check_meta(struct check *check)
{
	struct row_key id = row_key_text("id"), upto = row_key_text(upto_word);
	enum err err = db_tables_known(check->txn->db);
	struct db_bytes key, row;
	uint64_t number;

	/* A table that came late is not missed, whatever was in it. */
	if (err == ERR_DAMAGED)
		check_found(check, 14, "meta",
			    "a table has a name that is none");
	else if (err != ERR_OK)
		return err;

	if (!check->owned &&
	    db_next(check->txn->db, DB_BYOWNER, (struct db_bytes){NULL, 0},
		    false, &key, &row) != ERR_NOTFOUND)
		check_found(check, 13, "meta",
			    "the store does not say that by-owner "
			    "is whole");
	/* A store of which nothing was published yet has none. */
	if (db_get(check->txn->db, DB_META, row_key_bytes(&upto), &row) ==
		    ERR_OK &&
	    meta_number(check->txn, upto_word, &number) == ERR_OK &&
	    number > check->last)
		check_found(check, 10, "meta",
			    "the journal ends before an entry that it had");
	/* The format was looked at before anything else. */
	if (!check_there(check, DB_META, &id))
		check_found(check, 11, "meta", "the store has no id");
	return ERR_OK;
}

enum err store_check(struct store_txn *txn, store_report *report, void *arg,
		     unsigned long *ret_found)
{
	static const struct {
		enum db_table table;
		scan_judge *judge;
		check_row *row;
	} walks[] = {
		{DB_HANDLE, NULL, check_handle},
		{DB_DOMAIN, NULL, check_domain},
		{DB_BOX, judge_box, check_box},
		{DB_ADDRESS, judge_address, check_address},
		{DB_JOURNAL, judge_entry, check_entry},
		{DB_PARKED, NULL, check_parked},
		{DB_BYOWNER, NULL, check_byowner},
		{DB_PENDING, judge_pending, check_pending},
		{DB_META, NULL, check_word},
	};
	struct check check = {.txn = txn,
			      .report = report,
			      .arg = arg,
			      .ways = tally_new(),
			      .boxes = {.txn = txn->db, .table = DB_BOX}};
	enum err err = ERR_OK;

	if (owner_known(txn, &check.owned) != ERR_OK)
		check.owned = true; /* damage: whatever is missing is told */
	for (size_t i = 0; err == ERR_OK && i < sizeof walks / sizeof *walks;
	     i++)
		err = check_walk(&check, walks[i].table, walks[i].judge,
				 walks[i].row);
	if (err == ERR_OK)
		err = check_bybox(&check);
	if (err == ERR_OK)
		err = check_meta(&check);
	if (err == ERR_OK && db_failed(txn->db)) {
		errno = db_failed(txn->db);
		err = ERR_SYSTEM;
	}
	if (err == ERR_OK)
		*ret_found = check.found;
	return err;
}
