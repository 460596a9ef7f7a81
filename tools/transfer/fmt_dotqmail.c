/* SPDX-License-Identifier: MIT */
#include "fmt_dotqmail.h"

#include <string.h>

#include "popusr/mailroot.h"
#include "qmail/dotqmail.h"

static enum fmt_dotqmail_kind kind_of(const char *line, size_t len)
{
	if (line[0] == '|')
		return FMT_DOTQMAIL_PROGRAM;
	if (line[0] != '/' && line[0] != '.')
		return FMT_DOTQMAIL_FORWARD;
	return line[len - 1] == '/' ? FMT_DOTQMAIL_MAILDIR : FMT_DOTQMAIL_MBOX;
}

const char *fmt_dotqmail_lines(const char *text, size_t len,
			       fmt_dotqmail_each *each, void *arg,
			       bool *ret_held)
{
	const char *why = NULL;
	struct maildirsize limit;
	bool first = true;
	char line[PATH_MAX];

	*ret_held = false;
	if (memchr(text, 0, len))
		return "it has a NUL";
	while (!why && len) {
		const char *newline = memchr(text, '\n', len);
		size_t whole = newline ? (size_t)(newline - text) + 1 : len;
		size_t part = newline ? whole - 1 : whole;

		/* qmail-local drops blanks at a line's end. */
		while (part && (text[part - 1] == ' ' || text[part - 1] == '\t'))
			part--;
		if (first && !part)
			*ret_held = true;
		if (part >= sizeof line)
			return "a line is too long";
		memcpy(line, text, part);
		line[part] = 0;
		/* + instructs qmail-local; and a quota and a reply of another popbox
		 * say nothing of where the mail goes. */
		if (part && !strchr("#+", text[0]) &&
		    !dotqmail_is_quota(line, &limit) &&
		    !dotqmail_is_vacation(line))
			why = each(arg, kind_of(line, part),
				   line + (line[0] == '&'));
		first = false;
		text += whole;
		len -= whole;
	}
	return why;
}

struct collecting {
	struct import_account *account;
	struct fmt_dotqmail *row;
};

static const char *collect(void *arg, enum fmt_dotqmail_kind kind,
			   const char *line)
{
	const struct collecting *c = arg;
	struct fmt_dotqmail *row = c->row;

	switch (kind) {
	case FMT_DOTQMAIL_FORWARD:
		return import_account_forward(c->account, line);
	case FMT_DOTQMAIL_MAILDIR:
		if (row->boxes < FMT_DOTQMAIL_BOXES)
			memcpy(row->box[row->boxes++], line, strlen(line) + 1);
		else
			row->foreign = true;
		break;
	case FMT_DOTQMAIL_PROGRAM:
	case FMT_DOTQMAIL_MBOX:
		row->foreign = true;
		break;
	}
	return NULL;
}

const char *fmt_dotqmail(const char *text, size_t len,
			 struct import_account *account,
			 struct fmt_dotqmail *ret_row)
{
	struct collecting c = {account, ret_row};

	*ret_row = (struct fmt_dotqmail){.boxes = 0};
	return fmt_dotqmail_lines(text, len, collect, &c, &ret_row->held);
}

bool fmt_dotqmail_name(const char *file, struct name_local *ret_local)
{
	static const char start[] = ".qmail-";
	char local[NAME_LOCAL_MAX + 1] = {0}, back[MAILROOT_QMAIL_NAME];
	size_t len;

	if (strncmp(file, start, sizeof start - 1) != 0)
		return false;
	file += sizeof start - 1;
	len = strlen(file);
	if (len == 0 || len > NAME_LOCAL_MAX)
		return false;
	memcpy(local, file, len);
	for (char *c = local; *c; c++) {
		if (*c == ':')
			*c = '.';
	}
	if (strcmp(local, "default") == 0)
		*ret_local = (struct name_local){"*"};
	else if (name_local_read(local, len, ret_local))
		return false;
	mailroot_qmail_name(ret_local, back);
	return strcmp(back + sizeof start - 1, file) == 0;
}

const char *fmt_dotqmail_no_name(const char *file)
{
	static const char end[] = "-default";
	const size_t len = strlen(file), part = sizeof end - 1;

	if (len > part + sizeof ".qmail" - 1 &&
	    strcmp(file + len - part, end) == 0)
		return "it is for all addresses that begin as its name does, "
		       "and popbox has a catch-all for a whole domain alone";
	return "qmail never reads a file of this name";
}
