#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"
#include "say.h"

static const struct {
	const char *dir;
	const char *name;
	const char *temporary;
	/* What its absence means to qmail, where that forbids making it. */
	const char *missing;
} files[] = {
	[RENDER_RCPTHOSTS] = {"control", "rcpthosts", "rcpthosts.popbox-tmp",
			      "without it qmail-smtpd takes mail for every "
			      "domain; make it, at least empty, before popbox "
			      "adds to it"},
	[RENDER_VIRTUALDOMAINS] = {"control", "virtualdomains",
				   "virtualdomains.popbox-tmp", NULL},
	[RENDER_ASSIGN] = {"users", "assign", "assign.popbox-tmp", NULL},
};

static int open_dir(const struct config *config, enum render_file file)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", config->qmail,
		       files[file].dir);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool fault(const struct config *config, enum render_file file,
		  const char *doing, int rc)
{
	const char *why = rc == EINVAL ? "it is not a regular file"
				       : strerror(rc);

	return say_error(0, "cannot %s '%s/%s/%s': %s", doing, config->qmail,
			 files[file].dir, files[file].name, why);
}

/* The file as it is; an absent one that may be made is empty, root's, 0644. */
static bool load(const struct config *config, enum render_file file, int dir,
		 struct replace_text *ret_text)
{
	int rc = dir < 0 ? errno : replace_read(dir, files[file].name, ret_text);

	if (rc == ENOENT && dir >= 0 && !files[file].missing) {
		*ret_text = (struct replace_text){
			.bytes = calloc(1, 1), .mode = 0644,
			.uid = (uid_t)-1, .gid = (gid_t)-1};
		rc = ret_text->bytes ? 0 : ENOMEM;
	}
	if (rc == ENOENT && dir >= 0)
		return say_error(0, "'%s/%s/%s' is missing: %s", config->qmail,
				 files[file].dir, files[file].name,
				 files[file].missing);
	if (rc != 0)
		return fault(config, file, "read", rc);
	if (file != RENDER_ASSIGN ||
	    render_assign_ends(ret_text->bytes, ret_text->len))
		return true;
	replace_free(ret_text);
	return say_error(0, "'%s/users/assign' has no line that begins with "
			    "'.', which must end it (append one)",
			 config->qmail);
}

struct judging {
	const struct config *config;
	enum render_file file;
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
	judging->good = say_error(
		0,
		"'%s/%s/%s' line %lu says '%s' where popbox would write '%s' "
		"(remove or mend that line)",
		judging->config->qmail, files[judging->file].dir,
		files[judging->file].name, number, clean, wanted);
}

bool control_judge(const struct config *config, enum render_file file,
		   struct render_lines *lines)
{
	struct judging judging = {config, file, true};
	int dir = open_dir(config, file);
	struct replace_text text;
	char *out = NULL;
	size_t len;
	bool good = load(config, file, dir, &text);

	if (good) {
		good = render_file(file, text.bytes, text.len, lines,
				   on_conflict, &judging, &out, &len);
		replace_free(&text);
		if (!good)
			say_error(0, "no memory");
		free(out);
	}
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return good && judging.good;
}

/* *ret_out is what the file shall say, malloc'ed. */
static bool compute(const struct config *config, enum render_file file, int dir,
		    struct render_lines *lines, struct replace_text *ret_text,
		    char **ret_out, size_t *ret_len)
{
	if (!load(config, file, dir, ret_text))
		return false;
	if (render_file(file, ret_text->bytes, ret_text->len, lines, NULL, NULL,
			ret_out, ret_len))
		return true;
	replace_free(ret_text);
	return say_error(0, "no memory");
}

bool control_write(const struct config *config, enum render_file file,
		   struct render_lines *lines)
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
	good = rc == 0 || fault(config, file, "write", rc);
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

bool control_show(const struct config *config, enum render_file file,
		  struct render_lines *lines)
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

bool control_local(const struct config *config,
		   const struct name_domain *domain)
{
	int dir = open_dir(config, RENDER_RCPTHOSTS);
	struct replace_text text;
	unsigned long number = 0;
	bool found = false;
	const char *at;

	if (dir < 0)
		return false; /* said by control_judge */
	if (replace_read(dir, "locals", &text) != 0)
		text = (struct replace_text){0}; /* none: qmail takes me */
	for (at = text.bytes; at && *at && !found;) {
		size_t len = strcspn(at, "\n"), name = len;

		number++;
		while (name && strchr(" \t", at[name - 1]))
			name--;
		found = name == strlen(domain->s) &&
			strncasecmp(at, domain->s, name) == 0;
		at += len + (at[len] != 0);
	}
	replace_free(&text);
	(void)close(dir); /* a directory, read only */
	if (found)
		say_error(0, "'%s/control/locals' line %lu has the domain "
			     "'%s': qmail would keep delivering it locally "
			     "(remove that line)",
			  config->qmail, number, domain->s);
	return found;
}


unsigned long control_queuelifetime(const struct config *config)
{
	enum { WEEK = 604800 };
	unsigned long seconds = 0;
	struct replace_text text;
	int dir = open_dir(config, RENDER_RCPTHOSTS);
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
