/* SPDX-License-Identifier: MIT */
#include "preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/resource_error.h"
#include "base/say.h"
#include "dialup.h"
#include "qmail/control.h"
#include "qmail/dotqmail.h"

/* What has or had a name that is wanted. */
struct past {
	bool was;    /* of whatever kind: its lines are ours, and change */
	bool dialup; /* as a dial-up domain */
};

struct asking {
	const struct store_domain *domain;
	size_t count;
	struct past *past;
	lines_yield *yields;
	void *yields_arg;
};

static enum err ask(struct store_txn *txn, const struct name_domain *name,
		    struct past *ret_past)
{
	struct store_domain domain;
	struct store_parked parked;
	struct past past = {false, false};
	enum err err = store_parked_domain_any(txn, name, &past.was);

	if (err == ERR_OK)
		err = store_parked_domain_get(txn, name, STORE_DIALUP, &domain,
					      &parked);
	if (err == ERR_NOTFOUND)
		err = store_domain_get(txn, name, &domain);
	past.was = past.was || err == ERR_OK;
	past.dialup = err == ERR_OK && domain.kind == STORE_DIALUP;
	*ret_past = past;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err ask_body(struct store_txn *txn, void *arg)
{
	struct asking *asking = arg;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < asking->count; i++)
		err = ask(txn, &asking->domain[i].name, &asking->past[i]);
	return err;
}

/* What a file is asked: for the lines that a domain wants, and those it must
 * not find. */
static unsigned question(const struct site *site, enum lines_file file,
			 const struct past *past)
{
	switch (file) {
	case LINES_RCPTHOSTS:
	case LINES_MORE:
		return past->was ? LINES_COME : LINES_COME | LINES_GO;
	case LINES_ASSIGN:
		return LINES_COME;
	case LINES_VIRTUALDOMAINS:
		return past->was ? 0 : LINES_COME | LINES_GO;
	case LINES_SMTPROUTES:
		return past->was ? 0 : LINES_COME;
	case LINES_LOCALS:
		return site->fix_locals ? 0 : LINES_ALL_GO;
	}
	return 0;
}

/* One file for all domains. */
static int judge(const struct site *site, const struct asking *asking,
		 enum lines_file file)
{
	struct lines lines = {.yields = asking->yields,
			      .yields_arg = asking->yields_arg};
	int code = CODE_DONE;

	for (size_t i = 0; code == CODE_DONE && i < asking->count; i++) {
		if (!lines_add(&lines, file, &site->config, &asking->domain[i],
			       question(site, file, &asking->past[i])))
			code = say_error(CODE_LATER, "no memory");
	}
	if (code == CODE_DONE && lines.count)
		code = control_judge(&site->config, file, &lines);
	lines_free(&lines);
	return code;
}

/* All is said at once. What speaks against it outweighs what could not be told. */
static int judge_files(const struct site *site, const struct asking *asking)
{
	int worst = CODE_DONE;

	for (int file = LINES_RCPTHOSTS; file <= LINES_LOCALS; file++) {
		int code = judge(site, asking, (enum lines_file)file);

		if (code == CODE_REFUSED || worst == CODE_DONE)
			worst = code;
	}
	return worst;
}

/* A file or directory that popusr could not read: for want of what is there again
 * in a moment, or for good. */
static int unread(const char *path, int rc)
{
	const bool later = resource_error(rc) || rc == EIO || rc == EPIPE;

	if (rc == EPIPE)
		return say_error(CODE_LATER,
				 "the helper that is popusr has ended: nothing "
				 "was changed");
	return say_error(later ? CODE_LATER : CODE_REFUSED,
			 "cannot take '%s': %s", path,
			 rc == EINVAL ? "it is not a regular file"
				      : strerror(rc));
}

/* A directory that somebody made by hand says the same, or is taken over. */
static int judge_dialup(const struct site *site,
			const struct store_domain *domain, bool adopt)
{
	struct mailroot_dialup want, is = {.qmail = ""};
	char path[PATH_MAX];
	int rc;

	if (!dialup_files(&site->config, domain, STORE_DELIVER, &want))
		return say_error(CODE_LATER, "no memory");
	rc = asuser_dialup_peek(site->asuser, &domain->name, &is, path);
	if (rc == ENOENT)
		return CODE_DONE;
	if (rc != 0)
		return unread(path, rc);
	if (adopt ||
	    ((!is.relayhost[0] || strcmp(is.relayhost, want.relayhost) == 0) &&
	     (!is.qmail[0] || strcmp(is.qmail, want.qmail) == 0)))
		return CODE_DONE;
	return say_error(CODE_REFUSED,
			 "'%s' is there already, and its %s says something "
			 "else: nothing was changed (--adopt takes it over)",
			 path,
			 strcmp(is.relayhost, want.relayhost) == 0
				 ? ".qmail-default"
				 : "RELAYHOST");
}

static int judge_domains(const struct site *site, struct asking *asking,
			 bool adopt)
{
	int code;

	asking->past = calloc(asking->count + 1, sizeof *asking->past);
	code = asking->past ? CODE_DONE : say_error(CODE_LATER, "no memory");
	if (code == CODE_DONE)
		code = site_failed(site,
				   store_read(site->store, ask_body, asking),
				   "the store");
	if (code == CODE_DONE && config_has_qmail(&site->config))
		code = judge_files(site, asking);
	for (size_t i = 0; code == CODE_DONE && i < asking->count; i++) {
		if (asking->domain[i].kind == STORE_DIALUP &&
		    !asking->past[i].dialup)
			code = judge_dialup(site, &asking->domain[i], adopt);
	}
	free(asking->past);
	return code;
}

int preflight_domains(const struct site *site,
		      const struct store_domain *domain, size_t count,
		      bool adopt)
{
	struct asking asking = {.domain = domain, .count = count};

	return judge_domains(site, &asking, adopt);
}

int preflight_moving(const struct site *site,
		     const struct store_domain *domain, size_t count,
		     lines_yield *yields, void *arg)
{
	struct asking asking = {.domain = domain,
				.count = count,
				.yields = yields,
				.yields_arg = arg};

	return judge_domains(site, &asking, false);
}

struct looking {
	const struct name_address *name;
	bool ours;
};

/* Of an address that is retained the file is ours already, and the catch-all's
 * where the domain has an extension. */
static enum err ours_body(struct store_txn *txn, void *arg)
{
	struct looking *looking = arg;
	struct store_address address;
	struct store_parked parked;
	struct store_domain domain;
	enum err err = store_parked_address_get(txn, looking->name, &address,
						&parked);

	looking->ours = err == ERR_OK;
	if (err == ERR_NOTFOUND && looking->name->local.s[0] == '*') {
		err = store_domain_get(txn, &looking->name->domain, &domain);
		looking->ours = err == ERR_OK && domain.extension;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static int take_over(const struct site *site, const struct name_handle *handle,
		     const struct name_address *name, char path[PATH_MAX])
{
	int rc;

	if (site->dry_run) {
		say_out("%s: a copy would be kept beside it", path);
		return CODE_DONE;
	}
	rc = asuser_adopt(site->asuser, handle, name, path);
	if (rc == ENOENT) /* it went meanwhile */
		return CODE_DONE;
	if (rc != 0)
		return say_error(CODE_LATER, "cannot keep a copy of '%s': %s",
				 path, strerror(rc));
	say_note("a copy of the file that was there is kept as '%s'", path);
	return CODE_DONE;
}

/* Is there a file of that name that says something else than this text? */
static int judge_file(const struct site *site, const struct name_handle *handle,
		      const struct name_address *name, const char *text,
		      size_t len, bool adopt)
{
	char now[MAILROOT_QMAIL_MAX], path[PATH_MAX];
	size_t now_len;
	int rc = asuser_peek(site->asuser, handle, name, now, &now_len, path);

	if (rc == ENOENT)
		return CODE_DONE;
	if (rc != 0)
		return unread(path, rc);
	if (len == now_len && memcmp(text, now, len) == 0)
		return CODE_DONE;
	if (adopt)
		return take_over(site, handle, name, path);
	return say_error(CODE_REFUSED,
			 "'%s' is an unmanaged file with another text: "
			 "nothing was changed (--adopt takes it over and "
			 "keeps a copy)",
			 path);
}

int preflight_address(const struct site *site,
		      const struct name_handle *handle,
		      const struct store_address *address, bool adopt)
{
	const struct store_quota none = {0, 0};
	struct looking looking = {&address->name, false};
	size_t len;
	mode_t mode;
	char *text;
	int code;
	enum err err = store_read(site->store, ours_body, &looking);

	if (err != ERR_OK)
		return site_failed(site, err, "the store");
	if (looking.ours)
		return CODE_DONE;
	if (!dotqmail_address(&site->config, address, STORE_DELIVER, STORE_DELIVER,
			      &none, false, &text, &len, &mode))
		return say_error(CODE_LATER, "no memory");
	code = judge_file(site, handle, &address->name, text, len, adopt);
	free(text);
	return code;
}

static enum err catchall_body(struct store_txn *txn, void *arg)
{
	struct looking *looking = arg;
	struct store_address address;
	enum err err = store_address_get(txn, looking->name, &address);

	looking->ours = err == ERR_OK;
	return err == ERR_NOTFOUND ? ours_body(txn, arg) : err;
}

int preflight_extension(const struct site *site,
			const struct store_domain *domain, bool adopt)
{
	const struct name_address name = {{"*"}, domain->name};
	struct looking looking = {&name, false};
	char *text = NULL;
	size_t len = 0;
	mode_t mode;
	int code;
	enum err err = store_read(site->store, catchall_body, &looking);

	if (err != ERR_OK)
		return site_failed(site, err, "the store");
	if (looking.ours)
		return CODE_DONE;
	if (!dotqmail_extension(&site->config, &text, &len, &mode))
		return say_error(CODE_LATER, "no memory");
	code = judge_file(site, &domain->handle, &name, text, len, adopt);
	free(text);
	return code;
}
