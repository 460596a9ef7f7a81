/* SPDX-License-Identifier: MIT */
/* Passwords and what is computed of them are wiped: the memory of a thread in
 * which a hash was verified, made or wrapped is searched for them. */
#include "unit.h"

#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/mman.h>

#include "store/hash/pwhash.h"
#include "store/secret.h"

/* Not with sanitizers, whose stack is not where it seems. */
#ifndef __SANITIZE_ADDRESS__
static const struct pwhash_cost cheap = {64, 1};
enum { STACK = 1 << 20, PASSWORD = 24, LONGEST = 200 };

struct work {
	void (*function)(struct work *work);
	const char *hash;
	char password[LONGEST];
	size_t len; /* of it; 0: all */
	enum pwhash answer;
	char made[PWHASH_MAX + 1];
};

static void verify(struct work *work)
{
	work->answer = pwhash_verify(work->hash, work->password,
				     work->len ? work->len : PASSWORD);
}

static void make(struct work *work)
{
	work->answer = pwhash_make(cheap, work->password, PASSWORD, work->made);
}

static void wrap(struct work *work)
{
	work->answer = pwhash_wrap(cheap, work->hash, work->made);
}

static void wrap_same(struct work *work)
{
	work->answer = pwhash_wrap_same(work->made, work->hash);
}

static void try_it(struct work *work)
{
	work->answer = pwhash_try(work->hash);
}

static void judge(struct work *work)
{
	const char *scheme;

	work->answer = pwhash_judge(work->hash, &scheme);
}

static void weakness(struct work *work)
{
	work->answer = pwhash_weakness(work->hash) == PWHASH_STRONG ? PWHASH_OK
								   : PWHASH_NO;
}

static void unstorable(struct work *work)
{
	work->answer = pwhash_unstorable(work->hash) ? PWHASH_NO : PWHASH_OK;
}

static void resembles(struct work *work)
{
	work->answer = pwhash_resembles(work->hash) ? PWHASH_OK : PWHASH_NO;
}

/* The function's frame lies deeper than what the end of a thread writes over. */
static void *run(void *arg)
{
	struct work *work = arg;
	volatile char above[8192];

	above[0] = above[sizeof above - 1] = 0;
	work->function(work);
	return above[0] ? work : NULL;
}

/* A thread's stack and its own variables, libcrypt's among them, lie in what it
 * is given. */
static void *ran(struct work *work)
{
	void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	assert_true(stack != MAP_FAILED);
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstack(&attr, stack, STACK), 0);
	assert_int_equal(pthread_create(&thread, &attr, run, work), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
	return stack;
}

static void lacks(const void *stack, const void *secret, size_t len,
		  const char *what, const char *hash)
{
	if (memmem(stack, STACK, secret, len))
		fail_msg("%s is left of %s", what, hash);
}

/* One line of tests/data/hashes: command, password, hash. */
static bool next(FILE *file, char line[1024], char **ret_password,
		 char **ret_hash)
{
	if (!fgets(line, 1024, file))
		return false;
	line[strcspn(line, "\n")] = 0;
	*ret_password = strchr(line, '\t') + 1;
	*ret_hash = strchr(*ret_password, '\t') + 1;
	(*ret_hash)[-1] = 0;
	return true;
}

/* What an attacker would want of a hash: its last characters. A password shorter
 * than KNOWN may lie on a stack by chance. */
enum { TAIL = 16, KNOWN = 4 };

/* The sum of a hash as bytes, where it is one of argon2 or a digest; how many. */
static size_t raw_sum(const char *hash, unsigned char ret_sum[64])
{
	const char *brace = strchr(hash, '}');
	const char *argon = strstr(hash, "$argon2");
	const char *text = argon ? strrchr(hash, '$') + 1 : brace + 1;
	size_t room = argon || strstr(hash, "512") ? 64 : 32, len = 0;

	if (!argon && (!brace || !strstr(hash, "SHA") || strchr(hash, '$')))
		return 0;
	if (!argon && strcasestr(hash, ".hex}"))
		(void)sodium_hex2bin(ret_sum, room, text, 2 * room, NULL, &len,
				     NULL);
	else /* what does not fit into the room is a salt */
		(void)sodium_base642bin(
			ret_sum, room, text, strlen(text), NULL, &len, NULL,
			sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	return len ? len : room;
}

/* Nothing of the right password, and nothing that was computed of it. */
static void matched(struct work *work, const char *password, const char *hash,
		    const char *tail)
{
	unsigned char sum[64];
	const size_t len = raw_sum(hash, sum);
	void *stack;

	work->len = strlen(password);
	assert_true(work->len <= sizeof work->password);
	memset(work->password, 0, sizeof work->password);
	memcpy(work->password, password, work->len);
	work->hash = hash;
	work->function = verify;
	stack = ran(work);
	assert_int_equal(work->answer, PWHASH_OK);
	if (work->len >= KNOWN)
		lacks(stack, password, work->len, "the password", hash);
	if (strlen(hash) > TAIL)
		lacks(stack, tail, TAIL, "what libcrypt made", hash);
	if (len)
		lacks(stack, sum, 16, "the sum", hash);
	munmap(stack, STACK);
}

static void matches(void **state)
{
	FILE *file = fopen("tests/data/hashes", "re");
	char line[1024], wrapped[PWHASH_MAX + 1], *password, *hash;
	struct work work = {.len = 0};
	unsigned count = 0;

	(void)state;
	assert_non_null(file);
	for (; next(file, line, &password, &hash); count++) {
		const char *tail = hash + strlen(hash) - TAIL;

		if (strlen(hash) <= TAIL)
			continue;
		matched(&work, password, hash, tail);
		if (pwhash_wrap(cheap, hash, wrapped) == PWHASH_OK)
			matched(&work, password, wrapped, tail);
	}
	(void)fclose(file);
	assert_true(count > 60);
}

/* SCRAM's salted password and its client key are as good as the password; both
 * are computed on the way (RFC 5802, 3). */
static void scram_keys(bool small, const char *password, const char *hash,
		       unsigned char ret_salted[32], unsigned char ret_key[32])
{
	static const char client[] = "Client Key";
	const char *at = strchr(hash, ',') + 1;
	const size_t size = small ? SHA1_DIGEST_SIZE : SHA256_DIGEST_SIZE;
	struct hmac_sha256_ctx large;
	unsigned char salt[64];
	struct hmac_sha1_ctx ctx;
	size_t len;

	assert_int_equal(sodium_base642bin(salt, sizeof salt, at,
					   strcspn(at, ","), NULL, &len, NULL,
					   sodium_base64_VARIANT_ORIGINAL),
			 0);
	if (small) {
		pbkdf2_hmac_sha1(strlen(password), (const uint8_t *)password,
				 4096, len, salt, size, ret_salted);
		hmac_sha1_set_key(&ctx, size, ret_salted);
		hmac_sha1_update(&ctx, sizeof client - 1,
				 (const uint8_t *)client);
		hmac_sha1_digest(&ctx, size, ret_key);
	} else {
		pbkdf2_hmac_sha256(strlen(password), (const uint8_t *)password,
				   4096, len, salt, size, ret_salted);
		hmac_sha256_set_key(&large, size, ret_salted);
		hmac_sha256_update(&large, sizeof client - 1,
				   (const uint8_t *)client);
		hmac_sha256_digest(&large, size, ret_key);
	}
}

static void scram(void **state)
{
	FILE *file = fopen("tests/data/hashes", "re");
	char line[1024], *password, *hash;
	struct work work = {.function = verify};
	unsigned char salted[32], key[32];
	unsigned count = 0;

	(void)state;
	assert_non_null(file);
	while (next(file, line, &password, &hash)) {
		void *stack;

		if (!strstr(hash, "{SCRAM-SHA-"))
			continue;
		count++;
		scram_keys(strstr(hash, "SHA-1}"), password, hash, salted, key);
		work.hash = hash;
		work.len = strlen(password);
		memcpy(work.password, password, work.len);
		stack = ran(&work);
		assert_int_equal(work.answer, PWHASH_OK);
		lacks(stack, salted, 16, "the salted password", hash);
		lacks(stack, key, 16, "the client key", hash);
		munmap(stack, STACK);
	}
	(void)fclose(file);
	assert_int_equal(count, 2);
}

static void each(struct work *work)
{
	unsigned char sum[64], made[64];
	const size_t len = raw_sum(work->hash, sum);
	const char *tail = work->hash + strlen(work->hash) - TAIL;
	void *stack;

	work->function = verify;
	stack = ran(work);
	assert_int_equal(work->answer, PWHASH_NO);
	lacks(stack, work->password, PASSWORD, "the password", work->hash);
	munmap(stack, STACK);
	work->function = wrap;
	stack = ran(work);
	if (work->answer == PWHASH_OK) {
		lacks(stack, tail, TAIL, "the old hash", work->hash);
		lacks(stack, work->made + strlen(work->made) - TAIL, TAIL,
		      "the new hash", work->hash);
		assert_true(raw_sum(work->made, made) == 32);
		lacks(stack, made, 16, "the new sum", work->hash);
		if (len)
			lacks(stack, sum, 16, "the old sum", work->hash);
		munmap(stack, STACK);
		work->function = wrap_same;
		stack = ran(work);
		assert_int_equal(work->answer, PWHASH_OK);
		lacks(stack, tail, TAIL, "the old hash", work->hash);
		if (raw_sum(work->hash, sum))
			lacks(stack, sum, 16, "the old sum", work->hash);
	}
	munmap(stack, STACK);
}

/* What only looks at a hash leaves none of it. */
static void looks(void **state)
{
	static void (*const functions[])(struct work *work) = {
		try_it, judge, weakness, unstorable, resembles};
	FILE *file = fopen("tests/data/hashes", "re");
	char line[1024], *password, *hash;
	struct work work = {.len = 0};
	unsigned char sum[64];
	unsigned count = 0;

	(void)state;
	assert_non_null(file);
	for (; next(file, line, &password, &hash); count++) {
		const size_t len = raw_sum(hash, sum);

		work.hash = hash;
		for (size_t i = 0; strlen(hash) > TAIL && i < COUNT(functions);
		     i++) {
			void *stack;

			work.function = functions[i];
			stack = ran(&work);
			lacks(stack, hash + strlen(hash) - TAIL, TAIL,
			      "the end", hash);
			if (len)
				lacks(stack, sum, 16, "the sum", hash);
			munmap(stack, STACK);
		}
	}
	(void)fclose(file);
	assert_true(count > 60);
}

static void vectors(void **state)
{
	FILE *file = fopen("tests/data/hashes", "re");
	struct work work = {.password = "Zebra-Canary-7788-Quagga"};
	char line[1024], *password, *hash;
	unsigned count = 0;

	(void)state;
	assert_non_null(file);
	for (; next(file, line, &password, &hash); count++) {
		work.hash = hash;
		if (strlen(hash) > TAIL)
			each(&work);
	}
	(void)fclose(file);
	assert_true(count > 60);
}

static void new(void **state)
{
	struct work work = {.password = "Zebra-Canary-7788-Quagga",
			    .function = make,
			    .hash = "a new one"};
	void *stack = ran(&work);
	unsigned char sum[64];

	(void)state;
	assert_int_equal(work.answer, PWHASH_OK);
	lacks(stack, work.password, PASSWORD, "the password", work.hash);
	lacks(stack, work.made + strlen(work.made) - TAIL, TAIL, "the hash",
	      work.hash);
	assert_int_equal(raw_sum(work.made, sum), 32);
	lacks(stack, sum, 16, "the sum", work.hash);
	munmap(stack, STACK);
}

/* The planted fault: memory is where it is looked for. */
static void leave(struct work *work)
{
	volatile char copy[4096]; /* deeper than how a thread ends */

	for (size_t i = 0; i < PASSWORD; i++)
		copy[i] = work->password[i];
	work->answer = copy[0] ? PWHASH_OK : PWHASH_NO;
}

static void planted(void **state)
{
	struct work work = {.password = "Zebra-Canary-7788-Quagga",
			    .function = leave};
	void *stack = ran(&work);

	(void)state;
	assert_non_null(memmem(stack, STACK, work.password, PASSWORD));
	munmap(stack, STACK);
}
#endif

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
	/* Its stacks are not where they seem to be. */
	(void)puts("1..0 # SKIP not with sanitizers");
	return 0;
#else
	const struct CMUnitTest tests[] = {
		SAYS("what a function leaves on its stack is found", planted),
		SAYS("of a password that is verified nothing stays, nor of a hash "
		     "that is wrapped",
		     vectors),
		SAYS("what only looks at a hash leaves nothing of it", looks),
		SAYS("nor does what SCRAM computes on the way", scram),
		SAYS("of a new hash and its password nothing stays", new),
		SAYS("of the right password nothing stays, nor what is computed "
		     "of it",
		     matches),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
#endif
}
