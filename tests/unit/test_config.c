/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/config.h"

static enum err parse(const char *text, struct config *config,
		      struct config_fault *fault)
{
	return config_parse(text, strlen(text), config, fault);
}

static void defaults(void **state)
{
	struct config config;
	struct config_fault fault;
	const struct config_key *key;
	char value[CONFIG_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(parse("", &config, &fault), ERR_OK);
	assert_int_equal(config.uid, 510);
	assert_int_equal(config.gid, 51);
	assert_string_equal(config.home, "/home/popmail");
	assert_true(config_has_qmail(&config));
	for (size_t i = 0; (key = config_key(i)) != NULL; i++) {
		assert_null(config_judge(key->name, key->fallback));
		assert_int_equal(config_value(&config, key->name, value),
				 ERR_OK);
		assert_string_equal(value, key->fallback);
	}
}

static void reads(void **state)
{
	struct config config;
	struct config_fault fault;

	(void)state;
	assert_int_equal(parse("# a comment\n\n uid = 7\n", &config, &fault),
			 ERR_INVALID); /* keys stand at the line's head */
	assert_int_equal(parse("# a comment\n\t\nuid=7\nhome\t =  /srv/mail \n"
			       "qmail = none\nlog = stderr\nlogin_by_box = no",
			       &config, &fault),
			 ERR_OK);
	assert_int_equal(config.uid, 7);
	assert_string_equal(config.home, "/srv/mail");
	assert_false(config_has_qmail(&config));
	assert_int_equal(config.log, CONFIG_LOG_STDERR);
	assert_int_equal(config.login_by_box, 0);
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} bad[] = {
		{"\nnonsense\n", 2},
		{"uid\n", 1},
		{"uid = 1\nuid = 2\n", 2},
		{"uid = 0\n", 1},
		{"uid = -1\n", 1},
		{"uid = 1x\n", 1},
		{"uid = 99999999999\n", 1},
		{"uid = 4294967295\n", 1},
		{"uid =\n", 1},
		{"shoe_size = 42\n", 1},
		{"home = relative\n", 1},
		{"home = /a/\n", 1},
		{"home = /a:b\n", 1},
		{"home = /a b\n", 1},
		{"home = /a/../b\n", 1},
		{"home = /a//b\n", 1},
		{"home = /\n", 1},
		{"log = loud\n", 1},
		{"refuse_delay_ms = 30001", 1},
		{"qmail_hup = a\x01\n", 1},
		{"argon2_kib = 7\n", 1},
	};
	struct config config;
	struct config_fault fault;
	char lengthy[320];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(parse(bad[i].text, &config, &fault),
				 ERR_INVALID);
		assert_int_equal(fault.line, bad[i].line);
		assert_non_null(fault.why);
	}
	assert_int_equal(config_parse(BYTES("uid = 1\0\n"), &config, &fault),
			 ERR_INVALID);
	(void)snprintf(lengthy, sizeof lengthy, "home = /%0280d\n", 7);
	assert_int_equal(parse(lengthy, &config, &fault), ERR_INVALID);
	assert_string_equal(fault.why, "the value has more than 255 bytes");
}

static void leading(void **state)
{
	static const char *const want[] = {
		"uid", "gid", "home", "serialmail", "qmail", "qmail_hup",
		"assign_user", "popusr", "dovecot_dir", "dovecot_group",
		"postfix_dir", "confine",
		"confine_read", "breached", "quota_program",
		"vacation_program", "central",
		"central_user"};
	const struct config_key *key;
	size_t leads = 0;

	(void)state;
	for (size_t i = 0; (key = config_key(i)) != NULL; i++) {
		if (!key->leads)
			continue;
		assert_true(leads < COUNT(want));
		assert_string_equal(key->name, want[leads++]);
	}
	assert_int_equal(leads, COUNT(want));
}

/* What each number may be, and what the tool says of it. */
static void numbers(void **state)
{
	static const struct {
		const char *key;
		uint64_t low, high;
	} all[] = {
		{"uid", 1, 4294967294},		  {"gid", 1, 4294967294},
		{"rcpthosts_max", 0, 1000000000}, {"refuse_delay_ms", 0, 30000},
		{"login_cache", 0, 86400},	  {"argon2_kib", 8, 262144},
		{"argon2_passes", 1, 64},	  {"password_min", 1, 255},
	};
	static const char *const none[] = {"", "00000000001", "1/", "1:", "-1"};
	struct config config;
	struct config_fault fault;
	char text[64], value[CONFIG_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		for (unsigned high = 0; high < 2; high++) {
			const uint64_t edge = high ? all[i].high : all[i].low;

			(void)snprintf(text, sizeof text, "%s=%llu", all[i].key,
				       (unsigned long long)edge);
			assert_int_equal(parse(text, &config, &fault), ERR_OK);
			assert_int_equal(
				config_value(&config, all[i].key, value),
				ERR_OK);
			assert_string_equal(value, strchr(text, '=') + 1);
			if (!high && !edge)
				continue;
			(void)snprintf(text, sizeof text, "%llu",
				       (unsigned long long)(high ? edge + 1
								 : edge - 1));
			assert_string_equal(config_judge(all[i].key, text),
					    "the number is out of range");
		}
		(void)snprintf(text, sizeof text, " (from %llu to %llu)",
			       (unsigned long long)all[i].low,
			       (unsigned long long)all[i].high);
		assert_string_equal(config_wants(all[i].key), text);
		for (size_t n = 0; n < COUNT(none); n++)
			assert_string_equal(
				config_judge(all[i].key, none[n]),
				n < 2 ? "the value is not a number "
					"in range"
				      : "the value is not a number");
	}
}

static void choices(void **state)
{
	static const struct {
		const char *key, *wants, *value[5];
	} all[] = {
		{"assign_user", " (handle or popusr)", {"handle", "popusr"}},
		{"login_by_box", " (no or yes)", {"no", "yes"}},
		{"log",
		 " (syslog, stderr or none)",
		 {"syslog", "stderr", "none"}},
		{"confine",
		 " (auto, require, strict or off)",
		 {"auto", "require", "strict", "off"}},
		{"password_letters", " (any or ascii)", {"any", "ascii"}},
	};
	struct config config;
	struct config_fault fault;
	char text[64], value[CONFIG_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_string_equal(config_wants(all[i].key), all[i].wants);
		for (size_t n = 0; all[i].value[n]; n++) {
			(void)snprintf(text, sizeof text, "%s = %s\n",
				       all[i].key, all[i].value[n]);
			assert_int_equal(parse(text, &config, &fault), ERR_OK);
			assert_int_equal(
				config_value(&config, all[i].key, value),
				ERR_OK);
			assert_string_equal(value, all[i].value[n]);
		}
		assert_string_equal(config_judge(all[i].key, ""),
				    "the value is none of those allowed");
	}
	assert_string_equal(config_wants("home"), "");
	assert_string_equal(config_wants("shoe_size"), "");
	assert_int_equal(config_value(&config, "shoe_size", value),
			 ERR_NOTFOUND);
	assert_string_equal(config_judge("shoe_size", "42"),
			    "there is no such setting");
	assert_non_null(config_judge("shoe_siz", "42"));
	assert_non_null(config_judge("ui", "42"));
}

/* Each text and why it is refused; NULL: it is taken, and comes back. */
static const char a_path[] =
	"the value is not an absolute path without a final '/'";
static const char path_letters[] =
	"a path here has letters, digits and /._+@=,- only";
static const char path_parts[] = "a path here has no empty or dotted component";
static const char no_controls[] = "the value has a control or 8-bit character";
static const char a_separator[] = "a separator is one of @%/:!#$&*+=?^_`{|}~";
static const struct {
	const char *key, *value, *why;
} all_words[] = {
	{"home", "/a", NULL},
	{"home", "/", a_path},
	{"home", "", a_path},
	{"home", "ab", a_path},
	{"home", "/a/", a_path},
	{"home", "/azAZ09._+@=,-", NULL},
	{"home", "/a{", path_letters},
	{"home", "/a`", path_letters},
	{"home", "/a[", path_letters},
	{"home", "/a:", path_letters},
	{"home", "/a\xff", path_letters},
	{"home", "/a//b", path_parts},
	{"home", "/.a", path_parts},
	{"home", "/a/.b", path_parts},
	{"home", "/a.b", NULL},
	{"home", "none", a_path},
	{"qmail", "none", NULL},
	{"qmail", "/q", NULL},
	{"qmail", "nono", a_path},
	{"confine_read", "", NULL},
	{"confine_read", "/a", NULL},
	{"confine_read", "/a /b", NULL},
	{"confine_read", "/a  /b", a_path},
	{"confine_read", "/a /b/", a_path},
	{"confine_read", " /a", a_path},
	{"confine_read", "/a ", "the value ends in a blank"},
	{"qmail_hup", "", NULL},
	{"qmail_hup", "/bin/x ~", NULL},
	{"qmail_hup", "a\x1f", no_controls},
	{"qmail_hup", "a\x7f", no_controls},
	{"qmail_hup", "a\x80", no_controls},
	{"separators", "@%/:!#$&*+=?^_`{|}~", NULL},
	{"separators", "", "the value is empty"},
	{"separators", "@.", a_separator},
	{"separators", "a", a_separator},
	{"separators", "@%@", "a separator stands there twice"},
	{"separators", "%@@", "a separator stands there twice"},
	{"default_domain", "", NULL},
	{"default_domain", "example.com", NULL},
};

static void words(void **state)
{
	struct config config;
	struct config_fault fault;
	char text[300], value[CONFIG_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(all_words); i++) {
		const char *why =
			config_judge(all_words[i].key, all_words[i].value);

		if (all_words[i].why) {
			assert_non_null(why);
			assert_string_equal(why, all_words[i].why);
			continue;
		}
		assert_null(why);
		(void)snprintf(text, sizeof text, "%s\t= %s \t\n",
			       all_words[i].key, all_words[i].value);
		assert_int_equal(parse(text, &config, &fault), ERR_OK);
		assert_int_equal(config_value(&config, all_words[i].key, value),
				 ERR_OK);
		assert_string_equal(value, all_words[i].value);
	}
	assert_non_null(config_judge("default_domain", "-x.example"));
	memset(text, 'a', CONFIG_TEXT_MAX + 1);
	text[0] = '/';
	text[CONFIG_TEXT_MAX + 1] = 0;
	assert_string_equal(config_judge("home", text),
			    "the value has more than 255 bytes");
	text[CONFIG_TEXT_MAX] = 0;
	assert_null(config_judge("home", text));
}

static void lines(void **state)
{
	static const struct {
		const char *text, *why;
	} all[] = {
		{"uid", "the line has not the form 'key = value'"},
		{"uid = 1\nuid = 1", "the setting stands there twice"},
		{"#\nx = 1",
		 "there is no such setting ('popbox config list -v' "
		 "shows all)"},
		{"= 1",
		 "there is no such setting ('popbox config list -v' shows "
		 "all)"},
	};
	struct config config;
	struct config_fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_int_equal(parse(all[i].text, &config, &fault),
				 ERR_INVALID);
		assert_string_equal(fault.why, all[i].why);
	}
	assert_int_equal(config_parse(BYTES("\n# \0\n"), &config, &fault),
			 ERR_INVALID);
	assert_string_equal(fault.why, "the line has a NUL in it");
	assert_int_equal(fault.line, 2);
	assert_int_equal(
		parse("#\n\n# x = 1\nuid=7\n \ngid=8", &config, &fault),
		ERR_OK);
	assert_int_equal(config.uid, 7);
	assert_int_equal(config.gid, 8);
}

static char top[] = "/tmp/popbox-unit.XXXXXX";

static void put(size_t len, mode_t mode)
{
	static char text[CONFIG_SIZE_MAX + 1];
	char path[64];
	int fd;

	memset(text, '\n', sizeof text);
	memcpy(text, "uid = 77", 8);
	(void)snprintf(path, sizeof path, "%s/config", top);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* What config_read says of the directory: the fault, or "". */
static const char *read_top(enum err want)
{
	struct config config;
	struct config_fault fault = {99, ""};

	assert_int_equal(config_read(top, &config, &fault), want);
	if (want == ERR_OK)
		assert_int_equal(config.uid, 77);
	else if (want == ERR_INVALID)
		assert_int_equal(fault.line, 0);
	return fault.why;
}

static void files(void **state)
{
	static const char others[] = "others may write to it (chmod go-w)";
	static const char owner[] =
		"it belongs neither to root nor to the caller";
	char path[64];

	(void)state;
	read_top(ERR_NOTFOUND);
	assert_non_null(mkdtemp(top));
	read_top(ERR_NOTFOUND);
	put(CONFIG_SIZE_MAX, 0644);
	read_top(ERR_OK);
	put(CONFIG_SIZE_MAX + 1, 0644);
	assert_string_equal(read_top(ERR_INVALID),
			    "it is longer than 65536 bytes");
	put(9, 0664);
	assert_string_equal(read_top(ERR_INVALID), others);
	put(9, 0602);
	assert_string_equal(read_top(ERR_INVALID), others);
	put(9, 0644);
	read_top(ERR_OK);
	assert_int_equal(chmod(top, 0720), 0);
	assert_string_equal(read_top(ERR_INVALID), others);
	assert_int_equal(chmod(top, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/config", top);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1, 0), 0);
		assert_string_equal(read_top(ERR_INVALID), owner);
		assert_int_equal(chown(path, 0, 0), 0);
		assert_int_equal(chown(top, 1, 0), 0);
		assert_string_equal(read_top(ERR_INVALID), owner);
		assert_int_equal(chown(top, 0, 0), 0);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	read_top(ERR_SYSTEM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_string_equal(read_top(ERR_INVALID), "it is not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(top), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("an empty file means the defaults, all of them valid",
		     defaults),
		SAYS("blanks, comments and a missing last newline are fine",
		     reads),
		SAYS("anything else is refused, with its line", refuses),
		SAYS("every setting that says what root runs, where it writes, "
		     "who popusr is or how its server is confined is marked",
		     leading),
		SAYS("each number is taken from its lowest to its highest",
		     numbers),
		SAYS("each choice is taken, and nothing else", choices),
		SAYS("each text is taken or refused for its reason", words),
		SAYS("each line is taken or refused for its reason", lines),
		SAYS("a file is read that its owner alone writes, and not "
		     "longer "
		     "than it may be",
		     files),
	};

	return RUN(tests);
}
