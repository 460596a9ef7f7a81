/* SPDX-License-Identifier: MIT */
/* cmd_restore.c: popbox restore: a store, or one box, as its first byte says. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/undelete.h"
#include "backup/restore.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "publish/change.h"
#include "store/hash/pwhash.h"
#include "store/secret.h"
#include "transfer/box_record.h"

const struct args_option cmd_restore_options[] = {
	CONFIRM_OPTION,
	{"--take-settings", NULL, "accept the settings of the backup"},
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

/* Sets the box that is there to its record. */
static enum err set_box(struct store_txn *txn, const struct store_account *want)
{
	struct store_account now;
	enum err err = store_login(txn, &want->box.name, &now);
	bool same = err == ERR_OK && strcmp(now.hash, want->hash) == 0;

	secret_wipe(&now, sizeof now);
	if (err == ERR_OK && !same)
		err = store_box_password(txn, &want->box.name, want->hash);
	if (err == ERR_OK)
		err = store_apps_set(txn, &want->box.name, &want->apps);
	return err == ERR_OK ? store_box_set(txn, &want->box) : err;
}

static enum err bring_box(struct store_txn *txn,
			  const struct store_account *want)
{
	const struct name_box *name = &want->box.name;
	struct store_parked parked;
	struct store_handle handle;
	struct store_box box;
	enum err err = store_box_get(txn, name, &box);

	if (err == ERR_NOTFOUND) {
		err = store_parked_box_get(txn, name, &box, &parked);
		if (err == ERR_OK)
			err = undelete_box(txn, name);
	}
	if (err != ERR_NOTFOUND)
		return err == ERR_OK ? set_box(txn, want) : err;
	err = store_handle_get(txn, &name->handle, &handle);
	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no handle '%s' (popbox handle "
				     "add %s)",
				     name->handle.s, name->handle.s);
	return err == ERR_OK ? store_account_add(txn, want) : err;
}

/* Is it as it was, or as it is when its box alone was deleted? */
static bool is_of_box(const struct store_address *now,
		      const struct store_address *want)
{
	if (now->has_box)
		return now->box.number == want->box.number &&
		       strcmp(now->box.handle.s, want->box.handle.s) == 0;
	return now->forwards_len == want->forwards_len &&
	       memcmp(now->forwards, want->forwards, now->forwards_len) == 0;
}

/* An address that leads elsewhere by now is a conflict, not ours to settle. */
static enum err bring_address(struct store_txn *txn,
			      const struct store_address *want)
{
	struct store_address *now = malloc(sizeof *now);
	char text[NAME_ADDRESS_TEXT], box[NAME_BOX_TEXT];
	enum err err = now ? store_address_get(txn, &want->name, now)
			   : ERR_SYSTEM;

	name_address_text(&want->name, text);
	if (err == ERR_NOTFOUND) {
		err = store_address_add(txn, want);
	} else if (err == ERR_OK && is_of_box(now, want)) {
		err = store_address_set(txn, want);
	} else if (err == ERR_OK) {
		name_box_text(&now->box, box);
		err = store_refuse(txn, ERR_EXISTS,
				   "'%s' leads to %s now ('popbox address del' "
				   "or 'popbox address rename' first)",
				   text, now->has_box ? box : "others");
	}
	free(now);
	return err;
}

static enum err bring_body(struct store_txn *txn, void *arg)
{
	const struct box_record *file = arg;
	enum err err = bring_box(txn, &file->account);

	for (size_t i = 0; err == ERR_OK && i < file->addresses; i++)
		err = bring_address(txn, &file->address[i]);
	return err;
}

static int slurp(int fd, const char *path, char **ret_text, size_t *ret_len)
{
	struct stat st;
	size_t len = 0, want;
	ssize_t got = 1;
	char *text;

	if (fstat(fd, &st) != 0)
		return say_error(CODE_LATER, "cannot read '%s': %s", path,
				 strerror(errno));
	if (st.st_size > BOX_RECORD_MAX)
		return say_error(CODE_REFUSED, "'%s' is larger than 64 MiB",
				 path);
	want = (size_t)st.st_size;
	text = malloc(want + 1);
	while (text && len < want && got != 0) {
		got = pread(fd, text + len, want - len, (off_t)len);
		if (got < 0 && errno != EINTR)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	*ret_text = text;
	*ret_len = len;
	return text && got >= 0 ? CODE_DONE
				: say_error(CODE_LATER, "cannot read '%s': %s",
					    path, strerror(errno));
}

static int restore_box(struct site *site, int fd, const char *path)
{
	char *text = NULL, name[NAME_BOX_TEXT];
	struct box_record file = {.address = NULL};
	char count[SAY_COUNT_TEXT];
	bool changed = false;
	size_t len = 0;
	const char *why;
	int code = slurp(fd, path, &text, &len);

	if (code == CODE_DONE) {
		why = box_record_read(text, len, &file);
		if (why)
			code = say_error(CODE_REFUSED, "'%s': %s", path, why);
	}
	if (text)
		secret_wipe(text, len);
	free(text);
	if (code == CODE_DONE && file.account.hash[0] &&
	    pwhash_try(file.account.hash) != PWHASH_OK)
		code = say_error(CODE_LATER,
				 "'%s': its hash cannot be computed: no memory, "
				 "or libcrypt does not know its scheme here: "
				 "nothing was changed", path);
	if (code == CODE_DONE)
		code = site_open_write(site);
	name_box_text(&file.account.box.name, name);
	if (code == CODE_DONE)
		code = change(site, bring_body, &file, name, &changed);
	if (changed)
		say_note("box '%s' is as in '%s', with %s", name, path,
			 say_count(file.addresses, "address", count));
	box_record_free(&file);
	return code;
}

/* Never waits for a pipe; reads no device and follows no link, which may be
 * somebody else's. */
static int open_file(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				    O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return say_error(CODE_REFUSED, "cannot open '%s': %s", path,
				 errno == ELOOP ? "it is a symbolic link (name "
						  "the file itself)"
						: strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd); /* read only */
		return say_error(CODE_REFUSED, "'%s' is not a regular file",
				 path);
	}
	*ret_fd = fd;
	return CODE_DONE;
}

static int ask(const struct restore_asker *asker, const struct site *site,
	       enum restore_question question, const char *what)
{
	if (question == RESTORE_SETTINGS)
		return confirm_by(site, asker->arg, "--take-settings", "%s",
				  what);
	return confirm(site, asker->arg, "%s", what);
}

/* A store is restored for all hosts or for none. */
static int refuse_copy(const struct site *site)
{
	struct config_fault fault;
	struct config config;

	if (config_read(site->dir, &config, &fault) != ERR_OK ||
	    !config.central[0])
		return CODE_DONE;
	return say_error(CODE_REFUSED,
			 "this store is a copy of a central database, whose "
			 "hosts would not know of the backup: nothing was "
			 "changed ('popbox cluster leave' makes it a store of "
			 "its own)");
}

int cmd_restore(struct site *site, const struct args *args)
{
	const struct restore_asker asker = {ask, args};
	const char *path = args->operand[0];
	int fd = -1, code = open_file(path, &fd);
	char first = 0;

	if (code != CODE_DONE)
		return code;
	if (pread(fd, &first, 1, 0) < 0)
		code = say_error(CODE_LATER, "cannot read '%s': %s", path,
				 strerror(errno));
	else if (first == '{')
		code = restore_box(site, fd, path);
	else
		code = refuse_copy(site);
	if (code == CODE_DONE && first != '{')
		code = restore_store(site, &asker, fd, path);
	(void)close(fd); /* read only */
	return code;
}
