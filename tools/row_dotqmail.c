#include "row_dotqmail.h"

#include <string.h>

#include "mailroot.h"

static const char *take_line(const char *line, size_t len,
			     struct intake *intake, struct row_dotqmail *row)
{
	char text[PATH_MAX];

	if (len >= sizeof text)
		return "a line is too long";
	memcpy(text, line, len);
	text[len] = 0;
	if (text[0] == '&')
		return intake_forward(intake, text + 1);
	if ((text[0] == '/' || text[0] == '.') && text[len - 1] == '/' &&
	    row->boxes < ROW_DOTQMAIL_BOXES)
		memcpy(row->box[row->boxes++], text, len + 1);
	else if (text[0] == '|' || text[0] == '/' || text[0] == '.')
		row->foreign = true;
	else
		return intake_forward(intake, text);
	return NULL;
}

const char *row_dotqmail(const char *text, size_t len, struct intake *intake,
			 struct row_dotqmail *ret_row)
{
	const char *why = NULL;
	bool first = true;

	*ret_row = (struct row_dotqmail){.boxes = 0};
	if (memchr(text, 0, len))
		return "it has a NUL";
	while (!why && len) {
		const char *newline = memchr(text, '\n', len);
		size_t whole = newline ? (size_t)(newline - text) + 1 : len;
		size_t part = newline ? whole - 1 : whole;

		/* qmail-local drops blanks at a line's end. */
		while (part && (text[part - 1] == ' ' || text[part - 1] == '\t'))
			part--;
		if (part && text[0] != '#')
			why = take_line(text, part, intake, ret_row);
		else if (first && !part)
			ret_row->held = true;
		first = false;
		text += whole;
		len -= whole;
	}
	return why;
}

bool row_dotqmail_name(const char *file, struct name_local *ret_local)
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
