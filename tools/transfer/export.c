/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/say.h"
#include "export_private.h"
#include "store/secret.h"

/* Writes and wipes what is held back, if it is more than that. */
enum err export_flush(struct exporting *e, size_t above)
{
	if (e->out.len <= above)
		return ERR_OK;
	e->rc = replace_write(e->fd, e->out.bytes, e->out.len);
	secret_wipe(e->out.bytes, e->out.len);
	e->out.len = 0;
	errno = e->rc;
	return e->rc ? ERR_SYSTEM : ERR_OK;
}

enum err export_each_address(struct exporting *e,
			     const struct store_domain *domain,
			     address_body *each)
{
	struct name_address at = {{""}, domain->name};
	struct store_address address;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_address_next(e->txn, &at, &address);
		if (err != ERR_OK ||
		    strcmp(address.name.domain.s, domain->name.s) != 0)
			break;
		at = address.name;
		err = each(e, domain, &address);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Is the domain one of those that were asked for? */
bool export_wants(const struct export_how *how,
		  const struct store_domain *domain)
{
	if (how->has_domain)
		return strcmp(domain->name.s, how->domain.s) == 0;
	return !how->has_handle ||
	       strcmp(domain->handle.s, how->handle.s) == 0;
}

static enum err look_for(const struct exporting *e)
{
	struct store_handle handle;
	struct store_domain domain;

	if (e->how->has_domain)
		return store_domain_get(e->txn, &e->how->domain, &domain);
	if (e->how->has_handle)
		return store_handle_get(e->txn, &e->how->handle, &handle);
	return ERR_OK;
}

static enum err export_body(struct store_txn *txn, void *arg)
{
	struct exporting *e = arg;
	enum err err;

	e->txn = txn;
	err = look_for(e);
	if (err == ERR_OK)
		err = e->how->format == EXPORT_JSON ? export_json(e)
						    : export_rows(e);
	return err == ERR_OK ? export_flush(e, 0) : err;
}

static int run(struct exporting *e)
{
	char count[SAY_COUNT_TEXT];
	const char *what = e->how->has_domain	? e->how->domain.s
			   : e->how->has_handle ? e->how->handle.s
						: "the export";
	enum err err = store_read(e->site->store, export_body, e);

	if (e->out.bytes)
		secret_wipe(e->out.bytes, e->out.room);
	free(e->out.bytes);
	if (e->rc)
		return say_error(CODE_LATER, "cannot write '%s': %s",
				 e->how->output ? e->how->output
						: "standard output",
				 strerror(e->rc));
	if (err != ERR_OK)
		return site_failed(e->site, err, what);
	if (!e->left)
		return CODE_DONE;
	return say_error(CODE_NO, "%s could not be carried",
			 say_count(e->left, "account", count));
}

/* The directory of a path, and the name in it. */
static int open_parent(const char *path, const char **ret_name)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	*ret_name = slash ? slash + 1 : path;
	if (len >= sizeof dir || !(*ret_name)[0]) {
		errno = EINVAL;
		return -1;
	}
	memcpy(dir, path, len);
	dir[len] = 0;
	return open(!slash ? "." : len ? dir : "/",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int run_into(struct exporting *e)
{
	const bool shared = e->how->gid != (gid_t)-1;
	const struct replace_text like = {.mode = shared ? 0640 : 0600,
					  .uid = shared ? geteuid()
							: (uid_t)-1,
					  .gid = e->how->gid};
	char temporary[NAME_MAX + 1];
	const char *name;
	int dir = open_parent(e->how->output, &name);
	int code = CODE_DONE, rc = dir < 0 ? errno : 0;

	if (rc == 0 && snprintf(temporary, sizeof temporary, ".%s.popbox-tmp",
				name) >= (int)sizeof temporary)
		rc = ENAMETOOLONG;
	if (rc == 0)
		rc = replace_begin(dir, temporary, &e->fd);
	if (rc == 0) {
		code = run(e);
		rc = replace_end(dir, name, temporary, e->fd, &like,
				 code > CODE_NO ? ECANCELED : 0);
	}
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	if (code > CODE_NO || rc == 0)
		return code;
	return say_error(CODE_LATER, "cannot write '%s': %s", e->how->output,
			 strerror(rc));
}

int export(struct site *site, const struct export_how *how)
{
	struct exporting e = {.site = site, .how = how, .fd = STDOUT_FILENO};

	return how->output ? run_into(&e) : run(&e);
}
