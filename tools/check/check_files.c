/* SPDX-License-Identifier: MIT */
#include "check_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/say.h"
#include "publish/dialup.h"
#include "publish/dovecot_files.h"
#include "publish/mapfiles.h"
#include "publish/plan.h"
#include "publish/steps.h"
#include "qmail/control.h"
#include "qmail/dotqmail.h"
#include "qmail/notify.h"

struct audit {
	struct site *site;
	bool fix;
	check_files_report *report;
	void *arg;
	struct plan plan;
	uint64_t owed;
	uint64_t expired; /* addresses that are on yet */
	uint64_t quotas;  /* boxes that have one */
	uint64_t replies; /* the same of vacation replies */
	struct mailroot_report below;
	int code; /* what could not be looked at makes it CODE_LATER */
};

__attribute__((format(printf, 4, 5))) static void tell(const struct audit *a,
						       const char *check,
						       bool mends,
						       const char *format, ...)
{
	char text[PATH_MAX + 256], clean[PATH_MAX + 256];
	const struct finding finding = {check, clean, mends};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut is enough */
	va_end(args);
	say_clean(text, clean, sizeof clean);
	a->report(a->arg, &finding);
}

static void on_found(void *arg, const char *check, bool mends, const char *what)
{
	tell(arg, check, mends, "%s", what);
}

/* What popusr's helper found: three texts each. */
static int take(struct audit *a, int rc)
{
	const struct mailroot_report *below = &a->below;

	if (rc != 0)
		return say_error(CODE_LATER, "cannot read the mail root: %s",
				 strerror(rc));
	for (size_t at = 0; at < below->len;) {
		const char *check = below->text + at;
		const char *mends = check + strlen(check) + 1;
		const char *what = mends + strlen(mends) + 1;

		tell(a, check, mends[0] != 0, "%s", what);
		at = (size_t)(what - below->text) + strlen(what) + 1;
	}
	return CODE_DONE;
}

static int audit_dialup(struct audit *a, const struct plan_item *item)
{
	struct mailroot_dialup files;

	if (!dialup_files(&a->site->config, item->domain, item->delivery,
			  &files))
		return say_error(CODE_LATER, "no memory");
	return take(a,
		    asuser_audit_dialup(a->site->asuser, &item->address.domain,
					&files, a->fix, &a->below));
}

/* What is to be overwritten and may be somebody's list stays beside it. False: it
 * does not, and nothing must be overwritten. */
static bool keep_copy(struct audit *a, const struct plan_item *item)
{
	struct asuser *asuser = a->site->asuser;
	char text[MAILROOT_QMAIL_MAX], path[PATH_MAX], kept[PATH_MAX];
	size_t len = 0;
	int rc = asuser_peek(asuser, &item->handle, &item->address, text, &len,
			     path);

	if ((rc != 0 && rc != EFBIG) ||
	    (rc == 0 && len == item->len && memcmp(text, item->text, len) == 0))
		return true; /* it is not there, or no file */
	rc = asuser_adopt(asuser, &item->handle, &item->address, kept);
	if (rc == 0)
		say_note("'%s' said something else than the store: a copy is "
			 "kept as '%s'",
			 path, kept);
	else
		say_error(0,
			  "cannot keep a copy of '%s': %s: it was not "
			  "overwritten",
			  path, strerror(rc));
	return rc == 0;
}

static int audit_file(struct audit *a, const struct plan_item *item)
{
	int code =
		take(a, asuser_audit_qmail(a->site->asuser, &item->handle,
					   &item->address, item->text,
					   item->len, item->mode, &a->below));

	if (code == CODE_DONE && a->fix && a->below.len && !keep_copy(a, item))
		code = CODE_NO;
	return code;
}

static int audit_box(struct audit *a, const struct plan_item *item)
{
	const struct maildirsize limit = dotqmail_limit(&item->quota);
	char text[MAILDIRSIZE_LINE];

	maildirsize_limit_text(&limit, text);
	a->quotas += text[0] != 0;
	a->replies += item->len != 0;
	return take(a, asuser_audit_box(a->site->asuser, &item->box, text,
					item->text, item->len, a->fix,
					&a->below));
}

static int audit_item(struct audit *a, const struct plan_item *item)
{
	struct asuser *asuser = a->site->asuser;

	switch (item->table) {
	case STORE_BOXES:
		return audit_box(a, item);
	case STORE_DOMAINS:
		/* Of one that is parked the directory is there yet. */
		if (item->domain->kind == STORE_POP)
			return take(a,
				    asuser_audit_domain(asuser, &item->handle,
							&item->address.domain,
							a->fix, &a->below));
		return item->domain->kind == STORE_DIALUP &&
				       item->act == PLAN_MAKE
			       ? audit_dialup(a, item)
			       : CODE_DONE;
	case STORE_ADDRESSES:
		return audit_file(a, item);
	case STORE_HANDLES:
		break;
	}
	return CODE_DONE;
}

static int audit_items(struct audit *a)
{
	struct progress progress = progress_start("checking", a->plan.count);
	int code = CODE_DONE;

	for (size_t i = 0; code == CODE_DONE && i < a->plan.count; i++) {
		progress_step(&progress, 1);
		code = audit_item(a, &a->plan.item[i]);
	}
	progress_end(&progress);
	return code;
}

struct asking {
	struct name_box box;
	bool there;
};

static enum err box_body(struct store_txn *txn, void *arg)
{
	struct asking *asking = arg;
	struct store_parked parked;
	struct store_box box;
	enum err err = store_box_get(txn, &asking->box, &box);

	if (err == ERR_NOTFOUND)
		err = store_parked_box_get(txn, &asking->box, &box, &parked);
	asking->there = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* A directory below POP that is no box's. */
static void judge_box(struct audit *a, const char *path, const char *name)
{
	struct asking asking = {.there = false};

	if (!name_box_read(name, strlen(name), &asking.box) &&
	    (store_read(a->site->store, box_body, &asking) != ERR_OK ||
	     asking.there))
		return;
	tell(a, "stray-box", false, "%s/%s is no box's", path, name);
}

typedef void judge_name(struct audit *a, const char *path, const char *name);

/* Calls judge for each name in a directory; one that is not there has none. */
static void each_name(struct audit *a, const char *path, judge_name *judge)
{
	char *text = malloc(MAILROOT_QMAIL_MAX);
	size_t len = 1, skip = 0;
	int rc = text ? 0 : ENOMEM;

	while (rc == 0 && len) {
		rc = asuser_names(a->site->asuser, path, skip, text, &len);
		for (size_t at = 0; rc == 0 && at < len;
		     at += strnlen(text + at, len - at) + 1) {
			judge(a, path, text + at);
			skip++;
		}
	}
	free(text);
	if (rc == EACCES)
		tell(a, "unreadable", false, "%s cannot be looked at: %s", path,
		     strerror(rc));
	else if (rc != 0 && rc != ENOENT && rc != ENOTDIR)
		a->code = say_error(CODE_LATER, "cannot access '%s': %s", path,
				    strerror(rc));
}

/* path is HOME/e/ex1/DOMAINS. */
static void judge_domain(struct audit *a, const char *path, const char *name)
{
	const char *end = strrchr(path, '/'), *start = end;
	struct name_handle handle;
	struct name_domain domain;

	while (start > path && start[-1] != '/')
		start--;
	if (!name_handle_read(start, (size_t)(end - start), &handle) &&
	    !name_domain_read(name, strlen(name), &domain) &&
	    plan_has_domain(&a->plan, &handle, &domain, STORE_POP))
		return;
	tell(a, "stray-domain", false, "%s/%s is no domain's", path, name);
}

struct asking_dialup {
	struct name_domain domain;
	bool there;
};

static enum err dialup_body(struct store_txn *txn, void *arg)
{
	struct asking_dialup *asking = arg;
	struct store_parked parked;
	struct store_domain domain;
	enum err err = store_domain_get(txn, &asking->domain, &domain);

	if (err == ERR_OK && domain.kind != STORE_DIALUP)
		err = ERR_NOTFOUND;
	if (err == ERR_NOTFOUND)
		err = store_parked_domain_get(txn, &asking->domain,
					      STORE_DIALUP, &domain, &parked);
	asking->there = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void judge_dialup(struct audit *a, const char *path, const char *name)
{
	struct asking_dialup asking = {.there = false};

	if (strcmp(name, "lost+found") == 0)
		return; /* the file system's own */
	if (!name_domain_read(name, strlen(name), &asking.domain) &&
	    (store_read(a->site->store, dialup_body, &asking) != ERR_OK ||
	     asking.there))
		return;
	tell(a, "stray-dialup", false, "%s/%s is no dial-up domain's", path,
	     name);
}

static void judge_handle(struct audit *a, const char *path, const char *name)
{
	struct name_handle handle;
	char below[PATH_MAX];

	if (name_handle_read(name, strlen(name), &handle))
		return; /* lost+found, or something else of root's */
	if (snprintf(below, sizeof below, "%s/%s/POP", path, name) <
	    (int)sizeof below)
		each_name(a, below, judge_box);
	if (snprintf(below, sizeof below, "%s/%s/DOMAINS", path, name) <
	    (int)sizeof below)
		each_name(a, below, judge_domain);
}

static void judge_letter(struct audit *a, const char *path, const char *name)
{
	char below[PATH_MAX];

	if (name[0] < 'a' || name[0] > 'z' || name[1])
		return; /* likewise */
	if (snprintf(below, sizeof below, "%s/%s", path, name) <
	    (int)sizeof below)
		each_name(a, below, judge_handle);
}

static bool can_run(struct audit *a, const char *path)
{
	char *text = malloc(MAILROOT_QMAIL_MAX);
	struct mailroot_look look = {.may = 0};
	size_t len;
	int rc = text ? asuser_look(a->site->asuser, path, &look, text, &len) : 0;
	const bool can = !text || (rc == 0 && S_ISREG(look.mode) &&
				   look.may & X_OK);

	free(text);
	return can;
}

/* Without popbox-quota qmail-local defers all mail for boxes with a quota. */
static void audit_programs(struct audit *a)
{
	const struct config *config = &a->site->config;

	if (a->quotas && !can_run(a, config->quota_path))
		tell(a, "quota-program", false,
		     "popusr cannot run %s: mail for boxes with a quota waits "
		     "(install it, or set 'quota_program')",
		     config->quota_path);
	if (a->replies && !can_run(a, config->vacation_path))
		tell(a, "vacation-program", false,
		     "popusr cannot run %s: mail for those who are away is not "
		     "answered (install it, or set 'vacation_program')",
		     config->vacation_path);
}

static int audit_below(struct audit *a)
{
	const struct config *config = &a->site->config;
	const char *roots[] = {config->home, config->serialmail};
	int code = CODE_DONE;

	for (size_t i = 0; code == CODE_DONE && i < 2; i++)
		code = take(a, asuser_audit_root(a->site->asuser, roots[i],
						 a->fix, &a->below));
	if (code == CODE_DONE)
		code = audit_items(a);
	if (code == CODE_DONE)
		audit_programs(a);
	if (code == CODE_DONE)
		each_name(a, config->home, judge_letter);
	if (code == CODE_DONE)
		each_name(a, config->serialmail, judge_dialup);
	return code;
}

/* What a killed run left beside a file. */
static void audit_temporary(struct audit *a, const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >=
		    (int)sizeof path ||
	    access(path, F_OK) != 0)
		return;
	tell(a, "temporary", true, "%s was left by a killed run", path);
	if (a->fix && unlink(path) != 0)
		say_error(0, "cannot remove '%s': %s", path, strerror(errno));
}

static void audit_send(struct audit *a)
{
	switch (notify_state(&a->site->config)) {
	case NOTIFY_RUNS:
		return;
	case NOTIFY_STOPPED:
		tell(a, "qmail-send", false,
		     "qmail-send is not running: no mail is delivered");
		return;
	case NOTIFY_HIDDEN:
		if (a->site->config.qmail_hup[0])
			return;
		tell(a, "qmail-send", false,
		     "qmail-send is running, but its process was not found: "
		     "it cannot be told of changes (set 'qmail_hup', or "
		     "restart it)");
		return;
	case NOTIFY_UNKNOWN:
		break;
	}
	tell(a, "qmail-send", false,
	     "cannot find out whether qmail-send is running (run popbox as "
	     "root, with /proc mounted)");
}

/* A number of deliveries at a time that is 0: nothing is delivered. */
static void audit_concurrency(struct audit *a, const char *name)
{
	char path[PATH_MAX], text[32] = "";
	size_t digits;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", a->site->config.qmail, name);
	file = fopen(path, "re");
	if (!file)
		return; /* qmail-send takes its own number */
	if (fgets(text, sizeof text, file)) {
		digits = strspn(text, "0123456789");
		if (digits && strspn(text, "0") == digits)
			tell(a, "concurrency", false,
			     "%s is 0: qmail-send starts no delivery (remove "
			     "it, then restart qmail-send)",
			     name);
	}
	(void)fclose(file); /* read only */
}

static void audit_me(struct audit *a)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/control/me",
		       a->site->config.qmail);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		tell(a, "me", false,
		     "control/me is missing: qmail's programs go no further "
		     "(put the name of this host into it)");
}

static void audit_qmail(struct audit *a)
{
	static const char *const names[] = {
		"control/rcpthosts.popbox-tmp",
		"control/morercpthosts.popbox-tmp",
		"control/virtualdomains.popbox-tmp",
		"control/smtproutes.popbox-tmp",
		"control/locals.popbox-tmp",
		"users/assign.popbox-tmp",
		"users/cdb.tmp",
	};
	const struct config *config = &a->site->config;

	steps_audit(a->site, &a->plan, control_audit, on_found, a);
	control_audit_cdb(config, on_found, a);
	audit_me(a);
	audit_concurrency(a, "control/concurrencylocal");
	audit_concurrency(a, "control/concurrencyremote");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		audit_temporary(a, config->qmail, names[i]);
	audit_send(a);
}

/* One file of the store's directory: root's alone. */
static void audit_store_file(struct audit *a, const char *name,
			     mode_t forbidden)
{
	char path[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s%s%s", a->site->dir,
		       name[0] ? "/" : "", name);
	if (lstat(path, &st) != 0)
		return; /* made when it is needed */
	if (st.st_uid != 0 && st.st_uid != geteuid())
		tell(a, "store-owner", false,
		     "%s belongs to uid %u, not to "
		     "root (chown it)",
		     path, st.st_uid);
	if (!(st.st_mode & forbidden))
		return;
	tell(a, "store-mode", true,
	     "%s has mode %04o: others may look at or "
	     "write to the store",
	     path, st.st_mode & 07777);
	if (a->fix && chmod(path, st.st_mode & 07777 & ~forbidden) != 0)
		say_error(0, "cannot chmod '%s': %s", path, strerror(errno));
}

static void audit_store(struct audit *a)
{
	char count[SAY_COUNT_TEXT];

	audit_store_file(a, "", 077);
	audit_store_file(a, "data.mdb", 077);
	audit_store_file(a, "lock.mdb", 077);
	audit_store_file(a, "config", 022);
	audit_temporary(a, a->site->dir, "config.popbox-tmp");
	if (a->expired)
		tell(a, "expired", false,
		     "%llu of the addresses have expired and are on yet "
		     "('popbox sync' suspends them)",
		     (unsigned long long)a->expired);
	if (a->owed)
		tell(a, "owed", true, "not published: %s of the journal",
		     say_count(a->owed, "entry", count));
}

static enum err count_expired(void *arg, const struct store_address *address)
{
	struct audit *a = arg;

	(void)address;
	a->expired++;
	return ERR_OK;
}

static enum err plan_body(struct store_txn *txn, void *arg)
{
	struct audit *a = arg;
	struct plan owed = {0};
	uint64_t mark, last;
	enum err err;

	plan_free(&a->plan); /* a body may be run again */
	err = plan_make(txn, &a->site->config, PLAN_PENDING, &owed);
	if (err == ERR_OK)
		err = plan_make(txn, &a->site->config, PLAN_ALL, &a->plan);
	if (err == ERR_OK)
		err = store_published(txn, &mark);
	if (err == ERR_OK)
		err = store_journal_last(txn, &last);
	a->expired = 0;
	if (err == ERR_OK)
		err = store_expiring(txn, time(NULL), count_expired, a);
	/* Of a password no file says anything. */
	if (err == ERR_OK)
		a->owed = owed.count ? last - mark : 0;
	plan_free(&owed);
	return err;
}

int check_files(struct site *site, bool fix, check_files_report *report,
		void *arg)
{
	struct audit *a = calloc(1, sizeof *a);
	int code;

	if (!a)
		return say_error(CODE_LATER, "no memory");
	a->site = site;
	a->fix = fix;
	a->report = report;
	a->arg = arg;
	code = site_failed(site, store_read(site->store, plan_body, a),
			   "check");
	if (code == CODE_DONE)
		audit_store(a);
	if (code == CODE_DONE)
		code = audit_below(a);
	if (code == CODE_DONE)
		dovecot_files_audit(site, &a->plan, on_found, a);
	if (code == CODE_DONE)
		mapfiles_audit(site, &a->plan, on_found, a);
	if (code == CODE_DONE && config_has_qmail(&site->config))
		audit_qmail(a);
	if (code == CODE_DONE)
		code = a->code;
	plan_free(&a->plan);
	free(a);
	return code;
}
