/* SPDX-License-Identifier: MIT */
/* app_list.h: the app passwords of a box, each with its last use, for `box show`.
 */
#ifndef POPBOX_APP_LIST_H
#define POPBOX_APP_LIST_H

#include "accounts/site.h"
#include "base/json.h"
#include "popusr/asuser.h"

struct app_list {
	struct store_apps apps;
	struct asuser_use use[STORE_APPS_MAX]; /* of each, in their order */
};

/* The uses of list->apps. What cannot be read is said, and counts as never. */
void app_list_look(const struct site *site, const struct name_box *box,
		   struct app_list *list);

/* As member `app_passwords`. */
void app_list_json(json_t *object, const struct app_list *list);
void app_list_print(const struct app_list *list);

#endif
