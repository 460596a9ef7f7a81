/* SPDX-License-Identifier: MIT */
#include "repassword.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts/password_rules.h"
#include "base/interrupt.h"
#include "base/outfile.h"
#include "base/progress.h"
#include "base/say.h"
#include "many.h"
#include "password.h"
#include "publish/change.h"
#include "publish/publish.h"
#include "transfer/csvfile.h"
#include "transfer/hasher.h"

struct resetting {
	struct many *many;
	size_t len; /* of each password */
	char **hash; /* malloc'ed, of each box */
	size_t next, computed;
	struct text credentials; /* secret */
	bool no_memory;
	uint64_t last; /* entry of the change */
	struct progress progress;
};

static int judge(const struct args *args, size_t *ret_len)
{
	static const char *const others[] = {"--stdin", "--fd", "--file",
					     "--hash-stdin", "--no-password"};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (args_has(args, others[i]))
			return say_error(CODE_USAGE,
					 "%s is for one box: a filter needs "
					 "--generate",
					 others[i]);
	}
	if (!args_has(args, "--generate") || !args_has(args, "--credentials"))
		return say_error(CODE_USAGE,
				 "a filter wants --generate and --credentials "
				 "FILE, where the passwords are written");
	return password_length(args_get(args, "--generate"), ret_len);
}

static bool put_credentials(struct resetting *r, const char *password,
			    size_t number)
{
	const struct many_box *box = &r->many->box[number];
	char name[NAME_BOX_TEXT];

	name_box_text(&box->name, name);
	return csvfile_put(&r->credentials, box->address ? box->address : name,
			   true) &&
	       csvfile_put(&r->credentials, password, false) &&
	       text_put(&r->credentials, "\n", 1);
}

static bool next_job(void *arg, struct hasher_job *job)
{
	struct resetting *r = arg;

	if (r->next == r->many->count)
		return false;
	password_generate(job->password, r->len);
	job->len = r->len;
	job->number = r->next++;
	r->no_memory = !put_credentials(r, job->password, job->number);
	return !r->no_memory;
}

static bool job_done(void *arg, const struct hasher_job *job)
{
	struct resetting *r = arg;

	if (job->answer == PWHASH_OK)
		r->hash[job->number] = strdup(job->made);
	r->computed += r->hash[job->number] != NULL;
	progress_step(&r->progress, 1);
	return r->hash[job->number] != NULL;
}

static int hash_all(const struct site *site, struct resetting *r)
{
	const struct pwhash_cost cost = {site->config.argon2_kib,
					 site->config.argon2_passes};
	static const char header[] = "address,password\n";
	enum hasher_end end;

	if (!pwhash_affordable(cost))
		return password_unmade(&cost, PWHASH_TOODEAR);
	r->hash = calloc(r->many->count, sizeof *r->hash);
	if (!r->hash ||
	    !text_put(&r->credentials, header, sizeof header - 1))
		return say_error(CODE_LATER, "no memory");
	r->progress = progress_start("hashing", r->many->count);
	end = hasher_run(cost, next_job, job_done, r);
	if (end == HASHER_NO_THREAD)
		return say_error(CODE_LATER, "cannot start a thread to hash "
					     "passwords: %s",
				 strerror(errno));
	progress_end(&r->progress);
	return r->computed == r->many->count
		       ? CODE_DONE
		       : password_unmade(&cost, PWHASH_NOMEM);
}

/* Whom the file names gets the password in it, or the change is refused. */
static enum err set_body(struct store_txn *txn, void *arg)
{
	const struct resetting *r = arg;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < r->many->count; i++) {
		const struct name_box *box = &r->many->box[i].name;
		char name[NAME_BOX_TEXT];

		err = store_box_password(txn, box, r->hash ? r->hash[i] : "");
		if (err != ERR_NOTFOUND)
			continue;
		name_box_text(box, name);
		return store_refuse(txn, ERR_INVALID,
				    "'%s' was deleted meanwhile: nothing was "
				    "changed (try again)",
				    name);
	}
	return err;
}

static int commit(struct site *site, struct resetting *r)
{
	enum err err = store_reserve(site->store,
				     (uint64_t)r->many->count * 1600);

	if (err == ERR_OK)
		err = change_commit(site, set_body, r, &r->last,
				    "the new passwords are set");
	if (err == ERR_OK)
		change_made(site, r->last);
	return site_failed(site, err, "the passwords");
}

/* The file is on the disk before the store says so; without the change it goes
 * again. */
static int write_and_set(struct site *site, const struct args *args,
			 struct resetting *r)
{
	const char *path = args_get(args, "--credentials");
	struct outfile file;
	int code = outfile_open(path, &file);

	if (code != CODE_DONE)
		return code;
	code = hash_all(site, r);
	if (code == CODE_DONE)
		code = outfile_write(&file, r->credentials.bytes,
				     r->credentials.len);
	if (code == CODE_DONE)
		code = outfile_keep(&file);
	if (code == CODE_DONE) {
		code = commit(site, r);
		if (code != CODE_DONE)
			(void)unlinkat(file.dir, file.name, 0); /* ours */
	}
	outfile_close(&file);
	return code;
}

static int reset_all(struct site *site, const struct args *args,
		     struct resetting *r)
{
	char count[SAY_COUNT_TEXT];
	bool changed;
	int code;

	if (site->dry_run)
		return change(site, set_body, r, "the passwords", &changed);
	code = write_and_set(site, args, r);
	if (code != CODE_DONE)
		return code;
	r->many->changed = r->many->count;
	if (site->json)
		many_json(site, r->many);
	else
		say_note("passwords set of %s, written to '%s'",
			 say_count(r->many->count, "box", count),
			 args_get(args, "--credentials"));
	return publish_passwords(site, r->last);
}

int repassword(struct site *site, const struct args *args)
{
	struct many many;
	struct resetting r = {.many = &many, .credentials.secret = true};
	int code = judge(args, &r.len);

	if (code != CODE_DONE)
		return code;
	code = many_read(args, &many);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = many_find(site, &many);
	if (code == CODE_DONE && many.count)
		code = many_ask(site, args, &many, "set new passwords of");
	if (code == CODE_DONE && many.count)
		code = reset_all(site, args, &r);
	for (size_t i = 0; r.hash && i < many.count; i++)
		free(r.hash[i]);
	free(r.hash);
	text_wipe(&r.credentials);
	many_free(&many);
	return code;
}
