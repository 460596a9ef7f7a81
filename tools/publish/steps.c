/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include "base/say.h"
#include "qmail/control.h"
#include "qmail/notify.h"

enum step {
	CLOSE,
	ROUTE_NEW,
	ASSIGN_NEW,
	LOCALS, /* only with --fix-locals */
	VIRTUAL,
	ASSIGN_OLD,
	ROUTE_OLD,
	ACCEPT,
	STEPS,
};

static const enum lines_file step_file[STEPS] = {
	[CLOSE] = LINES_RCPTHOSTS,	  [ROUTE_NEW] = LINES_SMTPROUTES,
	[ASSIGN_NEW] = LINES_ASSIGN,	  [LOCALS] = LINES_LOCALS,
	[VIRTUAL] = LINES_VIRTUALDOMAINS, [ASSIGN_OLD] = LINES_ASSIGN,
	[ROUTE_OLD] = LINES_SMTPROUTES,	  [ACCEPT] = LINES_RCPTHOSTS,
};

/* What a step does with the lines of one domain. Covered is one whose name has
 * another row, which says what the name's lines are. */
static unsigned what(const struct plan_item *item, enum step step)
{
	const bool local = store_kind_is_local(item->domain->kind);

	switch (step) {
	case CLOSE:
		if (item->act == PLAN_MAKE)
			return LINES_GO;
		return item->covered ? 0 : LINES_ALL_GO;
	case ROUTE_NEW:
	case ASSIGN_NEW:
		return item->act == PLAN_REMOVE ? 0 : LINES_COME;
	case LOCALS:
		return item->act == PLAN_MAKE ? LINES_ALL_GO : 0;
	case VIRTUAL:
		if (item->act != PLAN_MAKE && item->covered)
			return 0;
		return item->act == PLAN_REMOVE ? LINES_ALL_GO
						: LINES_COME | LINES_GO;
	case ASSIGN_OLD:
		return item->act == PLAN_REMOVE && local ? LINES_ALL_GO : 0;
	case ROUTE_OLD:
		if (item->domain->kind != STORE_RELAY)
			return 0;
		return item->act == PLAN_REMOVE ? LINES_ALL_GO : LINES_GO;
	case ACCEPT:
		return item->act == PLAN_MAKE ? LINES_COME : 0;
	case STEPS:
		break;
	}
	return 0;
}

static bool collect(const struct config *config, const struct plan *plan,
		    enum step step, struct lines *lines)
{
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		const struct plan_item *item = &plan->item[i];

		if (!item->failed &&
		    !lines_add(lines, step_file[step], config, item->domain,
			       what(item, step)))
			return say_error(0, "no memory");
	}
	return true;
}

static bool tell(const struct config *config, enum step step, bool more)
{
	switch (step) {
	case ASSIGN_NEW:
	case ASSIGN_OLD:
		return notify_newu(config);
	case VIRTUAL:
		return notify_hup(config);
	case CLOSE:
	case ACCEPT:
		return !more || notify_newmrh(config);
	case ROUTE_NEW:
	case ROUTE_OLD:
	case LOCALS:
	case STEPS:
		break;
	}
	return true;
}

static bool take(const struct site *site, const struct plan *plan,
		 enum step step)
{
	const struct config *config = &site->config;
	struct lines lines = {0};
	bool good = collect(config, plan, step, &lines), more = false;

	if (good && lines.count && step_file[step] == LINES_RCPTHOSTS)
		good = control_accept(control_write, config, &lines,
				      plan->scope == PLAN_ALL && step == ACCEPT, &more);
	else if (good && lines.count)
		good = control_write(config, step_file[step], &lines);
	if (good && lines.count)
		good = tell(config, step, more);
	if (good && lines.count && plan->scope == PLAN_ALL && step == ACCEPT)
		good = control_accept_once(control_write, config, &lines,
					   &more) &&
		       tell(config, step, more);
	lines_free(&lines);
	return good;
}

/* Is a domain among them whose failure is to be told? */
static bool has_mine(const struct plan *plan)
{
	size_t i = plan_next(plan, 0, STORE_DOMAINS);

	while (i < plan->count && !plan_is_mine(plan, &plan->item[i]))
		i = plan_next(plan, i + 1, STORE_DOMAINS);
	return i < plan->count;
}

static bool take_or_fail(const struct site *site, struct plan *plan,
			 enum step step)
{
	bool good;

	if (step == LOCALS && !site->fix_locals)
		return true;
	say_hush(!has_mine(plan));
	good = take(site, plan, step);
	say_hush(false);
	if (good)
		return true;
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS))
		plan_fail(&plan->item[i], "a file of qmail's could not be "
					  "changed");
	return false;
}

bool steps_close(const struct site *site, struct plan *plan)
{
	return !config_has_qmail(&site->config) ||
	       take_or_fail(site, plan, CLOSE);
}

void steps_open(const struct site *site, struct plan *plan)
{
	if (!config_has_qmail(&site->config))
		return;
	for (enum step step = ROUTE_NEW; step < STEPS; step++) {
		if (!take_or_fail(site, plan, step))
			return;
	}
}

/* The lines of one file, of all steps that change it. */
static bool show(const struct config *config, const struct plan *plan,
		 enum step first, enum step second)
{
	struct lines lines = {0};
	bool good = collect(config, plan, first, &lines) &&
		    (second == first ||
		     collect(config, plan, second, &lines));

	if (good && lines.count)
		good = control_show(config, step_file[first], &lines);
	lines_free(&lines);
	return good;
}

static bool show_accepting(const struct config *config,
			   const struct plan *plan, enum step step)
{
	struct lines lines = {0};
	bool good = collect(config, plan, step, &lines), more;

	if (good && lines.count)
		good = control_accept(control_show, config, &lines,
				      plan->scope == PLAN_ALL && step == ACCEPT, &more);
	if (good && lines.count && plan->scope == PLAN_ALL && step == ACCEPT)
		good = control_accept_once(control_show, config, &lines,
					   &more);
	lines_free(&lines);
	return good;
}

bool steps_show(const struct site *site, const struct plan *plan)
{
	const struct config *config = &site->config;

	if (!config_has_qmail(config))
		return true;
	return show_accepting(config, plan, CLOSE) &&
	       show(config, plan, ROUTE_NEW, ROUTE_OLD) &&
	       show(config, plan, ASSIGN_NEW, ASSIGN_OLD) &&
	       (!site->fix_locals || show(config, plan, LOCALS, LOCALS)) &&
	       show(config, plan, VIRTUAL, VIRTUAL) &&
	       show_accepting(config, plan, ACCEPT);
}

struct comparing {
	const struct config *config;
	control_audit_how *how;
	control_found *found;
	void *arg;
};

static void compare(void *arg, enum lines_file file, struct lines *lines)
{
	struct comparing *c = arg;

	c->how(c->config, file, lines, c->found, c->arg);
}

/* rcpthosts and morercpthosts together: what is wanted in either, then what is
 * wanted in neither. */
static void audit_accepting(struct comparing *c, const struct plan *plan)
{
	struct lines come = {0}, go = {0};

	if (collect(c->config, plan, ACCEPT, &come) &&
	    control_exists(c->config, LINES_RCPTHOSTS))
		(void)control_parts(c->config, &come, compare, c); /* says */
	else
		compare(c, LINES_RCPTHOSTS, &come);
	lines_free(&come);
	/* Only lines that should be gone are told of this time. */
	if (collect(c->config, plan, CLOSE, &go) && go.count) {
		control_audit_lines(c->config, LINES_RCPTHOSTS, &go, c->found,
				    c->arg);
		control_audit_lines(c->config, LINES_MORE, &go, c->found,
				    c->arg);
	}
	lines_free(&go);
}

static void audit_one(struct comparing *c, const struct plan *plan,
		      enum step first, enum step second)
{
	struct lines lines = {0};

	if (collect(c->config, plan, first, &lines) &&
	    (first == second || collect(c->config, plan, second, &lines)))
		compare(c, step_file[first], &lines);
	lines_free(&lines);
}

void steps_audit(const struct site *site, const struct plan *plan,
		 control_audit_how *how, control_found *found, void *arg)
{
	struct comparing c = {&site->config, how, found, arg};

	audit_accepting(&c, plan);
	audit_one(&c, plan, LOCALS, LOCALS);
	audit_one(&c, plan, ROUTE_NEW, ROUTE_OLD);
	audit_one(&c, plan, ASSIGN_NEW, ASSIGN_OLD);
	audit_one(&c, plan, VIRTUAL, VIRTUAL);
}
