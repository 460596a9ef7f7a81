/* SPDX-License-Identifier: MIT */
/* source_tree.c: vpopmail's tree: a directory for each domain, below it vpasswd,
 * .qmail-* files, and the users' own .qmail. Nothing in it is run; links are not
 * followed, since whoever owns it could lead root anywhere.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/idn.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "base/words.h"
#include "fmt_flags.h"
#include "fmt_passwd.h"
#include "fmt_reply.h"
#include "popusr/mailroot.h"
#include "source.h"
#include "source_dotqmails.h"
#include "source_reply.h"
#include "store/secret.h"

/* A link in the place of a domain: vpopmail 5.4 makes other names so. */
struct tree_link {
	char *path;
	struct name_domain name;
	struct stat target;
};

struct source_tree {
	const struct source_how *how;
	source_sink *sink;
	void *arg;
	const char *domain;	       /* whose directory is read */
	const char *dir;	       /* it */
	struct source_dotqmails files; /* of it */
	struct fmt_vpopmail_limits limits;
	struct fmt_vpopmail_limits defaults; /* of domains without any */
	unsigned long found;		     /* domains */
	struct source_domain *domains;	     /* the same, not the aliases */
	size_t count, room;
	struct tree_link *link;
	size_t links, link_room;
	struct strtab aliases; /* that were given */
	struct text raw;
	bool enough; /* the sink has */
};

static int say_unreadable(const char *path)
{
	return say_error(CODE_LATER, "cannot read '%s': %s", path,
			 strerror(errno));
}

static bool join_path(const char *dir, const char *name,
		      char ret_path[PATH_MAX])
{
	int len = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

	return len > 0 && len < PATH_MAX;
}

/* Room for one more of size; false: no memory. */
static bool grow(void **array, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room ? *room * 2 : 16;
	void *more;

	if (count < *room)
		return true;
	more = reallocarray(*array, wanted, size);
	if (!more)
		return false;
	*array = more;
	*room = wanted;
	return true;
}

static void leave_out(struct source_tree *tree, const char *file,
		      const char *left)
{
	const struct source_row row = {.file = file, .left = left};

	if (!tree->enough)
		tree->enough = !tree->sink(tree->arg, &row);
}

/* The directory of a user, as vpasswd has it, or below the tree where that was
 * copied to another place. */
static void place(const struct source_tree *tree, const char *said,
		  char ret_dir[PATH_MAX])
{
	char part[NAME_DOMAIN_MAX + 3];
	const char *found = NULL;
	struct stat st;

	(void)snprintf(ret_dir, PATH_MAX, "%s", said); /* a part of a path */
	(void)snprintf(part, sizeof part, "/%s/", tree->domain);
	for (const char *at = said; (at = strstr(at, part)) != NULL; at++)
		found = at;
	if (!found || lstat(said, &st) == 0)
		return;
	if (!join_path(tree->dir, found + strlen(part), ret_dir))
		(void)snprintf(ret_dir, PATH_MAX, "%s", said);
}

/* .qmail-EXT in a user's directory: read where vpopmail was built for that. */
static void name_extensions(struct source_tree *tree, const char *top,
			    const char *dir)
{
	int fd = safe_open_below(top, dir, O_DIRECTORY), rc;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char path[PATH_MAX];

	if (!list && fd >= 0)
		(void)close(fd); /* a directory, read only */
	while (list && !tree->enough && (entry = dir_next(list, &rc)) != NULL) {
		if (strncmp(entry->d_name, ".qmail-", 7) == 0 &&
		    join_path(dir, entry->d_name, path))
			leave_out(tree, path,
				  "it is for an extension of the user's "
				  "address (add that address by hand if it is "
				  "wanted)");
	}
	if (list)
		(void)closedir(list); /* read only */
}

/* A vacation reply of qmailadmin's: its line goes, and its text is taken. */
static void take_reply(const char *top, const char *dir, char *text, size_t *len,
		       struct import_account *account)
{
	char path[PATH_MAX];

	if (fmt_reply_strip(text, len) &&
	    join_path(dir, "vacation/message", path) &&
	    !source_reply(top, path, account))
		import_account_note(account,
				    "its vacation reply, since %s is not there "
				    "or is empty",
				    path);
}

/* What the user's own .qmail says. */
static const char *merge_user(struct source_tree *tree, const char *dir,
			      struct import_account *account)
{
	const char *top =
		strncmp(dir, tree->how->path, strlen(tree->how->path)) == 0
			? tree->how->path
			: "";
	const bool bounces = account->has_delivery;
	char path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	size_t len;
	bool on;

	name_extensions(tree, top, dir);
	if (!join_path(dir, ".qmail", path))
		return "the path is too long";
	if (!source_dotqmails_read(top, path, text, &len))
		return errno == ENOENT || errno == ENOTDIR ? NULL
							   : strerror(errno);
	if (bounces) {
		import_account_note(account,
				    "%s, while the user's mail bounces", path);
		return NULL;
	}
	take_reply(top, dir, text, &len, account);
	return source_dotqmails_merge(&tree->files, path, text, len, account,
				      &on);
}

static bool rewrite(struct source_tree *tree, struct source_row *row)
{
	const char *cell[SOURCE_CELLS];
	char switches[WORD_SWITCHES];
	struct fmt_passwd_cells cells;
	unsigned off;
	bool good;

	if (!fmt_passwd_cells(row->raw, row->raw_len, tree->domain, &cells))
		return true; /* of too few fields: as it stands */
	off = fmt_flags_services_off(cells.flags);
	cell[SOURCE_ADDRESS] = cells.address;
	cell[SOURCE_PASSWORD] = cells.password;
	cell[SOURCE_HASH] = cells.hash;
	cell[SOURCE_NAME] = cells.name;
	cell[SOURCE_QUOTA] = cells.quota;
	cell[SOURCE_FORWARD] = NULL;
	cell[SOURCE_LOGIN] = off == STORE_SERVICES ? "off"
			     : off ? word_switches(off, switches)
				   : NULL;
	cell[SOURCE_DELIVERY] = cells.flags & FMT_FLAGS_BOUNCE ? "off" : NULL;
	cell[SOURCE_MAILDIR] = cells.maildir;
	good = source_rewrite(row, &tree->raw, cell);
	secret_wipe(&cells, sizeof cells);
	return good;
}

static const char *merge(struct source_tree *tree, const struct source_row *row)
{
	char dir[PATH_MAX], maildir[PATH_MAX];
	struct fmt_passwd_cells cells;
	const char *why;
	bool on = false;

	if (!fmt_passwd_cells(row->raw, row->raw_len, tree->domain, &cells))
		return "the line is too long";
	if (tree->limits.off && !(cells.flags & FMT_FLAGS_OVERRIDE))
		import_account_services(row->account,
					tree->limits.off |
						fmt_flags_services_off(
							cells.flags));
	place(tree, cells.dir, dir);
	secret_wipe(&cells, sizeof cells);
	why = source_dotqmails_merge_own(&tree->files, row->account, &on);
	if (!why && on && dir[0])
		why = merge_user(tree, dir, row->account);
	if (!why && dir[0] && join_path(dir, "Maildir", maildir))
		why = import_account_maildir(row->account, maildir);
	return why;
}

/* A user: with what the files beside vpasswd say of him. */
static bool give_user(void *arg, const struct source_row *given)
{
	struct source_tree *tree = arg;
	struct source_row row = *given;

	if (!row.why && !row.left)
		row.why = merge(tree, &row);
	if (tree->how->copies && !rewrite(tree, &row))
		row.why = "no memory";
	if (!tree->enough)
		tree->enough = !tree->sink(tree->arg, &row);
	return !tree->enough;
}

static void name_limits(struct source_tree *tree, const char *path,
			const struct fmt_vpopmail_limits *limits)
{
	char left[sizeof limits->others + 64];

	if (!limits->others[0])
		return;
	(void)snprintf(left, sizeof left,
		       "limits that popbox does not have: %s",
		       limits->others); /* it fits */
	leave_out(tree, path, left);
}

/* The limits of a domain, and those of domains without any: upwards is the way
 * from the operand to vpopmail's home. */
static int read_limits(struct source_tree *tree, const char *dir)
{
	char path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	size_t len;

	tree->limits = tree->defaults;
	if (!join_path(dir, ".qmailadmin-limits", path))
		return CODE_DONE;
	if (!source_dotqmails_read(tree->how->path, path, text, &len))
		return errno == ENOENT ? CODE_DONE : say_unreadable(path);
	fmt_vpopmail_limits(text, len, &tree->limits);
	name_limits(tree, path, &tree->limits);
	return CODE_DONE;
}

/* ~vpopmail/etc/vlimits.default, of domains without a file of their own. */
static void read_defaults(struct source_tree *tree, const char *upwards)
{
	char top[PATH_MAX], path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	size_t len;

	if (!join_path(tree->how->path, upwards, top) ||
	    !join_path(top, "etc/vlimits.default", path) ||
	    !source_dotqmails_read(top, path, text, &len))
		return;
	fmt_vpopmail_limits(text, len, &tree->defaults);
	name_limits(tree, path, &tree->defaults);
}

/* A link that may be another name of a domain. */
static int note_link(struct source_tree *tree, const char *path,
		     const char *name)
{
	struct tree_link link = {.path = NULL};

	if (name_domain_read(name, strlen(name), &link.name) ||
	    stat(path, &link.target) != 0)
		return CODE_DONE;
	link.path = strdup(path);
	if (!link.path || !grow((void **)&tree->link, &tree->link_room,
				tree->links, sizeof *tree->link)) {
		free(link.path);
		return say_error(CODE_LATER, "no memory");
	}
	tree->link[tree->links++] = link;
	return CODE_DONE;
}

/* Another name of one of its domains, once. */
struct naming {
	struct source_tree *tree;
	const struct source_domain *target;
	const char *file;
	int code;
};

static bool give_alias(void *arg, const struct name_domain *name)
{
	struct naming *naming = arg;
	struct source_tree *tree = naming->tree;
	struct source_domain domain = {.name = *name,
				       .is_alias = true,
				       .target = naming->target->name,
				       .dir = naming->target->dir};
	const struct source_row row = {.file = naming->file, .domain = &domain};
	const size_t had = tree->aliases.count;
	size_t number;

	if (strcmp(name->s, domain.target.s) == 0)
		return true;
	if (idn_domain(name->s, &domain.name, domain.utf8)) {
		domain.name = *name; /* without its other form */
		domain.utf8[0] = 0;
	}
	if (!strtab_add(&tree->aliases, name->s, &number)) {
		naming->code = say_error(CODE_LATER, "no memory");
		return false;
	}
	if (number >= had)
		tree->enough = !tree->sink(tree->arg, &row);
	return !tree->enough;
}

/* What qmail's files lead into a domain's directory under another name, and the
 * links to it. */
static int give_aliases(struct source_tree *tree)
{
	struct naming naming = {.tree = tree, .code = CODE_DONE};
	char routes[PATH_MAX];

	if (!join_path(tree->how->site->config.qmail, "control/virtualdomains",
		       routes))
		routes[0] = 0;
	for (size_t i = 0; i < tree->count && !tree->enough; i++) {
		naming.target = &tree->domains[i];
		naming.file = routes;
		oldroutes_into(tree->how->old, &naming.target->dir, give_alias,
			       &naming);
	}
	for (size_t i = 0; i < tree->links && !tree->enough; i++) {
		const struct tree_link *link = &tree->link[i];

		naming.target = NULL;
		for (size_t j = 0; j < tree->count && !naming.target; j++) {
			const struct stat *st = &tree->domains[j].dir;

			if (st->st_ino == link->target.st_ino &&
			    st->st_dev == link->target.st_dev)
				naming.target = &tree->domains[j];
		}
		naming.file = link->path;
		if (naming.target)
			(void)give_alias(&naming, &link->name); /* its code */
		else if (!tree->how->domain)
			leave_out(tree, link->path,
				  "it is a link that leads to no domain of "
				  "this tree");
	}
	return naming.code;
}

static bool owner(void *arg, const char *path,
		  char ret_address[NAME_ADDRESS_TEXT])
{
	const struct source_tree *tree = arg;

	return fmt_vpopmail_owner(path, tree->domain, ret_address);
}

static enum fmt_vpopmail_where agent(void *arg, const char *line,
				     char ret_where[PATH_MAX])
{
	(void)arg; /* the same for all */
	return fmt_vpopmail_line(line, strlen(line), ret_where);
}

static bool note_domain(struct source_tree *tree,
			const struct source_domain *domain)
{
	if (!grow((void **)&tree->domains, &tree->room, tree->count,
		  sizeof *tree->domains))
		return false;
	tree->domains[tree->count++] = *domain;
	return true;
}

/* The domain itself, which may have no user. */
static int give_domain(struct source_tree *tree, const char *dir,
		       const char *name)
{
	struct source_domain domain = {.is_alias = false};
	struct source_row row = {.file = dir,
				 .account = &tree->files.account,
				 .domain = &domain};

	import_account_wipe(&tree->files.account);
	row.why = idn_domain(name, &domain.name, domain.utf8);
	if (row.why)
		row.domain = NULL;
	else if (stat(dir, &domain.dir) != 0)
		return say_unreadable(dir);
	if (!row.why && !note_domain(tree, &domain))
		return say_error(CODE_LATER, "no memory");
	tree->enough = !tree->sink(tree->arg, &row);
	return CODE_DONE;
}

static int read_domain(struct source_tree *tree, const char *dir,
		       const char *name)
{
	const struct source_dotqmails_site site = {owner, agent, tree};
	struct source_how how = *tree->how;
	char path[PATH_MAX];
	int code;

	how.domain = tree->domain = name;
	tree->dir = dir;
	tree->found++;
	tree->files = (struct source_dotqmails){.how = tree->how,
						.site = &site,
						.top = tree->how->path,
						.dir = dir,
						.domain = name};
	if (!join_path(dir, "vpasswd", path))
		return say_error(CODE_REFUSED, "'%s': the path is too long",
				 dir);
	code = give_domain(tree, dir, name);
	if (code == CODE_DONE)
		code = read_limits(tree, dir);
	if (code == CODE_DONE)
		code = source_dotqmails_list(&tree->files);
	if (code == CODE_DONE && !tree->enough)
		code = source_lines(&how, fmt_passwd_vpopmail, path, give_user,
				    tree);
	if (code == CODE_DONE && !tree->enough)
		code = source_dotqmails_rest(&tree->files, tree->sink,
					     tree->arg, &tree->enough);
	source_dotqmails_free(&tree->files);
	return code;
}

static bool is_wanted(const struct source_tree *tree, const char *name)
{
	return !tree->how->domain || strcasecmp(name, tree->how->domain) == 0;
}

static int read_below(struct source_tree *tree, const char *dir,
		      unsigned depth);

/* A domain has a vpasswd; a directory without one, of a name without a dot, is
 * one of those into which vpopmail sorts many domains. */
static int read_entry(struct source_tree *tree, const char *below,
		      const char *name, unsigned depth)
{
	char path[PATH_MAX];
	struct stat st;

	if (lstat(below, &st) != 0)
		return errno == ENOENT ? CODE_DONE : say_unreadable(below);
	if (S_ISLNK(st.st_mode))
		return note_link(tree, below, name);
	if (!S_ISDIR(st.st_mode) || !join_path(below, "vpasswd", path))
		return CODE_DONE;
	if (lstat(path, &st) == 0)
		return is_wanted(tree, name) ? read_domain(tree, below, name)
					     : CODE_DONE;
	if (errno != ENOENT)
		return say_unreadable(path);
	return depth && !strchr(name, '.') ? read_below(tree, below, depth - 1)
					   : CODE_DONE;
}

static int read_below(struct source_tree *tree, const char *dir, unsigned depth)
{
	int fd = safe_open_below(tree->how->path, dir, O_DIRECTORY);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char below[PATH_MAX];
	int code = CODE_DONE, rc = 0;

	if (!list) {
		if (fd >= 0)
			(void)close(fd); /* a directory, read only */
		return say_unreadable(dir);
	}
	while (code == CODE_DONE && !tree->enough &&
	       (entry = dir_next(list, &rc)) != NULL) {
		if (entry->d_name[0] != '.' &&
		    join_path(dir, entry->d_name, below))
			code = read_entry(tree, below, entry->d_name, depth);
	}
	(void)closedir(list); /* read only */
	errno = rc;
	return rc ? say_unreadable(dir) : code;
}

static int none_found(const struct source_how *how)
{
	if (how->domain)
		return say_error(CODE_REFUSED,
				 "'%s' has no directory of the domain '%s' "
				 "with a file vpasswd in it",
				 how->path, how->domain);
	return say_error(CODE_REFUSED,
			 "'%s' has no directory of a domain with a file "
			 "vpasswd in it (of something else than vpopmail's "
			 "domains name the file, and --format)",
			 how->path);
}

/* The directory of one domain, or of all. */
static int read_tree(struct source_tree *tree)
{
	const char *path = tree->how->path, *name = strrchr(path, '/');
	char vpasswd[PATH_MAX];
	struct stat st;

	if (!join_path(path, "vpasswd", vpasswd) || lstat(vpasswd, &st) != 0) {
		read_defaults(tree, "..");
		return read_below(tree, path, 3);
	}
	read_defaults(tree, "../..");
	return read_domain(tree, path,
			   tree->how->domain ? tree->how->domain
			   : name && name[1] ? name + 1
					     : path);
}

int source_tree(const struct source_how *how, source_sink *sink, void *arg)
{
	struct source_tree *tree = calloc(1, sizeof *tree);
	int code;

	if (!tree)
		return say_error(CODE_LATER, "no memory");
	*tree = (struct source_tree){.how = how, .sink = sink, .arg = arg};
	code = read_tree(tree);
	if (code == CODE_DONE && !tree->found)
		code = none_found(how);
	if (code == CODE_DONE)
		code = give_aliases(tree);
	for (size_t i = 0; i < tree->links; i++)
		free(tree->link[i].path);
	free(tree->link);
	free(tree->domains);
	strtab_free(&tree->aliases);
	if (tree->raw.bytes)
		secret_wipe(tree->raw.bytes, tree->raw.room);
	free(tree->raw.bytes);
	free(tree);
	return code;
}
