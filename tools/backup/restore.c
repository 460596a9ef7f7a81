/* SPDX-License-Identifier: MIT */
#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/mail_roots.h"
#include "backup.h"
#include "base/interrupt.h"
#include "base/say.h"
#include "counters.h"
#include "probe.h"
#include "publish/publish.h"
#include "restore_settings.h"
#include "stage.h"
#include "store/secret.h"
#include "store/store_whole.h"

struct restoring {
	struct site *site;
	const struct restore_asker *asker;
	const char *path; /* of the backup */
	struct stage stage;
	int source; /* our copy of the backup, or -1 */
	struct store_build *build;
	struct probed probed;
	bool theirs; /* the settings are the backup's */
	struct backup_findings findings;
};

static int failed_copy(const struct restoring *r)
{
	return say_error(CODE_LATER, "cannot copy '%s' to '%s': %s", r->path,
			 r->stage.path, strerror(errno));
}

/* The next stretch of bytes that are there, from *at on; false: none is. */
static bool next_data(int fd, off_t size, off_t *at, off_t *ret_end)
{
	off_t data = lseek(fd, *at, SEEK_DATA), end;

	if (data < 0 && errno == ENXIO)
		return false; /* a hole up to the end */
	*at = data < 0 ? *at : data;
	end = data < 0 ? size : lseek(fd, *at, SEEK_HOLE);
	*ret_end = end < *at || end > size ? size : end;
	return *at < size && lseek(fd, *at, SEEK_SET) == *at;
}

static int copy_stretch(const struct restoring *r, int from, int to, off_t at,
			off_t end)
{
	static char buffer[1 << 14];

	while (at < end) {
		size_t want = (size_t)(end - at) < sizeof buffer
				      ? (size_t)(end - at)
				      : sizeof buffer;
		ssize_t got = pread(from, buffer, want, at);

		if (got == 0)
			return CODE_DONE; /* it became shorter */
		if (got > 0)
			got = pwrite(to, buffer, (size_t)got, at);
		/* What was cut short goes on, and hears why. */
		if (got < 0 && errno != EINTR)
			return failed_copy(r);
		at += got > 0 ? got : 0;
	}
	return CODE_DONE;
}

/* A copy, since nobody may change it between the look and the use. Its holes
 * cost nothing. */
static int copy_source(struct restoring *r, int fd)
{
	struct stat st;
	off_t at = 0, end;
	int to = -1, code;

	if (fstat(fd, &st) != 0)
		return failed_copy(r);
	code = stage_file(&r->stage, "source", &to);
	if (code != CODE_DONE)
		return code;
	if (ftruncate(to, st.st_size) != 0)
		code = failed_copy(r);
	while (code == CODE_DONE && next_data(fd, st.st_size, &at, &end)) {
		code = copy_stretch(r, fd, to, at, end);
		at = end;
	}
	if (code == CODE_DONE) {
		r->source = openat(r->stage.dir, "source",
				   O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (r->source < 0)
			code = failed_copy(r);
	}
	(void)unlinkat(r->stage.dir, "source", 0); /* stage_end looks again */
	if (close(to) != 0 && code == CODE_DONE)
		code = failed_copy(r);
	return code;
}

static enum err build_row(void *arg, const struct store_raw *raw)
{
	struct restoring *r = arg;
	/* Only now, so that the child that looks was made before. */
	enum err err =
		r->build ? ERR_OK : store_build_start(r->stage.path, &r->build);

	return err == ERR_OK ? store_build_row(r->build, raw) : err;
}

static int build_failed(const struct restoring *r, enum err err)
{
	return say_error(CODE_LATER, "cannot build a store in '%s': %s",
			 r->stage.path,
			 err == ERR_SYSTEM || err == ERR_FULL ? strerror(errno)
							      : err_text(err));
}

static int build(struct restoring *r)
{
	enum err err, end;
	int code = probe(r->source, r->path, PROBE_ROWS, build_row, r,
			 &r->probed, &err);

	if (code == CODE_DONE && err == ERR_OK && !r->build) /* no rows */
		err = store_build_start(r->stage.path, &r->build);
	end = store_build_end(&r->build, code == CODE_DONE && err == ERR_OK);
	if (err != ERR_OK || (code == CODE_DONE && end != ERR_OK))
		return build_failed(r, err != ERR_OK ? err : end);
	return code;
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	unsigned long found;

	return store_check(txn, backup_finding, arg, &found);
}

static enum err purged_body(struct store_txn *txn, void *arg)
{
	(void)arg;
	return store_pending_purged(txn);
}

/* What was built, from end to end. */
static int finish(struct restoring *r)
{
	struct site *site = r->site;
	enum err err = store_open_write(r->stage.path, &site->store);
	int code = CODE_DONE;
	uint64_t last;

	if (err != ERR_OK)
		return build_failed(r, err);
	r->findings.path = r->path;
	/* Later formats have rows of it. */
	if (r->probed.format == 1)
		err = store_write(site->store, &site->actor, purged_body, NULL,
				  true, &last);
	if (err == ERR_OK)
		err = store_read(site->store, check_body, &r->findings);
	if (err != ERR_OK)
		code = build_failed(r, err);
	else if (r->findings.damage)
		code = say_error(CODE_REFUSED,
				 "'%s' is damaged: nothing was changed",
				 r->path);
	store_close(&site->store);
	return code;
}

static int read_settings(struct restoring *r, struct restore_settings *ret)
{
	return restore_settings_read(r->site, r->stage.place, r->path,
				     r->probed.settings, r->probed.settings_len,
				     ret);
}

/* The settings as they are now: the helper works with those it was started
 * with. */
static int settle_settings(struct restoring *r)
{
	const struct config before = r->site->config;
	struct restore_settings settings;
	int code = read_settings(r, &settings);

	if (code == CODE_DONE &&
	    (settings.theirs != r->theirs ||
	     !restore_settings_same(&before, &r->site->config)))
		code = say_error(CODE_LATER,
				 "the settings in '%s' were changed "
				 "meanwhile: nothing was changed (try again)",
				 r->stage.place);
	if (code == CODE_DONE)
		code = restore_settings_write(&settings, r->stage.dir,
					      r->stage.path);
	restore_settings_free(&settings);
	return code;
}

/* The numbers that the store which is there has given by now. */
static int settle_counters(struct restoring *r)
{
	struct site *site = r->site;
	struct counters counters;
	enum err err;
	int code = counters_read(r->stage.place, &counters);

	if (code != CODE_DONE)
		return code;
	err = store_open_write(r->stage.path, &site->store);
	code = err == ERR_OK ? counters_pass(site, &counters)
			     : build_failed(r, err);
	store_close(&site->store);
	counters_free(&counters);
	return code;
}

/* What could still change while the new store was built: from here on nobody
 * writes to the old one. */
static int settle(struct restoring *r)
{
	int code = stage_hold(&r->stage);

	if (code == CODE_DONE)
		code = settle_settings(r);
	if (code == CODE_DONE && r->stage.there)
		code = settle_counters(r);
	return code;
}

/* The store is the truth from here on; what fails now is qmail's files. */
static int publish_it(struct site *site)
{
	enum err err;

	if (site->no_sync) {
		say_note("qmail's files do not say so yet: run 'popbox sync "
			 "--full'");
		return CODE_DONE;
	}
	err = store_open_write(site->dir, &site->store);
	if (err != ERR_OK)
		return say_error(CODE_LATER,
				 "the store is restored, but qmail's files "
				 "are not written: run 'popbox sync --full'");
	return publish(site, true);
}

static void tell(const struct restoring *r)
{
	/* The tables' numbers are those of store_size. */
	const uint64_t *rows = r->probed.rows;
	const struct say_part part[] = {{rows[1], "handle"},
					{rows[2], "domain"},
					{rows[3], "box"},
					{rows[4], "address"}};
	char all[SAY_COUNTS_TEXT], count[SAY_COUNT_TEXT];

	say_note("'%s': %s; the journal has %s", r->path,
		 say_counts(part, sizeof part / sizeof *part, all),
		 say_count(rows[6], "entry", count));
}

/* The helper is started before the first hash is seen; but which user it is,
 * the backup may have to tell. */
static int prepare(struct restoring *r)
{
	struct restore_settings settings;
	enum err err;
	int code = probe(r->source, r->path, PROBE_SETTINGS, NULL, NULL,
			 &r->probed, &err);

	if (code != CODE_DONE)
		return code;
	code = read_settings(r, &settings);
	r->theirs = settings.theirs;
	if (code == CODE_DONE)
		code = restore_settings_confirm(r->site, r->asker, r->path,
						&settings);
	restore_settings_free(&settings);
	if (code != CODE_DONE)
		return code;
	r->site->asuser = asuser_start(&r->site->config);
	return r->site->asuser ? CODE_DONE : CODE_LATER;
}

static int make(struct restoring *r)
{
	int code = prepare(r);

	if (code == CODE_DONE)
		code = build(r);
	if (code == CODE_DONE && !r->stage.there)
		code = mail_roots_make(&r->site->config);
	if (code == CODE_DONE)
		code = finish(r);
	if (code == CODE_DONE)
		code = settle(r);
	if (code != CODE_DONE)
		return code;
	interrupt_hold();
	code = stage_put(&r->stage);
	if (code == CODE_DONE)
		interrupt_says("the store is restored, but qmail's files are "
			       "not written: run 'popbox sync --full'");
	interrupt_release();
	if (code != CODE_DONE)
		return code;
	tell(r);
	if (r->stage.there)
		say_note("the previous store is kept in '%s', with all changes "
			 "made after the backup",
			 r->stage.kept);
	return publish_it(r->site);
}

/* Looks, and says what it found. */
static int rehearse_it(struct restoring *r)
{
	struct restore_settings settings;
	enum err err;
	int code = probe(r->source, r->path, PROBE_CHECK, NULL, NULL,
			 &r->probed, &err);

	if (code != CODE_DONE)
		return code;
	tell(r);
	code = read_settings(r, &settings);
	if (code == CODE_DONE)
		code = restore_settings_confirm(r->site, r->asker, r->path,
						&settings);
	restore_settings_free(&settings);
	if (code == CODE_DONE)
		say_out("store: '%s' would be restored%s", r->site->dir,
			r->stage.there ? ", and what is there kept beside it"
				       : "");
	return code;
}

static int ask_to_replace(const struct restoring *r)
{
	char what[RESTORE_ASK_TEXT];

	(void)snprintf(what, sizeof what,
		       "put '%s' in the place of the store in '%s'", r->path,
		       r->site->dir); /* cut is enough */
	return r->asker->ask(r->asker, r->site, RESTORE_REPLACE, what);
}

static int run(struct restoring *r, int fd)
{
	int code = stage_look(r->site->dir, &r->stage);

	if (code == CODE_DONE && r->stage.there)
		code = ask_to_replace(r);
	if (code == CODE_DONE && secret_start() != ERR_OK)
		code = say_error(CODE_LATER, "cannot get random numbers: %s",
				 strerror(errno));
	if (code != CODE_DONE)
		return code;
	interrupt_start();
	code = stage_start(&r->stage);
	if (code == CODE_DONE)
		code = copy_source(r, fd);
	if (code == CODE_DONE)
		code = r->site->dry_run ? rehearse_it(r) : make(r);
	stage_end(&r->stage);
	return code;
}

int restore_store(struct site *site, const struct restore_asker *asker, int fd,
		  const char *path)
{
	struct restoring *r = calloc(1, sizeof *r);
	int code;

	if (!r)
		return say_error(CODE_LATER, "no memory");
	r->site = site;
	r->asker = asker;
	r->path = path;
	r->source = -1;
	code = run(r, fd);
	if (r->source >= 0)
		(void)close(r->source); /* read only */
	free(r);
	return code;
}
