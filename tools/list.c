#include "list.h"

#include "say.h"

int list_print(struct site *site, const struct list *list)
{
	struct table table = {0};
	enum err err = ERR_OK;

	if (!site->json)
		table_begin(&table, list->header);
	while (err == ERR_OK) {
		*list->count = 0;
		err = store_read(site->store, list->next, list->arg);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			break;
		for (size_t i = 0; i < *list->count; i++)
			list->print(site, &table, list->arg, i);
	}
	if (!site->json && err != ERR_NOTFOUND && table.held == 1)
		table_drop(&table);
	else if (!site->json)
		table_end(&table);
	return err == ERR_NOTFOUND ? CODE_DONE
				   : site_failed(site, err, list->what);
}
