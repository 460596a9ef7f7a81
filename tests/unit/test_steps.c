/* What each kind of domain does to qmail's files, when it is made, closed and
 * removed. */
#include "named.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "publish/steps.h"

static char top[100];
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

static void place(const char *name, char ret_path[200])
{
	(void)snprintf(ret_path, 200, "%s/%s", top, name);
}

static void put(const char *name, const char *text, const char *more, mode_t mode)
{
	char path[200];
	FILE *file;

	place(name, path);
	(void)unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fprintf(file, "%s%s", text, more);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	assert_int_equal(fclose(file), 0);
}

static const char *text_of(const char *name)
{
	static char text[1000];
	char path[200];
	ssize_t len;
	int fd;

	place(name, path);
	fd = open(path, O_RDONLY);
	len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	text[len > 0 ? len : 0] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

static void program(const char *name, const char *end)
{
	char text[300];

	(void)snprintf(text, sizeof text,
		       "#!/bin/sh\nprintf '%s ' >>%s/told\n%s\n", name + 4, top,
		       end);
	put(name, text, "", 0755);
}

static int set_up(void **state)
{
	static const char *const dirs[] = {"bin", "control", "users"};
	char path[200];

	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/popbox-unit.XXXXXX");
	if (!mkdtemp(top))
		return 1;
	for (size_t i = 0; i < COUNT(dirs); i++) {
		place(dirs[i], path);
		if (mkdir(path, 0755) != 0)
			return 1;
	}
	program("bin/qmail-newu", "exit 0");
	program("bin/qmail-newmrh", "exit 0");
	program("bin/hup", "exit 0");
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
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execlp("rm", "rm", "-rf", top, NULL);
		_exit(127);
	}
	return waitpid(pid, NULL, 0) != pid;
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

/* Does it, from files with what an earlier one has left, or without. */
static bool take(struct plan_item *item, bool left)
{
	struct plan plan = {.item = item, .count = 1};

	for (size_t i = 0; i < FILES; i++)
		put(names[i], left ? old[i] : "", others[i], 0644);
	put("told", "", "", 0644);
	item->table = STORE_DOMAINS;
	item->failed = false;
	item->why = NULL;
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
	program("bin/hup", "exit 1");
	assert_false(take(&item, false));
	has(RCPTHOSTS, "", false);
	has(VIRTUAL, kinds[STORE_POP].line[VIRTUAL], false);
	free(item.why);
	program("bin/qmail-newu", "exit 1");
	assert_false(take(&item, false));
	assert_string_equal(text_of("told"), "qmail-newu ");
	has(RCPTHOSTS, "", false);
	has(VIRTUAL, "", false);
	has(ASSIGN, kinds[STORE_POP].line[ASSIGN], false);
	free(item.why);
	program("bin/qmail-newu", "exit 0");
	/* A qmail that is not there is none of theirs. */
	site.config.qmail[0] = 0;
	assert_true(take(&item, false));
	assert_string_equal(text_of("told"), "");
}

static void many(void **state)
{
	struct store_domain d = domain_of(STORE_BACKUP);
	struct plan_item item = {.act = PLAN_MAKE, .domain = &d};

	(void)state;
	site.config.rcpthosts_max = 1;
	put("control/morercpthosts", "", "", 0644);
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
		put("control/locals", "other.net\nx.org\n", "", 0644);
		assert_true(take(&item, false));
		assert_string_equal(text_of("control/locals"),
				    fix ? "other.net\n"
					: "other.net\nx.org\n");
	}
	item.act = PLAN_CLOSE; /* no mail is taken for it any more */
	put("control/locals", "x.org\n", "", 0644);
	assert_true(take(&item, false));
	assert_string_equal(text_of("control/locals"), "x.org\n");
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
		WITH_QMAIL("what does not fit into rcpthosts is in "
			   "morercpthosts, and leaves it",
			   many),
		WITH_QMAIL("locals is changed where that is asked for", locals),
	};

	return RUN(tests);
}
