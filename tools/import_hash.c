/* import_hash.c: the passwords of an import, on all cores. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "csvfile.h"
#include "hasher.h"
#include "import_private.h"
#include "password.h"
#include "say.h"

/* The hashing: what the threads share. */
struct hashing {
	struct import *import;
	size_t at;
	struct progress progress;
};

/* A password that nobody gave, kept for the file of them. */
static bool invent(struct import *import, const struct intake *intake,
		   struct hasher_job *job)
{
	char text[NAME_ADDRESS_TEXT];

	password_generate(job->password, PASSWORD_GENERATE);
	job->len = PASSWORD_GENERATE;
	return csvfile_put(&import->credentials, import_name(intake, text),
			   true) &&
	       csvfile_put(&import->credentials, job->password, false) &&
	       text_put(&import->credentials, "\n", 1);
}

static bool fill_job(struct import *import, size_t number,
		     struct hasher_job *job)
{
	const struct roster_row *row = &import->roster.row[number];
	struct intake intake;
	bool good = true;

	roster_get(&import->roster, number, &intake);
	job->number = number;
	if (row->hash)
		memcpy(job->there, row->hash, strlen(row->hash) + 1);
	if (row->secret == ROSTER_WRAP)
		memcpy(job->old, intake.hash, sizeof job->old);
	else if (intake.secret == INTAKE_PASSWORD)
		memcpy(job->password, intake.password, intake.password_len);
	else
		good = invent(import, &intake, job);
	if (intake.secret == INTAKE_PASSWORD)
		job->len = intake.password_len;
	intake_wipe(&intake);
	return good;
}

static bool next_job(void *arg, struct hasher_job *job)
{
	struct hashing *hashing = arg;
	struct import *import = hashing->import;

	for (; hashing->at < import->roster.count; hashing->at++) {
		const struct roster_row *row = &import->roster.row[hashing->at];

		if (row->bad || (row->secret != ROSTER_MAKE &&
				 row->secret != ROSTER_WRAP))
			continue;
		/* A dry run only wants to know what is the same. */
		if (import->site->dry_run && !row->hash)
			continue;
		import->no_memory = !fill_job(import, hashing->at++, job);
		return !import->no_memory;
	}
	return false;
}

static bool job_done(void *arg, const struct hasher_job *job)
{
	struct hashing *hashing = arg;
	struct roster_row *row = &hashing->import->roster.row[job->number];

	progress_step(&hashing->progress, 1);
	free(row->hash);
	row->hash = NULL;
	if (job->answer == PWHASH_NO) {
		row->secret = ROSTER_SAME;
		return true;
	}
	row->secret = ROSTER_READY;
	if (job->answer == PWHASH_OK)
		row->hash = strdup(job->made);
	else if (job->answer != PWHASH_NOMEM) /* of no kind that is wrapped */
		row->secret = ROSTER_AS_IS;
	hashing->import->no_memory =
		row->secret == ROSTER_READY && !row->hash;
	return !hashing->import->no_memory;
}

int import_hash(struct import *import)
{
	const struct config *config = &import->site->config;
	const struct pwhash_cost cost = {config->argon2_kib,
					 config->argon2_passes};
	struct hashing hashing = {.import = import};

	if (!import->jobs)
		return CODE_DONE;
	hashing.progress = progress_start("hashing", import->jobs);
	if (!hasher_run(cost, next_job, job_done, &hashing))
		return say_error(CODE_LATER, "cannot start a thread to hash "
					     "passwords: %s",
				 strerror(errno));
	progress_end(&hashing.progress);
	if (import->no_memory)
		return say_error(CODE_LATER,
				 "no memory to hash the passwords (a hash "
				 "wants %u KiB for each of %u cores): nothing "
				 "was changed",
				 cost.kib, hasher_cores());
	return CODE_DONE;
}
