/* SPDX-License-Identifier: MIT */
#include "named.h"

#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>

#include "publish/pending.h"
#include "publish/plan.h"
#include "store/login.h"
#include "store/store_whole.h"
#include "stored.h"

/* Each call of the database fails, one at a time, in every change and every
 * look: the caller is told so, whatever the call was for. The functions below
 * stand before LMDB's own, which the store's objects would call. */

static int failing; /* the call that fails, counted down; 0: none */

static bool fails(void)
{
	return failing && --failing == 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define BEFORE(name, declared, given)                                          \
	int name declared                                                      \
	{                                                                      \
		return fails() ? EIO : REAL(name) given;                       \
	}

BEFORE(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
       (txn, dbi, key, data))
BEFORE(mdb_put,
       (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data,
	unsigned flags),
       (txn, dbi, key, data, flags))
BEFORE(mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
       (txn, dbi, key, data))
BEFORE(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor),
       (txn, dbi, cursor))
BEFORE(mdb_cursor_get,
       (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op),
       (cursor, key, data, op))
BEFORE(mdb_dbi_open,
       (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi),
       (txn, name, flags, dbi))
BEFORE(mdb_txn_begin,
       (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn),
       (env, parent, flags, txn))

/* Whatever it answers, the transaction is over. */
int mdb_txn_commit(MDB_txn *txn)
{
	if (!fails())
		return REAL(mdb_txn_commit)(txn);
	mdb_txn_abort(txn);
	return EIO;
}

/* An allocation, one at a time; with sanitizers they are theirs. */
static int starving;

#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *was, size_t size);

static bool starves(void)
{
	if (!starving || --starving != 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return starves() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return starves() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *was, size_t size)
{
	return starves() ? NULL : __libc_realloc(was, size);
}
#endif

static int set_up(void **state)
{
	failing = starving = 0;
	(void)state;
	return stored_start(NULL);
}

static enum err last_body(struct store_txn *txn, void *arg)
{
	return store_journal_last(txn, arg);
}

static uint64_t last_entry(void)
{
	uint64_t last;

	assert_int_equal(store_read(store, last_body, &last), ERR_OK);
	return last;
}

/* The same again and again, until no call of it is left to fail. */
static void try_all(const char *what, bool writes, store_body *body, void *arg)
{
	const uint64_t before = last_entry();
	enum err err = ERR_SYSTEM;
	int tries = 0;

	while (err != ERR_OK) {
		failing = ++tries;
		err = writes ? change(body, arg) : store_read(store, body, arg);
		if (failing) /* it did not come so far */
			break;
		if (err != ERR_SYSTEM)
			fail_msg("%s: call %d fails, and the answer is %d",
				 what, tries, (int)err);
		assert_int_equal(last_entry(), before);
	}
	failing = 0;
	if (err != ERR_OK)
		fail_msg("%s: nothing fails, and the answer is %d", what,
			 (int)err);
	assert_true(tries > 2);
}

static struct name_box box_of(uint32_t number)
{
	return (struct name_box){handle("ex1"), number};
}

/* Domains: all kinds, with all second keys. */
static struct store_domain domain_of(const char *name)
{
	struct store_domain d = {.name = domain(name), .handle = handle("ex1")};

	if (strcmp(name, "xn--bcher-kva.de") == 0)
		(void)snprintf(d.utf8, sizeof d.utf8,
			       "b\xc3\xbc"
			       "cher.de");
	else if (strcmp(name, "alias.org") == 0) {
		d.kind = STORE_ALIAS;
		d.target = domain("example.com");
	} else if (strcmp(name, "relay.org") == 0) {
		d.kind = STORE_RELAY;
		(void)snprintf(d.host, sizeof d.host, "mx.net");
	}
	return d;
}

static enum err handle_add(struct store_txn *txn, void *arg)
{
	struct name_handle name = handle(arg);

	return store_handle_add(txn, &name);
}

static enum err handle_set(struct store_txn *txn, void *arg)
{
	struct name_handle name = handle(arg);
	struct store_handle is;
	enum err err = store_handle_get(txn, &name, &is);

	is.state.login = false;
	(void)snprintf(is.title, sizeof is.title, "a title");
	return err == ERR_OK ? store_handle_set(txn, &is) : err;
}

static enum err handle_del(struct store_txn *txn, void *arg)
{
	struct name_handle name = handle(arg);

	return store_handle_del(txn, &name);
}

static enum err handle_restore(struct store_txn *txn, void *arg)
{
	struct store_handle was = {.name = handle(arg), .next_box = 1};

	return store_handle_restore(txn, &was);
}

static enum err domain_add(struct store_txn *txn, void *arg)
{
	struct store_domain d = domain_of(arg);

	return store_domain_add(txn, &d);
}

static enum err domain_ip(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain(arg);
	struct store_domain is;
	enum err err = store_domain_get(txn, &name, &is);

	(void)snprintf(is.ip, sizeof is.ip, "%s",
		       is.ip[0] ? "192.0.2.2" : "192.0.2.1");
	return err == ERR_OK ? store_domain_set(txn, &is) : err;
}

/* With its alias to the other handle, and back the next time. */
static enum err domain_move(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain(arg);
	struct store_domain is;
	enum err err = store_domain_get(txn, &name, &is);

	is.handle = handle(strcmp(is.handle.s, "ex1") == 0 ? "ex2" : "ex1");
	return err == ERR_OK ? store_domain_set(txn, &is) : err;
}

/* The alias becomes one of another domain. */
static enum err domain_target(struct store_txn *txn, void *arg)
{
	struct store_domain is = domain_of(arg);

	is.target = domain("xn--bcher-kva.de");
	return store_domain_set(txn, &is);
}

static enum err domain_del(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain(arg);

	return store_domain_del(txn, &name);
}

static enum err domain_restore(struct store_txn *txn, void *arg)
{
	struct store_domain d = domain_of(arg);

	return store_domain_restore(txn, &d);
}

static enum err domain_purge(struct store_txn *txn, void *arg)
{
	struct store_domain d = domain_of(arg);

	return store_domain_purge(txn, &d);
}

/* Under the name of one that was deleted, in its place or beside it. */
static enum err domain_backup(struct store_txn *txn, void *arg)
{
	struct store_domain d = domain_of(arg);

	d.kind = STORE_BACKUP;
	d.host[0] = 0;
	return store_domain_add(txn, &d);
}

static enum err box_add(struct store_txn *txn, void *arg)
{
	struct store_box box = {.name = box_of(*(uint32_t *)arg)};

	return store_box_add(txn, &box);
}

static enum err box_next(struct store_txn *txn, void *arg)
{
	struct name_handle ex1 = handle("ex1");
	uint32_t number;
	enum err err = store_box_number(txn, &ex1, &number);

	(void)arg;
	return err == ERR_OK && number != 2 ? ERR_DAMAGED : err;
}

static enum err account_add(struct store_txn *txn, void *arg)
{
	struct store_account a = {.box.name = box_of(*(uint32_t *)arg)};

	(void)snprintf(a.hash, sizeof a.hash, "{SHA256}%043d=", 0);
	(void)snprintf(a.box.state.reason, sizeof a.box.state.reason, "a");
	return store_account_add(txn, &a);
}

static enum err box_set(struct store_txn *txn, void *arg)
{
	struct name_box name = box_of(*(uint32_t *)arg);
	struct store_box is;
	enum err err = store_box_get(txn, &name, &is);

	is.quota.bytes++;
	return err == ERR_OK ? store_box_set(txn, &is) : err;
}

/* Hashes that a login can compute. */
#define OLD "{SHA256}" DIGEST("0")
#define NEW "{SHA256}" DIGEST("4")
#define DIGEST(first) first "00000000000000" "00000000000000" "00000000000000="

static enum err box_password(struct store_txn *txn, void *arg)
{
	struct name_box name = box_of(*(uint32_t *)arg);

	return store_box_password(txn, &name, OLD);
}

static enum err box_rehash(struct store_txn *txn, void *arg)
{
	struct name_box name = box_of(*(uint32_t *)arg);

	return store_box_rehash(txn, &name, OLD, NEW);
}

static enum err box_del(struct store_txn *txn, void *arg)
{
	struct name_box name = box_of(*(uint32_t *)arg);

	return store_box_del(txn, &name);
}

static enum err box_restore(struct store_txn *txn, void *arg)
{
	struct name_box name = box_of(*(uint32_t *)arg);

	return store_box_restore(txn, &name);
}

static enum err box_purge(struct store_txn *txn, void *arg)
{
	struct name_box name = box_of(*(uint32_t *)arg);

	return store_box_purge(txn, &name);
}

static enum err box_pass(struct store_txn *txn, void *arg)
{
	struct name_box name = box_of(*(uint32_t *)arg);

	return store_box_pass(txn, &name);
}

static enum err address_add(struct store_txn *txn, void *arg)
{
	struct store_address a = {.name = address(arg),
				  .has_box = true,
				  .box = box_of(0),
				  .forwards_len = 8,
				  .forwards = "a@b.org"};

	return store_address_add(txn, &a);
}

static enum err address_set(struct store_txn *txn, void *arg)
{
	struct store_address a = {
		.name = address(arg), .has_box = true, .box = box_of(1)};

	return store_address_set(txn, &a);
}

static enum err address_del(struct store_txn *txn, void *arg)
{
	struct name_address name = address(arg);

	return store_address_del(txn, &name, STORE_BOUNCES);
}

static enum err address_restore(struct store_txn *txn, void *arg)
{
	struct name_address name = address(arg);

	return store_address_restore(txn, &name);
}

static enum err address_purge(struct store_txn *txn, void *arg)
{
	struct name_address name = address(arg);

	return store_address_purge(txn, &name);
}

static enum err put_pending(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain("example.com");
	struct name_box box = box_of(0);
	struct name_address a = address(arg);
	struct store_pending row = {.table = STORE_BOXES,
				    .handle = box.handle,
				    .box = box,
				    .what = STORE_PENDING_SAYS,
				    .first = 1,
				    .last = 1,
				    .tries = 1,
				    .tried = 1,
				    .why = "no room"};
	enum err err = store_pending_put(txn, &row);

	row.table = STORE_DOMAINS;
	row.address.domain = name;
	if (err == ERR_OK)
		err = store_pending_put(txn, &row);
	row.table = STORE_ADDRESSES;
	row.address = a;
	return err == ERR_OK ? store_pending_put(txn, &row) : err;
}

static enum err put_purged(struct store_txn *txn, void *arg)
{
	const struct store_domain d = domain_of("gone.org");
	struct store_pending row = {.table = STORE_DOMAINS,
				    .handle = d.handle,
				    .was = true,
				    .address.domain = d.name,
				    .domain = d,
				    .what = STORE_PENDING_SAYS,
				    .first = 1,
				    .last = 1};

	(void)arg;
	return store_pending_put(txn, &row);
}

static enum err drop_pending(struct store_txn *txn, void *arg)
{
	struct store_pending row;
	enum err err = store_pending_next(txn, NULL, &row);

	(void)arg;
	while (err == ERR_OK) {
		err = store_pending_drop(txn, &row);
		if (err == ERR_OK)
			err = store_pending_next(txn, &row, &row);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

struct step {
	const char *what;
	store_body *body;
	const char *name; /* or a number */
	uint32_t number;
};

static void try_steps(const struct step *step, size_t count, bool writes)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t number = step[i].number;

		try_all(step[i].what, writes, step[i].body,
			step[i].name ? (void *)(uintptr_t)step[i].name
				     : &number);
	}
}

static const struct step filling[] = {
	{"a handle", handle_add, "ex1", 0},
	{"another", handle_add, "ex2", 0},
	{"a box", box_add, NULL, 0},
	{"an account", account_add, NULL, 1},
	{"a domain", domain_add, "example.com", 0},
	{"one with a second key", domain_add, "xn--bcher-kva.de", 0},
	{"an alias", domain_add, "alias.org", 0},
	{"a relay", domain_add, "relay.org", 0},
	{"a local IP", domain_ip, "example.com", 0},
	{"an address", address_add, "joe@example.com", 0},
	{"another address", address_add, "ann@example.com", 0},
	{"a postmaster", address_add, "postmaster@example.com", 0},
	{"another", address_add, "postmaster@xn--bcher-kva.de", 0},
};

static void adding(void **state)
{
	(void)state;
	try_steps(filling, COUNT(filling), true);
}

static void changing(void **state)
{
	static const struct step steps[] = {
		{"handle set", handle_set, "ex1", 0},
		{"another local IP", domain_ip, "example.com", 0},
		{"another handle", domain_move, "example.com", 0},
		{"and back", domain_move, "example.com", 0},
		{"another target", domain_target, "alias.org", 0},
		{"box set", box_set, NULL, 1},
		{"box password", box_password, NULL, 1},
		{"box rehash", box_rehash, NULL, 1},
		{"address set", address_set, "joe@example.com", 0},
		{"box pass", box_pass, NULL, 9},
		{"pending", put_pending, "joe@example.com", 0},
		{"pending, of what was purged", put_purged, "x@example.com", 0},
		{"published", drop_pending, NULL, 0},
	};

	(void)state;
	try_steps(filling, COUNT(filling), true);
	try_steps(steps, COUNT(steps), true);
}

static void removing(void **state)
{
	static const struct step steps[] = {
		{"address del", address_del, "joe@example.com", 0},
		{"address restore", address_restore, "joe@example.com", 0},
		{"address del", address_del, "joe@example.com", 0},
		{"address del", address_del, "ann@example.com", 0},
		{"address del", address_del, "postmaster@example.com", 0},
		{"address del", address_del, "postmaster@xn--bcher-kva.de", 0},
		{"alias del", domain_del, "alias.org", 0},
		{"alias restore", domain_restore, "alias.org", 0},
		{"alias del", domain_del, "alias.org", 0},
		{"domain del", domain_del, "example.com", 0},
		{"domain restore", domain_restore, "example.com", 0},
		{"domain del", domain_del, "example.com", 0},
		{"relay del", domain_del, "relay.org", 0},
		{"backup for relay", domain_backup, "relay.org", 0},
		{"backup beside pop", domain_backup, "example.com", 0},
		{"domain del", domain_del, "xn--bcher-kva.de", 0},
		{"box del", box_del, NULL, 0},
		{"box restore", box_restore, NULL, 0},
		{"box del", box_del, NULL, 0},
		{"handle del", handle_del, "ex2", 0},
		{"handle restore", handle_restore, "ex2", 0},
		{"address purge", address_purge, "ann@example.com", 0},
		{"domain purge", domain_purge, "example.com", 0},
		{"box purge", box_purge, NULL, 0},
	};

	(void)state;
	try_steps(filling, COUNT(filling), true);
	try_steps(steps, COUNT(steps), true);
}

/* Looks. */

static enum err walk_handles(struct store_txn *txn, void *arg)
{
	const struct name_handle *after = NULL;
	struct store_handle h;
	enum err err;

	(void)arg;
	while ((err = store_handle_next(txn, after, &h)) == ERR_OK)
		after = &h.name;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err walk_domains(struct store_txn *txn, void *arg)
{
	struct store_domain d, of;
	struct name_handle ex1 = handle("ex1");
	struct name_domain last;
	const struct name_domain *after = NULL;
	enum err err;

	(void)arg;
	while ((err = store_domain_next(txn, after, &d)) == ERR_OK) {
		last = d.name;
		after = &last;
	}
	for (after = NULL; err == ERR_NOTFOUND; after = &last) {
		err = store_handle_domain_next(txn, &ex1, after, &of);
		if (err != ERR_OK)
			break;
		last = of.name;
		err = ERR_NOTFOUND;
	}
	last = domain("example.com");
	if (err == ERR_NOTFOUND)
		err = store_alias_next(txn, &last, NULL, &of);
	return err;
}

static enum err walk_boxes(struct store_txn *txn, void *arg)
{
	struct name_address last;
	const struct name_address *after = NULL;
	struct store_box box;
	struct name_box zero = box_of(0);
	enum err err = store_box_next(txn, NULL, &box);

	(void)arg;
	if (err == ERR_OK)
		err = ERR_NOTFOUND;
	for (; err == ERR_NOTFOUND; after = &last) {
		err = store_box_address_next(txn, &zero, after, &last);
		if (err != ERR_OK)
			break;
		err = ERR_NOTFOUND;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err walk_journal(struct store_txn *txn, void *arg)
{
	static struct store_entry entry;
	uint64_t published, after = 0;
	enum err err = store_published(txn, &published);

	(void)arg;
	while (err == ERR_OK) {
		err = store_journal_next(txn, after, &entry);
		after = entry.number;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err find_second(struct store_txn *txn, void *arg)
{
	struct store_domain d;

	return store_domain_find(txn, arg, strlen(arg), &d);
}

static enum err walk_parked(struct store_txn *txn, void *arg)
{
	static struct store_address a;
	struct name_domain name = domain("relay.org");
	struct store_parked parked;
	struct store_domain d;
	struct store_box box;
	bool any;
	enum err err = store_parked_domain_next(txn, NULL, &d, &parked);

	(void)arg;
	if (err == ERR_OK)
		err = store_parked_box_next(txn, NULL, &box, &parked);
	if (err == ERR_OK)
		err = store_parked_address_next(txn, NULL, &a, &parked);
	if (err == ERR_OK)
		err = store_parked_domain_any(txn, &name, &any);
	return err == ERR_OK && !any ? ERR_DAMAGED : err;
}

static void on_finding(void *arg, unsigned rule, const char *object,
		       const char *what)
{
	(void)arg;
	fail_msg("rule %u: %s: %s", rule, object, what);
}

static enum err check_all(struct store_txn *txn, void *arg)
{
	unsigned long found = 0;

	(void)arg;
	return store_check(txn, on_finding, NULL, &found);
}

static enum err take(void *arg, const struct store_raw *raw)
{
	(void)raw;
	++*(uint32_t *)arg;
	return ERR_OK;
}

static enum err rows(struct store_txn *txn, void *arg)
{
	return store_rows(txn, take, arg);
}

static enum err sizes(struct store_txn *txn, void *arg)
{
	struct store_size size;
	uint8_t id[STORE_ID_SIZE];
	enum err err = store_id(txn, id);

	(void)arg;
	return err == ERR_OK ? store_size(txn, &size) : err;
}

static void looking(void **state)
{
	static const struct step gone[] = {
		{"relay del", domain_del, "relay.org", 0},
		{"address del", address_del, "ann@example.com", 0},
		{"box del", box_del, NULL, 1},
	};
	static const struct step looks[] = {
		{"handles", walk_handles, NULL, 0},
		{"domains", walk_domains, NULL, 0},
		{"boxes", walk_boxes, NULL, 0},
		{"journal", walk_journal, NULL, 0},
		{"a local IP", find_second, "192.0.2.1", 0},
		{"what is parked", walk_parked, NULL, 0},
		{"the next number", box_next, NULL, 0},
		{"check", check_all, NULL, 0},
		{"rows", rows, NULL, 0},
		{"sizes", sizes, NULL, 0},
	};

	(void)state;
	try_steps(filling, COUNT(filling), true);
	try_steps(gone, COUNT(gone), true);
	try_steps(looks, COUNT(looks), false);
}

/* What is to be published. */
struct wanted {
	enum plan_scope scope;
	bool part;
	char said[2000];
};

static enum err wanted_body(struct store_txn *txn, void *arg)
{
	static const char *const acts[] = {"make", "close", "remove"};
	static const struct config config = {.uid = 510, .home = "/h"};
	struct wanted *wanted = arg;
	struct plan plan = {0};
	size_t len = 0;
	enum err err = wanted->part
			       ? plan_make_part(txn, &config, wanted->scope,
						NULL, &plan)
			       : plan_make(txn, &config, wanted->scope, &plan);

	wanted->said[0] = 0;
	for (size_t i = 0; err == ERR_OK && i < plan.count; i++) {
		char object[STORE_OBJECT_TEXT];
		const struct plan_item *item = &plan.item[i];

		plan_object(item, object);
		len += (size_t)snprintf(
			wanted->said + len, sizeof wanted->said - len, "%s %s%s%s, ",
			acts[item->act], object, item->covered ? " covered" : "",
			item->table == STORE_ADDRESSES && !item->text ? " none"
								      : "");
	}
	plan_free(&plan);
	return err;
}

static enum err pending_body(struct store_txn *txn, void *arg)
{
	struct pending pending = {0};
	enum err err = pending_collect(txn, &pending);

	*(uint32_t *)arg = (uint32_t)pending.count;
	pending_free(&pending);
	return err;
}

/* The same again and again, until no allocation is left to fail. */
static void starve(store_body *body, void *arg)
{
#ifndef __SANITIZE_ADDRESS__
	enum err err = ERR_SYSTEM;
	int tries = 0;

	while (err != ERR_OK) {
		starving = ++tries;
		err = store_read(store, body, arg);
		if (starving)
			break;
		assert_int_equal(err, ERR_SYSTEM);
	}
	starving = 0;
	assert_int_equal(err, ERR_OK);
	assert_true(tries > 1);
#else
	(void)body;
	(void)arg;
#endif
}

static void wants(enum plan_scope scope, bool part, const char *want)
{
	struct wanted wanted = {.scope = scope, .part = part};

	try_all("a plan", false, wanted_body, &wanted);
	assert_string_equal(wanted.said, want);
	starve(wanted_body, &wanted);
	assert_string_equal(wanted.said, want);
}

#define MADE                                                                   \
	"close alias.org, make b.org, make example.com, make gone.org, close " \
	"gone.org covered, "
#define BOXES                                                                  \
	"make relay.org, make xn--bcher-kva.de, make ex1-0000, make ex1-0001, "
#define MASTERS                                                                \
	"make postmaster@example.com, make postmaster@xn--bcher-kva.de, "
#define WANTED                                                                   \
	MADE "remove lost.org, " BOXES "remove ex1-0005, remove "              \
	     "ann@example.com none, make joe@example.com, " MASTERS

static void plans(void **state)
{
	static const struct step steps[] = {
		{"a backup", domain_backup, "b.org", 0},
		{"pending", put_pending, "joe@example.com", 0},
		{"alias del", domain_del, "alias.org", 0},
		{"relay del", domain_del, "relay.org", 0},
		{"its name, taken", domain_add, "relay.org", 0},
		{"a domain", domain_add, "gone.org", 0},
		{"domain del", domain_del, "gone.org", 0},
		{"its name, taken", domain_backup, "gone.org", 0},
		{"a domain", domain_add, "lost.org", 0},
		{"domain del", domain_del, "lost.org", 0},
		{"domain purge", domain_purge, "lost.org", 0},
		{"address del", address_del, "ann@example.com", 0},
		{"address purge", address_purge, "ann@example.com", 0},
		{"a box", account_add, NULL, 5},
		{"box del", box_del, NULL, 5},
		{"box purge", box_purge, NULL, 5},
	};
	uint32_t count;

	(void)state;
	try_steps(filling, COUNT(filling), true);
	try_steps(steps, COUNT(steps), true);
	wants(PLAN_ALL, false, MADE BOXES "make joe@example.com, " MASTERS);
	wants(PLAN_PENDING, false, WANTED);
	wants(PLAN_PENDING, true, WANTED);
	/* But for what was tried; of that a box that others lead to. */
	wants(PLAN_FRESH, false,
	      "close alias.org, make b.org, make gone.org, close gone.org "
	      "covered, remove lost.org, " BOXES
	      "remove ex1-0005, remove ann@example.com none, " MASTERS);
	try_all("published", true, drop_pending, NULL);
	try_all("pending", true, put_pending,
		(void *)(uintptr_t)"joe@example.com");
	wants(PLAN_FRESH, false, "");
	wants(PLAN_PENDING, false,
	      "make example.com, make ex1-0000, make joe@example.com, ");
	try_all("what is pending", false, pending_body, &count);
	assert_int_equal(count, 3);
	starve(pending_body, &count);
}

static void logins(void **state)
{
	static const struct {
		const char *name, *ip;
	} cases[] = {
		{"joe@example.com", NULL},    {"joe@alias.org", NULL},
		{"nobody@example.com", NULL}, {"joe@no.org", NULL},
		{"ex1-0000", NULL},	      {"joe", "192.0.2.1"},
		{"joe", "192.0.2.9"},	      {"joe", NULL},
	};
	static const char settings[] = "default_domain = example.com\n";
	struct config config;
	struct config_fault fault;

	(void)state;
	try_steps(filling, COUNT(filling), true);
	assert_int_equal(config_parse(BYTES(settings), &config, &fault),
			 ERR_OK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct login login;
		enum err err = ERR_SYSTEM;
		int tries = 0;

		do {
			failing = ++tries;
			err = login_find(store, &config, cases[i].name,
					 strlen(cases[i].name), cases[i].ip,
					 STORE_SERVICE_POP,
					 &login);
			if (!failing)
				assert_int_equal(err, ERR_SYSTEM);
		} while (!failing);
		failing = 0;
		assert_int_equal(err, ERR_OK);
		assert_true(tries > 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"whatever fails of the database, nothing is added, and that "
		 "is "
		 "the answer",
		 adding, set_up, stored_end, NULL},
		{"whatever fails of the database, nothing is changed", changing,
		 set_up, stored_end, NULL},
		{"whatever fails of the database, nothing is deleted, brought "
		 "back or purged",
		 removing, set_up, stored_end, NULL},
		{"whatever fails of the database, a look says so", looking,
		 set_up, stored_end, NULL},
		{"what is to be published is all of it, or the answer is that "
		 "something failed",
		 plans, set_up, stored_end, NULL},
		{"whatever fails of the database, a login is not decided",
		 logins, set_up, stored_end, NULL},
	};

	return RUN(tests);
}
