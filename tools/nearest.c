#include "nearest.h"

#include <string.h>

#include "args.h"
#include "idn.h"
#include "say.h"

enum { LOOKS = 10000, FAR = 3 };

struct search {
	struct name_domain name;
	struct name_domain best; /* "" = none is near */
};

static enum err search_body(struct store_txn *txn, void *arg)
{
	struct search *search = arg;
	struct name_domain first = {{search->name.s[0]}};
	struct store_domain domain;
	unsigned nearest = FAR;
	enum err err = store_domain_get(txn, &search->name, &domain);

	search->best.s[0] = 0;
	if (err != ERR_NOTFOUND)
		return err;
	err = store_domain_next(txn, &first, &domain);
	for (unsigned looks = 0; err == ERR_OK && looks < LOOKS &&
				 domain.name.s[0] == first.s[0];
	     looks++) {
		unsigned distance =
			args_distance(search->name.s, domain.name.s);

		if (distance < nearest) {
			nearest = distance;
			search->best = domain.name;
		}
		err = store_domain_next(txn, &domain.name, &domain);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

void nearest_domain(struct site *site, const char *operand)
{
	const char *at = strrchr(operand, '@');
	char utf8[NAME_DOMAIN_MAX + 1];
	struct search search;

	if (!site->store || !strchr(operand, '.') ||
	    idn_domain(at ? at + 1 : operand, &search.name, utf8))
		return;
	/* A hint only: what fails here was said, or is said by others. */
	if (store_read(site->store, search_body, &search) == ERR_OK &&
	    search.best.s[0])
		say_note("did you mean '%s'?", search.best.s);
}
