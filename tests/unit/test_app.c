/* SPDX-License-Identifier: MIT */
#include "store/app.h"

#include <time.h>

#include "named.h"
#include "store/login.h"
#include "store/secret.h"
#include "stored.h"

#define PHONE "a-password-of-the-phone-26"
#define PAD   "another-one-of-the-pad--26"

static struct name_box box_of(uint32_t number)
{
	return (struct name_box){handle("ex1"), number};
}

static enum err fill(struct store_txn *txn, void *arg)
{
	const struct store_domain d = {.name = domain("example.com"),
				       .handle = handle("ex1")};
	const struct store_address joe = {.name = address("joe@example.com"),
					  .has_box = true, .box = box_of(1)};
	const struct store_address postmaster = {
		.name = address("postmaster@example.com"),
		.has_box = true, .box = box_of(1)};
	const struct name_handle other = handle("ex2");
	enum err err = store_handle_add(txn, &d.handle);

	(void)arg;
	if (err == ERR_OK)
		err = store_handle_add(txn, &other);
	if (err == ERR_OK)
		err = store_domain_add(txn, &d);
	if (err == ERR_OK)
		err = store_box_add(txn, &(struct store_box){.name = box_of(1)});
	if (err == ERR_OK)
		err = store_box_add(txn, &(struct store_box){.name = box_of(2)});
	if (err == ERR_OK)
		err = store_address_add(txn, &joe);
	return err == ERR_OK ? store_address_add(txn, &postmaster) : err;
}

static int set_up(void **state)
{
	(void)state;
	return secret_start() != ERR_OK || stored_start(fill);
}

struct made {
	uint32_t box;
	struct store_app app;
	const char *password;
};

static enum err make_body(struct store_txn *txn, void *arg)
{
	const struct made *made = arg;
	const struct name_box name = box_of(made->box);

	return store_app_add(txn, &name, &made->app, made->password,
			     strlen(made->password));
}

static enum err make(uint32_t box, const char *name, const char *password,
		     unsigned services, int64_t expires)
{
	struct made made = {.box = box, .password = password,
			    .app = {.services = services, .expires = expires}};

	assert_true(store_app_name(name, made.app.name));
	return change(make_body, &made);
}

static enum err revoke_body(struct store_txn *txn, void *arg)
{
	const struct made *made = arg;
	const struct name_box name = box_of(made->box);

	return store_app_del(txn, &name, made->app.name);
}

static enum err unmake(uint32_t box, const char *name)
{
	struct made made = {.box = box};

	assert_true(store_app_name(name, made.app.name));
	return change(revoke_body, &made);
}

static enum err get_body(struct store_txn *txn, void *arg)
{
	const struct name_box name = box_of(1);

	return store_apps_get(txn, &name, arg);
}

static struct store_apps apps_of_first(void)
{
	static const uint8_t none[STORE_APP_DIGEST];
	struct store_apps apps;

	assert_int_equal(store_read(store, get_body, &apps), ERR_OK);
	for (unsigned i = 0; i < apps.count; i++) {
		assert_memory_equal(apps.app[i].digest, none, sizeof none);
		assert_int_equal(apps.app[i].services >> 4, 0);
	}
	return apps;
}

static void names(void **state)
{
	static const char *const bad[] = {
		"", "-a", ".a", "_a", "a b", "a/b", "a:b", "a,b", "a\n",
		"\xc3\xa9", "123456789012345678901234567890123"};
	char name[STORE_APP_NAME + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(store_app_name(bad[i], name));
	assert_true(store_app_name("Joes.Phone_2-x", name));
	assert_string_equal(name, "joes.phone_2-x");
	assert_true(store_app_name("12345678901234567890123456789012", name));
}

/* The services or the time of one login; "" is accepted. */
static const char *login_of(const char *user, const char *password,
			    unsigned service, struct login *ret_login)
{
	static struct config config;
	struct config_fault fault;
	struct store *reader = NULL;
	const char *reason;
	enum verdict verdict;

	assert_int_equal(config_parse(BYTES("argon2_kib = 64\n"
					    "argon2_passes = 1\n"),
				      &config, &fault),
			 ERR_OK);
	assert_int_equal(store_open_login(dir, &reader), ERR_OK);
	assert_int_equal(login_find(reader, &config, user, strlen(user), NULL,
				    service, ret_login),
			 ERR_OK);
	store_close(&reader);
	verdict = login_judge(ret_login, password, strlen(password), &reason);
	login_forget(ret_login);
	assert_int_equal(verdict == VERDICT_ACCEPT, reason[0] == 0);
	assert_true(verdict != VERDICT_CANNOT_TELL);
	return reason;
}

static void logs(const char *password, unsigned service, const char *want,
		 const char *app)
{
	struct login login;

	assert_string_equal(login_of("joe@example.com", password, service,
				     &login),
			    want);
	assert_string_equal(login.app, app);
	assert_int_equal(login.app_number != 0, app[0] != 0);
	if (!want[0])
		assert_string_equal(login.user, "joe@example.com");
}

struct main_way {
	const char *hash; /* NULL: as it is */
	int only;	  /* -1: as it is */
	int suspend;
};

static enum err main_body(struct store_txn *txn, void *arg)
{
	const struct main_way *way = arg;
	const struct name_box name = box_of(1);
	struct store_box box;
	enum err err = store_box_get(txn, &name, &box);

	if (err == ERR_OK && way->hash)
		err = store_box_password(txn, &name, way->hash);
	if (way->only >= 0)
		box.apps_only = way->only;
	box.state.login = !way->suspend;
	return err == ERR_OK ? store_box_set(txn, &box) : err;
}

static void set(const char *hash, int only, bool suspend)
{
	struct main_way way = {hash, only, suspend};

	assert_int_equal(change(main_body, &way), ERR_OK);
}

#define POP  STORE_SERVICE_POP
#define SMTP STORE_SERVICE_SMTP

static void logins(void **state)
{
	char hash[PWHASH_MAX + 1];
	const int64_t now = (int64_t)time(NULL);

	(void)state;
	logs(PHONE, POP, "no-password", "");
	assert_int_equal(make(1, "phone", PHONE, STORE_SERVICES, 0), ERR_OK);
	/* A box without a password of its own has app passwords alone. */
	logs(PHONE, POP, "", "phone");
	logs(PHONE "x", POP, "no-password", "");
	logs("", POP, "no-password", "");
	assert_int_equal(pwhash_make((struct pwhash_cost){64, 1},
				     BYTES("main secret"), hash),
			 PWHASH_OK);
	set(hash, 0, false);
	logs("main secret", POP, "", "");
	logs("mein secret", POP, "mismatch", "");
	logs(PHONE, POP, "", "phone");
	/* Of some services alone, or until a time. */
	assert_int_equal(make(1, "pad", PAD, SMTP, 0), ERR_OK);
	logs(PAD, SMTP, "", "pad");
	logs(PAD, POP, "app-service-off", "");
	logs(PAD, 0, "app-service-off", "");
	logs(PHONE, 0, "", "phone");
	assert_int_equal(make(1, "old", "x" PAD, STORE_SERVICES, now - 1), ERR_OK);
	assert_int_equal(make(1, "new", "y" PAD, STORE_SERVICES, now + 900),
			 ERR_OK);
	logs("x" PAD, POP, "app-expired", "");
	logs("y" PAD, POP, "", "new");
	/* --apps-only. */
	set(NULL, 1, false);
	logs("main secret", POP, "apps-only", "");
	logs("main secret", SMTP, "apps-only", "");
	logs("mein secret", SMTP, "apps-only", "");
	logs("main secret", STORE_SERVICE_WEBMAIL, "", "");
	logs("main secret", STORE_SERVICE_IMAP, "", "");
	logs("main secret", 0, "", "");
	logs(PHONE, POP, "", "phone");
	logs("x" PAD, POP, "app-expired", "");
	/* What holds for the box holds for all its passwords. */
	set(NULL, 0, true);
	logs(PHONE, POP, "box-suspended", "");
	logs("main secret", POP, "box-suspended", "");
	set(NULL, 0, false);
	assert_int_equal(unmake(1, "Phone"), ERR_OK);
	logs(PHONE, POP, "mismatch", "");
	logs("y" PAD, POP, "", "new");
}

/* An app password that is none, of the right form, for strangers too. */
static void strangers(void **state)
{
	struct login login;

	(void)state;
	assert_string_equal(login_of("x@example.com", PHONE, POP, &login),
			    "unknown");
	assert_string_equal(login_of("ex1-0002", PHONE, POP, &login),
			    "no-password");
}

static void most(void **state)
{
	char name[16], password[64];
	struct store_apps apps;

	(void)state;
	for (int i = 1; i <= STORE_APPS_MAX; i++) {
		(void)snprintf(name, sizeof name, "app%d", 30 - i);
		(void)snprintf(password, sizeof password, PHONE "%d", i);
		assert_int_equal(make(1, name, password, STORE_SERVICES, 0),
				 ERR_OK);
	}
	assert_int_equal(make(1, "more", PHONE, STORE_SERVICES, 0), ERR_INVALID);
	assert_non_null(strstr(store_reason(store), "20 app passwords"));
	apps = apps_of_first();
	assert_int_equal(apps.count, STORE_APPS_MAX);
	assert_string_equal(apps.app[0].name, "app10");
	assert_int_equal(apps.app[0].number, 20);
	logs(PHONE "1", POP, "", "app29");
	logs(PHONE "20", POP, "", "app10");
	logs(PHONE "21", POP, "no-password", "");
	/* A number that became free is given again. */
	assert_int_equal(unmake(1, "app27"), ERR_OK);
	assert_int_equal(make(1, "APP10", PHONE, STORE_SERVICES, 0), ERR_EXISTS);
	assert_int_equal(make(1, "more", PHONE, STORE_SERVICES, 0), ERR_OK);
	apps = apps_of_first();
	assert_int_equal(store_apps_find(&apps, "more")->number, 3);
	assert_null(store_apps_find(&apps, "app27"));
	assert_int_equal(unmake(1, "app27"), ERR_INVALID);
	assert_true(store_is_unknown(store));
	assert_non_null(strstr(store_reason(store), "no app password 'app27'"));
	assert_int_equal(unmake(9, "app27"), ERR_NOTFOUND);
	assert_int_equal(make(9, "more", PHONE, STORE_SERVICES, 0), ERR_NOTFOUND);
}

/* Nothing of what was revoked stays: a new first one has another salt. */
static enum err salt_body(struct store_txn *txn, void *arg)
{
	const struct name_box name = box_of(1);
	struct store_account account;
	enum err err = store_login(txn, &name, &account);

	memcpy(arg, account.apps.salt, STORE_APP_SALT);
	return err;
}

static void salts(void **state)
{
	static const uint8_t none[STORE_APP_SALT];
	uint8_t first[STORE_APP_SALT], second[STORE_APP_SALT];

	(void)state;
	assert_int_equal(store_read(store, salt_body, first), ERR_OK);
	assert_memory_equal(first, none, sizeof none);
	assert_int_equal(make(1, "a", PHONE, STORE_SERVICES, 0), ERR_OK);
	assert_int_equal(store_read(store, salt_body, first), ERR_OK);
	assert_memory_not_equal(first, none, sizeof none);
	assert_int_equal(make(1, "b", PAD, STORE_SERVICES, 0), ERR_OK);
	assert_int_equal(unmake(1, "a"), ERR_OK);
	assert_int_equal(store_read(store, salt_body, second), ERR_OK);
	assert_memory_equal(first, second, sizeof second);
	assert_int_equal(unmake(1, "b"), ERR_OK);
	assert_int_equal(store_read(store, salt_body, second), ERR_OK);
	assert_memory_equal(second, none, sizeof none);
}

/* The journal says which one came or went, and nothing that helps to find it. */
struct look {
	uint64_t number;
	struct store_entry entry;
	struct store_apps before, after;
};

static enum err entry_body(struct store_txn *txn, void *arg)
{
	struct look *look = arg;
	struct store_entry *e = &look->entry;
	enum err err = store_journal_last(txn, &look->number);

	if (err == ERR_OK)
		err = store_journal_next(txn, look->number - 1, e);
	if (err == ERR_OK)
		err = store_apps_row(e->key, e->key_len, e->before,
				     e->before_len, &look->before);
	return err == ERR_OK ? store_apps_row(e->key, e->key_len, e->after,
					      e->after_len, &look->after)
			     : err;
}

static void no_digest(const struct store_account *account,
		      const struct store_entry *e)
{
	for (unsigned i = 0; i < account->apps.count; i++)
		assert_null(memmem(e, sizeof *e, account->apps.digest[i], 16));
	assert_null(memmem(e, sizeof *e, account->apps.salt, STORE_APP_SALT));
}

static enum err account_body(struct store_txn *txn, void *arg)
{
	const struct name_box name = box_of(1);

	return store_login(txn, &name, arg);
}

static void journal(void **state)
{
	static struct look look;
	struct store_account account;

	(void)state;
	assert_int_equal(make(1, "phone", PHONE, SMTP, 0), ERR_OK);
	assert_int_equal(store_read(store, account_body, &account), ERR_OK);
	assert_int_equal(store_read(store, entry_body, &look), ERR_OK);
	assert_int_equal(look.entry.op, STORE_SET);
	assert_int_equal(look.before.count, 0);
	assert_int_equal(look.after.count, 1);
	assert_string_equal(look.after.app[0].name, "phone");
	no_digest(&account, &look.entry);
	set(NULL, 1, false);
	assert_int_equal(store_read(store, entry_body, &look), ERR_OK);
	assert_int_equal(look.before.count, 1);
	no_digest(&account, &look.entry);
	assert_int_equal(unmake(1, "phone"), ERR_OK);
	assert_int_equal(store_read(store, entry_body, &look), ERR_OK);
	assert_int_equal(look.before.count, 1);
	assert_int_equal(look.after.count, 0);
	no_digest(&account, &look.entry);
}

/* They go where the box goes. */
static enum err move_body(struct store_txn *txn, void *arg)
{
	const struct name_box from = box_of(2), to = {handle("ex2"), 1};
	enum err err = store_box_move(txn, &from, &to);

	(void)arg;
	return err == ERR_OK ? store_box_moved(txn, &from, &to) : err;
}

static enum err back_body(struct store_txn *txn, void *arg)
{
	const struct name_box from = box_of(2), to = {handle("ex2"), 1};
	enum err err = store_box_del(txn, &to);

	(void)arg;
	return err == ERR_OK ? store_box_restore(txn, &from) : err;
}

static unsigned long found;

static void on_found(void *arg, unsigned rule, const char *object,
		     const char *what)
{
	(void)arg;
	print_message("%u %s %s\n", rule, object, what);
	found++;
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	return store_check(txn, on_found, NULL, arg);
}

static void sound(void)
{
	unsigned long count;

	assert_int_equal(store_read(store, check_body, &count), ERR_OK);
	assert_int_equal(count, 0);
}

static void moves(void **state)
{
	struct login login;

	(void)state;
	assert_int_equal(make(2, "phone", PHONE, STORE_SERVICES, 0), ERR_OK);
	assert_string_equal(login_of("ex1-0002", PHONE, POP, &login), "");
	assert_int_equal(change(move_body, NULL), ERR_OK);
	sound();
	assert_string_equal(login_of("ex1-0002", PHONE, POP, &login), "unknown");
	assert_string_equal(login_of("ex2-0001", PHONE, POP, &login), "");
	assert_string_equal(login.app, "phone");
	assert_int_equal(change(back_body, NULL), ERR_OK);
	sound();
	assert_string_equal(login_of("ex1-0002", PHONE, POP, &login), "");
}

/* Rows that no program of ours writes. */
static void rows(void **state)
{
	static const struct {
		const char *terms;
		size_t len;
		unsigned count;
	} is[] = {
#define ONE(number, services, name)                                            \
	"\1" number services "\1\0\0\0\0\2\0\0\0\0" name
#define IS(count, text) {text, sizeof text - 1, count}
		IS(1, ONE("\0", "\1", "a")),
		IS(1, ONE("\25", "\1", "a")),
		IS(1, ONE("\1", "\0", "a")),
		IS(1, ONE("\1", "\20", "a")),
		IS(1, ONE("\1", "\1", "A")),
		IS(1, ONE("\1", "\1", "-")),
		IS(1, ONE("\1", "\1", "a") "\1"),
		IS(2, ONE("\1", "\1", "a")),
		IS(0, ONE("\1", "\1", "a")),
		IS(1, ONE("\1", "\1", "")),
		IS(1, "\41\1\1\1\0\0\0\0\2\0\0\0\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		IS(1, ""),
		IS(2, ONE("\1", "\1", "a") ONE("\1", "\1", "b")),
		IS(2, ONE("\1", "\1", "a") ONE("\2", "\1", "a")),
		IS(2, ONE("\1", "\1", "b") ONE("\2", "\1", "a")),
		IS(2, ONE("\1", "\1", "a") ONE("\2", "\1", "b")), /* good */
	};
	struct store_packed packed;
	struct store_apps apps;

	(void)state;
	for (size_t i = 0; i < COUNT(is); i++) {
		memset(&packed, 0, sizeof packed);
		packed.count = is[i].count;
		packed.len = is[i].len;
		memcpy(packed.terms, is[i].terms, is[i].len);
		assert_int_equal(store_apps_unpack(&packed, &apps), i + 1 == COUNT(is));
	}
	assert_int_equal(apps.app[1].expires, 2);
}

static void lengths(void **state)
{
	static const struct {
		size_t salt, digests;
		enum err err;
	} is[] = {{0, 0, ERR_OK},	    {32, 0, ERR_DAMAGED},
		  {0, 16, ERR_DAMAGED},	    {31, 16, ERR_DAMAGED},
		  {33, 16, ERR_DAMAGED},    {32, 15, ERR_DAMAGED},
		  {32, 20 * 16, ERR_OK},    {32, 21 * 16, ERR_DAMAGED},
		  {32, 16, ERR_OK}};
	static const char zero[21 * 16];
	struct store_packed packed;
	struct record record;
	uint8_t bytes[512];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(is); i++) {
		record = record_new(bytes, sizeof bytes, 5);
		record_put_bytes(&record, zero, is[i].salt);
		record_put_bytes(&record, zero, is[i].digests);
		record_put_bytes(&record, zero, 0);
		assert_int_equal(record_seal(&record, "k", 1, &len), ERR_OK);
		assert_int_equal(record_open(bytes, len, "k", 1, 5, &record),
				 ERR_OK);
		app_get(&record, &packed);
		assert_int_equal(record_end(&record), is[i].err);
	}
	assert_int_equal(packed.count, 1);
}

int main(void)
{
#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, stored_end)
	const struct CMUnitTest tests[] = {
		TEST(names),  TEST(logins),  TEST(strangers), TEST(most),
		TEST(salts),  TEST(journal), TEST(moves),     TEST(rows),
		TEST(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
