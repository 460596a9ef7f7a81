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
#include "source_tree_private.h"
#include "store/secret.h"

int source_tree_unreadable(const char *path)
{
	return say_error(CODE_LATER, "cannot read '%s': %s", path,
			 strerror(errno));
}

bool source_tree_join(const char *dir, const char *name,
		      char ret_path[PATH_MAX])
{
	int len = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

	return len > 0 && len < PATH_MAX;
}

/* Room for one more of size; false: no memory. */
bool source_tree_grow(void **array, size_t *room, size_t count, size_t size)
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

void source_tree_left(struct source_tree *tree, const char *file,
		      const char *left)
{
	const struct source_row row = {.file = file, .left = left};

	if (!tree->enough)
		tree->enough = !tree->sink(tree->arg, &row);
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
	if (!source_tree_grow((void **)&tree->domains, &tree->room, tree->count,
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
		return source_tree_unreadable(dir);
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
	if (!source_tree_join(dir, "vpasswd", path))
		return say_error(CODE_REFUSED, "'%s': the path is too long",
				 dir);
	code = give_domain(tree, dir, name);
	if (code == CODE_DONE)
		code = source_tree_limits(tree, dir);
	if (code == CODE_DONE)
		code = source_dotqmails_list(&tree->files);
	if (code == CODE_DONE && !tree->enough)
		code = source_lines(&how, fmt_passwd_vpopmail, path,
				    source_tree_user, tree);
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
		return errno == ENOENT ? CODE_DONE
				       : source_tree_unreadable(below);
	if (S_ISLNK(st.st_mode))
		return source_tree_note_link(tree, below, name);
	if (!S_ISDIR(st.st_mode) || !source_tree_join(below, "vpasswd", path))
		return CODE_DONE;
	if (lstat(path, &st) == 0)
		return is_wanted(tree, name) ? read_domain(tree, below, name)
					     : CODE_DONE;
	if (errno != ENOENT)
		return source_tree_unreadable(path);
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
		return source_tree_unreadable(dir);
	}
	while (code == CODE_DONE && !tree->enough &&
	       (entry = dir_next(list, &rc)) != NULL) {
		if (entry->d_name[0] != '.' &&
		    source_tree_join(dir, entry->d_name, below))
			code = read_entry(tree, below, entry->d_name, depth);
	}
	(void)closedir(list); /* read only */
	errno = rc;
	return rc ? source_tree_unreadable(dir) : code;
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

	if (!source_tree_join(path, "vpasswd", vpasswd) ||
	    lstat(vpasswd, &st) != 0) {
		source_tree_defaults(tree, "..");
		return read_below(tree, path, 3);
	}
	source_tree_defaults(tree, "../..");
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
		code = source_tree_aliases(tree);
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
