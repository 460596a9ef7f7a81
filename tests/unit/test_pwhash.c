#include "unit.h"

#include <crypt.h>

#include "pwhash.h"
#include "secret.h"

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

static void caps(void **state)
{
	static const struct {
		const char *hash;
		enum pwhash want;
	} cases[] = {
		{"$argon2id$v=19$m=262145,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_TOODEAR},
		{"$argon2id$v=19$m=262144,t=4,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_TOODEAR},
		{"$argon2id$v=19$m=64,t=4294967295,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_TOODEAR},
		{"$argon2id$v=19$m=64,t=1,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_UNKNOWN},
		{"$argon2id$v=19$m=64,t=1,p=1$AAAA", PWHASH_MALFORMED},
		{"$argon2id$v=19$m=064,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_MALFORMED},
		{"$6$rounds=999999999$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
		 PWHASH_TOODEAR},
		{"$6$rounds=999$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 PWHASH_MALFORMED},
		{"$6$saltsalt$cut", PWHASH_MALFORMED},
		{"$2b$14$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz0123.",
		 PWHASH_TOODEAR},
		{"$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz0123.",
		 PWHASH_TOODEAR},
		{"$2b$04$abcdefghijklmnopqrstuu", PWHASH_MALFORMED},
		{"$2b$4$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz012345",
		 PWHASH_MALFORMED},
		/* N = 2^17, r = 32: 512 MiB */
		{"$y$jET$saltsaltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
		 PWHASH_TOODEAR},
		{"$y$j9T$saltsaltsalt$cut", PWHASH_MALFORMED},
		{"$y$j9T.$saltsaltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
		 PWHASH_UNKNOWN},
		{"$1$salt$aaaaaaaaaaaaaaaaaaaaaa", PWHASH_UNKNOWN},
		/* Bits to spare at the end of a salt or sum. */
		{"$2b$04$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvwxyz0123",
		 PWHASH_MALFORMED},
		{"$5$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 PWHASH_MALFORMED},
		{"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAB$AAAAAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_MALFORMED},
		{"{SSHA}xyz", PWHASH_UNKNOWN},
		{"*", PWHASH_UNKNOWN},
		{"", PWHASH_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *scheme;

		if (pwhash_judge(cases[i].hash, &scheme) != cases[i].want)
			fail_msg("%s: %s", cases[i].hash,
				 pwhash_text(pwhash_judge(cases[i].hash,
							  &scheme)));
		assert_int_equal(pwhash_verify(cases[i].hash, BYTES("x")),
				 cases[i].want);
	}
}

static void decoy(void **state)
{
	char hash[PWHASH_MAX + 1];
	const char *scheme;

	(void)state;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("an argon2id hash matches its password alone", own),
		SAYS("libcrypt's schemes match their passwords alone", schemes),
		SAYS("a hash beyond the caps or cut is never computed", caps),
		SAYS("a decoy costs what today's hashes cost", decoy),
		SAYS("a password that POP cannot carry is refused", carried),
		SAYS("a password that libcrypt refuses is a mismatch",
		     long_passwords),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
