/* SPDX-License-Identifier: MIT */
#include "app_list.h"

#include <string.h>

#include "base/say.h"
#include "base/words.h"
#include "store/login.h"

void app_list_look(const struct site *site, const struct name_box *box,
		   struct app_list *list)
{
	struct asuser_use use[STORE_APPS_MAX];
	char path[PATH_MAX];
	int rc = 0;

	memset(list->use, 0, sizeof list->use);
	if (!list->apps.count)
		return;
	rc = asuser_lastapps(site->asuser, box, use, path);
	if (rc != 0) {
		(void)say_error(rc, "cannot read '%s': %s", path, strerror(rc));
		return;
	}
	for (unsigned i = 0; i < list->apps.count; i++) {
		const struct store_app *app = &list->apps.app[i];

		/* A file of one that had the number earlier stays. */
		if (use[app->number - 1].time >= app->created)
			list->use[i] = use[app->number - 1];
	}
}

void app_list_json(json_t *object, const struct app_list *list)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < list->apps.count; i++) {
		const struct asuser_use *use = &list->use[i];
		json_t *one = json_app(&list->apps.app[i]);

		(void)json_object_set_new(one, "last_use", json_time(use->time));
		(void)json_object_set_new(one, "last_ip",
					  use->ip[0] ? json_string(use->ip)
						     : json_null());
		(void)json_array_append_new(all, one);
	}
	(void)json_object_set_new(object, "app_passwords", all);
}

void app_list_print(const struct app_list *list)
{
	for (unsigned i = 0; i < list->apps.count; i++) {
		const struct store_app *app = &list->apps.app[i];
		const struct asuser_use *use = &list->use[i];
		char services[WORD_SERVICES], until[SAY_TIME_TEXT],
			last[SAY_TIME_TEXT];
		const bool all = app->services == STORE_SERVICES;

		say_out("app password      %s%s%s%s%s, %s%s%s%s", app->name,
			all ? "" : ", only by ",
			all ? "" : word_services(app->services, services),
			!app->expires		    ? ""
			: login_ended(app->expires) ? ", expired "
						    : ", until ",
			app->expires ? say_time(app->expires, until) : "",
			use->time ? "last used " : "never used",
			use->time ? say_time(use->time, last) : "",
			use->ip[0] ? " from " : "", use->ip);
	}
}
