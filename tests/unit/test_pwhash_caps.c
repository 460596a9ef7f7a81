/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "store/hash/pwhash.h"
#include "store/secret.h"

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
	{"$argon2id$v=19$m=15,t=1,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAA$AAAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_MALFORMED},
	{"$argon2i$v=16$m=64,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_MALFORMED},
	{"$7$KU..../....saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_TOODEAR},
	{"$7$CU..../....saltsalt$cut", PWHASH_MALFORMED},
	{"$1$toolongsalt$aaaaaaaaaaaaaaaaaaaaa.", PWHASH_MALFORMED},
	{"$1$salt$aaaaaaaaaaaaaaaaaaaaaa", PWHASH_MALFORMED},
	{"abcdefghijklm", PWHASH_MALFORMED},
	{"{MD5-CRYPT}$6$saltsalt$cut", PWHASH_MALFORMED},
	{"{PBKDF2}$1$salt$aaaaaaaaaaaaaaaaaaaaa.", PWHASH_MALFORMED},
	{"{SHA256}yhiIr3K8CEZ+", PWHASH_MALFORMED},
	/* libsodium takes these bytes for digits. */
	{"{SSHA256}c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0"
	 "\x9b\xcd\xb9\x8c", PWHASH_MALFORMED},
	{"{SHA256}yhiIr3K8CEZ+/OF70egRyDneUE5XmPPzQNmTQl5Q28p=",
	 PWHASH_MALFORMED},
	{"{CRYPT}{CRYPT}xlA066N2f9tKE", PWHASH_MALFORMED},
	{"$wrap$$1$salt$", PWHASH_MALFORMED},
	{"$wrap$$3$salt$$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAA"
	 "AA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$wrap$$6$rounds=2000000$s$$argon2id$v=19$m=64,t=1,p=1$AAAAAAAA"
	 "AAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_TOODEAR},
	{"$wrap$$1$salt$$argon2id$v=19$m=999999,t=1,p=1$AAAAAAAAAAAAAAAA"
	 "AAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_TOODEAR},
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
	/* Bits to spare at the end of a salt or sum. */
	{"$2b$04$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvwxyz0123",
	 PWHASH_MALFORMED},
	{"$5$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAB$AAAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PWHASH_MALFORMED},
	/* One step beyond each border of each form. */
	{"$argon2id$v=19$m=64,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=4096,t=1,p=256$AAAAAAAAAAAAAAAAAAAAAA$AAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=99999999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=1$$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	 "AAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
	 PWHASH_MALFORMED},
	{"$6$rounds=999$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$5$saltsaltsaltsalts$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaa.",
	 PWHASH_MALFORMED},
	{"$2b$03$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz0123.",
	 PWHASH_MALFORMED},
	{"$2b$04$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvwxyz0123.",
	 PWHASH_MALFORMED},
	{"$2b$04$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz0123b",
	 PWHASH_MALFORMED},
	{"$y$j9T$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$aaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$y$j9T$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	 PWHASH_MALFORMED},
	{"$y$jzT$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_TOODEAR},
	{"$7$CU..../....aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$aaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$7$CU..../....salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aa",
	 PWHASH_MALFORMED},
	{"$7$.U..../....salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_MALFORMED},
	{"$7$C...../....salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_MALFORMED},
	{"$7$CU.........salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_MALFORMED},
	{"$7$zU..../....salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_TOODEAR},
	{"$7$C....z/....salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_TOODEAR},
	{"$7$CU......z..salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_TOODEAR},
	/* neither r nor p is much, but both together */
	{"$7$CU....z....salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_TOODEAR},
	{"{CRYPT}$wrap$$1$salt$$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAA"
	 "AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$wrap$$1$salt$$argon2id$v=19$m=64,t=1,p=2$AAAAAAAAAAAAAAAAAA"
	 "AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"$wrap$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$argon2id$v=19"
	 "$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAA"
	 "AAAAAAAAAAAAAAAAAAAA",
	 PWHASH_MALFORMED},
	{"{SSHA256}yhiIr3K8CEZ+/OF70egRyDneUE5XmPPzQNmTQl5Q28o=",
	 PWHASH_MALFORMED},
	{"{SSHA256.HEX}0000000000000000000000000000000000000000000000000"
	 "000000000000000000000000000000000000000000000000000000000000"
	 "000000000000000000000000000000000000000000000000000000000000"
	 "0000000000000000000000000",
	 PWHASH_MALFORMED},
	{"{SHA256.base64}yhiIr3K8CEZ+",
	 PWHASH_MALFORMED},
	{"{SHA256.foo}yhiIr3K8CEZ+",
	 PWHASH_UNKNOWN},
	{"{SHA256.foobar}yhiIr3K8CEZ+",
	 PWHASH_UNKNOWN},
	/* r and p count alike: 32 MiB each, or 8 times. */
	{"$7$DU..../0...saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aa.",
	 PWHASH_TOODEAR},
	/* Salts and numbers that libcrypt computes nothing of. */
	{"$y$j9T$s$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$y$j9T$saltsalts$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$y$j9T$a2$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$gy$j9T$aaE$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$y$j.T$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_MALFORMED},
	{"$y$09T$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
	 PWHASH_UNKNOWN},
	{"$7$/U..../....salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a.",
	 PWHASH_MALFORMED},
	{"{SSHA}xyz", PWHASH_MALFORMED},
	{"*", PWHASH_UNKNOWN},
	{"", PWHASH_UNKNOWN},
};

static void caps(void **state)
{
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a hash beyond the caps or cut is never computed", caps),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
