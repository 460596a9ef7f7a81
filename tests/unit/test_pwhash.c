/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <crypt.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/hash/pwhash.h"
#include "store/secret.h"

static const struct pwhash_cost cheap = {64, 1};

static void own(void **state)
{
	char hash[PWHASH_MAX + 1], again[PWHASH_MAX + 1];
	const char *scheme;

	(void)state;
	assert_int_equal(pwhash_make(cheap, BYTES("secret"), hash), PWHASH_OK);
	assert_int_equal(pwhash_judge(hash, &scheme), PWHASH_OK);
	assert_string_equal(scheme, "argon2id");
	assert_int_equal(pwhash_verify(hash, BYTES("secret")), PWHASH_OK);
	assert_int_equal(pwhash_verify(hash, BYTES("Secret")), PWHASH_NO);
	assert_int_equal(pwhash_verify(hash, BYTES("secret ")), PWHASH_NO);
	assert_int_equal(pwhash_verify(hash, BYTES("secret\0x")), PWHASH_NO);
	assert_int_equal(pwhash_verify(hash, "", 0), PWHASH_NO);
	assert_int_equal(pwhash_make(cheap, BYTES("secret"), again), PWHASH_OK);
	assert_string_not_equal(hash, again);
}

static void schemes(void **state)
{
	static const char *const settings[] = {
		"$y$j75$saltsaltsalt", "$2b$04$abcdefghijklmnopqrstuu",
		"$6$rounds=1000$saltsalt", "$6$saltsalt",
		"$5$rounds=1000$saltsalt", "$5$saltsalt"};

	(void)state;
	for (size_t i = 0; i < COUNT(settings); i++) {
		struct crypt_data data = {0};
		const char *scheme;
		const char *hash = crypt_rn("p\xc3\xa4ss word", settings[i],
					    &data, sizeof data);

		assert_non_null(hash);
		assert_int_equal(pwhash_judge(hash, &scheme), PWHASH_OK);
		assert_non_null(scheme);
		assert_int_equal(pwhash_verify(hash, BYTES("p\xc3\xa4ss word")),
				 PWHASH_OK);
		assert_int_equal(pwhash_verify(hash, BYTES("p\xc3\xa4ss wore")),
				 PWHASH_NO);
		assert_int_equal(pwhash_verify(hash, BYTES("p\xc3\xa4ss word"
							   "\0")),
				 PWHASH_NO);
	}
}

/* One line of tests/data/hashes: the command that made it, the password, the
 * hash, with tabs between them. */
static bool next_vector(FILE *file, char line[1024], char **ret_password,
			char **ret_hash)
{
	if (!fgets(line, 1024, file))
		return false;
	line[strcspn(line, "\n")] = 0;
	*ret_password = strchr(line, '\t');
	assert_non_null(*ret_password);
	*(*ret_password)++ = 0;
	*ret_hash = strchr(*ret_password, '\t');
	assert_non_null(*ret_hash);
	*(*ret_hash)++ = 0;
	return true;
}

static void matches_alone(const char *hash, const char *password,
			  const char *what)
{
	size_t len = strlen(password);
	char other[256];

	if (pwhash_verify(hash, password, len) != PWHASH_OK)
		fail_msg("%s: %s: %s", what, hash,
			 pwhash_text(pwhash_verify(hash, password, len)));
	memcpy(other, password, len + 1);
	other[0] ^= 1;
	if (pwhash_verify(hash, other, len) != PWHASH_NO)
		fail_msg("%s: %s matches another password", what, hash);
}

static void vectors(void **state)
{
	FILE *file = fopen("tests/data/hashes", "re");
	char line[1024], wrapped[PWHASH_MAX + 1], again[PWHASH_MAX + 1];
	char *password, *hash;
	unsigned count = 0, wraps = 0;

	(void)state;
	assert_non_null(file);
	while (next_vector(file, line, &password, &hash)) {
		enum pwhash answer;

		count++;
		matches_alone(hash, password, line);
		assert_int_equal(pwhash_try(hash), PWHASH_OK);
		answer = pwhash_wrap(cheap, hash, wrapped);
		if (strstr(hash, "$argon2i$v=") ||
		    strstr(hash, "$argon2id$v=")) {
			assert_int_equal(answer, PWHASH_MALFORMED);
			continue;
		}
		assert_int_equal(answer, PWHASH_OK);
		assert_int_equal(strncmp(wrapped, "$wrap$", 6), 0);
		matches_alone(wrapped, password, line);
		assert_int_equal(pwhash_weakness(wrapped), PWHASH_STRONG);
		assert_int_equal(pwhash_try(wrapped), PWHASH_OK);
		assert_null(pwhash_unstorable(wrapped));
		assert_int_equal(pwhash_wrap(cheap, wrapped, again),
				 PWHASH_MALFORMED);
		/* The digest itself is in there no more. */
		assert_null(strstr(wrapped, hash + strlen(hash) - 10));
		wraps++;
	}
	(void)fclose(file);
	assert_true(count > 60 && wraps > 25);
}

/* Of these the sum has one length, so that no part of one is one. */
static bool has_fixed_sum(const char *hash)
{
	return !strstr(hash, "argon2") && !strstr(hash, "SSHA") &&
	       !strstr(hash, "{SMD5}") && !strstr(hash, "{SCRAM");
}

static void is_none(const char *hash, const char *what)
{
	const char *scheme;

	if (pwhash_judge(hash, &scheme) == PWHASH_OK)
		fail_msg("%s: taken for a hash: %s", what, hash);
}

static void spoilt(void **state)
{
	FILE *file = fopen("tests/data/hashes", "re");
	char line[1024], wrapped[PWHASH_MAX + 1];
	char *password, *hash;

	(void)state;
	assert_non_null(file);
	while (next_vector(file, line, &password, &hash)) {
		const char *all[] = {hash, wrapped};
		size_t count = 1 + (pwhash_wrap(cheap, hash, wrapped) ==
				    PWHASH_OK);

		for (size_t i = 0; i < count; i++) {
			size_t len = strlen(all[i]);
			char bad[PWHASH_MAX + 2];

			for (size_t at = 0; at < len; at++) {
				memcpy(bad, all[i], len + 1);
				bad[at] = '!';
				is_none(bad, "a foreign character");
				bad[at] = 0;
				if (has_fixed_sum(all[i]) && all[i][at] != '=')
					is_none(bad, "cut");
			}
			memcpy(bad, all[i], len);
			memcpy(bad + len, "!", 2);
			is_none(bad, "one character more");
		}
	}
	(void)fclose(file);
}

static void unusual(void **state)
{
	static const char good[] = "$1$jmTogLq1$MmFWWMTAUzKJ5C8TfG/xe/";
	/* One KiB more than a login pays for. */
	const struct pwhash_cost dear = {PWHASH_ARGON2_KIB_MAX + 1, 1};
	const struct pwhash_cost long_run = {PWHASH_ARGON2_KIB_MAX, 4};
	char hash[PWHASH_MAX + 1];

	(void)state;
	assert_int_equal(pwhash_make(dear, BYTES("secret"), hash),
			 PWHASH_TOODEAR);
	assert_int_equal(pwhash_make(long_run, BYTES("secret"), hash),
			 PWHASH_TOODEAR);
	assert_int_equal(pwhash_wrap(dear, good, hash), PWHASH_TOODEAR);
	assert_true(pwhash_affordable((struct pwhash_cost){262144, 3}));
	assert_false(pwhash_affordable(long_run));
	assert_int_equal(pwhash_wrap(cheap, "{SSHA}xyz", hash), PWHASH_MALFORMED);
	assert_int_equal(pwhash_wrap_same(good, good), PWHASH_NO);
	assert_int_equal(pwhash_wrap_same("$wrap$", good), PWHASH_MALFORMED);
	assert_int_equal(pwhash_wrap_same(good, "$1$"), PWHASH_MALFORMED);
	assert_true(pwhash_resembles(good) && pwhash_resembles("{SSHA}xyz"));
	assert_true(pwhash_resembles("$6$") && pwhash_resembles("$apr1$x"));
	assert_false(pwhash_resembles("secret") || pwhash_resembles("$ecret") ||
		     pwhash_resembles("{smile}") || pwhash_resembles(""));
}

static void texts(void **state)
{
	(void)state;
	for (int a = PWHASH_OK; a <= PWHASH_MALFORMED + 1; a++) {
		for (int b = PWHASH_OK; b < a; b++)
			assert_string_not_equal(pwhash_text((enum pwhash)a),
						pwhash_text((enum pwhash)b));
	}
}

static void weak(void **state)
{
	static const struct {
		const char *hash;
		enum pwhash_weakness want;
	} cases[] = {
		{"$1$jmTogLq1$MmFWWMTAUzKJ5C8TfG/xe/", PWHASH_WEAK},
		{"{MD5-CRYPT}$1$P83NGyrd$p9aMN6P/EYD2w.MfS4WZs/", PWHASH_WEAK},
		{"xlA066N2f9tKE", PWHASH_LEGACY},
		{"{CRYPT}xlA066N2f9tKE", PWHASH_LEGACY},
		{"$5$rounds=1000$x$", PWHASH_STRONG},
		{"", PWHASH_STRONG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(pwhash_weakness(cases[i].hash), cases[i].want);
}

static void storable(void **state)
{
	(void)state;
	assert_non_null(pwhash_unstorable("*"));
	assert_non_null(pwhash_unstorable(""));
	assert_non_null(pwhash_unstorable("$6$saltsalt$cut"));
	assert_non_null(pwhash_unstorable("$1$jmTogLq1$MmFWWMTAUzKJ5C8TfG/xe/"));
	assert_non_null(pwhash_unstorable("xlA066N2f9tKE"));
	assert_null(pwhash_unstorable(
		"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

static void refused_by_name(void **state)
{
	static const struct {
		const char *hash, *name;
	} cases[] = {
		{"{DIGEST-MD5}00", "DIGEST-MD5"},
		{"{LANMAN}00", "LANMAN"},
		{"{PLAIN}secret", "plain text"},
		{"_J9..rasmBYk8r9AiWNc", "bsdi-DES"},
		{"5f4dcc3b5aa765d61d8327deb882cf99", "MD5"},
		{"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", "SHA-1"},
		{"$argon2d$v=19$m=64,t=1,p=1$AAAA$AAAA", "argon2d"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *scheme = NULL;

		assert_int_equal(pwhash_judge(cases[i].hash, &scheme),
				 PWHASH_UNKNOWN);
		assert_non_null(scheme);
		assert_string_equal(scheme, cases[i].name);
		assert_int_equal(pwhash_verify(cases[i].hash, BYTES("x")),
				 PWHASH_UNKNOWN);
	}
}

#ifndef __SANITIZE_ADDRESS__
/* argon2id with two lanes, 4 MiB: only str_verify computes it. */
static void no_memory(void **state)
{
	static const char hash[] =
		"$argon2id$v=19$m=4096,t=3,p=2$c2FsdHNhbHQ$XnBSEqWKUWftRYVU12"
		"bbvo3w9tA4GQMcERASS56A8OAwcw+Gm3WLF1VVIRemeZte6s3DsSacR+PJEV"
		"jKvUz1EA";
	static const char password[] = "p\xc3\xa4ss Word{42}";
	bool seen[PWHASH_MALFORMED + 1] = {false};

	(void)state;
	for (unsigned extra = 0; extra < 12; extra++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			FILE *file = fopen("/proc/self/statm", "re");
			unsigned long pages = 0;
			struct rlimit limit;

			if (!file || fscanf(file, "%lu", &pages) != 1)
				_exit(99);
			limit.rlim_cur = limit.rlim_max =
				pages * 4096 + extra * (1 << 19);
			if (setrlimit(RLIMIT_AS, &limit) != 0)
				_exit(99);
			_exit((int)pwhash_verify(hash, password,
						 sizeof password - 1));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) == PWHASH_OK ||
			    WEXITSTATUS(status) == PWHASH_NOMEM);
		seen[WEXITSTATUS(status)] = true;
	}
	assert_true(seen[PWHASH_OK] && seen[PWHASH_NOMEM]);
}
#endif

static void decoy(void **state)
{
	char hash[PWHASH_MAX + 1];
	const char *scheme;

	(void)state;
	/* Settings that make no hash have a decoy all the same. */
	pwhash_decoy((struct pwhash_cost){12289, 64}, hash);
	assert_int_equal(pwhash_judge(hash, &scheme), PWHASH_OK);
	assert_non_null(strstr(hash, "m=12289,t=63,p=1"));
	pwhash_decoy(cheap, hash);
	assert_int_equal(pwhash_judge(hash, &scheme), PWHASH_OK);
	assert_int_equal(pwhash_verify(hash, BYTES("any")), PWHASH_NO);
	assert_non_null(strstr(hash, "m=64,t=1,p=1"));
}

static void carried(void **state)
{
	char text[257];

	(void)state;
	memset(text, 'a', sizeof text);
	assert_null(pwhash_refuse(text, 255));
	assert_non_null(pwhash_refuse(text, 256));
	assert_non_null(pwhash_refuse("", 0));
	assert_non_null(pwhash_refuse(BYTES(" lead")));
	assert_non_null(pwhash_refuse(BYTES("a\rb")));
	assert_non_null(pwhash_refuse(BYTES("a\nb")));
	assert_non_null(pwhash_refuse(BYTES("a\0b")));
	assert_null(pwhash_refuse(BYTES("in the middle ")));
	assert_null(pwhash_refuse(BYTES("\ttab")));
}

static void long_passwords(void **state)
{
	struct crypt_data data = {0};
	const char *hash =
		crypt_rn("x", "$5$rounds=1000$s", &data, sizeof data);
	char text[600];

	(void)state;
	memset(text, 'x', sizeof text);
	assert_int_equal(pwhash_verify(hash, text, 511), PWHASH_NO);
	assert_int_equal(pwhash_verify(hash, text, 512), PWHASH_NO);
	assert_int_equal(pwhash_verify(hash, text, 600), PWHASH_NO);
}

/* The same sum under the other way to write its tag. */
static void tags(void **state)
{
	static const char *const names[] = {"SHA", "SSHA"};
	static const char *const bits[] = {"256", "512"};
	FILE *file = fopen("tests/data/hashes", "re");
	unsigned tried = 0;
	char line[1024];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		char *password = strchr(line, '\t') + 1;
		char *hash = strchr(password, '\t') + 1;

		hash[-1] = 0;
		hash[strcspn(hash, "\n")] = 0;
		for (size_t i = 0; i < 4; i++) {
			char tag[16], other[1024];
			const char *scheme;
			int len = snprintf(tag, sizeof tag, "{%s%s}",
					   names[i / 2], bits[i % 2]);

			if (strncmp(hash, tag, (size_t)len) != 0)
				continue;
			(void)snprintf(other, sizeof other, "{%s-%s}%s",
				       names[i / 2], bits[i % 2], hash + len);
			assert_int_equal(pwhash_verify(other, password,
						       strlen(password)),
					 PWHASH_OK);
			assert_int_equal(pwhash_verify(other, "x", 1),
					 PWHASH_NO);
			(void)snprintf(tag, sizeof tag, "SHA-%s", bits[i % 2]);
			assert_int_equal(pwhash_judge(other, &scheme),
					 PWHASH_OK);
			assert_non_null(strstr(scheme, tag));
			tried++;
		}
	}
	(void)fclose(file);
	assert_true(tried >= 4);
}

/* What a computation costs is rounds and bytes together. */
static void work(void **state)
{
	static const struct {
		unsigned rounds;
		size_t len;
	} dear[] = {{1000000, 33}, {1000000, 255}, {300941, 255}, {500000, 129}};
	char hash[200], text[256];

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t i = 0; i < COUNT(dear); i++) {
		(void)snprintf(hash, sizeof hash,
			       "$5$rounds=%u$salt$%042dA", dear[i].rounds, 0);
		assert_int_equal(pwhash_verify(hash, text, dear[i].len),
				 PWHASH_TOODEAR);
	}
	(void)snprintf(hash, sizeof hash, "$5$rounds=1000$salt$%042dA", 0);
	assert_int_equal(pwhash_verify(hash, text, 255), PWHASH_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("an argon2id hash matches its password alone", own),
		SAYS("libcrypt's schemes match their passwords alone", schemes),
		SAYS("hashes of other programs match, as they are and wrapped",
		     vectors),
		SAYS("a hash that is cut, goes on or has another character is "
		     "none", spoilt),
		SAYS("without memory no hash is made or wrapped, and what is no "
		     "hash is none", unusual),
		SAYS("each answer has its text", texts),
		SAYS("what must be wrapped before it is stored is known", weak),
		SAYS("a hash that no login computes, or a weak one, may not be "
		     "stored",
		     storable),
		SAYS("what neither library computes is refused by its name",
		     refused_by_name),
#ifndef __SANITIZE_ADDRESS__
		SAYS("without memory for lanes the answer is never no",
		     no_memory),
#endif
		SAYS("a tag with a dash is the one without", tags),
		SAYS("a long password of a hash of many rounds is never computed",
		     work),
		SAYS("a decoy costs what today's hashes cost", decoy),
		SAYS("a password that POP cannot carry is refused", carried),
		SAYS("a password that libcrypt refuses is a mismatch",
		     long_passwords),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
