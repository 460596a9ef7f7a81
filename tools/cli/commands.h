/* SPDX-License-Identifier: MIT */
/* commands.h: the one table of nouns and verbs. To add a command: write its
 * cmd_NOUN_VERB in a cmd_*.c, declare it here, add its row in commands.c,
 * describe it in popbox-NOUN(8), and show each of its exit codes in
 * tests/cli/codes.t; tests compare them, and doc/COMMANDS.md is made of it.
 */
#ifndef POPBOX_COMMANDS_H
#define POPBOX_COMMANDS_H

#include "accounts/site.h"
#include "args.h"

struct command {
	const char *noun;
	const char *verb;     /* NULL: the noun is the whole command */
	const char *operands; /* for the usage; "" = none */
	size_t least, most;   /* how many */
	const char *summary;
	const char *codes; /* every exit code it can end with */
	const struct args_option *options; /* NULL = none */
	int (*run)(struct site *site, const struct args *args);
};

/* Ends with a row whose noun is NULL. */
extern const struct command commands[];

int cmd_init(struct site *site, const struct args *args);
int cmd_config_list(struct site *site, const struct args *args);
int cmd_config_get(struct site *site, const struct args *args);
int cmd_config_set(struct site *site, const struct args *args);
int cmd_handle_add(struct site *site, const struct args *args);
int cmd_handle_set(struct site *site, const struct args *args);
int cmd_handle_suspend(struct site *site, const struct args *args);
int cmd_handle_resume(struct site *site, const struct args *args);
int cmd_handle_del(struct site *site, const struct args *args);
int cmd_handle_list(struct site *site, const struct args *args);
int cmd_handle_show(struct site *site, const struct args *args);
int cmd_domain_suspend(struct site *site, const struct args *args);
int cmd_domain_resume(struct site *site, const struct args *args);
int cmd_domain_del(struct site *site, const struct args *args);
int cmd_domain_move(struct site *site, const struct args *args);
int cmd_domain_rename(struct site *site, const struct args *args);
int cmd_box_set(struct site *site, const struct args *args);
int cmd_box_suspend(struct site *site, const struct args *args);
int cmd_box_resume(struct site *site, const struct args *args);
int cmd_box_del(struct site *site, const struct args *args);
int cmd_box_undelete(struct site *site, const struct args *args);
int cmd_address_add(struct site *site, const struct args *args);
int cmd_address_set(struct site *site, const struct args *args);
int cmd_address_suspend(struct site *site, const struct args *args);
int cmd_address_resume(struct site *site, const struct args *args);
int cmd_address_rename(struct site *site, const struct args *args);
int cmd_address_del(struct site *site, const struct args *args);
int cmd_address_list(struct site *site, const struct args *args);
int cmd_address_show(struct site *site, const struct args *args);
int cmd_tune(struct site *site, const struct args *args);
int cmd_breach_build(struct site *site, const struct args *args);
int cmd_breach_show(struct site *site, const struct args *args);
int cmd_import(struct site *site, const struct args *args);
int cmd_export(struct site *site, const struct args *args);
int cmd_harden(struct site *site, const struct args *args);
int cmd_purge(struct site *site, const struct args *args);
int cmd_undo(struct site *site, const struct args *args);
int cmd_domain_add(struct site *site, const struct args *args);
int cmd_domain_set(struct site *site, const struct args *args);
int cmd_domain_list(struct site *site, const struct args *args);
int cmd_domain_show(struct site *site, const struct args *args);
int cmd_box_add(struct site *site, const struct args *args);
int cmd_box_list(struct site *site, const struct args *args);
int cmd_box_show(struct site *site, const struct args *args);
int cmd_passwd(struct site *site, const struct args *args);
int cmd_verify(struct site *site, const struct args *args);
int cmd_sync(struct site *site, const struct args *args);
int cmd_check(struct site *site, const struct args *args);
int cmd_search(struct site *site, const struct args *args);
int cmd_explain(struct site *site, const struct args *args);
int cmd_serialmail_run(struct site *site, const struct args *args);
int cmd_backup(struct site *site, const struct args *args);
int cmd_restore(struct site *site, const struct args *args);
int cmd_status(struct site *site, const struct args *args);
int cmd_stats(struct site *site, const struct args *args);
int cmd_cluster_init(struct site *site, const struct args *args);
int cmd_cluster_join(struct site *site, const struct args *args);
int cmd_cluster_leave(struct site *site, const struct args *args);
int cmd_cluster_status(struct site *site, const struct args *args);
int cmd_cluster_check(struct site *site, const struct args *args);
int cmd_cluster_tidy(struct site *site, const struct args *args);
int cmd_cluster_schema(struct site *site, const struct args *args);
int cmd_follow(struct site *site, const struct args *args);
int cmd_upgrade(struct site *site, const struct args *args);
int cmd_log(struct site *site, const struct args *args);
int cmd_batch(struct site *site, const struct args *args);
int cmd_poppassd(struct site *site, const struct args *args);
int cmd_complete(struct site *site, const struct args *args);
int cmd_help(struct site *site, const struct args *args);

extern const struct args_option cmd_init_options[];
extern const struct args_option cmd_breach_build_options[];
extern const struct args_option cmd_breach_show_options[];
extern const struct args_option cmd_config_set_options[];
extern const struct args_option cmd_handle_add_options[];
extern const struct args_option cmd_handle_set_options[];
extern const struct args_option cmd_handle_list_options[];
extern const struct args_option cmd_handle_del_options[];
extern const struct args_option cmd_suspend_options[];
extern const struct args_option cmd_resume_options[];
extern const struct args_option cmd_domain_del_options[];
extern const struct args_option cmd_domain_move_options[];
extern const struct args_option cmd_domain_rename_options[];
extern const struct args_option cmd_box_set_options[];
extern const struct args_option cmd_box_suspend_options[];
extern const struct args_option cmd_box_resume_options[];
extern const struct args_option cmd_box_del_options[];
extern const struct args_option cmd_box_undelete_options[];
extern const struct args_option cmd_address_add_options[];
extern const struct args_option cmd_address_set_options[];
extern const struct args_option cmd_address_rename_options[];
extern const struct args_option cmd_address_del_options[];
extern const struct args_option cmd_address_list_options[];
extern const struct args_option cmd_import_options[];
extern const struct args_option cmd_export_options[];
extern const struct args_option cmd_harden_options[];
extern const struct args_option cmd_purge_options[];
extern const struct args_option cmd_undo_options[];
extern const struct args_option cmd_tune_options[];
extern const struct args_option cmd_domain_add_options[];
extern const struct args_option cmd_domain_set_options[];
extern const struct args_option cmd_domain_list_options[];
extern const struct args_option cmd_box_add_options[];
extern const struct args_option cmd_box_list_options[];
extern const struct args_option cmd_passwd_options[];
extern const struct args_option cmd_verify_options[];
extern const struct args_option cmd_sync_options[];
extern const struct args_option cmd_check_options[];
extern const struct args_option cmd_serialmail_run_options[];
extern const struct args_option cmd_backup_options[];
extern const struct args_option cmd_restore_options[];
extern const struct args_option cmd_search_options[];
extern const struct args_option cmd_stats_options[];
extern const struct args_option cmd_cluster_init_options[];
extern const struct args_option cmd_cluster_join_options[];
extern const struct args_option cmd_cluster_leave_options[];
extern const struct args_option cmd_cluster_status_options[];
extern const struct args_option cmd_follow_options[];
extern const struct args_option cmd_status_options[];
extern const struct args_option cmd_log_options[];
extern const struct args_option cmd_batch_options[];
extern const struct args_option cmd_poppassd_options[];

#endif
