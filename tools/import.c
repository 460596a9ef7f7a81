#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "csvfile.h"
#include "hasher.h"
#include "import_private.h"
#include "json.h"
#include "mailcopy.h"
#include "password.h"
#include "publish.h"
#include "rehearse.h"
#include "say.h"
#include "secret.h"

enum { TRIES = 3 };

/* FILE:LINE, or FILE where that is one account. */
enum { PLACE_TEXT = PATH_MAX + 24 };

static void place(const struct import *import, size_t file, unsigned long line,
		  char ret_text[PLACE_TEXT])
{
	const char *name = file < import->files.count ? import->files.name[file]
						      : "?";

	if (line)
		(void)snprintf(ret_text, PLACE_TEXT, "%s:%lu", name, line);
	else
		(void)snprintf(ret_text, PLACE_TEXT, "%s", name);
}

void import_refuse(struct import *import, size_t file, unsigned long line,
		   const char *address, const char *why)
{
	char at[PLACE_TEXT];

	place(import, file, line, at);
	say_error(0, "%s: %s%s%s", at, address ? address : "",
		  address ? ": " : "", why);
	if (import->bad == import->bad_room) {
		size_t room = import->bad_room ? import->bad_room * 2 : 64;
		uint64_t *more = reallocarray(import->bad_line, room,
					      sizeof *more);

		if (!more) {
			import->no_memory = true;
			return;
		}
		import->bad_line = more;
		import->bad_room = room;
	}
	import->bad_line[import->bad++] =
		(uint64_t)file << 32 | (line & UINT32_MAX);
}

/* The address of a row, or its box. */
static const char *name_of(const struct intake *intake,
			   char text[NAME_ADDRESS_TEXT])
{
	if (intake->has_address)
		name_address_text(&intake->address, text);
	else
		name_box_text(&intake->box, text);
	return text;
}

void import_refuse_row(struct import *import, size_t number,
		       const struct intake *intake, const char *why)
{
	struct roster_row *row = &import->roster.row[number];
	char text[NAME_ADDRESS_TEXT];

	row->bad = true;
	import_refuse(import, row->file, row->line, name_of(intake, text), why);
}

static bool other_row(struct import *import, size_t file,
		      const struct source_row *row, unsigned long other)
{
	char why[128], text[NAME_ADDRESS_TEXT];

	(void)snprintf(why, sizeof why,
		       "line %lu says something else of the same %s", other,
		       row->intake->has_address ? "address or box" : "box");
	import_refuse(import, file, row->line, name_of(row->intake, text), why);
	return !import->no_memory;
}

static bool take_row(struct import *import, size_t file,
		     const struct source_row *row)
{
	struct roster *roster = &import->roster;
	unsigned long other;

	switch (roster_add(roster, row->intake, &other)) {
	case ROSTER_ADDED:
		roster->row[roster->count - 1].file = (uint32_t)file;
		return true;
	case ROSTER_AGAIN:
		import->again++;
		return true;
	case ROSTER_OTHER:
		return other_row(import, file, row, other);
	case ROSTER_NOMEM:
		break;
	}
	import->no_memory = true;
	return false;
}

static bool take(void *arg, const struct source_row *row)
{
	struct import *import = arg;
	char text[NAME_ADDRESS_TEXT], at[PLACE_TEXT];
	size_t file;

	if (row->header)
		return true;
	if (!names_add(&import->files, row->file, &file)) {
		import->no_memory = true;
		return false;
	}
	if (row->why) {
		import_refuse(import, file, row->line,
			      row->intake->has_address ||
					      row->intake->has_box
				      ? name_of(row->intake, text)
				      : NULL,
			      row->why);
		return !import->no_memory;
	}
	if (row->left) {
		place(import, file, row->line, at);
		say_note("%s: left out: %s", at, row->left);
		import->left++;
		return true;
	}
	return take_row(import, file, row);
}

static int read_all(struct import *import)
{
	int code = source_read(&import->how->source, take, import);

	if (code == CODE_DONE && import->no_memory)
		return say_error(CODE_LATER, "no memory for so many rows: "
					     "nothing was changed");
	return code;
}

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
	return csvfile_put(&import->credentials, name_of(intake, text),
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

static int hash_all(struct import *import)
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

/* What a box shall have: NULL = leave it. A dry run has not made the hashes of
 * what is new or differs, and gives its transaction up. */
static const char *hash_of(const struct import *import,
			   const struct roster_row *row,
			   const struct intake *intake)
{
	switch ((enum roster_secret)row->secret) {
	case ROSTER_AS_IS:
		return intake->hash;
	case ROSTER_READY:
		return row->hash;
	case ROSTER_MAKE:
	case ROSTER_WRAP:
		return "*";
	case ROSTER_SAME:
		return NULL;
	case ROSTER_NONE:
		break;
	}
	if (intake->secret == INTAKE_LOCKED ||
	    (intake->unusable && import->how->locked))
		return row->twin ? NULL : "";
	return NULL;
}

static void print_row(const struct import *import, size_t number,
		      const struct intake *intake,
		      const struct enrolled *enrolled)
{
	static const char *const words[] = {"create", "undelete", "change",
					    "same"};
	const struct roster_row *row = &import->roster.row[number];
	char text[NAME_ADDRESS_TEXT], box[NAME_BOX_TEXT] = "";
	char differs[ENROLL_TEXT], at[PLACE_TEXT];
	const char *word = words[enrolled->verdict];

	if (enrolled->has_box)
		name_box_text(&enrolled->box, box);
	enroll_text(enrolled->verdict == ENROLL_CHANGE ? enrolled->differs : 0,
		    differs);
	name_of(intake, text);
	if (import->site->json) {
		json_print(json_pack(
			"{s:s, s:I, s:s, s:s?, s:s?, s:s?}", "file",
			import->files.name[row->file], "line",
			(json_int_t)row->line, "verdict", word, "address",
			intake->has_address ? text : NULL, "box",
			box[0] ? box : NULL, "differs",
			differs[0] ? differs : NULL));
		return;
	}
	place(import, row->file, row->line, at);
	say_out("%s: %s %s%s%s%s%s%s", at, word, text, box[0] ? " " : "", box,
		differs[0] ? " (" : "", differs, differs[0] ? ")" : "");
}

/* Is this an answer about the row, not about the store? */
static bool is_refusal(enum err err)
{
	return err == ERR_INVALID || err == ERR_EXISTS || err == ERR_INUSE;
}

struct applying {
	struct import *import;
	struct store_txn *txn;
	struct progress progress;
	bool show;  /* each row: a dry run */
	bool stale; /* the store is not as it was when the rows were judged */
	size_t refused; /* by this run */
};

static enum err apply_row(struct applying *a, size_t number,
			  const struct intake *intake)
{
	struct import *import = a->import;
	const struct roster_row *row = &import->roster.row[number];
	struct enrolled enrolled;
	enum err err = enroll_row(a->txn, &import->how->enroll, intake,
				  hash_of(import, row, intake), &enrolled);

	if (is_refusal(err)) {
		a->refused++;
		import_refuse_row(import, number, intake,
				  store_reason(import->site->store));
		return ERR_OK;
	}
	if (err != ERR_OK)
		return err;
	import->verdicts[enrolled.verdict]++;
	if (a->show)
		print_row(import, number, intake, &enrolled);
	return ERR_OK;
}

/* Rows that name their box come first, so that no other gets its number. */
static enum err apply_rows(struct applying *a, bool named)
{
	const struct roster *roster = &a->import->roster;
	struct intake intake;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < roster->count; i++) {
		if (roster->row[i].bad)
			continue;
		roster_get(roster, i, &intake);
		if (intake.has_box != named)
			continue;
		progress_step(&a->progress, 1);
		err = apply_row(a, i, &intake);
	}
	intake_wipe(&intake);
	return err;
}

/* A domain that cannot be made takes its rows with it, each with the reason. */
static enum err apply_domains(struct applying *a)
{
	struct import *import = a->import;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < import->domains; i++) {
		struct import_domain *domain = &import->domain[i];

		if (!domain->fresh || domain->why)
			continue;
		err = enroll_domain(a->txn, &import->how->enroll,
				    domain->fresh);
		if (!is_refusal(err))
			continue;
		domain->why = strdup(store_reason(import->site->store));
		a->refused++;
		err = domain->why ? ERR_OK : ERR_SYSTEM;
	}
	return err;
}

static void refuse_domains(struct import *import)
{
	struct intake intake;
	size_t number;

	for (size_t i = 0; i < import->roster.count; i++) {
		if (import->roster.row[i].bad)
			continue;
		roster_get(&import->roster, i, &intake);
		if (intake.has_address &&
		    names_add(&import->names, intake.address.domain.s,
			      &number) &&
		    number < import->domains && import->domain[number].why)
			import_refuse_row(import, i, &intake,
					  import->domain[number].why);
	}
	intake_wipe(&intake);
}

static enum err add_postmasters(struct applying *a)
{
	const struct import *import = a->import;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < import->domains; i++) {
		const struct import_domain *domain = &import->domain[i];

		if (domain->fresh && !domain->why)
			err = enroll_postmaster(a->txn, &import->how->enroll,
						&domain->fresh->name,
						&domain->handle);
	}
	return err;
}

static enum err look_stale(struct applying *a)
{
	uint64_t last;
	enum err err = store_journal_last(a->txn, &last);

	a->stale = err == ERR_OK && last != a->import->snapshot;
	return err == ERR_OK && a->stale ? ERR_BUSY : err;
}

static enum err apply_all(struct applying *a)
{
	struct import *import = a->import;
	unsigned long steps;
	enum err err = look_stale(a);

	if (err == ERR_OK)
		err = apply_domains(a);
	if (err == ERR_OK && a->refused)
		refuse_domains(import);
	if (err == ERR_OK)
		err = apply_rows(a, true);
	if (err == ERR_OK)
		err = apply_rows(a, false);
	if (err == ERR_OK && !a->refused)
		err = add_postmasters(a);
	if (err == ERR_OK && a->show && import->site->verbose)
		err = rehearse(import->site, a->txn, false, &steps);
	if (err != ERR_OK || import->site->dry_run)
		return err;
	/* With anything refused in this run the next one, without it, counts;
	 * or none. */
	if (a->refused || (import->bad && !import->how->skip_bad))
		return ERR_INVALID;
	import->failed = !import_files_write(import);
	return import->failed ? ERR_INVALID : ERR_OK;
}

static enum err apply_body(struct store_txn *txn, void *arg)
{
	struct applying *a = arg;
	enum err err;

	a->txn = txn;
	a->refused = 0;
	memset(a->import->verdicts, 0, sizeof a->import->verdicts);
	a->progress = progress_start("writing", a->import->roster.count);
	err = apply_all(a);
	progress_end(&a->progress);
	return err;
}

/* About what a row and its entries of the journal take in the store. */
enum { ROW_BYTES = 1600 };

/* Until nothing more is refused. *ret_stale: judge again. */
static int apply(struct import *import, bool *ret_stale, uint64_t *ret_last)
{
	struct site *site = import->site;
	struct applying a = {.import = import, .show = site->dry_run};
	enum err err = ERR_INVALID;

	if (!site->dry_run)
		err = store_reserve(site->store,
				    (uint64_t)import->roster.count *
					    ROW_BYTES);
	if (err != ERR_OK && err != ERR_INVALID)
		return site_failed(site, err, "the import");
	do {
		err = store_write(site->store, &site->actor, apply_body, &a,
				  !site->dry_run, ret_last);
	} while (err == ERR_INVALID && a.refused && import->how->skip_bad);
	*ret_stale = a.stale;
	if (a.stale)
		return CODE_DONE;
	if (import->failed)
		return CODE_LATER;
	if (import->bad && (err == ERR_OK || err == ERR_INVALID) &&
	    !(err == ERR_OK && import->how->skip_bad))
		return CODE_REFUSED;
	return site_failed(site, err, "the import");
}

/* What was computed against a store that has changed since is asked anew. */
static void forget_answers(struct import *import)
{
	for (size_t i = 0; i < import->roster.count; i++) {
		struct roster_row *row = &import->roster.row[i];

		if (row->secret == ROSTER_SAME)
			row->secret = ROSTER_NONE;
	}
}

static int go(struct import *import, uint64_t *ret_last)
{
	bool stale = true;
	int code = CODE_DONE;

	for (int i = 0; code == CODE_DONE && stale && i < TRIES; i++) {
		stale = false;
		if (i)
			forget_answers(import);
		code = import_judge(import);
		if (code == CODE_DONE)
			code = import_preflight(import);
		/* No hash is computed for what will not be. */
		if (code == CODE_DONE && import->bad &&
		    !import->how->skip_bad && !import->site->dry_run)
			return CODE_REFUSED;
		if (code == CODE_DONE)
			code = hash_all(import);
		if (code == CODE_DONE)
			code = apply(import, &stale, ret_last);
	}
	if (code == CODE_DONE && stale)
		code = say_error(CODE_LATER,
				 "others change the store all the time: "
				 "nothing was changed, try again");
	return code;
}

static void note_counts(const struct import *import)
{
	if (import->short_passwords)
		say_note("%lu of the passwords are shorter than the setting "
			 "'password_min' wants of new ones",
			 import->short_passwords);
	if (import->unusable)
		say_note("%lu boxes have no password now, since their hash "
			 "cannot be used ('popbox box list' shows them)",
			 import->unusable);
	if (import->again)
		say_note("%lu rows say the same as one before them",
			 import->again);
}

/* number: of an entry of the change, or 0. */
static void sum_up(const struct import *import, uint64_t number)
{
	const unsigned long *v = import->verdicts;
	char undo[64] = "";

	note_counts(import);
	if (import->site->json) {
		json_print(json_pack(
			"{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "created",
			(json_int_t)v[ENROLL_CREATE], "undeleted",
			(json_int_t)v[ENROLL_BACK], "changed",
			(json_int_t)v[ENROLL_CHANGE], "same",
			(json_int_t)v[ENROLL_SAME], "refused",
			(json_int_t)import->bad, "left_out",
			(json_int_t)import->left, "dry_run",
			(int)import->site->dry_run, "entry",
			number ? json_integer((json_int_t)number)
			       : json_null()));
		return;
	}
	if (number)
		(void)snprintf(undo, sizeof undo,
			       " ('popbox undo %llu' takes it back)",
			       (unsigned long long)number);
	say_note("%s%lu created, %lu brought back, %lu changed, %lu the same, "
		 "%zu refused, %lu left out%s",
		 import->site->dry_run ? "it would be: " : "",
		 v[ENROLL_CREATE], v[ENROLL_BACK], v[ENROLL_CHANGE],
		 v[ENROLL_SAME], import->bad, import->left, undo);
}

/* Passwords of many people lie in this process. */
static void hide(void)
{
	const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0); /* as good as it can be had */
	(void)setrlimit(RLIMIT_CORE, &none);
}

static int finish(struct import *import, uint64_t last)
{
	struct site *site = import->site;
	int code = CODE_DONE;

	if (site->dry_run)
		last = 0;
	sum_up(import, last);
	if (import->how->credentials && !import->credentials.len &&
	    !site->dry_run)
		say_note("no password was generated: '%s' was not made",
			 import->how->credentials);
	if (last && site->no_sync)
		say_note("qmail's files do not say so yet: run 'popbox sync'");
	else if (last)
		code = publish(site, false);
	return code;
}

/* Which old Maildir goes into which box. */
struct moving {
	const struct import *import;
	struct text list;
};

static enum err moving_body(struct store_txn *txn, void *arg)
{
	struct moving *moving = arg;
	const struct roster *roster = &moving->import->roster;
	struct store_address address;
	struct intake intake;
	char box[NAME_BOX_TEXT];
	enum err err = ERR_OK;

	moving->list.len = 0;
	for (size_t i = 0; err == ERR_OK && i < roster->count; i++) {
		roster_get(roster, i, &intake);
		if (roster->row[i].bad || !intake.maildir[0])
			continue;
		address = (struct store_address){.has_box = intake.has_box,
						 .box = intake.box};
		if (intake.has_address)
			err = store_address_get(txn, &intake.address, &address);
		if (err == ERR_NOTFOUND || (err == ERR_OK && !address.has_box)) {
			err = ERR_OK;
			continue;
		}
		name_box_text(&address.box, box);
		if (err == ERR_OK &&
		    !(text_put(&moving->list, box, strlen(box) + 1) &&
		      text_put(&moving->list, intake.maildir,
			       strlen(intake.maildir) + 1)))
			err = ERR_SYSTEM;
	}
	intake_wipe(&intake);
	return err;
}

/* The old mail; all that is secret is given up before. */
static int move_mail(struct import *import)
{
	struct moving moving = {.import = import};
	struct site *site = import->site;
	int code = site_failed(site,
			       store_read(site->store, moving_body, &moving),
			       "the store");

	roster_free(&import->roster);
	store_close(&site->store);
	if (code == CODE_DONE)
		code = mailcopy(site, &moving.list, import->how->mail_base);
	free(moving.list.bytes);
	return code;
}

static void release(struct import *import)
{
	for (size_t i = 0; i < import->domains; i++) {
		free(import->domain[i].fresh);
		free(import->domain[i].why);
	}
	free(import->domain);
	free(import->bad_line);
	names_free(&import->names);
	names_free(&import->files);
	roster_free(&import->roster);
	if (import->credentials.bytes)
		secret_wipe(import->credentials.bytes,
			    import->credentials.room);
	free(import->credentials.bytes);
}

int import(struct site *site, const struct import_how *how)
{
	struct import import = {.site = site,
				.how = how,
				.skip_fd = -1,
				.credentials_fd = -1};
	uint64_t last = 0;
	int code = CODE_DONE;

	hide();
	if (!import_files_open(&import))
		code = CODE_REFUSED;
	if (code == CODE_DONE)
		code = read_all(&import);
	if (code == CODE_DONE)
		code = go(&import, &last);
	import_files_close(&import, code == CODE_DONE && !site->dry_run);
	if (code == CODE_DONE) {
		code = finish(&import, last);
		if (code == CODE_DONE && how->mail && !site->dry_run)
			code = move_mail(&import);
	}
	else if (import.bad && code == CODE_REFUSED)
		say_error(0,
			  "%zu row%s cannot be taken: nothing was changed%s",
			  import.bad, import.bad == 1 ? "" : "s",
			  how->skip_bad ? ""
					: " (mend them, or --skip-bad FILE "
					  "takes the others and writes these "
					  "to FILE)");
	release(&import);
	return code;
}
