/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/say.h"
#include "fmt_modoboa.h"
#include "fmt_sql.h"
#include "source_private.h"
#include "store/secret.h"

int source_failed(const char *path)
{
	const bool yours = errno == ENOENT || errno == EISDIR ||
			   errno == ELOOP || errno == EINVAL;

	return say_error(yours ? CODE_REFUSED : CODE_LATER,
			 "cannot read '%s': %s", path,
			 errno == EINVAL  ? "it is not a regular file"
			 : errno == ELOOP ? "a link leads there"
					  : strerror(errno));
}

const char source_columns[] =
	"address,password,hash,name,quota,forward,login,delivery,maildir\n";

bool source_rewrite(struct source_row *row, struct text *text,
		    const char *const cell[SOURCE_CELLS])
{
	bool good = true;

	text->len = 0;
	for (size_t i = 0; good && i < SOURCE_CELLS; i++)
		good = csvfile_put(text, cell[i] ? cell[i] : "", i == 0);
	good = good && text_put(text, "\n", 1);
	row->rewritten = good;
	row->raw = good ? text->bytes : NULL;
	row->raw_len = good ? text->len : 0;
	return good;
}

static bool begin(struct source_reading *r, const char *path)
{
	if (!(r->below ? input_open_below(&r->input, r->how->path, path)
		       : input_open(&r->input, path)))
		return false;
	r->input.encoding.is = r->how->encoding;
	r->progress = progress_start("reading", r->input.size);
	return true;
}

static void end(struct source_reading *r)
{
	struct source_found *found = r->how->found;

	progress_end(&r->progress);
	if (found && r->input.encoding.is > found->encoding) {
		found->encoding = r->input.encoding.is;
		found->assumed = r->input.encoding.assumed;
	}
	input_close(&r->input);
	import_account_wipe(&r->account);
}

void source_step(struct source_reading *r)
{
	if (r->progress.total)
		progress_step(&r->progress, r->input.read - r->shown);
	r->shown = r->input.read;
}

/* Without its newline, and the carriage return before that. */
static size_t cut_newline(char *line, size_t len)
{
	if (len && line[len - 1] == '\n')
		len--;
	if (len && line[len - 1] == '\r')
		len--;
	line[len] = 0;
	return len;
}

/* One line, of which the parser may cut the copy. False: the sink has enough. */
static bool give_line(struct source_reading *r, fmt_passwd *parse, char *line,
		      size_t len, char *copy)
{
	struct source_row row = {.file = r->input.name,
				 .line = r->input.line,
				 .raw = line,
				 .raw_len = len,
				 .why = r->input.why,
				 .account = &r->account};

	import_account_wipe(&r->account);
	if (!row.why && cut_newline(copy, len))
		row.why = parse(copy, r->how->domain, &r->account, &row.left);
	else if (!row.why)
		return true; /* a blank line */
	r->account.line = row.line;
	import_account_expire(&r->account, time(NULL));
	return r->sink(r->arg, &row);
}

static int read_lines(struct source_reading *r, fmt_passwd *parse,
		      const char *path)
{
	struct text copy = {.secret = true};
	enum input_got got;
	size_t len;
	char *line;
	int code = CODE_DONE;

	if (!begin(r, path))
		return source_failed(path);
	while ((got = input_next(&r->input, &line, &len)) == INPUT_LINE) {
		source_step(r);
		copy.len = 0;
		if (!text_put(&copy, line, len)) {
			errno = ENOMEM;
			got = INPUT_FAILED;
			break;
		}
		if (!give_line(r, parse, line, len, copy.bytes))
			break;
	}
	if (got == INPUT_FAILED)
		code = source_failed(path);
	text_wipe(&copy);
	end(r);
	return code;
}

enum { TITLES_MAX = 8 }; /* lines above the header */

/* The record that may be the header: titles above it, as people write them over
 * a table, are passed over. */
static enum input_got first_record(struct source_reading *r,
				   struct csvfile *csv)
{
	enum input_got got = csvfile_next(csv);

	for (int i = 0; i < TITLES_MAX && got == INPUT_LINE && !csv->why &&
			(fmt_csv_blank(csv) || fmt_csv_title(csv));
	     i++) {
		if (!fmt_csv_blank(csv))
			say_note("%s:%lu: passed over: it is a title, and no "
				 "line of column names",
				 r->input.name, csv->line);
		csvfile_guess(csv); /* the delimiter is the header's */
		got = csvfile_next(csv);
	}
	return got;
}

/* The line that names the columns. */
static int read_header(struct source_reading *r, struct csvfile *csv,
		       struct fmt_csv *ret_row)
{
	const char *why, *bad;
	const struct fmt_csv_how how = {r->how->format, r->how->map,
					r->how->ignore_unknown};
	struct source_row row = {.file = r->input.name, .header = true};
	enum input_got got = first_record(r, csv);

	if (got == INPUT_FAILED)
		return source_failed(r->how->path);
	if (got == INPUT_END)
		return say_error(CODE_REFUSED, "'%s' is empty", r->input.name);
	why = csv->why;
	bad = NULL;
	if (!why)
		why = fmt_csv_header(csv, &how, ret_row, &bad);
	if (why && !bad && fmt_passwd_resembles(csv->raw.bytes))
		why = "this looks like a passwd-file, which has no header: "
		      "use --format dovecot (or shadow, or vpopmail)";
	if (why && bad) {
		char clean[80];

		say_clean(bad, clean, sizeof clean);
		return say_error(CODE_REFUSED, "%s:%lu: column '%s': %s",
				 r->input.name, csv->line, clean, why);
	}
	if (why)
		return say_error(CODE_REFUSED, "%s:%lu: %s", r->input.name,
				 csv->line, why);
	if (r->how->found)
		*r->how->found = (struct source_found){.format = ret_row->format,
						       .whose = ret_row->whose};
	row.raw = csv->raw.bytes;
	row.raw_len = csv->raw.len;
	return r->sink(r->arg, &row) ? CODE_DONE : CODE_LATER;
}

/* Another name of a domain instead of an account. */
static void as_domain(const struct fmt_csv_alias *alias,
		      struct source_domain *ret_domain)
{
	*ret_domain = (struct source_domain){.name = alias->name,
					     .is_alias = true,
					     .target = alias->target};
	memcpy(ret_domain->utf8, alias->utf8, sizeof ret_domain->utf8);
}

bool source_record(struct source_reading *r, const struct fmt_csv *columns,
		   const struct csvfile *record, enum import_account_part part,
		   struct source_row *row)
{
	struct source_domain domain;
	struct fmt_csv_alias alias;

	import_account_wipe(&r->account);
	r->account.part = part;
	if (!row->why &&
	    fmt_csv_is_alias(columns, record, &alias, &row->why, &row->left)) {
		as_domain(&alias, &domain);
		row->domain = row->why || row->left ? NULL : &domain;
	} else if (!row->why)
		row->why = fmt_csv_fill(columns, record, r->how->domain,
					&r->account, &row->left);
	r->account.line = row->line;
	row->account = &r->account;
	return r->sink(r->arg, row);
}

static int read_records(struct source_reading *r, struct csvfile *csv)
{
	struct fmt_csv columns;
	enum input_got got;
	int code = read_header(r, csv, &columns);

	if (code != CODE_DONE)
		return code;
	while ((got = csvfile_next(csv)) == INPUT_LINE) {
		struct source_row row = {.file = r->input.name,
					 .line = csv->line,
					 .raw = csv->raw.bytes,
					 .raw_len = csv->raw.len,
					 .why = csv->why};

		source_step(r);
		if (!row.why && fmt_csv_blank(csv))
			continue;
		if (!source_record(r, &columns, csv, IMPORT_ACCOUNT_WHOLE,
				   &row))
			break;
	}
	return got == INPUT_FAILED ? source_failed(r->how->path) : CODE_DONE;
}

/* Modoboa's, which tells record by record what it is. */
static int read_modoboa(struct source_reading *r)
{
	struct csvfile csv, record;
	struct fmt_csv columns;
	enum import_account_part part;
	enum input_got got;
	bool more = true;

	if (!csvfile_open(&csv, &r->input, ';'))
		return say_error(CODE_LATER, "no memory");
	csvfile_start(&record);
	while (more && (got = csvfile_next(&csv)) == INPUT_LINE) {
		struct source_row row = {.file = r->input.name,
					 .line = csv.line,
					 .raw = csv.raw.bytes,
					 .raw_len = csv.raw.len,
					 .why = csv.why};

		source_step(r);
		if (!row.why && fmt_csv_blank(&csv))
			continue;
		if (!row.why)
			row.why = fmt_modoboa(&csv, &record, &columns, &part,
					      &row.left);
		if (row.why || row.left) {
			import_account_wipe(&r->account);
			row.account = &r->account;
			more = r->sink(r->arg, &row);
		} else {
			more = source_record(r, &columns, &record, part, &row);
		}
	}
	csvfile_close(&csv);
	csvfile_close(&record);
	return more && got == INPUT_FAILED ? source_failed(r->how->path)
					   : CODE_DONE;
}

static int read_csv(struct source_reading *r)
{
	struct csvfile csv;
	int code;

	if (!csvfile_open(&csv, &r->input, 0))
		return say_error(CODE_LATER, "no memory");
	code = read_records(r, &csv);
	csvfile_close(&csv);
	return code;
}

/* Formats that are neither csv nor an account a line. */
static const struct {
	const char *name;
	fmt_pairs *parse; /* NULL: SQL */
	bool (*resembles)(const char *bytes, size_t len);
} others[] = {
	{"sql", NULL, fmt_sql_resembles},
	{"ldif", fmt_pairs_ldif, fmt_pairs_is_ldif},
	{"vuserinfo", fmt_pairs_vuserinfo, fmt_pairs_is_vuserinfo},
	{"hestia", fmt_pairs_hestia, fmt_pairs_is_hestia},
	{"virtualmin", fmt_pairs_virtualmin, fmt_pairs_is_virtualmin},
};

enum { OTHERS = sizeof others / sizeof *others };

/* OTHERS: a csv. */
static size_t guess_other(struct source_reading *r)
{
	const char *bytes;
	size_t len, i = 0;

	if (!input_peek(&r->input, &bytes, &len))
		return OTHERS; /* it will fail again */
	while (i < OTHERS && !others[i].resembles(bytes, len))
		i++;
	return i;
}

static size_t find_other(const char *format)
{
	size_t i = 0;

	while (i < OTHERS && strcmp(others[i].name, format) != 0)
		i++;
	return i;
}

static void found(struct source_reading *r, const char *format)
{
	if (r->how->found)
		*r->how->found = (struct source_found){.format = format};
}

static bool is_modoboa(struct source_reading *r)
{
	const char *bytes;
	size_t len;

	return input_peek(&r->input, &bytes, &len) &&
	       fmt_modoboa_resembles(bytes, len);
}

/* A file whose content tells what it is, unless that is asked for. */
static int read_content(struct source_reading *r, const char *format)
{
	size_t other;
	int code;

	if (!begin(r, r->how->path))
		return source_failed(r->how->path);
	other = format ? find_other(format) : guess_other(r);
	if (other < OTHERS)
		found(r, others[other].name);
	if (format ? strcmp(format, "modoboa") == 0
		   : other == OTHERS && is_modoboa(r)) {
		found(r, "modoboa");
		code = read_modoboa(r);
	} else {
		code = other == OTHERS	      ? read_csv(r)
		       : others[other].parse ? source_pairs(r,
							    others[other].parse)
					     : source_sql(r);
	}
	end(r);
	return code;
}

int source_lines(const struct source_how *how, fmt_passwd *parse,
		 const char *path, source_sink *sink, void *arg)
{
	struct source_reading *r = calloc(1, sizeof *r);
	int code;

	if (!r)
		return say_error(CODE_LATER, "no memory");
	*r = (struct source_reading){
		.how = how, .sink = sink, .arg = arg, .below = true};
	code = read_lines(r, parse, path);
	free(r);
	return code;
}

static bool ends_in(const char *path, const char *end)
{
	size_t len = strlen(path), part = strlen(end);

	return len >= part && strcmp(path + len - part, end) == 0;
}

static bool has(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int made = snprintf(path, sizeof path, "%s/%s", dir, name);

	return made > 0 && made < PATH_MAX && stat(path, &st) == 0;
}

/* What the name tells. NULL: a file with a header, as most are. */
static const char *guess(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return has(path, "passwd.cdb") ? "vmailmgr"
		       : has(path, "shadow")   ? "cpanel"
					       : "vpopmail";
	if (ends_in(path, ".cdb"))
		return "vmailmgr";
	if (ends_in(path, "vpasswd"))
		return "vpopmail";
	if (ends_in(path, "shadow"))
		return "shadow";
	return NULL;
}

static bool is_csv(const char *format)
{
	static const char *const those[] = {"csv", "cpanel", "google",
					    "postfixadmin", "modoboa"};

	for (size_t i = 0; i < sizeof those / sizeof *those; i++) {
		if (strcmp(those[i], format) == 0)
			return true;
	}
	return false;
}

static int read_format(struct source_reading *r, const char *format)
{
	const struct source_how *how = r->how;
	struct stat st;

	const bool tree = stat(how->path, &st) == 0 && S_ISDIR(st.st_mode);

	if (!format || (is_csv(format) && !tree) ||
	    find_other(format) < OTHERS)
		return read_content(r, format);
	found(r, format);
	if (strcmp(format, "cpanel") == 0)
		return source_cpanel(how, r->sink, r->arg);
	if (strcmp(format, "qmail") == 0)
		return source_qmail(how, r->sink, r->arg);
	if (strcmp(format, "vmailmgr") == 0)
		return source_vmailmgr(how, r->sink, r->arg);
	if (strcmp(format, "dovecot") == 0)
		return read_lines(r, fmt_passwd_dovecot, how->path);
	if (strcmp(format, "shadow") == 0)
		return read_lines(r, fmt_passwd_shadow, how->path);
	if (strcmp(format, "vpopmail") != 0)
		return say_error(CODE_USAGE, "no format '%s' (there are %s)",
				 format, SOURCE_FORMATS);
	if (tree)
		return source_tree(how, r->sink, r->arg);
	return read_lines(r, fmt_passwd_vpopmail, how->path);
}

int source_read(const struct source_how *how, source_sink *sink, void *arg)
{
	struct source_reading *r = calloc(1, sizeof *r);
	int code;

	if (!r)
		return say_error(CODE_LATER, "no memory");
	*r = (struct source_reading){.how = how, .sink = sink, .arg = arg};
	code = read_format(r, how->format ? how->format : guess(how->path));
	free(r);
	return code;
}
