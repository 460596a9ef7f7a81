#include "preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "say.h"

bool preflight_domain(const struct site *site,
			  const struct store_domain *domain)
{
	static const enum render_file files[] = {
		RENDER_RCPTHOSTS, RENDER_VIRTUALDOMAINS, RENDER_ASSIGN};
	const struct config *config = &site->config;
	bool good = true;

	if (!config_has_qmail(config))
		return true;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct render_lines lines = {0};

		if (!render_want(&lines, files[i], config, domain))
			good = say_error(0, "no memory");
		else if (!control_judge(config, files[i], &lines))
			good = false;
		render_lines_free(&lines);
	}
	return good && !control_local(config, &domain->name);
}

struct looking {
	const struct name_address *name;
	bool parked;
};

static enum err parked_body(struct store_txn *txn, void *arg)
{
	struct looking *looking = arg;
	struct store_address address;
	struct store_parked parked;
	enum err err = store_parked_address_get(txn, looking->name, &address,
						&parked);

	looking->parked = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static int take_over(const struct site *site, const struct name_handle *handle,
		     const struct store_address *address, char path[PATH_MAX])
{
	int rc;

	if (site->dry_run) {
		say_out("%s: kept as %s.by-hand", path, path);
		return CODE_DONE;
	}
	rc = asuser_adopt(site->asuser, handle, &address->name, path);
	if (rc != 0)
		return say_error(CODE_LATER, "cannot keep '%s': %s", path,
				 strerror(rc));
	say_note("what was there is kept as '%s.by-hand'", path);
	return CODE_DONE;
}

int preflight_address(const struct site *site,
		      const struct name_handle *handle,
		      const struct store_address *address, bool adopt)
{
	struct looking looking = {&address->name, false};
	char now[MAILROOT_QMAIL_MAX], path[PATH_MAX];
	size_t now_len, len;
	mode_t mode;
	char *text;
	bool same;
	int rc;
	enum err err = store_read(site->store, parked_body, &looking);

	if (err != ERR_OK)
		return site_failed(site, err, "the store");
	if (looking.parked)
		return CODE_DONE; /* the file is ours already */
	rc = asuser_peek(site->asuser, handle, &address->name, now, &now_len,
			 path);
	if (rc == ENOENT)
		return CODE_DONE;
	if (rc != 0)
		return say_error(CODE_REFUSED, "cannot take '%s': %s", path,
				 rc == EINVAL ? "it is not a regular file"
					      : strerror(rc));
	if (!render_qmail(&site->config, address, STORE_DELIVER, STORE_DELIVER,
			  &text, &len, &mode))
		return say_error(CODE_LATER, "no memory");
	same = len == now_len && memcmp(text, now, len) == 0;
	free(text);
	if (same)
		return CODE_DONE;
	if (adopt)
		return take_over(site, handle, address, path);
	return say_error(CODE_REFUSED,
			 "'%s' was made by hand and says something else: "
			 "nothing was changed (--adopt takes it over and keeps "
			 "a copy)",
			 path);
}
