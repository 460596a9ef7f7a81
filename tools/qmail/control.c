/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/resource_error.h"
#include "base/say.h"

static const struct {
	const char *dir;
	const char *name;
	const char *temporary;
	/* What its absence means to qmail, where that forbids making it. */
	const char *missing;
} files[] = {
	[LINES_RCPTHOSTS] = {"control", "rcpthosts", "rcpthosts.popbox-tmp",
			      "without it qmail-smtpd takes mail for every "
			      "domain; make it, at least empty, before popbox "
			      "adds to it"},
	[LINES_MORE] = {"control", "morercpthosts", "morercpthosts.popbox-tmp",
			NULL},
	[LINES_VIRTUALDOMAINS] = {"control", "virtualdomains",
				  "virtualdomains.popbox-tmp", NULL},
	[LINES_SMTPROUTES] = {"control", "smtproutes",
			      "smtproutes.popbox-tmp", NULL},
	[LINES_ASSIGN] = {"users", "assign", "assign.popbox-tmp", NULL},
	[LINES_LOCALS] = {"control", "locals", "locals.popbox-tmp", NULL},
};

static int open_dir(const struct config *config, enum lines_file file)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", config->qmail,
		       files[file].dir);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Returns the exit code: whether it can be read is another matter than what it
 * is. */
static int fault(const struct config *config, enum lines_file file,
		 const char *doing, int rc)
{
	const char *why = rc == EINVAL ? "it is not a regular file"
				       : strerror(rc);

	return say_error(resource_error(rc) || rc == EIO ? CODE_LATER
							 : CODE_REFUSED,
			 "cannot %s '%s/%s/%s': %s%s", doing, config->qmail,
			 files[file].dir, files[file].name, why,
			 rc == ENOENT ? " (is qmail there? the setting 'qmail' "
					"says where)"
				      : "");
}

/* qmail-send(8) takes the first line of control/me for a missing control/locals.
 * 0 or an errno. */
static int load_me(int dir, struct replace_text *ret_text)
{
	struct replace_text me = {0};
	int rc = replace_read(dir, "me", &me);
	const char *end = rc == 0 && me.len ? memchr(me.bytes, '\n', me.len)
					    : NULL;

	if (rc == 0 && end)
		me.len = (size_t)(end - me.bytes) + 1;
	if (rc == 0)
		me.bytes[me.len] = 0; /* there is room for one more */
	if (rc == ENOENT) {
		me.bytes = calloc(1, 1);
		rc = me.bytes ? 0 : ENOMEM;
	}
	me.mode = 0644;
	me.uid = (uid_t)-1;
	me.gid = (gid_t)-1;
	*ret_text = me;
	return rc;
}

int control_load_locals(int dir, bool *ret_missing,
			struct replace_text *ret_text)
{
	int rc = replace_read(dir, "locals", ret_text);

	*ret_missing = rc == ENOENT;
	return rc == ENOENT ? load_me(dir, ret_text) : rc;
}

/* Would qmail-newu take the file? */
static bool judge_assign(const struct config *config,
			 const struct replace_text *text)
{
	unsigned long number = 0;
	const char *fault =
		render_assign_fault(text->bytes, text->len, &number);

	if (fault)
		return say_error(0,
				 "'%s/users/assign' line %lu %s: qmail-newu "
				 "rejects the file (remove or correct that "
				 "line)",
				 config->qmail, number, fault);
	return render_assign_ends(text->bytes, text->len) ||
	       say_error(0,
			 "'%s/users/assign' has no line that begins with '.', "
			 "which must end it (append one)",
			 config->qmail);
}

/* The file as it is; an absent one that may be made is empty, root's, 0644.
 * Returns the exit code. */
static int load(const struct config *config, enum lines_file file, int dir,
		struct replace_text *ret_text)
{
	bool missing;
	int rc = dir < 0 ? errno
		 : file == LINES_LOCALS
			 ? control_load_locals(dir, &missing, ret_text)
			 : replace_read(dir, files[file].name, ret_text);

	if (rc == ENOENT && dir >= 0 && !files[file].missing) {
		*ret_text = (struct replace_text){
			.bytes = calloc(1, 1), .mode = 0644,
			.uid = (uid_t)-1, .gid = (gid_t)-1};
		rc = ret_text->bytes ? 0 : ENOMEM;
	}
	if (rc == ENOENT && dir >= 0)
		return say_error(CODE_REFUSED, "'%s/%s/%s' is missing: %s",
				 config->qmail, files[file].dir,
				 files[file].name, files[file].missing);
	if (rc != 0)
		return fault(config, file, "read", rc);
	if (file != LINES_ASSIGN || judge_assign(config, ret_text))
		return CODE_DONE;
	replace_free(ret_text);
	return CODE_REFUSED;
}

struct judging {
	const struct config *config;
	enum lines_file file;
	bool good;
};

static void on_conflict(void *arg, unsigned long number, const char *line,
			size_t len, const char *wanted)
{
	struct judging *judging = arg;
	char text[200], clean[200];

	(void)snprintf(text, sizeof text, "%.*s", (int)(len < 190 ? len : 190),
		       line);
	say_clean(text, clean, sizeof clean);
	if (judging->file == LINES_LOCALS &&
	    !control_exists(judging->config, LINES_LOCALS)) {
		judging->good = say_error(
			0,
			"'%s/control/locals' is missing, and '%s/control/me', "
			"which stands in for it, says '%s': qmail would keep "
			"delivering that domain locally (--fix-locals makes a "
			"control/locals without it)",
			judging->config->qmail, judging->config->qmail, clean);
		return;
	}
	judging->good = say_error(
		0, "'%s/%s/%s' line %lu says '%s' where popbox would %s%s%s (%s)",
		judging->config->qmail, files[judging->file].dir,
		files[judging->file].name, number, clean,
		wanted ? "write '" : "write nothing", wanted ? wanted : "",
		wanted ? "'" : "",
		judging->file == LINES_LOCALS
			? "qmail would keep delivering it locally; "
			  "--fix-locals removes that line"
			: "remove or correct that line");
}

int control_judge(const struct config *config, enum lines_file file,
		  struct lines *lines)
{
	struct judging judging = {config, file, true};
	int dir = open_dir(config, file);
	struct replace_text text;
	char *out = NULL;
	size_t len;
	int code = load(config, file, dir, &text);

	if (code == CODE_DONE) {
		if (!render_file(file, text.bytes, text.len, lines, on_conflict,
				 &judging, &out, &len))
			code = say_error(CODE_LATER, "no memory");
		replace_free(&text);
		free(out);
	}
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return judging.good ? code : CODE_REFUSED;
}

/* *ret_out is what the file shall say, malloc'ed. */
static bool compute(const struct config *config, enum lines_file file, int dir,
		    struct lines *lines, struct replace_text *ret_text,
		    char **ret_out, size_t *ret_len)
{
	if (load(config, file, dir, ret_text) != CODE_DONE)
		return false;
	if (render_file(file, ret_text->bytes, ret_text->len, lines, NULL, NULL,
			ret_out, ret_len))
		return true;
	replace_free(ret_text);
	return say_error(0, "no memory");
}

bool control_write(const struct config *config, enum lines_file file,
		   struct lines *lines)
{
	int dir = open_dir(config, file);
	struct replace_text text;
	bool good = false;
	char *out = NULL;
	size_t len;
	int rc = 0;

	if (!compute(config, file, dir, lines, &text, &out, &len))
		goto out;
	if (len != text.len || memcmp(out, text.bytes, len) != 0)
		rc = replace_file(dir, files[file].name, files[file].temporary,
				  &text, out, len);
	else if (fsync(dir) != 0) /* of a run that was killed before this */
		rc = errno;
	good = rc == 0;
	if (!good)
		(void)fault(config, file, "write", rc); /* the caller has a code */
	free(out);
	replace_free(&text);
out:
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return good;
}

/* Lines of a that b has not, in the order of a, as `FILE: SIGN LINE`. Both
 * are walked side by side: the rendering keeps the order of what it keeps. */
static void show_difference(const char *path, const char *was, const char *is)
{
	while (*is || *was) {
		size_t a = strcspn(was, "\n"), b = strcspn(is, "\n");

		if (*was && *is && a == b && memcmp(was, is, a) == 0) {
			was += a + (was[a] != 0);
			is += b + (is[b] != 0);
			continue;
		}
		/* A line of ours in the place of another, or a new one. */
		if (*was && !memmem(is, strlen(is), was, a)) {
			say_out("%s: - %.*s", path, (int)a, was);
			was += a + (was[a] != 0);
		} else {
			say_out("%s: + %.*s", path, (int)b, is);
			is += b + (is[b] != 0);
		}
	}
}

bool control_show(const struct config *config, enum lines_file file,
		  struct lines *lines)
{
	int dir = open_dir(config, file);
	struct replace_text text;
	char path[PATH_MAX];
	char *out = NULL;
	size_t len;
	bool good = compute(config, file, dir, lines, &text, &out, &len);

	if (good) {
		(void)snprintf(path, sizeof path, "%s/%s/%s", config->qmail,
			       files[file].dir, files[file].name);
		show_difference(path, text.bytes, out);
		free(out);
		replace_free(&text);
	}
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return good;
}

bool control_exists(const struct config *config, enum lines_file file)
{
	int dir = open_dir(config, file);
	bool there = (dir >= 0 &&
		      faccessat(dir, files[file].name, F_OK, 0) == 0) ||
		     errno != ENOENT;

	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return there;
}

/* The lines that go into one of the two files. */
static bool pick(const struct lines *lines, const bool *more, bool which,
		 struct lines *ret_lines)
{
	ret_lines->line = calloc(lines->count + 1, sizeof *lines->line);
	for (size_t i = 0; ret_lines->line && i < lines->count; i++) {
		if (more[i] == which)
			ret_lines->line[ret_lines->count++] = lines->line[i];
	}
	return ret_lines->line != NULL;
}

/* Lends its lines to ret_first and ret_more, which are freed by give_back. */
static bool split(const struct config *config, struct lines *lines, bool anew,
		  struct lines *ret_first, struct lines *ret_more)
{
	int dir = open_dir(config, LINES_RCPTHOSTS);
	struct replace_text first = {0}, rest = {0};
	bool *more = calloc(lines->count + 1, sizeof *more);
	bool good = load(config, LINES_RCPTHOSTS, dir, &first) == CODE_DONE &&
		    load(config, LINES_MORE, dir, &rest) == CODE_DONE;

	if (good && !(more && render_split(first.bytes, first.len, rest.bytes,
					   rest.len, lines,
					   config->rcpthosts_max, anew,
					   more) &&
		      pick(lines, more, false, ret_first) &&
		      pick(lines, more, true, ret_more)))
		good = say_error(0, "no memory");
	replace_free(&first);
	replace_free(&rest);
	free(more);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return good;
}

static void give_back(struct lines *lent)
{
	free(lent->line);
	free(lent->by_key);
}

static bool accept_with(control_how *how, const struct config *config,
			struct lines *lines, bool anew, bool *ret_more)
{
	struct lines first = {0}, more = {0};
	bool good = split(config, lines, anew, &first, &more);

	*ret_more = more.count > 0;
	if (good && first.count)
		good = how(config, LINES_RCPTHOSTS, &first);
	if (good && more.count)
		good = how(config, LINES_MORE, &more);
	give_back(&first);
	give_back(&more);
	return good;
}

/* The same lines, to be gone. */
static void unwant(struct lines *lent)
{
	for (size_t i = 0; i < lent->count; i++)
		lent->line[i].line = NULL;
}

bool control_accept_once(control_how *how, const struct config *config,
			 struct lines *lines, bool *ret_more)
{
	struct lines first = {0}, more = {0};
	bool good;

	*ret_more = false;
	if (!control_exists(config, LINES_MORE))
		return true;
	good = split(config, lines, true, &first, &more);
	unwant(&first);
	unwant(&more);
	if (good && more.count)
		good = how(config, LINES_RCPTHOSTS, &more);
	*ret_more = good && first.count;
	if (*ret_more)
		good = how(config, LINES_MORE, &first);
	give_back(&first);
	give_back(&more);
	return good;
}

bool control_accept(control_how *how, const struct config *config,
		    struct lines *lines, bool anew, bool *ret_more)
{
	bool any = false;

	*ret_more = false;
	for (size_t i = 0; i < lines->count; i++)
		any = any || lines->line[i].line;
	if (any)
		return accept_with(how, config, lines, anew, ret_more);
	/* What goes, goes from both. */
	*ret_more = control_exists(config, LINES_MORE);
	return how(config, LINES_RCPTHOSTS, lines) &&
	       (!*ret_more || how(config, LINES_MORE, lines));
}

bool control_parts(const struct config *config, struct lines *lines,
		   control_part *part, void *arg)
{
	struct lines first = {0}, more = {0};
	bool good = split(config, lines, false, &first, &more);

	if (good) {
		part(arg, LINES_RCPTHOSTS, &first);
		part(arg, LINES_MORE, &more);
	}
	give_back(&first);
	give_back(&more);
	return good;
}

unsigned long control_queuelifetime(const struct config *config)
{
	enum { WEEK = 604800 };
	unsigned long seconds = 0;
	struct replace_text text;
	int dir = open_dir(config, LINES_RCPTHOSTS);
	size_t digits = 0;

	if (dir < 0 || replace_read(dir, "queuelifetime", &text) != 0)
		text = (struct replace_text){0};
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	while (digits < 9 && text.bytes && text.bytes[digits] >= '0' &&
	       text.bytes[digits] <= '9')
		seconds = seconds * 10 +
			  (unsigned long)(text.bytes[digits++] - '0');
	replace_free(&text);
	/* Unreadable as a number: as long as qmail would at least. */
	return digits ? seconds : WEEK;
}
