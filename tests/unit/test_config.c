#include "unit.h"

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
		{"\nnonsense\n", 2},	       {"uid\n", 1},
		{"uid = 1\nuid = 2\n", 2},     {"uid = 0\n", 1},
		{"uid = -1\n", 1},	       {"uid = 1x\n", 1},
		{"uid = 99999999999\n", 1},    {"uid = 4294967295\n", 1},
		{"uid =\n", 1},		       {"shoe_size = 42\n", 1},
		{"home = relative\n", 1},      {"home = /a/\n", 1},
		{"home = /a:b\n", 1},	       {"home = /a b\n", 1},
		{"home = /a/../b\n", 1},       {"home = /a//b\n", 1},
		{"home = /\n", 1},	       {"log = loud\n", 1},
		{"refuse_delay_ms = 30001", 1},{"qmail_hup = a\x01\n", 1},
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
		"assign_user", "popusr", "confine", "confine_read"};
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
	};

	return RUN(tests);
}
