/* SPDX-License-Identifier: MIT */
/* cmd_cluster.c: popbox cluster init, join, leave, tidy, check, schema. */
#include <string.h>

#include "base/central_schema.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/setting.h"
#include "cli/sharing.h"
#include "store/secret.h"

const struct args_option cmd_cluster_init_options[] = {
	{"--one-server", NULL, "without a synchronous standby, too"},
	{NULL, NULL, NULL},
};
const struct args_option cmd_cluster_join_options[] = {
	CONFIRM_OPTION,
	{NULL, NULL, NULL},
};
const struct args_option cmd_cluster_leave_options[] = {
	CONFIRM_OPTION,
	{NULL, NULL, NULL},
};

static int open_settings(struct site *site, const char *conninfo)
{
	const char *why = config_judge("central", conninfo);
	int code = site_config(site);

	if (code == CODE_DONE && (why || !conninfo[0]))
		return say_error(CODE_REFUSED, "'%s' is no conninfo: %s",
				 conninfo, why ? why : "it is empty");
	return code;
}

static int answered(struct site *site, enum central_answer answer,
		    const char *what)
{
	if (answer != CENTRAL_OK && site->copy.central)
		memcpy(site->copy.why, central_why(site->copy.central),
		       strlen(central_why(site->copy.central)) + 1);
	return site_central_failed(site, answer, what);
}

static enum err has_head_body(struct store_txn *txn, void *arg)
{
	struct store_head head;
	enum err err = store_head_get(txn, &head);

	*(bool *)arg = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err id_body(struct store_txn *txn, void *arg)
{
	return store_id(txn, arg);
}

static enum err last_body(struct store_txn *txn, void *arg)
{
	return store_journal_last(txn, arg);
}

/* What was sent is in the central database: the store becomes its first copy. A run
 * that was killed in between is finished by the next. */
static int enter(struct site *site, const char *conninfo,
		 const struct store_head *head)
{
	enum err err = store_enter(site->store, head);

	if (err == ERR_BUSY)
		return say_error(CODE_LATER,
				 "the store was changed meanwhile: join it "
				 "with 'popbox cluster join', which takes what "
				 "the central database has");
	if (err != ERR_OK)
		return site_failed(site, err, "the store");
	return setting_save(site, "central", conninfo);
}

/* Has an earlier init of this very store sent it? */
static bool was_sent(struct site *site, const uint8_t id[STORE_ID_SIZE],
		     struct store_head *ret_head)
{
	struct central_head there;
	uint64_t last;

	if (store_read(site->store, last_body, &last) != ERR_OK ||
	    central_pull(site->copy.central, last, FRAMES_NEWER, &there,
			 site->copy.set) != CENTRAL_OK)
		return false;
	*ret_head = there.head;
	return memcmp(there.id, id, sizeof there.id) == 0 &&
	       there.head.number == last;
}

static int init(struct site *site, const char *conninfo, bool one_server)
{
	struct store_head head = {.number = 0};
	uint8_t id[STORE_ID_SIZE];
	enum central_answer answer;
	bool is_copy = false;
	enum err err = store_read(site->store, has_head_body, &is_copy);

	if (err == ERR_OK && is_copy && site->config.central[0])
		return say_error(CODE_REFUSED, "this store is a copy of a "
					       "central database already");
	if (err == ERR_OK)
		err = store_read(site->store, id_body, id);
	secret_random(head.token, sizeof head.token);
	if (err == ERR_OK)
		err = store_draft_all(site->store, &head, site->copy.set);
	if (err != ERR_OK)
		return site_failed(site, err, "the store");
	answer = central_init(site->copy.central, id, &head, site->copy.set,
			      one_server);
	if (answer != CENTRAL_OK) {
		int code = answered(site, answer, "cluster init");

		if (!was_sent(site, id, &head))
			return code;
		say_note("the central database has this store already");
	}
	return enter(site, conninfo, &head);
}

int cmd_cluster_init(struct site *site, const struct args *args)
{
	const char *conninfo = args->operand[0];
	int code = open_settings(site, conninfo);

	if (code == CODE_DONE)
		code = site_open_central(site, conninfo);
	if (code == CODE_DONE)
		code = init(site, conninfo, args_has(args, "--one-server"));
	if (code == CODE_DONE)
		say_note("the store is the central database's first copy: run "
			 "'popbox follow' here, and 'popbox cluster join' on "
			 "other hosts");
	return code;
}

static int judge_join(struct site *site, const struct args *args,
		      uint64_t *ret_last)
{
	bool is_copy = false;
	enum err err = store_read(site->store, last_body, ret_last);

	if (err == ERR_OK)
		err = store_read(site->store, has_head_body, &is_copy);
	if (err != ERR_OK)
		return site_failed(site, err, "the store");
	if (!*ret_last || is_copy)
		return CODE_DONE;
	return confirm(site, args,
		       "the store in '%s' has accounts of its own: all that it "
		       "has is replaced by what the central database has",
		       site->dir);
}

int cmd_cluster_join(struct site *site, const struct args *args)
{
	const char *conninfo = args->operand[0];
	uint64_t last = 0;
	int code = open_settings(site, conninfo);
	char count[SAY_COUNT_TEXT];

	if (code == CODE_DONE)
		code = site_open_central(site, conninfo);
	if (code == CODE_DONE)
		code = judge_join(site, args, &last);
	if (code == CODE_DONE)
		code = site_central_failed(site,
					   copy_rebuild(&site->copy, last),
					   "cluster join");
	if (code == CODE_DONE)
		code = setting_save(site, "central", conninfo);
	if (code == CODE_DONE)
		say_note("joined at change %llu, with %s: run 'popbox sync', "
			 "then 'popbox follow'",
			 (unsigned long long)site->copy.head.number,
			 say_count(site->copy.rows, "row", count));
	return code;
}

int cmd_cluster_leave(struct site *site, const struct args *args)
{
	bool is_copy = false;
	int code = site_config(site);

	if (code == CODE_DONE)
		code = site_open_central(site, "");
	if (code == CODE_DONE)
		code = site_failed(site,
				   store_read(site->store, has_head_body,
					      &is_copy),
				   "the store");
	if (code == CODE_DONE && !is_copy)
		return say_error(CODE_REFUSED, "this store is no copy of a "
					       "central database");
	if (code == CODE_DONE)
		code = confirm(site, args,
			       "this host gets no changes of other hosts any "
			       "more, and they get none of its");
	if (code == CODE_DONE)
		code = setting_save(site, "central", "");
	if (code == CODE_DONE)
		code = site_failed(site, store_leave(site->store),
				   "the store");
	if (code == CODE_DONE)
		say_note("the store is one of its own now: stop 'popbox "
			 "follow' here");
	return code;
}

enum { SILENT_DAYS = 30 };

/* Nobody but the owner of the tables may delete in them. */
int cmd_cluster_tidy(struct site *site, const struct args *args)
{
	const char *owner = args->operand[0];
	struct central_tidied tidied = {0, 0, 0};
	char rows[SAY_COUNT_TEXT], hosts[SAY_COUNT_TEXT];
	int code = owner ? open_settings(site, owner) : site_config(site);

	if (code == CODE_DONE && !site->config.central[0])
		return sharing_open(site);
	if (code == CODE_DONE)
		code = site_open_central(site, owner ? owner
						     : site->config.central);
	/* So that no other site is tidied. */
	if (code == CODE_DONE)
		code = site_central_failed(site, copy_pull(&site->copy),
					   "cluster tidy");
	if (code == CODE_DONE)
		code = answered(site,
				central_tidy(site->copy.central, SILENT_DAYS,
					     &tidied),
				"cluster tidy");
	if (code == CODE_DONE)
		say_note("%s gone and %s forgotten; a host that is below change "
			 "%llu takes all rows anew",
			 say_count(tidied.rows, "deleted row", rows),
			 say_count(tidied.hosts, "silent host", hosts),
			 (unsigned long long)tidied.floor);
	return code;
}

int cmd_cluster_schema(struct site *site, const struct args *args)
{
	(void)site;
	(void)args;
	for (size_t i = 0; i < sizeof central_schema / sizeof *central_schema;
	     i++)
		say_out("%s;", central_schema[i]);
	return CODE_DONE;
}

/* The copy as it stands, compared with all rows of the central database. */
struct comparing {
	struct store_txn *txn;
	uint64_t there, here, differ;
};

static enum err compare_row(void *arg, const struct store_raw *raw)
{
	struct comparing *c = arg;
	enum err err;

	if (store_raw_varies(raw))
		return ERR_OK;
	err = store_has_row(c->txn, raw);
	c->there++;
	if (err != ERR_NOTFOUND)
		return err;
	c->differ++;
	return ERR_OK;
}

struct check_arg {
	const struct store_writeset *set;
	struct comparing comparing;
	struct store_head head;
};

static enum err check_body(struct store_txn *txn, void *arg)
{
	struct check_arg *check = arg;
	enum err err = store_head_get(txn, &check->head);

	check->comparing = (struct comparing){.txn = txn};
	if (err == ERR_OK)
		err = store_writeset_each(check->set, compare_row,
					  &check->comparing);
	return err == ERR_OK ? store_shared(txn, &check->comparing.here) : err;
}

/* A change may come between the two looks: then once more. */
static int compare(struct site *site, struct check_arg *check)
{
	struct central_head there = {.format = 0};
	int code = CODE_DONE;

	for (int i = 0; i < 8; i++) {
		code = site_central_failed(site, copy_pull(&site->copy),
					   "cluster check");
		if (code == CODE_DONE)
			code = answered(site,
					central_pull(site->copy.central, 0,
						     FRAMES_ALL, &there,
						     site->copy.set),
					"cluster check");
		check->set = site->copy.set;
		if (code == CODE_DONE)
			code = site_failed(site,
					   store_read(site->store, check_body,
						      check),
					   "the store");
		if (code != CODE_DONE ||
		    store_head_same(&check->head, &there.head))
			return code;
	}
	return say_error(CODE_LATER, "changes come all the time: nothing was "
				     "compared");
}

int cmd_cluster_check(struct site *site, const struct args *args)
{
	struct check_arg check = {.set = NULL};
	struct comparing *c = &check.comparing;
	int code = sharing_open(site);
	char count[SAY_COUNT_TEXT];

	(void)args;
	if (code == CODE_DONE)
		code = compare(site, &check);
	if (code != CODE_DONE)
		return code;
	if (!c->differ && c->here == c->there) {
		say_note("%s are those of the central database, at change %llu",
			 say_count(c->here, "row", count),
			 (unsigned long long)check.head.number);
		return CODE_DONE;
	}
	return say_error(CODE_NO,
			 "%s differ from the central database, or are in one of "
			 "the two alone (%llu there, %llu here; 'popbox cluster "
			 "join' makes this copy anew)",
			 say_count(c->differ, "row", count),
			 (unsigned long long)c->there,
			 (unsigned long long)c->here);
}
