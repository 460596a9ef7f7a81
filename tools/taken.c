#include "taken.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

struct taken {
	struct site *site;
	struct name_box *box; /* malloc'ed: of each handle the highest */
	size_t count, room;
	int code;
};

static void cannot(struct taken *taken, const char *path, int rc)
{
	taken->code = say_error(CODE_LATER, "cannot look at '%s': %s", path,
				strerror(rc));
}

static void add(struct taken *taken, const struct name_handle *handle,
		int64_t number)
{
	if (taken->count == taken->room) {
		size_t room = taken->room ? taken->room * 2 : 64;
		struct name_box *more =
			reallocarray(taken->box, room, sizeof *more);

		if (!more) {
			taken->code = say_error(CODE_LATER, "no memory");
			return;
		}
		taken->box = more;
		taken->room = room;
	}
	taken->box[taken->count++] =
		(struct name_box){*handle, (uint32_t)number};
}

static void on_handle(struct taken *taken, const char *path, const char *name)
{
	struct name_handle handle;
	char at[PATH_MAX];
	int64_t number;
	int rc;

	(void)path;
	if (name_handle_read(name, strlen(name), &handle))
		return; /* no directory of ours */
	rc = asuser_highest(taken->site->asuser, &handle, &number, at);
	if (rc == 0 && number < UINT32_MAX) /* that one is never given */
		add(taken, &handle, number);
	else if (rc != 0 && rc != ENOENT && rc != ENOTDIR)
		cannot(taken, at, rc);
}

typedef void on_name(struct taken *taken, const char *path, const char *name);

/* Every name in a directory; what is not there has none. */
static void each(struct taken *taken, const char *path, on_name *on)
{
	size_t len = 1, skip = 0;
	/* on may read another directory meanwhile. */
	char *text = malloc(MAILROOT_QMAIL_MAX);
	int rc = text ? 0 : ENOMEM;

	while (rc == 0 && len && taken->code == CODE_DONE) {
		rc = asuser_names(taken->site->asuser, path, skip, text, &len);
		for (size_t at = 0;
		     rc == 0 && at < len && taken->code == CODE_DONE;
		     at += strnlen(text + at, len - at) + 1) {
			on(taken, path, text + at);
			skip++;
		}
	}
	free(text);
	if (rc != 0 && rc != ENOENT && rc != ENOTDIR)
		cannot(taken, path, rc);
}

static void on_letter(struct taken *taken, const char *path, const char *name)
{
	char below[PATH_MAX];
	int len = snprintf(below, sizeof below, "%s/%s", path, name);

	if (name[0] < 'a' || name[0] > 'z' || name[1])
		return; /* no directory of ours */
	if (len < 0 || (size_t)len >= sizeof below)
		cannot(taken, path, ENAMETOOLONG);
	else
		each(taken, below, on_handle);
}

static enum err pass(struct store_txn *txn, const struct name_box *box)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, &box->handle, &handle);
	bool made = err == ERR_NOTFOUND;

	if (made)
		err = store_handle_add(txn, &box->handle);
	if (err == ERR_OK)
		err = store_box_pass(txn, box);
	if (err == ERR_OK && made)
		err = store_handle_del(txn, &box->handle);
	return err;
}

static enum err pass_body(struct store_txn *txn, void *arg)
{
	const struct taken *taken = arg;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < taken->count; i++)
		err = pass(txn, &taken->box[i]);
	return err;
}

int taken_pass(struct site *site)
{
	struct taken taken = {.site = site, .code = CODE_DONE};
	uint64_t last;
	enum err err;

	each(&taken, site->config.home, on_letter);
	if (taken.code == CODE_DONE && taken.count) {
		err = store_write(site->store, &site->actor, pass_body, &taken,
				  true, &last);
		taken.code = site_failed(site, err, "restore");
	}
	free(taken.box);
	return taken.code;
}
