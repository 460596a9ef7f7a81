/* source_tree.c: vpopmail's tree: a directory for each domain, below it vpasswd and
 * .qmail-* files. Nothing in it is run; links are not followed, since whoever
 * owns it could lead root anywhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listing.h"
#include "mailroot.h"
#include "nolink.h"
#include "row_dotqmail.h"
#include "say.h"
#include "source.h"

struct tree {
	const struct source_how *how;
	source_sink *sink;
	void *arg;
	struct intake intake;
	const char *domain;  /* whose directory it is in */
	unsigned long found; /* domains */
	bool enough;
};

static int unreadable(const char *path)
{
	return say_error(CODE_LATER, "cannot read '%s': %s", path,
			 strerror(errno));
}

static bool join(const char *dir, const char *name, char ret_path[PATH_MAX])
{
	int len = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

	return len > 0 && len < PATH_MAX;
}

/* A small regular file. False: errno. */
static bool read_small(const char *top, const char *path,
		       char text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	int fd = nolink_open(top, path, 0);
	struct stat st;
	ssize_t got = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size < MAILROOT_QMAIL_MAX)
		got = read(fd, text, MAILROOT_QMAIL_MAX);
	else
		errno = EFBIG;
	(void)close(fd); /* read only */
	*ret_len = got > 0 ? (size_t)got : 0;
	return got >= 0;
}

/* .../domains/example.com/joe/Maildir/ is joe's box, who is reached by his
 * address. */
static const char *take_box(struct tree *tree, const char *path)
{
	static const char end[] = "/Maildir/";
	char address[NAME_ADDRESS_TEXT];
	size_t len = strlen(path), part = sizeof end - 1;
	const char *user;
	int made;

	if (len <= part || strcmp(path + len - part, end) != 0)
		return "it delivers into a directory that is no user's";
	len -= part;
	user = path + len;
	while (user > path && user[-1] != '/')
		user--;
	made = snprintf(address, sizeof address, "%.*s@%s",
			(int)(path + len - user), user, tree->domain);
	if (made < 0 || (size_t)made >= sizeof address)
		return "it delivers into a directory that is no user's";
	return intake_forward(&tree->intake, address);
}

/* | /home/vpopmail/bin/vdelivermail '' WHERE: the one program that vpopmail
 * itself puts there, for everybody who has no file. NULL: it is another. */
static const char *find_where(char *text, size_t len)
{
	static const char mark[] = "vdelivermail '' ";
	char *found;

	text[len < MAILROOT_QMAIL_MAX ? len : MAILROOT_QMAIL_MAX - 1] = 0;
	found = strstr(text, mark);
	if (!found)
		return NULL;
	found += sizeof mark - 1;
	found[strcspn(found, " \t\r\n")] = 0;
	return found;
}

static const char *take_where(struct tree *tree, const char *where,
			      const char **ret_left)
{
	char path[PATH_MAX];

	if (strcmp(where, "bounce-no-mailbox") == 0 ||
	    strcmp(where, "delete") == 0) {
		*ret_left = "mail for unknown users is sent back";
		return NULL;
	}
	if (where[0] != '/')
		return intake_forward(&tree->intake, where);
	if (!join(where, "Maildir/", path))
		return "the path is too long";
	return take_box(tree, path);
}

static const char *take_targets(struct tree *tree, const char *text, size_t len,
				const char **ret_left)
{
	struct row_dotqmail row;
	const char *why = row_dotqmail(text, len, &tree->intake, &row);

	if (!why && row.foreign)
		*ret_left = "made by hand: it runs a program (copy the file "
			    "into the new domain's directory if it is wanted)";
	for (size_t i = 0; !why && !*ret_left && i < row.boxes; i++)
		why = take_box(tree, row.box[i]);
	if (!why && !*ret_left && !tree->intake.has_forwards)
		*ret_left = "it leads nowhere";
	return why;
}

static bool give_qmail(struct tree *tree, const char *path, const char *name)
{
	struct source_row row = {.file = path, .intake = &tree->intake};
	char text[MAILROOT_QMAIL_MAX];
	struct name_local local;
	const char *where = NULL;
	size_t len = 0;

	intake_wipe(&tree->intake);
	if (!row_dotqmail_name(name, &local)) {
		row.left = "qmail never reads a file of this name";
		return tree->sink(tree->arg, &row);
	}
	row.why = intake_local(&tree->intake, local.s, tree->domain);
	if (!row.why && !read_small(tree->how->path, path, text, &len))
		row.why = strerror(errno);
	if (!row.why)
		row.why = take_targets(tree, text, len, &row.left);
	if (row.left && strcmp(local.s, "*") == 0)
		where = find_where(text, len);
	if (where) {
		row.left = NULL;
		row.why = take_where(tree, where, &row.left);
	}
	return tree->sink(tree->arg, &row);
}

static DIR *open_list(const struct tree *tree, const char *dir)
{
	int fd = nolink_open(tree->how->path, dir, O_DIRECTORY);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !list)
		(void)close(fd); /* a directory, read only */
	return list;
}

static int read_aliases(struct tree *tree, const char *dir)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *list = open_list(tree, dir);
	int rc = 0;

	if (!list)
		return unreadable(dir);
	while (!tree->enough && (entry = listing_next(list, &rc)) != NULL) {
		if (strncmp(entry->d_name, ".qmail-", 7) == 0 &&
		    join(dir, entry->d_name, path))
			tree->enough = !give_qmail(tree, path, entry->d_name);
	}
	(void)closedir(list); /* read only */
	errno = rc;
	return rc ? unreadable(dir) : CODE_DONE;
}

/* Passes rows on, and hears it when the sink has enough. */
static bool pass_on(void *arg, const struct source_row *row)
{
	struct tree *tree = arg;

	tree->enough = !tree->sink(tree->arg, row);
	return !tree->enough;
}

static int read_domain(struct tree *tree, const char *dir, const char *name)
{
	struct source_how how = *tree->how;
	char path[PATH_MAX];
	int code;

	how.domain = tree->domain = name;
	tree->found++;
	if (!join(dir, "vpasswd", path))
		return say_error(CODE_REFUSED, "'%s': the path is too long",
				 dir);
	code = source_vpasswd(&how, path, pass_on, tree);
	if (code == CODE_DONE && !tree->enough)
		code = read_aliases(tree, dir);
	return code;
}

static int read_below(struct tree *tree, const char *dir, unsigned depth);

/* A domain has a vpasswd; a directory without one, of a name without a dot, is
 * one of those into which vpopmail sorts many domains. */
static int read_entry(struct tree *tree, const char *below, const char *name,
		      unsigned depth)
{
	char path[PATH_MAX];
	struct stat st;

	if (lstat(below, &st) != 0)
		return errno == ENOENT ? CODE_DONE : unreadable(below);
	if (!S_ISDIR(st.st_mode) || !join(below, "vpasswd", path))
		return CODE_DONE;
	if (lstat(path, &st) == 0)
		return read_domain(tree, below, name);
	if (errno != ENOENT)
		return unreadable(path);
	return depth && !strchr(name, '.') ? read_below(tree, below, depth - 1)
					   : CODE_DONE;
}

static int read_below(struct tree *tree, const char *dir, unsigned depth)
{
	const struct dirent *entry;
	char below[PATH_MAX];
	int code = CODE_DONE, rc = 0;
	DIR *list = open_list(tree, dir);

	if (!list)
		return unreadable(dir);
	while (code == CODE_DONE && !tree->enough &&
	       (entry = listing_next(list, &rc)) != NULL) {
		if (entry->d_name[0] != '.' && join(dir, entry->d_name, below))
			code = read_entry(tree, below, entry->d_name, depth);
	}
	(void)closedir(list); /* read only */
	errno = rc;
	return rc ? unreadable(dir) : code;
}

int source_tree(const struct source_how *how, source_sink *sink, void *arg)
{
	struct tree *tree = calloc(1, sizeof *tree);
	int code;

	if (!tree)
		return say_error(CODE_LATER, "no memory");
	*tree = (struct tree){.how = how, .sink = sink, .arg = arg};
	code = read_below(tree, how->path, 3);
	if (code == CODE_DONE && !tree->found)
		code = say_error(CODE_REFUSED,
				 "'%s' has no directory of a domain with a "
				 "file vpasswd in it (of something else than "
				 "vpopmail's domains name the file, and "
				 "--format)",
				 how->path);
	intake_wipe(&tree->intake);
	free(tree);
	return code;
}
