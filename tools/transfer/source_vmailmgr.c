/* SPDX-License-Identifier: MIT */
/* source_vmailmgr.c: a domain of vmailmgr's: passwd.cdb in a user's home, and the
 * .qmail files beside it, which come first. Which domains lead there, qmail's
 * files say; further ones are other names of the first.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/idn.h"
#include "base/say.h"
#include "fmt_dotqmail.h"
#include "fmt_vmailmgr.h"
#include "qmail/cdbfile.h"
#include "source.h"
#include "source_dotqmails.h"
#include "source_reply.h"
#include "store/secret.h"

struct home {
	const struct source_how *how;
	source_sink *sink;
	void *arg;
	char path[PATH_MAX]; /* passwd.cdb */
	char base[PATH_MAX]; /* its directory */
	struct stat dir;     /* the same */
	struct source_domain domain;
	char domains[512]; /* all that lead there, for people */
	size_t count;
	struct fmt_vmailmgr_site site;
	struct strtab dirs; /* of users, absolute */
	char **user;	   /* of each */
	size_t users;
	struct source_dotqmails files;
	unsigned long entry;
	struct import_account account;
	struct text raw;
	bool enough, no_memory;
};

static int no_memory(void)
{
	return say_error(CODE_LATER, "no memory");
}

static bool note_dir(void *arg, const char *key, unsigned key_len,
		     const char *value, unsigned value_len)
{
	struct home *home = arg;
	char path[PATH_MAX], **more;
	size_t number;

	if (!fmt_vmailmgr_dir(value, value_len, &home->site, path) || !path[0])
		return true;
	home->no_memory = !strtab_add(&home->dirs, path, &number);
	if (home->no_memory || number < home->users)
		return !home->no_memory;
	more = reallocarray(home->user, home->dirs.room, sizeof *more);
	if (more) {
		home->user = more;
		more[number] = strndup(key, key_len);
	}
	home->no_memory = !more || !more[number];
	home->users += !home->no_memory;
	return !home->no_memory;
}

static bool owner(void *arg, const char *path,
		  char ret_address[NAME_ADDRESS_TEXT])
{
	const struct home *home = arg;
	char whole[PATH_MAX];
	size_t number, len = strlen(path);
	int made;

	if (len >= sizeof whole)
		return false;
	memcpy(whole, path, len + 1);
	while (len > 1 && whole[len - 1] == '/')
		whole[--len] = 0;
	if (!strtab_find(&home->dirs, whole, &number))
		return false;
	made = snprintf(ret_address, NAME_ADDRESS_TEXT, "%s@%s",
			home->user[number], home->site.domain);
	return made > 0 && made < NAME_ADDRESS_TEXT;
}

/* |/usr/bin/vdeliver */
static enum fmt_vpopmail_where agent(void *arg, const char *line,
				     char ret_where[PATH_MAX])
{
	static const char name[] = "vdeliver";
	const char *found = strstr(line, name);
	const char *end = found ? found + sizeof name - 1 : "x";

	(void)arg; /* the same for all */
	ret_where[0] = 0;
	return found &&
			       (found[-1] == '/' || found[-1] == '|' ||
				found[-1] == ' ') &&
			       (*end == 0 || *end == ' ')
		       ? FMT_VPOPMAIL_BOUNCE
		       : FMT_VPOPMAIL_NONE;
}

static bool rewrite(struct home *home, struct source_row *row, const char *key,
		    unsigned key_len, const char *value, unsigned value_len)
{
	const char *cell[SOURCE_CELLS] = {NULL};
	struct fmt_vmailmgr_cells *cells = calloc(1, sizeof *cells);
	char address[NAME_ADDRESS_TEXT], dir[PATH_MAX];
	bool good;

	if (!cells)
		return false;
	if (fmt_vmailmgr_cells(key, key_len, value, value_len, &home->site,
			       cells)) {
		cell[SOURCE_ADDRESS] = cells->address;
		cell[SOURCE_FORWARD] = cells->forwards;
		if (cells->mailbox) {
			cell[SOURCE_HASH] = cells->hash;
			cell[SOURCE_NAME] = cells->name;
			cell[SOURCE_QUOTA] = cells->quota;
			cell[SOURCE_DELIVERY] = cells->enabled ? NULL : "off";
			if (fmt_vmailmgr_dir(value, value_len, &home->site,
					     dir))
				cell[SOURCE_MAILDIR] = dir;
		}
	} else { /* its name at least */
		(void)snprintf(address, sizeof address, "%.*s@%s", (int)key_len,
			       key, home->site.domain);
		cell[SOURCE_ADDRESS] = address;
	}
	good = source_rewrite(row, &home->raw, cell);
	free(cells);
	return good;
}

/* That of its daemon, which vdeliver-postdeliver runs where the file is not empty. */
static void take_reply(struct home *home, const char *value, unsigned len)
{
	const size_t base = strlen(home->base);
	char dir[PATH_MAX], path[PATH_MAX];
	int made;

	if (!fmt_vmailmgr_dir(value, len, &home->site, dir) || !dir[0])
		return;
	made = snprintf(path, sizeof path, "%s/autoresponse/message.txt", dir);
	if (made > 0 && made < PATH_MAX)
		(void)source_reply(strncmp(dir, home->base, base) == 0
					   ? home->base
					   : "",
				   path, &home->account); /* often none */
}

static bool give_entry(void *arg, const char *key, unsigned key_len,
		       const char *value, unsigned value_len)
{
	struct home *home = arg;
	struct source_row row = {.file = home->path, .account = &home->account};
	bool on;

	import_account_wipe(&home->account);
	row.line = home->account.line = ++home->entry;
	row.why = fmt_vmailmgr(key, key_len, value, value_len, &home->site,
			       &home->account, &row.left);
	if (!row.why && !row.left)
		row.why = source_dotqmails_merge_own(&home->files,
						     &home->account, &on);
	if (!row.why && !row.left)
		take_reply(home, value, value_len);
	import_account_expire(&home->account, time(NULL));
	if (!row.why && !row.left && home->account.has_delivery &&
	    !home->account.has_forwards && !home->account.maildir[0])
		row.left = "it is an alias that has expired: its mail was "
			   "sent back";
	if (home->how->copies &&
	    !rewrite(home, &row, key, key_len, value, value_len))
		row.why = "no memory";
	home->enough = !home->sink(home->arg, &row);
	return !home->enough;
}

static int walk(struct home *home, cdbfile_each *each)
{
	const char *path = home->path;

	switch (cdbfile_walk(path, each, home)) {
	case CDBFILE_FOUND:
	case CDBFILE_NONE:
		return home->no_memory ? no_memory() : CODE_DONE;
	case CDBFILE_MISSING:
		return say_error_as(CODE_REFUSED, SAY_UNKNOWN,
				    "there is no file '%s'", path);
	case CDBFILE_LATER:
		return say_error(CODE_LATER, "cannot read '%s': %s", path,
				 strerror(errno));
	case CDBFILE_DAMAGED:
		break;
	}
	return say_error(CODE_REFUSED, "'%s' is no cdb, or is damaged", path);
}

/* passwd.cdb, or the directory it is in. */
static bool locate(struct home *home)
{
	const char *path = home->how->path, *slash;
	int made = snprintf(home->path, PATH_MAX, "%s", path);
	struct stat st;
	size_t len;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		made = snprintf(home->path, PATH_MAX, "%s/passwd.cdb", path);
	if (made < 0 || made >= PATH_MAX)
		return say_error(0, "'%s': the path is too long", path);
	slash = strrchr(home->path, '/');
	len = slash ? (size_t)(slash - home->path) : 1;
	memcpy(home->base, slash ? home->path : ".", len);
	home->base[len] = 0;
	if (stat(len ? home->base : "/", &home->dir) == 0)
		return true;
	return say_error(0, "cannot access '%s': %s", home->base,
			 strerror(errno));
}

static bool note_domain(void *arg, const struct name_domain *name)
{
	struct home *home = arg;
	size_t len = strlen(home->domains);

	if (!home->count++)
		home->domain.name = *name;
	(void)snprintf(home->domains + len, sizeof home->domains - len, "%s%s",
		       len ? ", " : "", name->s); /* cut, if they are many */
	return true;
}

static int find_domain(struct home *home)
{
	const char *said = home->how->domain;

	oldroutes_into(home->how->old, &home->dir, note_domain, home);
	if (!said && home->count == 0)
		return say_error(CODE_USAGE,
				 "a passwd.cdb does not say its domain, and "
				 "qmail's files lead none to '%s': use "
				 "--domain D",
				 home->base);
	if (!said && home->count > 1)
		return say_error(CODE_USAGE,
				 "several domains lead to '%s': %s (use "
				 "--domain D: the others become its aliases)",
				 home->base, home->domains);
	if (!said)
		said = home->domain.name.s;
	home->domain.dir = home->dir;
	if (idn_domain(said, &home->domain.name, home->domain.utf8))
		return say_error(CODE_USAGE, "'%s' is no domain", said);
	home->site = (struct fmt_vmailmgr_site){home->domain.name.s, home->base,
						home->how->old->me};
	return CODE_DONE;
}

static bool give_domain(void *arg, const struct name_domain *name)
{
	struct home *home = arg;
	struct source_domain domain = home->domain;
	const struct source_row row = {.file = home->path, .domain = &domain};

	domain.is_alias = strcmp(name->s, home->domain.name.s) != 0;
	domain.target = home->domain.name;
	if (domain.is_alias && idn_domain(name->s, &domain.name, domain.utf8)) {
		domain.name = *name; /* without its other form */
		domain.utf8[0] = 0;
	}
	home->enough = !home->sink(home->arg, &row);
	return !home->enough;
}

static bool give_alias(void *arg, const struct name_domain *name)
{
	const struct home *home = arg;

	return strcmp(name->s, home->domain.name.s) == 0 ||
	       give_domain(arg, name);
}

/* .qmail-default with vdeliver alone is how every site has it. */
static const char *count_lines(void *arg, enum fmt_dotqmail_kind kind,
			       const char *line)
{
	size_t *others = arg;
	char where[PATH_MAX];

	*others += kind != FMT_DOTQMAIL_PROGRAM ||
		   agent(NULL, line, where) == FMT_VPOPMAIL_NONE;
	return NULL;
}

static void pass_default(struct home *home)
{
	char path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	size_t number, len, others = 0;
	bool held;
	int made = snprintf(path, sizeof path, "%s/.qmail-default", home->base);

	if (made < 0 || made >= PATH_MAX ||
	    !strtab_find(&home->files.files, ".qmail-default", &number) ||
	    !source_dotqmails_read(home->base, path, text, &len))
		return;
	if (!fmt_dotqmail_lines(text, len, count_lines, &others, &held))
		home->files.taken[number] = len && !held && !others;
}

static int read_home(struct home *home)
{
	const struct source_dotqmails_site site = {owner, agent, home};
	int code = locate(home) ? find_domain(home) : CODE_REFUSED;

	if (code != CODE_DONE)
		return code;
	home->files = (struct source_dotqmails){.how = home->how,
						.site = &site,
						.top = home->base,
						.dir = home->base,
						.domain = home->site.domain};
	code = walk(home, note_dir);
	if (code == CODE_DONE)
		code = source_dotqmails_list(&home->files);
	if (code == CODE_DONE && give_domain(home, &home->domain.name))
		oldroutes_into(home->how->old, &home->dir, give_alias, home);
	if (code == CODE_DONE && !home->enough)
		code = walk(home, give_entry);
	if (code == CODE_DONE && !home->enough) {
		pass_default(home);
		code = source_dotqmails_rest(&home->files, home->sink,
					     home->arg, &home->enough);
	}
	source_dotqmails_free(&home->files);
	return code;
}

int source_vmailmgr(const struct source_how *how, source_sink *sink, void *arg)
{
	struct home *home = calloc(1, sizeof *home);
	int code;

	if (!home)
		return no_memory();
	home->how = how;
	home->sink = sink;
	home->arg = arg;
	code = read_home(home);
	for (size_t i = 0; i < home->users; i++)
		free(home->user[i]);
	free(home->user);
	strtab_free(&home->dirs);
	if (home->raw.bytes)
		secret_wipe(home->raw.bytes, home->raw.room);
	free(home->raw.bytes);
	import_account_wipe(&home->account);
	free(home);
	return code;
}
