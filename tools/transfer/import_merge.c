/* import_merge.c: an account that two tables of a dump tell of: one has its box, the
 * other its forwards. In which order they come is the dump's to say.
 */
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "import_private.h"

/* Adds what other says of forwards. False: it is too much. */
static bool add_forwards(struct intake *both, const struct intake *other)
{
	for (size_t at = 0; at < other->forwards_len;
	     at += strlen(other->forwards + at) + 1) {
		if (intake_forward(both, other->forwards + at))
			return false;
	}
	both->part |= other->part;
	both->itself = both->itself || other->itself;
	return true;
}

static enum roster_added merge(struct import *import, size_t number,
			       const struct intake *intake,
			       struct intake *there, struct intake *both)
{
	const bool box = intake->part & INTAKE_BOX;

	roster_get(&import->roster, number, there);
	if (!there->part || (there->part & intake->part & INTAKE_BOX))
		return ROSTER_OTHER;
	*both = box ? *intake : *there;
	if (!add_forwards(both, box ? there : intake))
		return ROSTER_OTHER;
	return roster_replace(&import->roster, number, both) ? ROSTER_ADDED
							     : ROSTER_NOMEM;
}

enum roster_added import_merge(struct import *import,
			       const struct intake *intake)
{
	struct intake *two;
	enum roster_added added;
	size_t number;

	if (!intake->part ||
	    !roster_find(&import->roster, &intake->address, &number))
		return ROSTER_OTHER;
	two = calloc(2, sizeof *two);
	if (!two)
		return ROSTER_NOMEM;
	added = merge(import, number, intake, &two[0], &two[1]);
	intake_wipe(&two[0]);
	intake_wipe(&two[1]);
	free(two);
	return added;
}

static bool settle(struct import *import, size_t number, struct intake *intake)
{
	const bool box = intake->part & INTAKE_BOX;
	char at[IMPORT_PLACE];

	if (box && intake->has_forwards && !intake->itself &&
	    !intake->has_delivery) {
		intake_no_mail(intake); /* forwards alone, without a copy */
		return roster_replace(&import->roster, number, intake);
	}
	if (box || intake->has_forwards)
		return true;
	import_place(import, import->roster.row[number].file,
		     import->roster.row[number].line, at);
	say_note("%s: skipped: an alias of itself", at);
	import->roster.row[number].bad = true;
	import->left++;
	return true;
}

bool import_merge_end(struct import *import)
{
	struct intake *intake = malloc(sizeof *intake);
	bool good = intake != NULL;

	for (size_t i = 0; good && i < import->roster.count; i++) {
		roster_get(&import->roster, i, intake);
		if (intake->part & INTAKE_FORWARDS)
			good = settle(import, i, intake);
	}
	if (intake)
		intake_wipe(intake);
	free(intake);
	return good;
}
