# SPDX-License-Identifier: MIT
"""Which tests are about which source file, for tests/deep/mutants; the
quickest first. And the changes that no test can find."""
import fnmatch
import glob
import os
import re

from deep import TREE, sentences

# Where each source file of the tool is, by its name alone.
TOOL = {os.path.basename(path)[:-2]: path
        for path in glob.glob("tools/**/*.c", root_dir=TREE, recursive=True)
        if not path.startswith(("tools/maildirsmtp/", "tools/askpw/",
                                "tools/centralpg/", "tools/quota/",
                                "tools/rcptcheck/", "tools/vacation/"))}

# What only prints: it neither changes a file nor sees a password.
PRINTS = frozenset(TOOL[name] for name in (
    "cmd_complete", "cmd_explain", "cmd_stats", "columns", "commands",
    "explain", "explain_control", "explain_deliver",
    "explain_history", "explain_lines", "explain_route", "explain_store",
    "explain_user", "help", "nearest", "candidates", "progress",
    "metrics", "say", "stats", "statsprint", "synonym", "table", "utf8"))

# How the files of qmail come to say what the store says.
PUBLISH = frozenset(TOOL[name] for name in (
    "collect", "collect_all", "control", "check_control", "errand",
    "errand_bulk", "errand_look", "errand_move", "item", "lines", "notify", "pending", "plan", "publish",
    "render",
    "replace", "steps", "switched"))

# Groups of tests that several entries share; in the order of what they take.
LOGIN = ("forms.t", "suspended.t", "login.t", "failing.t", "trace.t",
         "login/wipes.t", "pop.t", "confine.t", "seen.t")
PUBLISHED = ("control.t", "durable.t", "kinds.t", "changes.t", "extension.t",
             "bulk.t", "crash.t", "model.t")

STORED = ("test_format", "test_failing", "test_rows", "test_rules", "test_check", "test_login",
          "test_owner", "test_whole", "test_store")

# The first entry that fits; a test's name alone says where it is.
MAP = (
    ("checkpw/confine*.c", ("test_confine", "confine.t", "failing.t",
                            "trace.t", "login.t")),
    ("checkpw/seen.c", ("seen.t",)),
    ("checkpw/request.c", ("test_request", "login.t", "failing.t")),
    ("checkpw/verdict.c", ("login/verdict.t",)),
    ("checkpw/lastlogin.c", ("test_lastlogin", "apps.t", "changes.t", *LOGIN)),
    ("checkpw/main.c", ("forms.t", "login/verdict.t", "apps.t", *LOGIN[1:])),
    ("checkpw/*.c", LOGIN),
    ("store/secret.c", ("test_wipes", "seen.t", "login/wipes.t", "cli/wipes.t")),
    ("store/name.c", ("test_name", "test_rows", "admin.t", "forms.t")),
    ("store/path.c", ("test_path", "login.t", "control.t")),
    ("store/record.c", ("test_record", "test_rows", "test_store")),
    ("store/row.c", ("test_rows", "test_record", "test_store")),
    ("store/config*.c", ("test_config", "admin.t", "words.t", "login.t",
                         "failing.t")),
    ("store/app*.c", ("test_app", "test_format", "test_rows", "apps.t")),
    ("store/login.c", ("test_app", "apps.t", "test_login", "test_failing", "forms.t", "login.t",
                       "failing.t", "changes.t")),
    ("store/hash/pwhash*.c", ("test_pwhash", "test_pwhash_caps", "test_wipes",
                              "unhashed.t", "hashes.t",
                         "login.t", "failing.t", "export.t")),
    ("store/check*.c", ("test_rules", "test_check", "test_failing", "check.t",
                        "backup.t", "crash.t")),
    ("store/whole.c", ("test_whole", "test_check", "backup.t")),
    ("store/scan.c", ("test_scan", "test_check", "check.t")),
    ("store/box_scan.c", ("test_scan", "many.t", "holds.t", "groups.t",
                          "search.t", "ends.t")),
    ("store/cores.c", ("test_scan",)),
    ("store/tally.c", ("test_tally", "test_check", "check.t")),
    ("store/quota.c", ("test_quota",)),
    ("store/owner*.c", ("test_owner", "test_rules", "test_failing", "check.t")),
    ("store/drop.c", ("test_drop", "failing.t", "login.t", "trace.t")),
    ("store/fault.c", ("login.t", "crash.t")),
    ("store/upgrade*.c", ("test_pending", "upgrade.t", "test_owner",
                          "test_store", "backup.t")),
    ("store/pending*.c", ("test_pending", *STORED, "pending.t", "model.t",
                          "changes.t", "bulk.t", "deletion.t")),
    ("store/db/db_copy.c", ("test_whole", "durable.t", "backup.t", "restore.t")),
    ("store/db/db_writeset.c", ("test_draft", "cluster.t")),
    ("store/db/db*.c", ("test_db", "test_failing", "test_store", "test_rules",
                     "test_whole", "trace.t", "failing.t", "crash.t",
                     "backup.t", "login.t")),
    ("store/fold.c", ("test_fold", "forms.t")),
    ("store/err.c", ("test_db", "words.t", "errors.t")),
    ("store/address_walk.c", ("test_forwarders", *STORED, "groups.t", "model.t")),
    ("store/journal.c", (*STORED, "journal.t", "changes.t", "pending.t",
                         "crash.t")),
    ("store/parked*.c", (*STORED, "deletion.t", "changes.t", "restore.t",
                         "crash.t")),
    ("store/domain*.c", (*STORED, "admin.t", "kinds.t", "changes.t",
                         "forms.t", "check.t")),
    ("store/address*.c", (*STORED, "admin.t", "groups.t", "changes.t",
                          "extension.t", "check.t", "model.t")),
    ("store/handle_limits.c", ("limits.t", "moves.t")),
    ("store/box*.c", (*STORED, "admin.t", "deletion.t", "changes.t",
                      "login.t", "check.t")),
    ("store/store_draft.c", ("test_draft", "cluster.t")),
    ("store/store_apply.c", ("test_draft", "cluster.t")),
    ("store/writeset.c", ("test_draft", "cluster.t")),
    ("store/*.c", (*STORED, "admin.t", "changes.t", "check.t", "crash.t",
                   "import.t", "backup.t")),
    ("tools/central*/*.c", ("cluster.t", "cluster-faults.t", "cluster-many.t")),
    ("tools/base/frames.c", ("cluster.t",)),
    ("tools/cli/sharing.c", ("cluster.t", "cluster-mail.t")),
    ("tools/cli/cmd/cmd_cluster*.c", ("cluster.t", "codes.t")),
    ("tools/cli/cmd/cmd_follow.c", ("cluster.t", "cluster-mail.t",
                                    "cluster-faults.t", "codes.t")),
    ("tools/cli/setting.c", ("admin.t", "cluster.t", "codes.t")),
    ("tools/qmail/notify.c", ("send.t", *PUBLISHED)),
    ("tools/qmail/render.c", ("test_render", "control.t", "kinds.t",
                              "extension.t", "changes.t", "pending.t")),
    ("tools/qmail/lines.c", ("test_render", "test_steps", "test_control",
                             *PUBLISHED)),
    ("tools/check/check_control.c", ("check.t", "kinds.t", "control.t", "crash.t")),
    ("tools/publish/dovecot_files.c", ("cli/dovecot.t",)),
    ("tools/publish/touched.c", ("cli/dovecot.t", "cli/maps.t")),
    *((f"tools/publish/{name}.c", ("cli/maps.t",)) for name in ("recipients", "pairs")),
    ("tools/publish/mapfiles.c", ("cli/maps.t",)),
    ("tools/publish/sqmail.c", ("cli/maps.t",)),
    ("tools/accounts/dovecot.c", ("cli/dovecot.t", "export.t")),
    ("tools/publish/errand_move.c", ("moves.t", "model.t")),
    ("tools/popusr/mailroot_move.c", ("moves.t",)),
    ("tools/cli/cmd/cmd_domain_move.c", ("moves.t", "codes.t")),
    ("tools/accounts/undelete.c", ("moves.t", "deletion.t", "import.t")),
    ("tools/publish/errand_bulk.c", ("bulk.t", *PUBLISHED)),
    ("tools/publish/errand_look.c", ("cluster-mail.t",)),
    ("tools/popusr/mailroot_there.c", ("cluster-mail.t",)),
    ("tools/popusr/asuser_bulk.c", ("bulk.t", "control.t", "crash.t")),
    ("tools/popusr/mailroot_bulk.c", ("bulk.t", "control.t", "crash.t")),
    ("tools/popusr/mailroot_audit.c", ("check.t", "crash.t", "control.t")),
    ("tools/popusr/mailroot_count.c", ("backup.t", "check.t")),
    ("tools/popusr/mailroot_dialup.c", ("kinds.t", "crash.t", "serialmail.t",
                                 "check.t")),
    ("tools/popusr/mailroot*.c", (*PUBLISHED, "check.t", "serialmail.t")),
    ("tools/popusr/asuser*.c", (*PUBLISHED, "inherited.t", "check.t")),
    ("tools/check/check_files.c", ("check.t", "crash.t", "control.t", "odd.t")),
    ("tools/qmail/dotqmail.c", ("test_render", "extension.t", "changes.t",
                                 "control.t", "export.t", "import.t")),
    ("tools/publish/rehearse.c", ("admin.t", "kinds.t", "import.t")),
    ("tools/accounts/holds.c", ("holds.t", "suspended.t")),
    ("tools/accounts/turned.c", ("holds.t", "explain.t")),
    ("tools/cli/deletion.c", ("deletion.t", "changes.t")),
    ("tools/cli/expiry.c", ("ends.t",)),
    ("tools/cli/difference.c", ("changes.t",)),
    ("tools/cli/cmd/cmd_address_switch.c", ("ends.t",)),
    ("tools/cli/loginlog.c", ("status.t",)),
    ("tools/cli/metrics.c", ("status.t",)),
    ("tools/cli/status.c", ("status.t",)),
    ("tools/cli/cmd/cmd_status.c", ("status.t",)),
    ("tools/publish/pending.c", ("test_failing", "pending.t", "control.t")),
    ("tools/publish/publish.c", ("pending.t", *PUBLISHED, "check.t")),
    *((f"tools/publish/{name}.c", ("test_failing", *PUBLISHED, "check.t"))
      for name in ("collect", "collect_all", "item", "plan", "switched")),
    *((path, PUBLISHED + ("check.t", "pending.t", "send.t"))
      for path in sorted(PUBLISH)),
    ("tools/cli/password.c", ("admin.t", "cli/wipes.t", "unhashed.t", "codes.t",
                          "inherited.t", "hashes.t", "words.t")),
    ("tools/cli/askpass.c", ("cli/wipes.t", "admin.t", "terminal.t",
                         "inherited.t")),
    ("tools/cli/password_common.c", ("test_password_common", "admin.t", "import.t")),
    ("tools/transfer/hasher.c", ("import.t", "export.t")),
    ("tools/cli/cmd/cmd_harden.c", ("export.t", "codes.t")),
    ("tools/cli/cmd/cmd_passwd.c", ("admin.t", "codes.t", "inherited.t", "errors.t",
                                       "unhashed.t", "words.t")),
    ("tools/cli/cmd/cmd_tune.c", ("hashes.t", "codes.t")),
    ("tools/transfer/handlemap.c", ("files.t",)),
    ("tools/base/bytesize.c", ("files.t", "test_import_account")),
    ("tools/base/encoding.c", ("test_encoding", "files.t", "spreadsheet.t")),
    ("tools/transfer/import_account.c", ("test_import_account", "import.t")),
    ("tools/transfer/import_files.c", ("durable.t", "import.t", "terminal.t")),
    ("tools/transfer/import*.c", ("import.t", "migrate.t", "unhashed.t",
                                     "terminal.t")),
    ("tools/transfer/fmt_out.c", ("export.t", "import.t")),
    ("tools/transfer/export*.c", ("export.t", "import.t", "codes.t")),
    ("tools/cli/cmd/cmd_export.c", ("export.t", "codes.t")),
    ("tools/transfer/fmt_sql*.c", ("test_dump", "files.t", "cli/wipes.t")),
    ("tools/transfer/fmt_pairs.c", ("test_dump", "files.t", "cli/wipes.t")),
    ("tools/transfer/fmt_modoboa.c", ("files.t", "cli/wipes.t")),
    ("tools/transfer/source_cpanel.c", ("files.t",)),
    ("tools/transfer/source_dump.c", ("files.t", "cli/wipes.t")),
    ("tools/transfer/source_pairs.c", ("files.t", "cli/wipes.t")),
    ("tools/transfer/import_merge.c", ("files.t",)),
    ("tools/transfer/*_reply.c", ("vacation.t",)),
    ("tools/transfer/fmt_*.c", ("test_import_account", "files.t", "import.t", "odd.t")),
    ("tools/transfer/source*.c", ("migrate.t", "import.t", "odd.t")),
    ("tools/transfer/mailcopy*.c", ("import.t", "inherited.t")),
    *((TOOL[name], ("import.t", "export.t", "odd.t")) for name in (
        "upsert", "import_table", "input", "csvfile", "cmd_import")),
    ("tools/qmail/cdbfile.c", ("explain.t", "check.t", "import.t")),
    ("tools/qmail/route.c", ("test_route", "explain.t")),
    ("tools/base/idn.c", ("test_fold", "admin.t", "forms.t", "odd.t")),
    *((TOOL[name], ("restore.t", "short.t", "durable.t", "backup.t", "codes.t",
                           "crash.t"))
      for name in (
        "backup", "restore", "stage", "probe", "numbers", "box_record",
        "counters", "dir", "mountpoint",
        "cmd_backup", "cmd_restore", "restore_settings", "cmd_upgrade",
        "outfile")),
    ("tools/cli/cmd/cmd_purge.c", ("changes.t", "kinds.t", "backup.t", "codes.t")),
    ("tools/cli/lastchange.c", ("journal.t", "changes.t")),
    *((TOOL[name], ("migrate.t", "import.t", "explain.t", "check.t"))
      for name in ("source_dotqmails", "oldroutes")),
    ("tools/qmail/defaultdelivery.c", ("explain.t", "control.t", "check.t",
                                       "migrate.t")),
    ("tools/base/text.c", ("test_render", "import.t", "export.t", "many.t",
                           "explain.t")),
    *((TOOL[name], ("lists.t", "admin.t", "groups.t", "explain.t", "kinds.t",
                    "words.t"))
      for name in ("cmd_address_show", "cmd_box_show", "cmd_domain_show",
                   "cmd_handle_show")),
    *((TOOL[name], ("deletion.t", "changes.t", "kinds.t", "journal.t",
                    "codes.t", "terminal.t"))
      for name in ("cmd_box_del", "cmd_domain_del", "takedown", "confirm")),
    *((TOOL[name], ("kinds.t", "admin.t", "changes.t", "extension.t",
                    "suspended.t", "control.t", "codes.t", "words.t"))
      for name in ("cmd_domain", "cmd_domain_set", "kind_options", "state_options",
                   "preflight", "dialup", "unmanaged")),
    *((TOOL[name], ("groups.t", "admin.t", "changes.t", "extension.t",
                    "codes.t", "words.t"))
      for name in ("cmd_address", "operand", "box_operand")),
    *((TOOL[name], ("test_terminal", "test_password_common", "lists.t", "errors.t",
                    "codes.t", "words.t", "admin.t", "terminal.t"))
      for name in ("json", "words", "args", "cmdline", "main")),
    ("tools/accounts/rejoin.c", ("groups.t", "changes.t", "model.t")),
    *((f"tools/{name}.c", ("test_batch_line", "batch.t"))
      for name in ("base/answer", "cli/batch_line", "cli/batch_reader",
                   "cli/scope", "cli/scope_guard", "cli/dispatch", "cli/cmd/cmd_batch")),
    *((f"tools/cli/{name}.c", ("poppassd.t",))
      for name in ("poppassd", "poppassd_talk", "cmd/cmd_poppassd")),
    ("tools/popusr/confined.c", ("batch.t", "poppassd.t")),
    ("tools/cli/relocate.c", ("admin.t", "codes.t")),
    ("tools/base/moment.c", ("journal.t", "changes.t")),
    ("tools/cli/cmd/cmd_undo.c", ("journal.t", "changes.t", "kinds.t", "model.t")),
    ("tools/accounts/follow.c", ("test_follow", "groups.t")),
    ("tools/accounts/resolve.c", ("test_follow", "groups.t", "extension.t", "explain.t")),
    ("tools/accounts/references.c", ("groups.t", "model.t")),
    ("tools/accounts/destination.c", ("groups.t", "model.t")),
    ("tools/accounts/target_operand.c", ("groups.t", "model.t", "changes.t")),
    *((TOOL[name], ("children.t", "serialmail.t", "control.t"))
      for name in ("child", "round", "relay")),
    ("tools/qmail/account.c", ("explain.t", "check.t")),
    ("tools/dialup/serialmail.c", ("children.t", "serialmail.t", "kinds.t")),
    ("tools/cli/cmd/cmd_serialmail.c", ("serialmail.t", "codes.t")),
    ("tools/askpw/main.c", ("login/verdict.t",)),
    ("tools/base/ask.c", ("login/verdict.t", "login/rcptcheck.t")),
    ("tools/rcptcheck/*.c", ("login/rcptcheck.t",)),
    ("tools/maildir/maildirsize.c", ("test_maildirsize", "test_quota_program",
                                     "quota.t")),
    ("tools/maildir/usage.c", ("test_usage", "test_quota_program", "quota.t")),
    ("tools/quota/*.c", ("test_quota_program", "quota.t")),
    ("tools/maildir/vacation_file.c", ("test_vacation", "vacation.t")),
    ("tools/vacation/*.c", ("test_vacation", "vacation.t")),
    ("tools/base/mail_date.c", ("test_vacation", "test_quota_program")),
    ("tools/popusr/mailroot_quota.c", ("quota.t",)),
    ("tools/popusr/mailroot_vacation.c", ("vacation.t",)),
    ("tools/cli/vacation_options.c", ("vacation.t",)),
    ("tools/cli/*quota*.c", ("quota.t",)),
    ("tools/cli/box_usage.c", ("quota.t",)),
    ("tools/qmail/dotqmail_lines.c", ("login/rcptcheck.t", "explain.t")),
    ("tools/maildirsmtp/letter.c", ("test_letter", "serialmail.t")),
    ("tools/maildirsmtp/*.c", ("sender.t", "serialmail.t")),
    ("tools/base/inherited.c", ("inherited.t", "serialmail.t")),
    ("tools/base/interrupt.c", ("terminal.t", "crash.t")),
    ("tools/cli/cmd/cmd_init.c", ("admin.t", "crash.t", "codes.t", "backup.t")),
    ("tools/accounts/mail_roots.c", ("admin.t", "crash.t", "backup.t", "codes.t")),
    ("tools/cli/cmd/cmd_config.c", ("admin.t", "words.t", "codes.t", "crash.t")),
    ("tools/cli/cmd/cmd_check.c", ("check.t", "codes.t", "crash.t")),
    ("tools/cli/cmd/cmd_log.c", ("journal.t", "changes.t", "admin.t", "backup.t")),
    *((TOOL[name], ("many.t", "changes.t"))
      for name in ("filter", "many", "repassword")),
    *((TOOL[name], ("apps.t",)) for name in ("app_passwd", "app_list")),
    *((TOOL[name], ("lists.t", "terminal.t", "many.t"))
      for name in ("best", "pager", "search", "cmd_search")),
    ("tools/base/say.c", ("errors.t", "odd.t", "terminal.t", "words.t")),
    ("tools/accounts/domain_boxes.c", ("growth.t", "changes.t", "admin.t")),
    ("tools/base/strtab.c", ("check.t", "changes.t", "backup.t")),
    ("tools/breach/*.c", ("test_breached", "breach.t")),
    ("tools/accounts/breached*.c", ("test_breached", "breach.t")),
    ("tools/cli/cmd/cmd_breach.c", ("breach.t", "codes.t")),
    ("tools/base/safe_open.c", ("control.t", "import.t", "crash.t", "restore.t", "short.t", "durable.t")),
)
# Of all others.
ELSE = ("admin.t", "words.t", "kinds.t", "changes.t", "codes.t", "check.t",
        "control.t", "inherited.t", "crash.t", "import.t", "model.t")

SECOND_LOOK = "a second look at a hash that was put together here: none is known " \
    "that differs in one of these alone"
FULL_COST = "a hash is tried once at its own cost: slower, and as right"
WRAPPED_FORM = "what is read of a wrapped hash points into its text"

# (file, its text, kinds or "=" and what it becomes, why nobody can observe that)
ACCEPTED = (
    ("store/handle.c", """if (err != ERR_OK)
		return err;
	if (name_handle_read(key.at""", ("never",), "a record that was not opened ends "
     "as a damaged one"),
    ("checkpw/seen.c", "secret_wipe(&head, sizeof head);", ("wipe",),
     "a key that was made a moment ago: no test knows what to look for"),
    ("checkpw/seen.c", "if (seen->map)", ("always",),
     "nothing is given back: tests/cost.t counts the call"),
    ("checkpw/seen.c", """	if (fd >= 0)
		(void)close(fd); /* in memory: nothing can be lost */
	if (at >= 0)""", ("constant",), "descriptors 0 to 2 are open"),
    ("checkpw/seen.c", """	if (fd >= 0)
		(void)close(fd); /* empty */
	return fd >= 0;""", ("constant",), "descriptors 0 to 2 are open"),
    ("store/address.c", """if (address->forwards_len &&
	    address->forwards""", ("operand",), "the sanitizers find that"),
    ("store/hash/pwhash_make.c", "return made > 0 && made <= PWHASH_MAX;",
     ("constant",), "no setting is one character"),
    ("tools/transfer/fmt_pairs.c", """text_wipe(&pairs->forwards);
	text_wipe(&pairs->others);""", (), "addresses are no secret, and memory that "
     "is not given back is found by the sanitizers"),
    *((f"tools/publish/{name}.c", "asuser_bulk_stop(&bulk);", ("call",),
       "memory and descriptors are given back: the sanitizers find that")
      for name in ("errand_bulk", "errand_look")),
    ("tools/backup/stage.c", "len > 1 && dir[len - 1] == '/'", ("operand",),
     "the root is a mount point, which is refused"),
    ("store/check_bybox.c", """if (!address->has_box)
		return 0;
	back = row_key_bybox""", ("always",), "then each row is looked at one by one"),
    ("store/check_bybox.c", "order(boxes->key, box) < 0", ("bound",),
     "then each row is looked at one by one"),
    ("tools/check/check_control.c", """const struct audited *a = arg;
	const int width = len < 200 ? (int)len : 200""",
     ("constant", "bound"), "how much of somebody's line is shown"),
    ("tools/qmail/control.c", "len < 190 ? len : 190", ("constant", "bound"),
     "how much of somebody's line is shown"),
    ("store/hash/pwhash_foreign.c", "if (len >= sizeof copy)", (),
     "no hash is that long: PWHASH_MAX"),
    ("tools/publish/plan.c", "order == 0 && x->table == STORE_DOMAINS",
     ("operand", "always"), "of all but domains the store says one thing of a name"),
    ("store/parked_write.c", """since = (time_t)parked.since;
	secret_wipe(&parked, sizeof parked);""", ("wipe",),
     "no command adds a box under the number of a deleted one that it has not "
     "looked at before"),
    ("tools/transfer/fmt_sql.c", "secret_wipe(sql, sizeof *sql);", ("wipe",),
     "what is left there is names of tables and columns"),
    ("store/scan.c", "room < CHUNK ? room : CHUNK", ("constant", "bound"),
     "how many rows are judged at a time"),
    ("store/scan.c", """(void)pthread_cond_destroy(&s->judged);
	(void)pthread_cond_destroy(&s->filled);""", ("call", "swapped"),
     "what glibc's hold is memory of the scan's own"),
    ("store/db/db_copy.c", "key.len > BATCH / 4 || value.len > BATCH / 4",
     ("constant", "bound"), "no row comes near 8 MiB"),
    ("tools/qmail/control.c", """unwant(&first);
	unwant(&more);""", ("swapped",), "each is about lines of its own"),
    ("store/fold.c", "i < COUNT(pairs) && letter >= 0x80", ("=i < COUNT(pairs)",),
     "an ASCII letter is looked for in vain"),
    ("store/check_bybox.c", "memchr(at, 0, key.len)", ("constant",),
     "what does not fit here is looked at one by one"),
    ("store/hash/pwhash_old.c", "secret_wipe_frames();", ("wipe",),
     "what nettle leaves in its frames was never seen to be a password or a sum"),
    ("store/login.c", """domain &&
	    strcmp(domain->handle.s, handle->s) != 0""", ("=domain",),
     "the same handle is looked at twice"),
    ("store/db/db.c", "info.me_last_txnid < mine + 2", ("=(2 - 1)",),
     "an answer that is sure is asked for once more"),
    ("store/config_file.c", "if (fstat(dirfd, &st) != 0)", ("never", "=(0 + 1)"),
     "of a directory that is open it does not fail"),
    ("tools/publish/collect.c", """if (c->switched->handles.count)
		err = parked_dialups(c);""", ("always",), "a walk that finds nothing"),
    ("store/db/db.c", """if (rc == 0)
		txn->open[table] = true;""", ("never", "negated"),
     "a table is opened again: tests/cost.t counts what that costs"),
    ("checkpw/confine_calls.c", "put(code, BPF_RET | BPF_K, 0, 0, answer);",
     ("constant",), "an answer jumps nowhere"),
    ("store/db/db.c", "++compared > COMPARED_MAX", ("bound",),
     "one comparison more of ten thousand"),
    ("store/login.c", "if (err == ERR_OK && !reason)", ("operand",),
     "after an error nobody looks at the reason or the address"),
    ("tools/publish/steps.c", """	audit_accepting(&c, plan);
	audit_one(&c, plan, LOCALS, LOCALS);
	audit_one(&c, plan, ROUTE_NEW, ROUTE_OLD);
	audit_one(&c, plan, ASSIGN_NEW, ASSIGN_OLD);
	audit_one(&c, plan, VIRTUAL, VIRTUAL);""", ("swapped",),
     "a look at the files, in no order that matters"),
    ("store/db/db.c", "(void)flock(db->datafd, LOCK_UN); /* of our own lock */",
     ("call",), "the next try takes the lock again and the end gives it back: a "
     "writer waits a moment longer"),
    ("store/hash/pwhash_old.c", """secret_wipe(salted, sizeof salted);
	secret_wipe(key, sizeof key);
	secret_wipe(&ctx, sizeof ctx);
	secret_wipe(&large, sizeof large);""", ("wipe",), "secret_wipe_frames goes over "
     "it a moment later"),
    ("store/hash/pwhash_digest.c", """secret_wipe(&small, sizeof small);
	secret_wipe(&large, sizeof large);""", ("wipe",),
     "libsodium wipes a state when it gives its sum"),
    ("store/hash/pwhash_make.c", """answer = PWHASH_MALFORMED;
	secret_wipe(&outer, sizeof outer);""", ("wipe",), WRAPPED_FORM),
    ("store/hash/pwhash_make.c", """secret_wipe(&outer, sizeof outer);
	secret_wipe(hex, sizeof hex);""", ("wipe",), WRAPPED_FORM),
    ("store/hash/pwhash_make.c", 'memcpy(cost, "04", 2);', ("call",), FULL_COST),
    ("store/hash/pwhash_make.c", 'memcpy(cost + 1, "/.", 2);', ("call",), FULL_COST),
    ("store/hash/pwhash_make.c", 'memcpy(cost, "0/..../....", 11);', ("call",),
     FULL_COST),
    ("store/hash/pwhash_make.c", """outer.how != form->how ||
	     outer.rounds != form->rounds ||
	     strcmp(outer.setting, setting) != 0 ||
	     !pwhash_digest_same(&outer.digest, &form->digest) ||
	     !pwhash_old_same(&outer.old, &form->old)""", ("operand",),
     SECOND_LOOK),
    ("store/hash/pwhash_digest.c", """a->bits == b->bits && a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0""", ("operand",),
     SECOND_LOOK),
    ("store/hash/pwhash_old.c", """a->kind == b->kind && a->rounds == b->rounds &&
	       a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0""", ("operand",),
     SECOND_LOOK),
)


# Tests that take long for what they find: kills at each call, races, sizes. By
# the name of their function.
SLOW = {
    "confine.t": ("older", "none", "failing"),
    "login.t": ("late", "schemes", "memory"),
    "admin.t": ("long_list", "terminal", "usage"),
    "kinds.t": ("many",),
    "changes.t": ("undo_fields",),
    "backup.t": ("hot", "full", "damaged_source", "killed_backup",
                 "killed_restore", "damaged_content", "live", "conflicts",
                 "records"),
    "bulk.t": ("shipped", "kills", "full_disk"),
    "crash.t": ("kills", "removals", "acknowledged", "reading", "full_disk",
                "damaged", "rounds"),
    "import.t": ("kills", "others", "copies", "full"),
    "codes.t": ("each", "no_memory", "whole_json"),
    "export.t": ("dovecot", "harden_kill"),
    "model.t": ("backward",),
}


def where(name):
    if name.startswith("test_"):
        return f"build/unit/{name}"
    if "/" in name or name == "watched.t":
        return f"tests/{name}"
    return f"tests/{'login' if name in LOGIN else 'cli'}/{name}"


def words(name):
    """The command line that runs what is not slow of a file of tests."""
    path = where(name)
    slow = SLOW.get(name, ())
    if not slow:
        return [path]
    return [path, *(sentence for function, sentence
                    in sentences(f"{TREE}/{path}") if function not in slow)]


def units_about(path):
    """Unit tests that include its header, and then that of its first words."""
    part = path.removeprefix("tools/")
    for unit in sorted(glob.glob("tests/unit/test_*.c", root_dir=TREE)):
        with open(f"{TREE}/{unit}") as file:
            rooms = re.findall(r'^#include "(.*)\.h"', file.read(), re.M)
        name = os.path.basename(unit)[:-2]
        if part[:-2] in rooms:
            yield 0, name
        elif any(part.startswith(room + "_") for room in rooms):
            yield 1, name


def tests_about(path):
    """Command lines, in the order in which they are to be run."""
    names = next((names for pattern, names in MAP
                  if fnmatch.fnmatch(path, pattern)), ELSE)
    found = [name for _, name in sorted(units_about(path))]
    units = [name for name in names if name.startswith("test_")]
    return [words(name) for name in
            dict.fromkeys([*found[:1], *units, *found, *names])]


def stale():
    """What MAP and SLOW name and is not there."""
    named = {name for _, names in MAP for name in names
             if not name.startswith("test_")}
    return [name for name in sorted(named)
            if not os.path.exists(f"{TREE}/{where(name)}")] + [
        f"{name}: {function}" for name, functions in SLOW.items()
        for function in functions if function not in dict(
            sentences(f"{TREE}/{where(name)}"))]
