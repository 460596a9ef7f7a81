/* SPDX-License-Identifier: MIT */
/* import_hash.c: the passwords of an import, on all cores. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "accounts/password_rules.h"
#include "csvfile.h"
#include "hasher.h"
#include "import_private.h"
#include "store/cores.h"

/* The hashing: what the threads share. */
struct hashing {
	struct import *import;
	size_t at, computed;
	/* Never cleared: */
	bool no_memory; /* for what stands around a hash */
	bool untried;	/* a hash of the file that cannot be computed */
	struct progress progress;
};

/* A password that nobody gave, kept for the file of them. */
static bool invent(struct import *import, const struct import_account *account,
		   struct hasher_job *job)
{
	char text[NAME_ADDRESS_TEXT];

	password_generate(job->password, PASSWORD_GENERATE);
	job->len = PASSWORD_GENERATE;
	return csvfile_put(&import->credentials, import_name(account, text),
			   true) &&
	       csvfile_put(&import->credentials, job->password, false) &&
	       text_put(&import->credentials, "\n", 1);
}

static bool fill_job(struct import *import, size_t number,
		     struct hasher_job *job)
{
	const struct import_table_row *row = &import->table.row[number];
	struct import_account account;
	bool good = true;

	import_table_get(&import->table, number, &account);
	job->number = number;
	if (row->hash)
		memcpy(job->there, row->hash, strlen(row->hash) + 1);
	job->try = row->secret == IMPORT_TABLE_AS_IS;
	if (row->secret == IMPORT_TABLE_WRAP || job->try)
		memcpy(job->old, account.hash, sizeof job->old);
	else if (account.secret == IMPORT_ACCOUNT_PASSWORD)
		memcpy(job->password, account.password, account.password_len);
	else
		good = invent(import, &account, job);
	if (account.secret == IMPORT_ACCOUNT_PASSWORD)
		job->len = account.password_len;
	import_account_wipe(&account);
	return good;
}

/* Is there something to compute? Of new hashes a dry run only wants to know which
 * are the same. */
static bool is_job(const struct import *import,
		   const struct import_table_row *row)
{
	if (row->bad)
		return false;
	if (row->secret == IMPORT_TABLE_MAKE ||
	    row->secret == IMPORT_TABLE_WRAP)
		return !import->site->dry_run || row->hash;
	return row->secret == IMPORT_TABLE_AS_IS;
}

static bool next_job(void *arg, struct hasher_job *job)
{
	struct hashing *hashing = arg;
	struct import *import = hashing->import;

	for (; hashing->at < import->table.count; hashing->at++) {
		const struct import_table_row *row =
			&import->table.row[hashing->at];

		if (!is_job(import, row))
			continue;
		if (fill_job(import, hashing->at++, job))
			return true;
		hashing->no_memory = true;
		return false;
	}
	return false;
}

static void say_untried(const struct import *import,
			const struct import_table_row *row)
{
	char at[IMPORT_PLACE];

	import_place(import, row->file, row->line, at);
	say_error(0, "%s: its hash cannot be computed: no memory, or libcrypt "
		     "does not know its scheme here: nothing was changed", at);
}

static bool job_done(void *arg, const struct hasher_job *job)
{
	struct hashing *hashing = arg;
	struct import_table_row *row = &hashing->import->table.row[job->number];

	progress_step(&hashing->progress, 1);
	free(row->hash);
	row->hash = NULL;
	hashing->computed++;
	if (job->try) {
		if (job->answer == PWHASH_OK)
			return true;
		if (!hashing->untried)
			say_untried(hashing->import, row);
		hashing->untried = true;
		return false;
	}
	if (job->answer == PWHASH_NO) {
		row->secret = IMPORT_TABLE_SAME;
	} else if (job->old[0] && job->answer == PWHASH_MALFORMED) {
		row->secret =
			IMPORT_TABLE_AS_IS; /* of no kind that is wrapped */
	} else {
		if (job->answer == PWHASH_OK)
			row->hash = strdup(job->made);
		if (row->hash)
			row->secret = IMPORT_TABLE_READY;
		else
			hashing->no_memory = true;
	}
	return !hashing->no_memory;
}

static size_t count_jobs(const struct import *import)
{
	size_t count = 0;

	for (size_t i = 0; i < import->table.count; i++)
		count += is_job(import, &import->table.row[i]);
	return count;
}

int import_hash(struct import *import)
{
	const struct config *config = &import->site->config;
	const struct pwhash_cost cost = {config->argon2_kib,
					 config->argon2_passes};
	struct hashing hashing = {.import = import};
	const size_t jobs = count_jobs(import);
	enum hasher_end end;

	if (!jobs)
		return CODE_DONE;
	if (!pwhash_affordable(cost))
		return password_unmade(&cost, PWHASH_TOODEAR);
	hashing.progress = progress_start("hashing", jobs);
	end = hasher_run(cost, next_job, job_done, &hashing);
	if (end == HASHER_NO_THREAD)
		return say_error(CODE_LATER, "cannot start a thread to hash "
					     "passwords: %s",
				 strerror(errno));
	progress_end(&hashing.progress);
	if (hashing.untried)
		return CODE_LATER; /* said so */
	if (end == HASHER_NO_MEMORY || hashing.no_memory ||
	    hashing.computed != jobs)
		return say_error(CODE_LATER,
				 "no memory to hash the passwords (a hash "
				 "wants %u KiB for each of %u cores): nothing "
				 "was changed",
				 cost.kib, cores_count());
	return CODE_DONE;
}
