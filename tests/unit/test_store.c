/* SPDX-License-Identifier: MIT */
#include "named.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/config.h"
#include "store/hash/pwhash.h"
#include "store/login.h"
#include "store/secret.h"
#include "stored.h"

static unsigned long findings;

static void on_finding(void *arg, unsigned rule, const char *object,
		       const char *what)
{
	if (arg)
		*(unsigned *)arg = rule;
	else
		print_message("# rule %u: %s: %s\n", rule, object, what);
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	return store_check(txn, on_finding, arg, &findings);
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(NULL);
}

/* Every test leaves a store in which no rule is broken. */
static int tear_down(void **state)
{
	enum err err = store_read(store, check_body, NULL);

	return stored_end(state) || err != ERR_OK || findings;
}

/* A domain of ex1, its handle where it is new, and postmaster in box 0. */
static enum err add_domain(struct store_txn *txn, void *arg)
{
	struct store_domain d = {.name = domain(arg), .handle = handle("ex1"),
				 .subdomains = true};
	struct store_box box = {.name = {handle("ex1"), 0}};
	struct store_address a = {.name = {{"postmaster"}, d.name},
				  .has_box = true, .box = box.name};
	struct store_handle h;
	enum err err = store_handle_get(txn, &d.handle, &h);

	if (err == ERR_NOTFOUND) {
		err = store_handle_add(txn, &d.handle);
		if (err == ERR_OK)
			err = store_box_add(txn, &box);
	}
	if (err == ERR_OK)
		err = store_domain_add(txn, &d);
	return err == ERR_OK ? store_address_add(txn, &a) : err;
}

struct joe {
	const char *address;
	const char *hash;
	struct name_box box;
};

static enum err add_joe(struct store_txn *txn, void *arg)
{
	struct joe *joe = arg;
	struct store_box box = {.name = {handle("ex1"), 0}};
	struct store_address a = {.name = address(joe->address),
				  .has_box = true};
	enum err err =
		store_box_number(txn, &box.name.handle, &box.name.number);

	joe->box = a.box = box.name;
	if (err == ERR_OK)
		err = store_box_add(txn, &box);
	if (err == ERR_OK && joe->hash)
		err = store_box_password(txn, &box.name, joe->hash);
	return err == ERR_OK ? store_address_add(txn, &a) : err;
}

static void numbers(void **state)
{
	struct joe joe = {"joe@example.com", NULL, {{""}, 0}};
	struct joe ann = {"ann@example.com", NULL, {{""}, 0}};

	(void)state;
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(add_joe, &joe), ERR_OK);
	assert_int_equal(change(add_joe, &ann), ERR_OK);
	assert_int_equal(joe.box.number, 1);
	assert_int_equal(ann.box.number, 2);
	assert_int_equal(change(add_joe, &joe), ERR_EXISTS);
	assert_non_null(strstr(store_reason(store), "joe@example.com"));
}

static void prefixes(void **state)
{
	(void)state;
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(add_domain, "example.com"), ERR_EXISTS);
	assert_int_equal(change(add_domain, "example.com-x.net"), ERR_INVALID);
	assert_non_null(strstr(store_reason(store), "'example.com'"));
	assert_int_equal(change(add_domain, "a.de-b.org"), ERR_OK);
	assert_int_equal(change(add_domain, "a.de"), ERR_INVALID);
	assert_non_null(strstr(store_reason(store), "a.de-b.org"));
	assert_int_equal(change(add_domain, "a-b.org"), ERR_OK);
	assert_int_equal(change(add_domain, "a.de2"), ERR_OK);
}

static enum err count_body(struct store_txn *txn, void *arg)
{
	unsigned *counts = arg;
	struct store_domain d;
	struct store_box b;
	struct store_address a;
	struct name_address n;
	const struct name_box joe = {handle("ex1"), 1};
	enum err err = store_domain_next(txn, NULL, &d);

	memset(counts, 0, 4 * sizeof *counts);
	for (; err == ERR_OK; counts[0]++)
		err = store_domain_next(txn, &d.name, &d);
	for (err = store_box_next(txn, NULL, &b); err == ERR_OK; counts[1]++)
		err = store_box_next(txn, &b.name, &b);
	for (err = store_address_next(txn, NULL, &a); err == ERR_OK;
	     counts[2]++)
		err = store_address_next(txn, &a.name, &a);
	for (err = store_box_address_next(txn, &joe, NULL, &n); err == ERR_OK;
	     counts[3]++)
		err = store_box_address_next(txn, &joe, &n, &n);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err add_utf8(struct store_txn *txn, void *arg)
{
	struct store_domain d = {.name = domain("xn--bcher-kva.de"),
				 .utf8 = "b\xc3\xbc" "cher.de",
				 .handle = handle("ex1")};
	struct store_address a = {.name = {{"postmaster"}, d.name},
				  .forwards_len = 8, .forwards = "a@b.org"};
	enum err err = store_domain_add(txn, &d);

	(void)arg;
	return err == ERR_OK ? store_address_add(txn, &a) : err;
}

static enum err pass_body(struct store_txn *txn, void *arg)
{
	const struct name_box box = {handle("ex1"), *(uint32_t *)arg};

	return store_box_pass(txn, &box);
}

static enum err number_body(struct store_txn *txn, void *arg)
{
	const struct name_handle ex1 = handle("ex1");

	return store_box_number(txn, &ex1, arg);
}

/* A domain whose name is that of a deleted one. */
struct follows {
	struct store_domain was, is;
	const char *want; /* is the old one: gone, kept, or in the way? */
};

static enum err follow_body(struct store_txn *txn, void *arg)
{
	struct follows *f = arg;
	struct store_domain was;
	struct store_parked parked;
	enum err err = store_domain_add(txn, &f->was);

	if (err == ERR_OK)
		err = store_domain_del(txn, &f->was.name);
	assert_int_equal(err, ERR_OK);
	err = store_domain_add(txn, &f->is);
	if (err != ERR_OK) {
		assert_int_equal(err, ERR_EXISTS);
		f->want = "in the way";
		return err;
	}
	err = store_parked_domain_get(txn, &f->was.name, f->was.kind, &was,
				      &parked);
	f->want = err == ERR_OK ? "kept" : "gone";
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err targets_body(struct store_txn *txn, void *arg)
{
	struct name_handle other = handle("ex2");
	enum err err = add_domain(txn, arg);

	if (err == ERR_OK)
		err = store_handle_add(txn, &other);
	return err == ERR_OK ? add_domain(txn, "example.net") : err;
}

static void follow(struct store_domain was, struct store_domain is,
		   const char *want)
{
	static int number;
	struct follows f = {was, is, want};
	char text[20];
	uint64_t last;

	(void)snprintf(text, sizeof text, "a%d.org", number++);
	f.was.name = f.is.name = domain(text);
	assert_int_equal(store_write(store, &actor, follow_body, &f, false,
				     &last),
			 strcmp(want, "in the way") == 0 ? ERR_EXISTS : ERR_OK);
	if (strcmp(f.want, want) != 0)
		fail_msg("kind %d after %d: %s, not %s", (int)is.kind,
			 (int)was.kind, f.want, want);
}

static struct store_domain of_kind(enum store_kind kind)
{
	struct store_domain d = {.handle = handle("ex1"), .kind = kind};

	if (kind == STORE_ALIAS)
		d.target = domain("example.com");
	if (kind == STORE_RELAY)
		(void)snprintf(d.host, sizeof d.host, "mx.net");
	return d;
}

static void follows(void **state)
{
	static const char *const wants[STORE_KINDS][STORE_KINDS] = {
		/* is:	POP, ALIAS, RELAY, BACKUP, DIALUP */
		{"in the way", "kept", "kept", "kept", "in the way"}, /* POP */
		{"in the way", "gone", "kept", "kept", "in the way"}, /* ALIAS */
		{"kept", "kept", "gone", "gone", "kept"},	      /* RELAY */
		{"gone", "gone", "gone", "gone", "gone"},	      /* BACKUP */
		{"in the way", "kept", "kept", "kept", "in the way"}, /* DIALUP */
	};
	struct store_domain was, is;

	(void)state;
	assert_int_equal(change(targets_body, "example.com"), ERR_OK);
	for (int i = 0; i < STORE_KINDS; i++) {
		for (int j = 0; j < STORE_KINDS; j++)
			follow(of_kind((enum store_kind)i),
			       of_kind((enum store_kind)j), wants[i][j]);
	}
	/* All of it has to be the same. */
	was = is = of_kind(STORE_RELAY);
	is.port = 26;
	follow(was, is, "in the way");
	is = was;
	is.host[0] = 'n';
	follow(was, is, "in the way");
	is = was;
	is.handle = handle("ex2");
	follow(was, is, "in the way");
	was = is = of_kind(STORE_ALIAS);
	is.target = domain("example.net");
	follow(was, is, "in the way");
}

static void exhausted(void **state)
{
	uint32_t number = UINT32_MAX;

	(void)state;
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(pass_body, &number), ERR_INVALID);
	number = UINT32_MAX - 2;
	assert_int_equal(change(pass_body, &number), ERR_OK);
	assert_int_equal(change(number_body, &number), ERR_OK);
	assert_int_equal(number, UINT32_MAX - 1);
	assert_int_equal(change(pass_body, &number), ERR_OK);
	assert_int_equal(change(number_body, &number), ERR_INVALID);
	assert_non_null(strstr(store_reason(store), "no number left"));
}

static enum err find_body(struct store_txn *txn, void *arg)
{
	struct store_domain d;
	const char *text = arg;

	return store_domain_find(txn, text, strlen(text), &d);
}

static void walks(void **state)
{
	struct joe joe = {"joe@example.com", NULL, {{""}, 0}};
	unsigned counts[4];

	(void)state;
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(add_joe, &joe), ERR_OK);
	assert_int_equal(change(add_utf8, NULL), ERR_OK);
	assert_int_equal(store_read(store, count_body, counts), ERR_OK);
	assert_int_equal(counts[0], 2);
	assert_int_equal(counts[1], 2);
	assert_int_equal(counts[2], 3);
	assert_int_equal(counts[3], 1);
	assert_int_equal(
		store_read(store, find_body, "b\xc3\xbc" "cher.de"), ERR_OK);
	assert_int_equal(store_read(store, find_body, "XN--bcher-kva.DE"),
			 ERR_OK);
	assert_int_equal(store_read(store, find_body, "other.de"),
			 ERR_NOTFOUND);
	assert_int_equal(store_read(store, find_body, ""), ERR_NOTFOUND);
}

static enum err short_body(struct store_txn *txn, void *arg)
{
	struct name_handle names[] = {handle("a"), handle("b")};
	struct store_handle found;
	enum err err = ERR_OK;

	(void)arg;
	for (size_t i = 0; err == ERR_OK && i < COUNT(names); i++)
		err = store_handle_add(txn, &names[i]);
	for (size_t i = 0; err == ERR_OK && i < COUNT(names); i++) {
		err = store_handle_next(txn, i ? &names[i - 1] : NULL, &found);
		if (err == ERR_OK)
			assert_string_equal(found.name.s, names[i].s);
	}
	assert_int_equal(store_handle_next(txn, &names[1], &found),
			 ERR_NOTFOUND);
	return err;
}

static void short_names(void **state)
{
	(void)state;
	assert_int_equal(change(short_body, NULL), ERR_OK);
}

static enum err add_and_fail(struct store_txn *txn, void *arg)
{
	enum err err = add_domain(txn, arg);

	return err == ERR_OK ? ERR_INVALID : err;
}

static enum err last_body(struct store_txn *txn, void *arg)
{
	return store_journal_last(txn, arg);
}

static void all_or_nothing(void **state)
{
	uint64_t last;

	(void)state;
	assert_int_equal(change(add_and_fail, "example.com"), ERR_INVALID);
	assert_int_equal(store_write(store, &actor, add_domain, "example.com",
				     false, &last),
			 ERR_OK);
	assert_int_equal(store_read(store, find_body, "example.com"),
			 ERR_NOTFOUND);
	assert_int_equal(store_read(store, last_body, &last), ERR_OK);
	assert_int_equal(last, 0);
}

static enum err journal_body(struct store_txn *txn, void *arg)
{
	static struct store_entry entry;
	uint64_t at = 0, *count = arg;
	enum err err;

	*count = 0;
	while ((err = store_journal_next(txn, at, &entry)) == ERR_OK) {
		char text[STORE_OBJECT_TEXT];

		at = entry.number;
		assert_int_equal(at, ++*count);
		assert_string_equal(entry.actor, "unit");
		assert_int_equal(store_entry_object(&entry, text), ERR_OK);
		/* Never a hash. */
		assert_null(memmem(entry.before, entry.before_len, "$5$", 3));
		assert_null(memmem(entry.after, entry.after_len, "$5$", 3));
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void journal(void **state)
{
	struct joe joe = {"joe@example.com", "$5$rounds=1000$s$"
			  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.", {{""}, 0}};
	uint64_t count;

	(void)state;
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(add_joe, &joe), ERR_OK);
	assert_int_equal(store_read(store, journal_body, &count), ERR_OK);
	assert_int_equal(count, 7);
}

/* More in one commit than the first map holds. */
static enum err add_many(struct store_txn *txn, void *arg)
{
	char text[64];

	(void)arg;
	for (int i = 0; i < 20000; i++) {
		struct joe joe = {text, NULL, {{""}, 0}};
		enum err err;

		(void)snprintf(text, sizeof text, "u%d@example.com", i);
		err = add_joe(txn, &joe);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static void grows(void **state)
{
	unsigned counts[4];
	char path[96];
	struct stat before, after;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/data.mdb", dir);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(add_many, NULL), ERR_OK);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > before.st_size);
	assert_int_equal(store_read(store, count_body, counts), ERR_OK);
	assert_int_equal(counts[1], 20001);
}

/* The login's own way, beside the writer that is open. */
static enum verdict try_login(const char *name, const char *password,
			      const char **reason)
{
	static struct config config;
	struct config_fault fault;
	struct store *reader = NULL;
	struct login login;

	assert_int_equal(config_parse(BYTES("argon2_kib = 64\n"
					    "argon2_passes = 1\n"),
				      &config, &fault),
			 ERR_OK);
	assert_int_equal(store_open_login(dir, &reader), ERR_OK);
	assert_int_equal(login_find(reader, &config, name, strlen(name), NULL,
			 STORE_SERVICE_POP,
				    &login),
			 ERR_OK);
	store_close(&reader);
	return login_decide(&login, password, strlen(password), reason);
}

/* Past the rules, as a faulty program may have left it. */
static enum err put_odd(struct store_txn *txn, void *arg)
{
	const struct name_box *name = arg;
	struct row_key key = row_key_box(name);
	struct store_account account;
	struct row row;
	enum err err = store_login(txn, name, &account);

	(void)snprintf(account.hash, sizeof account.hash, "$1$old$hash");
	if (err == ERR_OK)
		err = box_encode(&account, &row);
	return err == ERR_OK ? row_write(txn, DB_BOX, &key, &row) : err;
}

static enum err no_password(struct store_txn *txn, void *arg)
{
	return store_box_password(txn, arg, "");
}

static void verdicts(void **state)
{
	char hash[PWHASH_MAX + 1];
	struct joe joe = {"joe@example.com", hash, {{""}, 0}};
	struct joe odd = {"odd@example.com", "$1$old$hash", {{""}, 0}};
	struct joe good = {"good@example.com", "", {{""}, 0}};
	const char *reason;

	(void)state;
	assert_int_equal(pwhash_make((struct pwhash_cost){64, 1},
				     BYTES("secret"), hash),
			 PWHASH_OK);
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(add_joe, &joe), ERR_OK);
	/* Nothing is stored of which a login could not tell. */
	assert_int_equal(change(add_joe, &odd), ERR_INVALID);
	assert_non_null(strstr(store_reason(store), "malformed"));
	odd.hash = "*";
	assert_int_equal(change(add_joe, &odd), ERR_INVALID);
	odd.hash = "$1$jmTogLq1$MmFWWMTAUzKJ5C8TfG/xe/";
	assert_int_equal(change(add_joe, &odd), ERR_INVALID);
	assert_non_null(strstr(store_reason(store), "weak"));
	assert_int_equal(change(add_joe, &good), ERR_OK);
	assert_int_equal(try_login("Joe@Example.COM", "secret", &reason),
			 VERDICT_ACCEPT);
	assert_int_equal(try_login("ex1-0001", "secret", &reason),
			 VERDICT_ACCEPT);
	assert_int_equal(try_login("joe@example.com", "Secret", &reason),
			 VERDICT_REFUSE);
	assert_string_equal(reason, "mismatch");
	assert_int_equal(try_login("ann@example.com", "secret", &reason),
			 VERDICT_REFUSE);
	assert_string_equal(reason, "unknown");
	assert_int_equal(try_login("joe@other.org", "secret", &reason),
			 VERDICT_REFUSE);
	assert_int_equal(try_login("ex1-0009", "secret", &reason),
			 VERDICT_REFUSE);
	assert_int_equal(try_login("", "", &reason), VERDICT_REFUSE);
	assert_int_equal(try_login("postmaster@example.com", "", &reason),
			 VERDICT_REFUSE);
	assert_string_equal(reason, "no-password");
	assert_int_equal(change(put_odd, &joe.box), ERR_OK);
	assert_int_equal(try_login("joe@example.com", "secret", &reason),
			 VERDICT_CANNOT_TELL);
	assert_int_equal(change(no_password, &joe.box), ERR_OK);
}

/* What a login finds while another process commits as fast as it can, moving
 * rows about: the right account, every time, and no "unknown". */
static const char zeros[] = "000000000000000000000000000000000000000000000000000"
			    "000000000000000000000000000000000000000000000000000"
			    "000000000000000000";

static enum err churn(struct store_txn *txn, void *arg)
{
	unsigned *round = arg;
	char text[64], hash[PWHASH_MAX + 1];
	struct joe joe = {text, hash, {{""}, 0}};
	enum err err = ERR_OK;

	/* Of any length from 143 to 261. */
	(void)snprintf(hash, sizeof hash,
		       "{SSHA512.HEX}%0128d%.*s", 0,
		       2 * (int)(1 + *round % 60), zeros);
	(void)snprintf(text, sizeof text, "r%u@example.com", *round);
	if (*round % 4 == 0)
		err = add_joe(txn, &joe);
	joe.box = (struct name_box){handle("ex1"), 1};
	return err == ERR_OK ? store_box_password(txn, &joe.box, hash) : err;
}

static void write_on(int stop)
{
	char byte;

	store_close(&store); /* an environment never crosses a fork */
	if (store_open_write(dir, &store) != ERR_OK)
		_exit(1);
	for (unsigned round = 1; read(stop, &byte, 1) != 0; round++) {
		if (change(churn, &round) != ERR_OK)
			_exit(2);
	}
	store_close(&store);
	_exit(0);
}

static void look_once(struct store *reader, unsigned long *found,
		      unsigned long *busy)
{
	static struct config config;
	struct config_fault fault;
	struct login login;
	enum err err;

	assert_int_equal(config_parse("", 0, &config, &fault), ERR_OK);
	err = login_find(reader, &config, BYTES("joe@example.com"), NULL,
			 STORE_SERVICE_POP,
			 &login);

	if (err == ERR_BUSY) {
		++*busy;
		return;
	}
	if (err != ERR_OK || !login.found)
		fail_msg("after %lu: %s, %s", *found, err_text(err),
			 login.reason);
	assert_string_equal(login.user, "joe@example.com");
	assert_int_equal(login.box.number, 1);
	++*found;
}

static void beside_writer(void **state)
{
	struct joe joe = {"joe@example.com", "$5$rounds=1000$s$"
			  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.", {{""}, 0}};
	unsigned long found = 0, busy = 0;
	time_t end;
	int fd[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(change(add_domain, "example.com"), ERR_OK);
	assert_int_equal(change(add_joe, &joe), ERR_OK);
	store_close(&store);
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[1]);
		write_on(fd[0]);
	}
	close(fd[0]);
	end = time(NULL) + 3;
	while (time(NULL) < end) {
		struct store *reader = NULL;

		assert_int_equal(store_open_login(dir, &reader), ERR_OK);
		for (int i = 0; i < 20; i++)
			look_once(reader, &found, &busy);
		store_close(&reader);
	}
	close(fd[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(store_open_write(dir, &store), ERR_OK);
	print_message("# %lu look-ups, %lu of them busy\n", found, busy);
	assert_true(found > 1000);
	assert_true(busy * 100 < found);
}

/* A decoy's own password, if anybody had one, would not be let in. */
static void decoys(void **state)
{
	struct login login = {.found = false, .reason = "unknown"};
	const char *reason;

	(void)state;
	assert_int_equal(pwhash_make((struct pwhash_cost){64, 1},
				     BYTES("secret"), login.hash),
			 PWHASH_OK);
	assert_int_equal(login_decide(&login, BYTES("secret"), &reason),
			 VERDICT_REFUSE);
}

int main(void)
{
#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, tear_down, NULL                   \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("boxes are numbered and never twice", numbers),
		WITH_STORE("a handle whose numbers are all given says so",
			   exhausted),
		WITH_STORE("a domain is no other domain's name and a hyphen",
			   prefixes),
		WITH_STORE("a domain takes a deleted one's name if nothing of the old "
			   "one is in its way",
			   follows),
		WITH_STORE("walks meet every row once, pointers never", walks),
		WITH_STORE("handles of one letter are met as well", short_names),
		WITH_STORE("a body that fails or is not kept changes nothing",
			   all_or_nothing),
		WITH_STORE("the journal has every change and no hash", journal),
		WITH_STORE("a full map grows and the change is made", grows),
		WITH_STORE("yes, no and cannot tell stay apart", verdicts),
		WITH_STORE("look-ups beside a flat-out writer are never wrong",
			   beside_writer),
		SAYS("what was not found is never accepted", decoys),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
