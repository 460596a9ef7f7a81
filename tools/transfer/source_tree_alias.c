/* source_tree_alias.c: other names of domains: what qmail's files lead into a
 * domain's directory, and links in its place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "base/say.h"
#include "source_tree_private.h"

/* A link that may be another name of a domain. */
int source_tree_note_link(struct source_tree *tree, const char *path,
			  const char *name)
{
	struct source_tree_link link = {.path = NULL};

	if (name_domain_read(name, strlen(name), &link.name) ||
	    stat(path, &link.target) != 0)
		return CODE_DONE;
	link.path = strdup(path);
	if (!link.path ||
	    !source_tree_grow((void **)&tree->link, &tree->link_room,
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
int source_tree_aliases(struct source_tree *tree)
{
	struct naming naming = {.tree = tree, .code = CODE_DONE};
	char routes[PATH_MAX];

	if (!source_tree_join(tree->how->site->config.qmail,
			      "control/virtualdomains", routes))
		routes[0] = 0;
	for (size_t i = 0; i < tree->count && !tree->enough; i++) {
		naming.target = &tree->domains[i];
		naming.file = routes;
		oldroutes_into(tree->how->old, &naming.target->dir, give_alias,
			       &naming);
	}
	for (size_t i = 0; i < tree->links && !tree->enough; i++) {
		const struct source_tree_link *link = &tree->link[i];

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
			source_tree_left(
				tree, link->path,
				"it is a link that leads to no domain of "
				"this tree");
	}
	return naming.code;
}
