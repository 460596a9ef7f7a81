/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "accounts/breached.h"
#include "base/say.h"
#include "qmail/control.h"
#include "store/store_whole.h"

struct collecting {
	struct status *status;
	int64_t box_age, age; /* seconds until purge takes it */
};

static enum err count_rows(struct store_txn *txn, struct status *status)
{
	struct store_size *size = calloc(1, sizeof *size);
	enum err err = size ? store_size(txn, size) : ERR_SYSTEM;

	for (size_t i = 0; err == ERR_OK && i < STORE_TABLES_ALL; i++) {
		const char *name = size->table[i].name;
		const uint64_t rows = size->table[i].rows;

		if (strcmp(name, "handle") == 0)
			status->handles = rows;
		else if (strcmp(name, "box") == 0)
			status->boxes = rows;
		else if (strcmp(name, "address") == 0)
			status->addresses = rows;
	}
	free(size);
	return err;
}

static void count_end(const struct status *status, int64_t expires,
		      uint64_t *ended, uint64_t *ending)
{
	if (expires && expires <= status->now)
		++*ended;
	else if (expires && expires <= status->now + STATUS_WEEK)
		++*ending;
}

static enum err count_off(struct store_txn *txn, struct status *status)
{
	struct store_handle handle;
	struct store_domain domain;
	enum err err = store_handle_next(txn, NULL, &handle);

	while (err == ERR_OK) {
		status->handles_off += !handle.state.login;
		count_end(status, handle.state.expires, &status->handles_ended,
			  &status->handles_ending);
		err = store_handle_next(txn, &handle.name, &handle);
	}
	if (err == ERR_NOTFOUND)
		err = store_domain_next(txn, NULL, &domain);
	while (err == ERR_OK) {
		status->domains++;
		status->domains_off += !domain.state.login;
		count_end(status, domain.state.expires, &status->domains_ended,
			  &status->domains_ending);
		err = store_domain_next(txn, &domain.name, &domain);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void add_gone(struct status *status, int64_t since, int64_t age)
{
	const int64_t ripe = since + age;

	if (ripe < status->now)
		status->ripe++;
	else if (status->next == 0 || ripe < status->next)
		status->next = ripe;
}

static enum err count_gone_addresses(struct store_txn *txn,
				     const struct collecting *c)
{
	struct store_address *address = calloc(1, sizeof *address);
	struct name_address at;
	struct store_parked parked;
	enum err err = address ? store_parked_address_next(txn, NULL, address,
							   &parked)
			       : ERR_SYSTEM;

	while (err == ERR_OK) {
		c->status->gone_addresses++;
		c->status->lasting += parked.lasting;
		if (!parked.lasting)
			add_gone(c->status, parked.since, c->age);
		at = address->name;
		err = store_parked_address_next(txn, &at, address, &parked);
	}
	free(address);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err count_gone(struct store_txn *txn, const struct collecting *c)
{
	struct store_parked parked;
	struct store_domain domain;
	struct store_box box;
	enum err err = store_parked_domain_next(txn, NULL, &domain, &parked);

	while (err == ERR_OK) {
		c->status->gone_domains++;
		add_gone(c->status, parked.since, c->age);
		err = store_parked_domain_next(txn, &domain, &domain, &parked);
	}
	if (err == ERR_NOTFOUND)
		err = store_parked_box_next(txn, NULL, &box, &parked);
	while (err == ERR_OK) {
		c->status->gone_boxes++;
		add_gone(c->status, parked.since, c->box_age);
		err = store_parked_box_next(txn, &box.name, &box, &parked);
	}
	return err == ERR_NOTFOUND ? count_gone_addresses(txn, c) : err;
}

/* The first few by time. */
static enum err add_end(void *arg, const struct store_address *address)
{
	struct status *status = arg;
	struct status_end end = {.time = address->expires};
	const uint64_t number = status->ending + status->ended;
	size_t at = number < STATUS_ENDS ? number : STATUS_ENDS;

	name_address_text(&address->name, end.address);
	for (; at && status->end[at - 1].time > end.time; at--) {
		if (at < STATUS_ENDS)
			status->end[at] = status->end[at - 1];
	}
	if (at < STATUS_ENDS)
		status->end[at] = end;
	status->ended += end.time <= status->now;
	status->ending += end.time > status->now;
	return ERR_OK;
}

/* The tool's reader runs a body once (db.h). */
static enum err status_body(struct store_txn *txn, void *arg)
{
	const struct collecting *c = arg;
	enum err err = count_rows(txn, c->status);

	if (err == ERR_OK)
		err = pending_collect(txn, &c->status->pending);
	if (err == ERR_OK)
		err = count_off(txn, c->status);
	if (err == ERR_OK)
		err = store_expiring(txn, c->status->now + STATUS_WEEK, add_end,
				     c->status);
	return err == ERR_OK ? count_gone(txn, c) : err;
}

static int open_file(const char *dir, const char *name, int flags)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* When a file of the store's directory was touched; 0: never. */
static int64_t touched(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_mtime : 0;
}

void status_touch(const char *dir, const char *name)
{
	int fd = open_file(dir, name, O_WRONLY | O_CREAT);

	if (fd < 0)
		return;
	(void)futimens(fd, NULL); /* without it the time is not known */
	(void)close(fd);
}

static bool lacks_filter(const struct site *site)
{
	struct breached filter = {.open = false};
	bool missing, lacks;

	lacks = config_has_breached(&site->config) &&
		breached_open(site->config.breached, &filter, &missing) != NULL;
	breached_close(&filter);
	return lacks;
}

static void look_at_files(const struct site *site, struct status *status)
{
	int fd = open_file(site->dir, "publish.lock", O_RDONLY);

	status->no_filter = lacks_filter(site);
	status->published = touched(fd);
	/* A lock that is given up with the descriptor. */
	status->publishing = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 &&
			     errno == EWOULDBLOCK;
	if (fd >= 0)
		(void)close(fd);
	fd = open_file(site->dir, STATUS_BACKUP, O_RDONLY);
	status->backup = touched(fd);
	if (fd >= 0)
		(void)close(fd);
}

int status_collect(struct site *site, const char *log,
		   struct status *ret_status)
{
	struct status *status = ret_status;
	const int64_t age = (int64_t)control_queuelifetime(&site->config);
	const int64_t month = INT64_C(30) * 86400;
	struct collecting c = {status, age > month ? age : month, age};
	int code;

	*status = (struct status){.now = time(NULL)};
	code = site_failed(site, store_read(site->store, status_body, &c),
			   "status");
	if (code != CODE_DONE)
		return code;
	look_at_files(site, status);
	status->qmail = config_has_qmail(&site->config);
	if (status->qmail)
		status->send = notify_find(&site->config, &status->pid);
	status->has_log = loginlog_read(&site->config, log,
					status->now - STATUS_HOUR, &status->log,
					status->no_log);
	return CODE_DONE;
}
