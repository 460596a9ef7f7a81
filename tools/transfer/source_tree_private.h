/* source_tree_private.h: what the parts of reading a vpopmail tree share:
 * source_tree.c (domains), source_tree_user.c (a user's row, and limits),
 * source_tree_alias.c (other names of domains).
 */
#ifndef POPBOX_SOURCE_TREE_PRIVATE_H
#define POPBOX_SOURCE_TREE_PRIVATE_H

#include "source.h"
#include "source_dotqmails.h"

/* A link in the place of a domain: vpopmail 5.4 makes other names so. */
struct source_tree_link {
	char *path;
	struct name_domain name;
	struct stat target;
};

struct source_tree {
	const struct source_how *how;
	source_sink *sink;
	void *arg;
	const char *domain; /* whose directory is read */
	const char *dir;    /* it */
	struct source_dotqmails files; /* of it */
	struct fmt_vpopmail_limits limits;
	struct fmt_vpopmail_limits defaults; /* of domains without any */
	unsigned long found; /* domains */
	struct source_domain *domains; /* the same, not the aliases */
	size_t count, room;
	struct source_tree_link *link;
	size_t links, link_room;
	struct strtab aliases; /* that were given */
	struct text raw;
	bool enough; /* the sink has */
};

bool source_tree_join(const char *dir, const char *name,
		      char ret_path[PATH_MAX]);
/* Room for one more of size; false: no memory. */
bool source_tree_grow(void **array, size_t *room, size_t count, size_t size);
void source_tree_left(struct source_tree *tree, const char *file,
		      const char *left);
int source_tree_unreadable(const char *path);

/* A source_sink: a user's row, with what the files beside vpasswd say. */
bool source_tree_user(void *arg, const struct source_row *given);

/* The limits of a domain, and those of domains without any: upwards is the way
 * from the operand to vpopmail's home. */
int source_tree_limits(struct source_tree *tree, const char *dir);
void source_tree_defaults(struct source_tree *tree, const char *upwards);

/* A link that may be another name of a domain, and the rows of all of them. */
int source_tree_note_link(struct source_tree *tree, const char *path,
			  const char *name);
int source_tree_aliases(struct source_tree *tree);

#endif
