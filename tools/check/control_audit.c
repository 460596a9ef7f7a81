/* control_audit.c: what is wrong with qmail's files on the disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/resource_error.h"
#include "base/say.h"
#include "control_private.h"

void control_tell(const struct control_audit *a, const char *check, bool mends,
		  const char *format, ...)
{
	char text[1024], clean[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut is enough */
	va_end(args);
	say_clean(text, clean, sizeof clean);
	a->found(a->arg, check, mends, clean);
}

static const char *file_name(enum lines_file file)
{
	switch (file) {
	case LINES_RCPTHOSTS:
		return "control/rcpthosts";
	case LINES_MORE:
		return "control/morercpthosts";
	case LINES_VIRTUALDOMAINS:
		return "control/virtualdomains";
	case LINES_SMTPROUTES:
		return "control/smtproutes";
	case LINES_ASSIGN:
		return "users/assign";
	case LINES_LOCALS:
		return "control/locals";
	}
	return "?";
}

/* control/locals, or what stands in for it. */
static int read_locals(struct control_audit *a, struct replace_text *ret_text)
{
	char path[PATH_MAX];
	bool missing = false;
	int dir, rc;

	(void)snprintf(path, sizeof path, "%s/control", a->config->qmail);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? errno : control_load_locals(dir, &missing, ret_text);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	if (missing)
		(void)snprintf(a->name, sizeof a->name,
			       "control/me (control/locals is missing)");
	return rc;
}

int control_read(const struct config *config, const char *name,
		      struct replace_text *ret_text)
{
	int dir = open(config->qmail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? errno : replace_read(dir, name, ret_text);

	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return rc;
}

static int read_audited(struct control_audit *a, struct replace_text *ret_text)
{
	return a->file == LINES_LOCALS
		       ? read_locals(a, ret_text)
		       : control_read(a->config, a->name, ret_text);
}

static void on_conflict(void *arg, unsigned long number, const char *line,
			size_t len, const char *wanted)
{
	const struct control_audit *a = arg;
	const int width = len < 200 ? (int)len : 200;

	if (wanted)
		control_tell(a, "line-wrong", true,
		     "%s line %lu says '%.*s' where '%s' is wanted", a->name,
		     number, width, line, wanted);
	else if (a->file == LINES_LOCALS)
		control_tell(a, "locals", false,
		     "%s line %lu has the domain '%.*s', which is delivered "
		     "locally by that ('popbox check --repair "
		     "--fix-locals' takes it out)",
		     a->name, number, width, line);
	else
		control_tell(a, "line-left", true,
		     "%s line %lu says '%.*s', which should not be there", a->name,
		     number, width, line);
}

/* What qmail makes of a line, whoever's it is. */
static void judge_line(const struct control_audit *a, unsigned long number,
		       const char *line, size_t len)
{
	const int width = len < 200 ? (int)len : 200;
	const char *colon = len ? memchr(line, ':', len) : NULL;
	const char *fault = render_assign_line(line, len);
	bool comment = len && line[0] == '#';

	if (len && line[len - 1] == '\r')
		control_tell(a, "line-crlf", false,
		     "%s line %lu ends in a carriage return, which is part of "
		     "it",
		     a->name, number);
	else if (!comment && len && (line[0] == ' ' || line[0] == '\t'))
		control_tell(a, "line-blank", false,
		     "%s line %lu begins with a blank, and matches nothing",
		     a->name, number);
	else if (a->file == LINES_ASSIGN && fault)
		control_tell(a, "line-form", false,
		     "%s line %lu %s: qmail-newu refuses the file", a->name,
		     number, fault);
	else if (!comment && len && !colon && !lines_whole(a->file))
		control_tell(a, "line-form", false, "%s line %lu has no colon: '%.*s'",
		     a->name, number, width, line);
}

static void judge_lines(const struct control_audit *a, const char *text, size_t len)
{
	unsigned long number = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		number++;
		if (a->file == LINES_ASSIGN && text[0] == '.')
			return; /* what stands behind it is nobody's */
		judge_line(a, number, text, line);
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
}

static void judge_ours(struct control_audit *a, const struct replace_text *text,
		       struct lines *lines)
{
	char *out;
	size_t len;

	if (!render_file(a->file, text->bytes ? text->bytes : "", text->len,
			 lines, on_conflict, a, &out, &len)) {
		say_lost();
		return;
	}
	free(out);
	for (size_t i = 0; i < lines->count; i++) {
		if (lines->line[i].line && !lines->line[i].seen)
			control_tell(a, "line-missing", true,
				     "%s: the line '%s' is missing",
			     a->name, lines->line[i].line);
	}
}

static void judge_file(const struct control_audit *a, const struct replace_text *text)
{
	if (text->uid != 0 && text->uid != geteuid())
		control_tell(a, "owner", false, "%s belongs to uid %u, not to root "
					"(chown it)",
		     a->name, text->uid);
	if (text->mode & S_IWOTH)
		control_tell(a, "writable", false,
		     "%s has mode %04o: everybody may write to it (chmod o-w)",
		     a->name, text->mode & 07777);
	if (!(text->mode & S_IROTH))
		control_tell(a, "readable", false,
		     "%s has mode %04o: qmail's users cannot read it (chmod "
		     "a+r)",
		     a->name, text->mode & 07777);
	if (a->file == LINES_ASSIGN &&
	    !render_assign_ends(text->bytes, text->len))
		control_tell(a, "assign-end", false,
		     "%s has no line that begins with '.', which must end it",
		     a->name);
}

void control_audit_lines(const struct config *config, enum lines_file file,
			 struct lines *lines, control_found *found, void *arg)
{
	struct control_audit a = {.config = config, .file = file, .found = found,
			  .arg = arg};
	struct replace_text text = {0};
	int rc;

	(void)snprintf(a.name, sizeof a.name, "%s", file_name(file));
	rc = read_audited(&a, &text);
	if (rc == 0 || rc == ENOENT)
		judge_ours(&a, &text, lines);
	else if (resource_error(rc))
		say_lost();
	replace_free(&text);
}

void control_audit(const struct config *config, enum lines_file file,
		   struct lines *lines, control_found *found, void *arg)
{
	struct control_audit a = {.config = config, .file = file, .found = found,
			  .arg = arg};
	struct replace_text text = {0};
	int rc;

	(void)snprintf(a.name, sizeof a.name, "%s", file_name(file));
	rc = read_audited(&a, &text);
	if (rc == ENOENT && file == LINES_RCPTHOSTS) {
		control_tell(&a, "open-relay", false,
		     "%s is missing: qmail-smtpd takes mail for every domain "
		     "(make it, at least empty, then 'popbox sync --full')",
		     a.name);
		return;
	}
	if (resource_error(rc)) {
		say_lost();
		return;
	}
	if (rc != 0 && rc != ENOENT) {
		control_tell(&a, "irregular", false, "%s cannot be read: %s", a.name,
		     rc == EINVAL ? "it is no regular file" : strerror(rc));
		return;
	}
	if (rc == 0) {
		if (text.uid != (uid_t)-1) /* else control/me stands in */
			judge_file(&a, &text);
		judge_lines(&a, text.bytes, text.len);
	}
	judge_ours(&a, &text, lines);
	replace_free(&text);
}

