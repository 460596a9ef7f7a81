/* SPDX-License-Identifier: MIT */
/* What each kind of domain does to qmail's files, when it is made, closed and
 * removed. */
#include "named.h"

#include "failing.h"
#include "publish/steps.h"
#include "qmaildir.h"

/* Which file was replaced. */
static char replaced[500];

int renameat(int from, const char *old, int to, const char *new)
{
	const size_t len = strlen(replaced);

	(void)snprintf(replaced + len, sizeof replaced - len, "%s ", new);
	return FAILING_REAL(renameat)(from, old, to, new);
}

static struct site site;

enum { RCPTHOSTS, VIRTUAL, ROUTES, ASSIGN, FILES };
static const char *const names[FILES] = {"control/rcpthosts",
					 "control/virtualdomains",
					 "control/smtproutes", "users/assign"};
/* Somebody else's, and before them what an earlier x.org has left. */
static const char *const others[FILES] = {"other.net\n", "other.net:o\n",
					  "other.net:o\n",
					  "+other.net-:o:1:1:/o:-::\n.\n"};
static const char *const old[FILES] = {".x.org\nx.org\n", "x.org:old\n",
				       "x.org:old\n", "+x.org-:old:1:1:/o:-::\n"};

/* It says that it ran. */
static void telling(const char *name, const char *end)
{
	char text[300];

	(void)snprintf(text, sizeof text, "printf '%s ' >>%s/told\n%s", name + 4,
		       top, end);
	program(name, text);
}

static int set_up(void **state)
{
	(void)state;
	if (qmaildir_start() != 0)
		return 1;
	telling("bin/qmail-newu", "exit 0");
	telling("bin/qmail-newmrh", "exit 0");
	telling("bin/hup", "exit 0");
	site = (struct site){.config = {.uid = 510, .gid = 51,
					.rcpthosts_max = 50}};
	(void)snprintf(site.config.qmail, sizeof site.config.qmail, "%s", top);
	(void)snprintf(site.config.qmail_hup, sizeof site.config.qmail_hup,
		       "%s/bin/hup", top);
	(void)snprintf(site.config.home, sizeof site.config.home, "/h");
	(void)snprintf(site.config.serialmail, sizeof site.config.serialmail,
		       "/s");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return qmaildir_end();
}

static struct store_domain domain_of(enum store_kind kind)
{
	struct store_domain d = {.name = domain("x.org"),
				 .handle = handle("ex1"),
				 .kind = kind};

	if (kind == STORE_ALIAS)
		d.target = domain("t.org");
	if (kind == STORE_RELAY)
		(void)snprintf(d.host, sizeof d.host, "mx.net");
	return d;
}

static void write_file(const char *name, const char *text, const char *more)
{
	char all[500];

	(void)snprintf(all, sizeof all, "%s%s", text, more);
	put(name, all, 0644);
}

/* Does it, from files with what an earlier one has left, or without. */
static bool take(struct plan_item *item, bool left)
{
	struct plan plan = {.item = item, .count = 1};

	for (size_t i = 0; i < FILES; i++)
		write_file(names[i], left ? old[i] : "", others[i]);
	put("told", "", 0644);
	item->table = STORE_DOMAINS;
	item->failed = false;
	item->why = NULL;
	replaced[0] = 0;
	steps_close(&site, &plan);
	if (!item->failed)
		steps_open(&site, &plan);
	return !item->failed;
}

static void has(size_t file, const char *line, bool with_old)
{
	char want[500];

	(void)snprintf(want, sizeof want, "%s%s%s", line,
		       with_old ? old[file] : "", others[file]);
	if (strcmp(text_of(names[file]), want) != 0) {
		/* New lines may stand behind the others' as well. */
		(void)snprintf(want, sizeof want, "%s%.*s%s%s",
			       with_old ? old[file] : "",
			       (int)(strlen(others[file]) -
				     (file == ASSIGN ? 2 : 0)),
			       others[file], line, file == ASSIGN ? ".\n" : "");
	}
	assert_string_equal(text_of(names[file]), want);
}

static const struct {
	bool is_virtual, routed, assigned;
	const char *line[FILES];
} kinds[STORE_KINDS] = {
	[STORE_POP] = {true, false, true,
		       {"x.org\n", "x.org:x.org\n", "",
			"+x.org-:ex1:510:51:/h/e/ex1/DOMAINS/x.org:-::\n"}},
	[STORE_ALIAS] = {true, false, false, {"x.org\n", "x.org:t.org\n", "", ""}},
	[STORE_RELAY] = {false, true, false, {"x.org\n", "", "x.org:mx.net\n", ""}},
	[STORE_BACKUP] = {false, false, false, {"x.org\n", "", "", ""}},
	[STORE_DIALUP] = {true, false, true,
			  {"x.org\n", "x.org:x.org\n", "",
			   "+x.org-:ex1:510:51:/s/x.org:-::\n"}},
};

static void made(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * STORE_KINDS; i++) {
		const bool left = i % 2;
		struct store_domain d = domain_of((enum store_kind)(i / 2));
		struct plan_item item = {.act = PLAN_MAKE, .domain = &d};

		print_message("# kind %d, left %d\n", i / 2, left);
		assert_true(take(&item, left));
		has(RCPTHOSTS, kinds[i / 2].line[RCPTHOSTS], false);
		has(VIRTUAL, kinds[i / 2].line[VIRTUAL], false);
		/* What mail on its way may need stays. */
		has(ROUTES, kinds[i / 2].line[ROUTES],
		    left && !kinds[i / 2].routed);
		has(ASSIGN, kinds[i / 2].line[ASSIGN],
		    left && !kinds[i / 2].assigned);
		assert_true(!strstr(text_of("told"), "newu") ==
			    !kinds[i / 2].assigned);
		if (kinds[i / 2].is_virtual || left)
			assert_non_null(strstr(text_of("told"), "hup"));
	}
}

static void closed(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * STORE_KINDS; i++) {
		const bool covered = i % 2;
		struct store_domain d = domain_of((enum store_kind)(i / 2));
		struct plan_item item = {.act = PLAN_CLOSE, .domain = &d,
					 .covered = covered};

		print_message("# kind %d, covered %d\n", i / 2, covered);
		assert_true(take(&item, true));
		has(RCPTHOSTS, "", covered);
		has(VIRTUAL, covered ? "" : kinds[i / 2].line[VIRTUAL], covered);
		has(ROUTES, kinds[i / 2].line[ROUTES], !kinds[i / 2].routed);
		has(ASSIGN, kinds[i / 2].line[ASSIGN], !kinds[i / 2].assigned);
	}
}

static void removed(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * STORE_KINDS; i++) {
		const bool covered = i % 2;
		struct store_domain d = domain_of((enum store_kind)(i / 2));
		struct plan_item item = {.act = PLAN_REMOVE, .domain = &d,
					 .covered = covered};

		print_message("# kind %d, covered %d\n", i / 2, covered);
		assert_true(take(&item, true));
		has(RCPTHOSTS, "", covered);
		has(VIRTUAL, "", covered);
		has(ROUTES, "", !kinds[i / 2].routed);
		has(ASSIGN, "", !kinds[i / 2].assigned);
	}
}

/* A program that fails ends it there: nothing that comes later is done. */
static void stops(void **state)
{
	struct store_domain d = domain_of(STORE_POP);
	struct plan_item item = {.act = PLAN_MAKE, .domain = &d};

	(void)state;
	assert_true(take(&item, false));
	assert_string_equal(text_of("told"), "qmail-newu hup ");
	telling("bin/hup", "exit 1");
	assert_false(take(&item, false));
	has(RCPTHOSTS, "", false);
	has(VIRTUAL, kinds[STORE_POP].line[VIRTUAL], false);
	free(item.why);
	telling("bin/qmail-newu", "exit 1");
	assert_false(take(&item, false));
	assert_string_equal(text_of("told"), "qmail-newu ");
	has(RCPTHOSTS, "", false);
	has(VIRTUAL, "", false);
	has(ASSIGN, kinds[STORE_POP].line[ASSIGN], false);
	free(item.why);
	telling("bin/qmail-newu", "exit 0");
	/* A qmail that is not there is none of theirs. */
	site.config.qmail[0] = 0;
	assert_true(take(&item, false));
	assert_string_equal(text_of("told"), "");
}

/* All that is found by the time that mail is taken, and lost after it is not. */
static void in_turn(void **state)
{
	static const struct {
		enum store_kind kind;
		enum plan_act act;
		const char *want;
	} cases[] = {
		{STORE_POP, PLAN_MAKE,
		 "rcpthosts assign virtualdomains rcpthosts "},
		{STORE_POP, PLAN_REMOVE, "rcpthosts virtualdomains assign "},
		{STORE_RELAY, PLAN_MAKE,
		 "rcpthosts smtproutes virtualdomains smtproutes rcpthosts "},
		{STORE_RELAY, PLAN_REMOVE,
		 "rcpthosts virtualdomains smtproutes "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store_domain d = domain_of(cases[i].kind);
		struct plan_item item = {.act = cases[i].act, .domain = &d};
		struct plan plan = {.item = &item, .count = 1};

		assert_true(take(&item, true));
		/* What is below it has its route as well. */
		for (size_t n = 0; n < FILES; n++)
			write_file(names[n], old[n], others[n]);
		put("control/smtproutes", ".x.org:old\nx.org:old\n", 0644);
		put("control/rcpthosts", ".x.org\nother.net\n", 0644);
		replaced[0] = 0;
		steps_close(&site, &plan);
		steps_open(&site, &plan);
		assert_string_equal(replaced, cases[i].want);
	}
}

/* What fails of somebody else's change is not told here. */
static void whose(void **state)
{
	struct store_domain d = domain_of(STORE_POP), other = d;
	struct plan_item items[] = {
		{.table = STORE_DOMAINS, .act = PLAN_MAKE, .domain = &other,
		 .first = 1, .last = 1},
		{.table = STORE_DOMAINS, .act = PLAN_MAKE, .domain = &d,
		 .first = 2, .last = 2},
	};
	struct plan plan = {.item = items, .count = 2};

	(void)state;
	other.name = items[0].address.domain = domain("y.org");
	items[1].address.domain = d.name;
	program("bin/qmail-newu", "exit 1");
	for (uint64_t last = 1; last <= 4; last++) {
		for (size_t i = 0; i < FILES; i++)
			put(names[i], others[i], 0644);
		plan.mine = last - 1;
		plan.mine_upto = last;
		said_start();
		steps_close(&site, &plan);
		steps_open(&site, &plan);
		said_end();
		assert_true(items[0].failed && items[1].failed);
		if (!strstr(said, "failed with exit code 1") != (last > 2))
			fail_msg("%d: '%s'", (int)last, said);
		for (size_t i = 0; i < 2; i++) {
			items[i].failed = false;
			free(items[i].why);
			items[i].why = NULL;
		}
	}
}

static void many(void **state)
{
	struct store_domain d = domain_of(STORE_BACKUP);
	struct plan_item item = {.act = PLAN_MAKE, .domain = &d};

	(void)state;
	site.config.rcpthosts_max = 1;
	put("control/morercpthosts", "", 0644);
	assert_true(take(&item, false));
	has(RCPTHOSTS, "", false);
	assert_string_equal(text_of("control/morercpthosts"), "x.org\n");
	assert_non_null(strstr(text_of("told"), "hup qmail-newmrh "));
	item.act = PLAN_CLOSE;
	assert_true(take(&item, false));
	assert_string_equal(text_of("control/morercpthosts"), "");
	assert_non_null(strstr(text_of("told"), "qmail-newmrh "));
	site.config.rcpthosts_max = 2;
	item.act = PLAN_MAKE;
	assert_true(take(&item, false));
	has(RCPTHOSTS, "x.org\n", false);
	assert_string_equal(text_of("control/morercpthosts"), "");
}

static void locals(void **state)
{
	struct store_domain d = domain_of(STORE_BACKUP);
	struct plan_item item = {.act = PLAN_MAKE, .domain = &d};

	(void)state;
	for (int fix = 0; fix < 2; fix++) {
		site.fix_locals = fix;
		put("control/locals", "other.net\nx.org\n", 0644);
		assert_true(take(&item, false));
		assert_string_equal(text_of("control/locals"),
				    fix ? "other.net\n"
					: "other.net\nx.org\n");
	}
	item.act = PLAN_CLOSE; /* no mail is taken for it any more */
	put("control/locals", "x.org\n", 0644);
	assert_true(take(&item, false));
	assert_string_equal(text_of("control/locals"), "x.org\n");
}

/* In the order in which it would be done. */
static void shown(void **state)
{
	struct store_domain one = domain_of(STORE_POP);
	struct store_domain two = domain_of(STORE_RELAY);
	struct plan_item items[] = {
		{.table = STORE_DOMAINS, .act = PLAN_MAKE, .domain = &one},
		{.table = STORE_DOMAINS, .act = PLAN_MAKE, .domain = &two},
	};
	struct plan plan = {.item = items, .count = 2};
	char want[1000];
	bool done;

	(void)state;
	two.name = domain("y.org");
	site.fix_locals = true;
	for (size_t i = 0; i < FILES; i++)
		put(names[i], others[i], 0644);
	put("control/locals", "x.org\n", 0644);
	said_start();
	done = steps_show(&site, &plan);
	said_end();
	assert_true(done);
	(void)snprintf(want, sizeof want,
		       "%s/control/smtproutes: + y.org:mx.net\n"
		       "%s/users/assign: + +x.org-:ex1:510:51:"
		       "/h/e/ex1/DOMAINS/x.org:-::\n"
		       "%s/control/locals: - x.org\n"
		       "%s/control/virtualdomains: + x.org:x.org\n"
		       "%s/control/rcpthosts: + x.org\n"
		       "%s/control/rcpthosts: + y.org\n",
		       top, top, top, top, top, top);
	assert_string_equal(said, want);
	for (size_t i = 0; i < FILES; i++)
		assert_string_equal(text_of(names[i]), others[i]);
	site.config.qmail[0] = 0;
	said_start();
	done = steps_show(&site, &plan);
	said_end();
	assert_true(done);
	assert_string_equal(said, "");
	/* What cannot be read is told, and nothing after it is shown. */
	(void)snprintf(site.config.qmail, sizeof site.config.qmail, "%s", top);
	put("users/assign", "no end\n", 0644);
	said_start();
	done = steps_show(&site, &plan);
	said_end();
	assert_false(done);
	assert_null(strstr(said, "rcpthosts"));
	/* All anew: what leaves morercpthosts. */
	put("users/assign", ".\n", 0644);
	put("control/morercpthosts", "x.org\n", 0644);
	plan.scope = PLAN_ALL;
	said_start();
	done = steps_show(&site, &plan);
	said_end();
	assert_true(done);
	assert_non_null(strstr(said, "/morercpthosts: - x.org\n"));
}

static void on_found(void *arg, const char *check, bool mends, const char *what)
{
	(void)arg;
	(void)mends;
	(void)snprintf(said + strlen(said), sizeof said - strlen(said),
		       "%s: %s\n", check, what);
}

/* Each line that is not as it should be, and no other. */
static void audited(void **state)
{
	struct store_domain one = domain_of(STORE_POP);
	struct store_domain two = domain_of(STORE_RELAY);
	struct store_domain three = domain_of(STORE_BACKUP);
	struct plan_item items[] = {
		{.table = STORE_DOMAINS, .act = PLAN_MAKE, .domain = &one},
		{.table = STORE_DOMAINS, .act = PLAN_MAKE, .domain = &two},
		{.table = STORE_DOMAINS, .act = PLAN_CLOSE, .domain = &three},
	};
	struct plan plan = {.item = items, .count = 3};

	(void)state;
	two.name = domain("y.org");
	three.name = domain("z.org");
	for (size_t i = 0; i < FILES; i++)
		put(names[i], others[i], 0644);
	put("control/locals", "", 0644);
	steps_close(&site, &plan);
	steps_open(&site, &plan);
	said[0] = 0;
	steps_audit(&site, &plan, control_audit, on_found, NULL);
	assert_string_equal(said, "");
	put("control/locals", "x.org\n", 0644);
	steps_audit(&site, &plan, control_audit, on_found, NULL);
	assert_non_null(strstr(said, "x.org"));
	put("control/locals", "", 0644);
	for (size_t i = 0; i < FILES; i++) {
		char text[4000]; /* as long as text_of() can be */

		(void)snprintf(text, sizeof text, "%s", text_of(names[i]));
		put(names[i], others[i], 0644);
		said[0] = 0;
		steps_audit(&site, &plan, control_audit, on_found, NULL);
		assert_non_null(strstr(said, i == ROUTES ? "y.org" : "x.org"));
		assert_null(strstr(said, "other.net"));
		put(names[i], text, 0644);
	}
	put("control/rcpthosts", "other.net\nx.org\ny.org\nz.org\n", 0644);
	said[0] = 0;
	steps_audit(&site, &plan, control_audit, on_found, NULL);
	assert_non_null(strstr(said, "z.org"));
	put("control/rcpthosts", "other.net\nx.org\ny.org\n", 0644);
	put("control/morercpthosts", "z.org\n", 0644);
	said[0] = 0;
	steps_audit(&site, &plan, control_audit, on_found, NULL);
	assert_non_null(strstr(said, "z.org"));
}

int main(void)
{
#define WITH_QMAIL(sentence, function)                                         \
	{                                                                      \
		sentence, function, set_up, tear_down, NULL                    \
	}
	const struct CMUnitTest tests[] = {
		WITH_QMAIL("a domain that is made has the lines of its kind, and "
			   "of an older one what mail on its way needs",
			   made),
		WITH_QMAIL("one that is closed is taken no mail for, and all else "
			   "stays",
			   closed),
		WITH_QMAIL("one that is removed leaves no line of its kind, and "
			   "those of another of its name alone",
			   removed),
		WITH_QMAIL("what fails is the last that is done", stops),
		WITH_QMAIL("rcpthosts is closed first and opened last, and each file "
			   "has its turn between",
			   in_turn),
		WITH_QMAIL("what fails is told to whose change it is", whose),
		WITH_QMAIL("what does not fit into rcpthosts is in "
			   "morercpthosts, and leaves it",
			   many),
		WITH_QMAIL("each line that is not as it should be is found",
			   audited),
		WITH_QMAIL("what would be done is shown, in its order", shown),
		WITH_QMAIL("locals is changed where that is asked for", locals),
	};

	return RUN(tests);
}
