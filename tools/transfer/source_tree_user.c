/* source_tree_user.c: one user of a vpopmail tree, and the limits of his domain. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "fmt_flags.h"
#include "fmt_passwd.h"
#include "popusr/mailroot.h"
#include "source_tree_private.h"
#include "store/secret.h"

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
	if (!source_tree_join(tree->dir, found + strlen(part), ret_dir))
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
		    source_tree_join(dir, entry->d_name, path))
			source_tree_left(
				tree, path,
				"it is for an extension of the user's "
				"address (add that address by hand if it is "
				"wanted)");
	}
	if (list)
		(void)closedir(list); /* read only */
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
	if (!source_tree_join(dir, ".qmail", path))
		return "the path is too long";
	if (!source_dotqmails_read(top, path, text, &len))
		return errno == ENOENT || errno == ENOTDIR ? NULL
							   : strerror(errno);
	if (bounces) {
		import_account_note(account,
				    "%s, while the user's mail bounces", path);
		return NULL;
	}
	return source_dotqmails_merge(&tree->files, path, text, len, account,
				      &on);
}

static bool rewrite(struct source_tree *tree, struct source_row *row)
{
	const char *cell[SOURCE_CELLS];
	struct fmt_passwd_cells cells;
	bool good;

	if (!fmt_passwd_cells(row->raw, row->raw_len, tree->domain, &cells))
		return true; /* of too few fields: as it stands */
	cell[SOURCE_ADDRESS] = cells.address;
	cell[SOURCE_PASSWORD] = cells.password;
	cell[SOURCE_HASH] = cells.hash;
	cell[SOURCE_NAME] = cells.name;
	cell[SOURCE_QUOTA] = cells.quota;
	cell[SOURCE_FORWARD] = NULL;
	cell[SOURCE_LOGIN] = cells.flags & FMT_FLAGS_NO_POP ? "off" : NULL;
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
	if (tree->limits.no_pop && !(cells.flags & FMT_FLAGS_OVERRIDE))
		import_account_no_login(row->account);
	place(tree, cells.dir, dir);
	secret_wipe(&cells, sizeof cells);
	why = source_dotqmails_merge_own(&tree->files, row->account, &on);
	if (!why && on && dir[0])
		why = merge_user(tree, dir, row->account);
	if (!why && dir[0] && source_tree_join(dir, "Maildir", maildir))
		why = import_account_maildir(row->account, maildir);
	return why;
}

/* A user: with what the files beside vpasswd say of him. */
bool source_tree_user(void *arg, const struct source_row *given)
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
	source_tree_left(tree, path, left);
}

int source_tree_limits(struct source_tree *tree, const char *dir)
{
	char path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	size_t len;

	tree->limits = tree->defaults;
	if (!source_tree_join(dir, ".qmailadmin-limits", path))
		return CODE_DONE;
	if (!source_dotqmails_read(tree->how->path, path, text, &len))
		return errno == ENOENT ? CODE_DONE
				       : source_tree_unreadable(path);
	fmt_vpopmail_limits(text, len, &tree->limits);
	name_limits(tree, path, &tree->limits);
	return CODE_DONE;
}

/* ~vpopmail/etc/vlimits.default, of domains without a file of their own. */
void source_tree_defaults(struct source_tree *tree, const char *upwards)
{
	char top[PATH_MAX], path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	size_t len;

	if (!source_tree_join(tree->how->path, upwards, top) ||
	    !source_tree_join(top, "etc/vlimits.default", path) ||
	    !source_dotqmails_read(top, path, text, &len))
		return;
	fmt_vpopmail_limits(text, len, &tree->defaults);
	name_limits(tree, path, &tree->defaults);
}
