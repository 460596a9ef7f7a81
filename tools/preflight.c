#include "preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "dialup.h"
#include "dotqmail.h"
#include "say.h"

/* The lines of one file that a new domain wants, and those it must not find. */
static bool judge(const struct config *config, enum lines_file file,
		  const struct store_domain *domain, unsigned what)
{
	struct lines lines = {0};
	bool good = lines_add(&lines, file, config, domain, what) ||
		    say_error(0, "no memory");

	if (good && lines.count)
		good = control_judge(config, file, &lines);
	lines_free(&lines);
	return good;
}

/* Lines of what has or had this name are ours, and change: was. */
static bool judge_files(const struct site *site,
			const struct store_domain *domain, bool was)
{
	const struct config *config = &site->config;
	const unsigned all = was ? LINES_COME : LINES_COME | LINES_GO;
	bool good = judge(config, LINES_RCPTHOSTS, domain, all);

	good = judge(config, LINES_MORE, domain, all) && good;
	good = judge(config, LINES_ASSIGN, domain, LINES_COME) && good;
	if (!was)
		good = judge(config, LINES_VIRTUALDOMAINS, domain, all) && good;
	if (!was)
		good = judge(config, LINES_SMTPROUTES, domain, LINES_COME) &&
		       good;
	if (!site->fix_locals)
		good = judge(config, LINES_LOCALS, domain, LINES_ALL_GO) &&
		       good;
	return good;
}

struct asking {
	const struct name_domain *name;
	bool was;    /* is or was there, of whatever kind */
	bool dialup; /* as a dial-up domain */
};

static enum err was_body(struct store_txn *txn, void *arg)
{
	struct asking *asking = arg;
	struct store_domain domain;
	struct store_parked parked;
	enum err err = store_parked_domain_any(txn, asking->name, &asking->was);

	if (err == ERR_OK)
		err = store_parked_domain_get(txn, asking->name, STORE_DIALUP,
					      &domain, &parked);
	if (err == ERR_NOTFOUND)
		err = store_domain_get(txn, asking->name, &domain);
	asking->was = asking->was || err == ERR_OK;
	asking->dialup = err == ERR_OK && domain.kind == STORE_DIALUP;
	return err == ERR_NOTFOUND ? ERR_OK : err;
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
		return say_error(CODE_REFUSED, "cannot take '%s': %s", path,
				 strerror(rc));
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

int preflight_domain(const struct site *site, const struct store_domain *domain,
		     bool adopt)
{
	struct asking asking = {.name = &domain->name};
	enum err err = store_read(site->store, was_body, &asking);

	if (err != ERR_OK)
		return site_failed(site, err, domain->name.s);
	if (config_has_qmail(&site->config) &&
	    !judge_files(site, domain, asking.was))
		return CODE_REFUSED;
	if (domain->kind != STORE_DIALUP || asking.dialup)
		return CODE_DONE;
	return judge_dialup(site, domain, adopt);
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
	if (!dotqmail_address(&site->config, address, STORE_DELIVER, STORE_DELIVER,
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
