/* SPDX-License-Identifier: MIT */
/* cmd_harden.c: popbox harden: hashes that are cheap to guess are wrapped in
 * argon2id, so that whoever steals the store has no easier work with them. No user
 * has to do anything. A round is a few hundred boxes: read, hashed on all cores,
 * committed; a run that is ended goes on where it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/password_rules.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/say.h"
#include "base/strtab.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/password.h"
#include "publish/change.h"
#include "publish/publish.h"
#include "store/secret.h"
#include "transfer/hasher.h"

const struct args_option cmd_harden_options[] = {
	{"--bcrypt", NULL, "bcrypt's too, which is not weak"},
	{"--dry-run", NULL, "count by scheme, change nothing"},
	CONFIRM_OPTION,
	{NULL, NULL, NULL},
};

enum { ROUND = 512, SCHEMES_MAX = 64 };

struct one {
	struct name_box name;
	char old[STORE_HASH_MAX + 1];
	char made[PWHASH_MAX + 1];
};

struct harden {
	struct site *site;
	bool bcrypt;
	struct strtab schemes; /* found, and how often */
	unsigned long count[SCHEMES_MAX];
	unsigned long weak, done, changed_since;
	struct name_box last; /* looked at */
	bool started, end;
	uint64_t entry; /* the last of the last change */
	struct one *one; /* of this round */
	size_t ones, at, computed;
	struct progress progress;
};

/* Those whose computation wants memory, or as much time as they are told. */
static bool is_weak(const struct harden *h, const char *scheme)
{
	static const char *const strong[] = {"argon2id", "argon2i",
					     "yescrypt", "gost-yescrypt",
					     "scrypt",	 "wrapped"};

	for (size_t i = 0; i < sizeof strong / sizeof *strong; i++) {
		if (strcmp(scheme, strong[i]) == 0)
			return false;
	}
	return h->bcrypt || strcmp(scheme, "bcrypt") != 0;
}

/* The next box, if there is one, with its hash. */
static enum err next_account(struct harden *h, struct store_txn *txn,
			     struct store_account *ret_account)
{
	struct store_box box;
	enum err err = store_box_next(txn, h->started ? &h->last : NULL, &box);

	if (err != ERR_OK)
		return err;
	h->last = box.name;
	h->started = true;
	return store_login(txn, &box.name, ret_account);
}

static bool wants(const struct harden *h, const char *hash,
		  const char **ret_scheme)
{
	*ret_scheme = NULL;
	return hash[0] && pwhash_judge(hash, ret_scheme) == PWHASH_OK &&
	       is_weak(h, *ret_scheme);
}

static enum err count_body(struct store_txn *txn, void *arg)
{
	struct harden *h = arg;
	struct store_account account;
	const char *scheme;
	enum err err = ERR_OK;
	size_t number;

	while (err == ERR_OK) {
		err = next_account(h, txn, &account);
		if (err != ERR_OK || !wants(h, account.hash, &scheme))
			continue;
		if (!strtab_add(&h->schemes, scheme, &number) ||
		    number >= SCHEMES_MAX) {
			errno = ENOMEM;
			err = ERR_SYSTEM;
			continue;
		}
		h->count[number]++;
		h->weak++;
	}
	secret_wipe(&account, sizeof account);
	h->started = false;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void print_counts(const struct harden *h)
{
	for (size_t i = 0; i < h->schemes.count; i++) {
		if (h->site->json)
			json_print(json_pack("{s:s, s:I}", "scheme",
					     h->schemes.name[i], "boxes",
					     (json_int_t)h->count[i]));
		else
			say_out("%-16s %lu", h->schemes.name[i], h->count[i]);
	}
}

static enum err round_body(struct store_txn *txn, void *arg)
{
	struct harden *h = arg;
	const struct name_box last = h->last;
	const bool started = h->started;
	struct store_account account;
	const char *scheme;
	enum err err = ERR_OK;

	h->ones = 0;
	while (err == ERR_OK && h->ones < ROUND) {
		struct one *one = &h->one[h->ones];

		err = next_account(h, txn, &account);
		if (err != ERR_OK || !wants(h, account.hash, &scheme))
			continue;
		*one = (struct one){.name = account.box.name};
		memcpy(one->old, account.hash, sizeof one->old);
		h->ones++;
	}
	secret_wipe(&account, sizeof account);
	h->end = err == ERR_NOTFOUND;
	if (err != ERR_OK && err != ERR_NOTFOUND) {
		h->last = last;
		h->started = started;
	}
	return h->end ? ERR_OK : err;
}

static bool next_job(void *arg, struct hasher_job *job)
{
	struct harden *h = arg;

	if (h->at == h->ones)
		return false;
	job->number = h->at;
	/* What pwhash_judge finds good is no longer than that. */
	memcpy(job->old, h->one[h->at++].old, sizeof job->old);
	return true;
}

static bool job_done(void *arg, const struct hasher_job *job)
{
	struct harden *h = arg;

	progress_step(&h->progress, 1);
	h->computed++;
	if (job->answer == PWHASH_OK)
		memcpy(h->one[job->number].made, job->made, sizeof job->made);
	return true;
}

static enum err write_body(struct store_txn *txn, void *arg)
{
	struct harden *h = arg;
	enum err err = ERR_OK;

	h->done = h->changed_since = 0;
	for (size_t i = 0; err == ERR_OK && i < h->ones; i++) {
		struct one *one = &h->one[i];

		if (!one->made[0])
			continue;
		err = store_box_rehash(txn, &one->name, one->old, one->made);
		h->done += err == ERR_OK;
		/* Deleted, or another password since: nothing to do. */
		h->changed_since += err == ERR_BUSY || err == ERR_NOTFOUND;
		if (err == ERR_BUSY || err == ERR_NOTFOUND)
			err = ERR_OK;
	}
	return err;
}

static int run_round(struct harden *h, unsigned long *done)
{
	struct site *site = h->site;
	const struct pwhash_cost cost = {site->config.argon2_kib,
					 site->config.argon2_passes};
	enum hasher_end end;
	uint64_t last = 0;
	int code = site_failed(site, store_read(site->store, round_body, h),
			       "the store");

	h->at = h->computed = 0;
	if (code != CODE_DONE || !h->ones)
		return code;
	if (!pwhash_affordable(cost))
		return password_unmade(&cost, PWHASH_TOODEAR);
	end = hasher_run(cost, next_job, job_done, h);
	if (end == HASHER_NO_THREAD)
		return say_error(CODE_LATER, "cannot start a thread to hash "
					     "passwords: %s",
				 strerror(errno));
	if (end == HASHER_NO_MEMORY || h->computed != h->ones)
		return say_error(CODE_LATER, "no memory to hash passwords (what "
					     "was wrapped before stays; run "
					     "'popbox harden' again)");
	code = site_failed(site,
			   change_commit(site, write_body,
					 h, &last,
					 "what was wrapped stays: run "
					 "'popbox harden' again"),
			   "the store");
	if (code == CODE_DONE)
		*done += h->done;
	if (last)
		h->entry = last;
	return code;
}

static int run(struct harden *h)
{
	char count[SAY_COUNT_TEXT];
	unsigned long done = 0;
	int code = CODE_DONE;

	h->one = calloc(ROUND, sizeof *h->one);
	if (!h->one)
		return say_error(CODE_LATER, "no memory");
	h->progress = progress_start("wrapping", h->weak);
	while (code == CODE_DONE && !h->end)
		code = run_round(h, &done);
	progress_end(&h->progress);
	secret_wipe(h->one, ROUND * sizeof *h->one);
	free(h->one);
	say_note("wrapped in argon2id: %s", say_count(done, "hash", count));
	return code == CODE_DONE ? publish_passwords(h->site, h->entry) : code;
}

static int harden(struct harden *h, const struct args *args)
{
	char count[SAY_COUNT_TEXT];
	struct site *site = h->site;
	int code = site_failed(site, store_read(site->store, count_body, h),
			       "the store");

	if (code == CODE_DONE && (site->dry_run || site->json))
		print_counts(h);
	if (code == CODE_DONE && !h->weak)
		say_note("no hash is weak");
	if (code != CODE_DONE || site->dry_run || !h->weak)
		return code;
	code = confirm(site, args,
		       "wrap %s, which other programs cannot read then",
		       say_count(h->weak, "hash", count));
	return code == CODE_DONE ? run(h) : code;
}

int cmd_harden(struct site *site, const struct args *args)
{
	struct harden *h = calloc(1, sizeof *h);
	int code;

	if (!h)
		return say_error(CODE_LATER, "no memory");
	h->site = site;
	h->bcrypt = args_has(args, "--bcrypt");
	code = site_open_write(site);
	if (code == CODE_DONE)
		code = harden(h, args);
	strtab_free(&h->schemes);
	free(h);
	return code;
}
