/* SPDX-License-Identifier: MIT */
#include "mailroot_bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "mailroot_private.h"
#include "store/path.h"

#ifndef MAILROOT_DISKS
#define MAILROOT_DISKS 16
#endif

/* The file systems that were touched. A descriptor is opened before anything
 * is written there, because syncfs tells of errors since then. */
static struct disk {
	dev_t dev;
	int fd;
} disks[MAILROOT_DISKS];
static size_t disk_count;
static bool untold; /* something was made since they were synced */

/* A directory that is kept open for the next job. */
static struct place {
	bool open;
	bool known; /* is its file system kept in mind? */
	struct name_handle handle;
	struct name_domain domain; /* "" for the directory of boxes */
	int fd;
} boxes, domains, files;

static int note_disk(int fd, bool *ret_known)
{
	struct stat st;
	int copy;

	if (fstat(fd, &st) != 0)
		return errno;
	*ret_known = true;
	for (size_t i = 0; i < disk_count; i++) {
		if (disks[i].dev == st.st_dev)
			return 0;
	}
	*ret_known = disk_count < MAILROOT_DISKS;
	if (!*ret_known)
		return 0;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return errno;
	disks[disk_count++] = (struct disk){st.st_dev, copy};
	return 0;
}

static void leave(struct place *place)
{
	if (place->open)
		(void)close(place->fd); /* a directory, read only */
	place->open = false;
}

/* Takes fd over. */
static int enter(struct place *place, const struct name_handle *handle,
		 const struct name_domain *domain, int fd)
{
	int rc;

	leave(place);
	*place = (struct place){.open = true, .handle = *handle, .fd = fd};
	if (domain)
		place->domain = *domain;
	rc = note_disk(fd, &place->known);
	if (rc != 0)
		leave(place);
	return rc;
}

static int enter_part(struct place *place, const char *home,
		      const struct name_handle *handle, enum mailroot_part part)
{
	int fd, rc;

	if (place->open && strcmp(place->handle.s, handle->s) == 0)
		return 0;
	rc = mailroot_part(home, handle, part, &fd);
	return rc == 0 ? enter(place, handle, NULL, fd) : rc;
}

int mailroot_bulk_sync(void)
{
	int rc = 0;

	for (size_t i = 0; i < disk_count; i++) {
		if (syncfs(disks[i].fd) != 0)
			rc = errno;
	}
	untold = untold && rc != 0;
	return rc;
}

void mailroot_bulk_end(void)
{
	leave(&boxes);
	leave(&domains);
	leave(&files);
	while (disk_count)
		(void)close(disks[--disk_count].fd); /* read only */
}

/* A box that was there, which may be anything by now. */
static int old_box(const char *home, const struct name_box *box,
		   const char *text)
{
	static const char *const parts[] = {"tmp", "new", "cur"};
	int fd = openat(boxes.fd, text,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	char path[PATH_MAX];
	bool known = false;
	int rc;

	if (fd < 0)
		return errno;
	rc = note_disk(fd, &known);
	for (size_t i = 0; rc == 0 && known && i < 3; i++) {
		if (mkdirat(fd, parts[i], 0700) != 0 && errno != EEXIST)
			rc = errno;
	}
	(void)close(fd); /* a directory, read only */
	return rc != 0 || known ? rc : mailroot_box(home, box, path);
}

static int make_box(const char *home, const struct mailroot_job *job)
{
	static const char *const parts[] = {"", "/tmp", "/new", "/cur"};
	const struct name_box box = {job->handle, job->number};
	char text[NAME_BOX_TEXT], path[PATH_MAX];
	int rc = enter_part(&boxes, home, &job->handle, MAILROOT_POP);

	if (rc != 0)
		return rc;
	if (!boxes.known)
		return mailroot_box(home, &box, path);
	untold = true;
	name_box_text(&box, text);
	for (size_t i = 0; rc == 0 && i < 4; i++) {
		/* Far below PATH_MAX. */
		(void)snprintf(path, sizeof path, "%s%s", text, parts[i]);
		if (mkdirat(boxes.fd, path, 0700) != 0)
			rc = errno;
	}
	return rc == EEXIST ? old_box(home, &box, text) : rc;
}

/* Before something is written into a box that is there. */
static int note_box(const char *home, const struct name_box *box,
		    bool *ret_known)
{
	char path[PATH_MAX];
	int fd, rc;

	path_box(home, box, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	rc = note_disk(fd, ret_known);
	(void)close(fd); /* a directory, read only */
	untold = true;
	return rc;
}

static int set_quota(const char *home, const struct mailroot_job *job,
		     const char *text)
{
	const struct name_box box = {job->handle, job->number};
	char path[PATH_MAX], limit[MAILDIRSIZE_LINE];
	bool known = false;
	int rc;

	if (job->len >= sizeof limit)
		return EINVAL;
	memcpy(limit, text, job->len);
	limit[job->len] = 0;
	rc = note_box(home, &box, &known);
	return rc == 0 ? mailroot_quota(home, &box, limit, !known, path) : rc;
}

static int set_reply(const char *home, const struct mailroot_job *job,
		     const char *text)
{
	const struct name_box box = {job->handle, job->number};
	char path[PATH_MAX];
	bool known = false;
	int rc = note_box(home, &box, &known);

	return rc == 0 ? mailroot_vacation(home, &box, text, job->len, !known,
					   path)
		       : rc;
}

static int make_domain(const char *home, const struct mailroot_job *job)
{
	const char *name = job->address.domain.s;
	int fd, rc = enter_part(&domains, home, &job->handle, MAILROOT_DOMAINS);
	char path[PATH_MAX];

	if (rc != 0)
		return rc;
	untold = true;
	if (mkdirat(domains.fd, name, 0755) != 0 && errno != EEXIST)
		return errno;
	fd = openat(domains.fd, name,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	rc = enter(&files, &job->handle, &job->address.domain, fd);
	if (rc == 0 && !(domains.known && files.known))
		rc = mailroot_domain(home, &job->handle, &job->address.domain,
				     path);
	return rc;
}

/* Opens the directory of an address, or has it open. */
static int enter_files(const char *home, const struct mailroot_job *job,
		       char ret_name[MAILROOT_QMAIL_NAME])
{
	const struct name_domain *domain = &job->address.domain;
	char path[PATH_MAX];
	int fd, rc;

	if (files.open && strcmp(files.handle.s, job->handle.s) == 0 &&
	    strcmp(files.domain.s, domain->s) == 0) {
		mailroot_qmail_name(&job->address.local, ret_name);
		return 0;
	}
	rc = mailroot_open_domain(home, &job->handle, &job->address, &fd,
				  ret_name, path);
	return rc == 0 ? enter(&files, &job->handle, domain, fd) : rc;
}

/* On a file system that is not kept in mind: at once and by itself. What it
 * names is made durable before. */
static int write_alone(const char *home, const struct mailroot_job *job,
		       const char *text)
{
	char path[PATH_MAX];
	int rc = untold ? mailroot_bulk_sync() : 0;

	return rc != 0 ? rc
		       : mailroot_qmail(home, &job->handle, &job->address, text,
					job->len, job->mode, path);
}

static int write_file(const char *home, const struct mailroot_job *job,
		      const char *name, const char *temporary, const char *text)
{
	const struct replace_text like = {
		.mode = job->mode, .uid = (uid_t)-1, .gid = (gid_t)-1};
	int rc;

	if (mailroot_is_same(files.fd, name, text, job->len, job->mode)) {
		(void)unlinkat(files.fd, temporary, 0); /* of a killed run */
		return 0;
	}
	if (!files.known)
		return write_alone(home, job, text);
	rc = replace_prepare(files.fd, temporary, &like, text, job->len, false);
	return rc == 0 ? MAILROOT_WAITS : rc;
}

static int on_file(const char *home, const struct mailroot_job *job,
		   const char *text)
{
	char name[MAILROOT_QMAIL_NAME], temporary[MAILROOT_TEMPORARY];
	int rc = enter_files(home, job, name);

	if (rc != 0)
		return rc;
	mailroot_temporary(name, temporary);
	if (job->step == MAILROOT_WRITE)
		return write_file(home, job, name, temporary, text);
	if (job->step == MAILROOT_RENAME)
		return replace_finish(files.fd, name, temporary);
	return unlinkat(files.fd, temporary, 0) == 0 ? 0 : errno;
}

int mailroot_bulk(const char *home, const struct mailroot_job *job,
		  const char *text)
{
	switch (job->step) {
	case MAILROOT_BOX:
		return make_box(home, job);
	case MAILROOT_QUOTA:
		return set_quota(home, job, text);
	case MAILROOT_VACATION:
		return set_reply(home, job, text);
	case MAILROOT_DOMAIN:
		return make_domain(home, job);
	case MAILROOT_WRITE:
	case MAILROOT_RENAME:
	case MAILROOT_DISCARD:
		return on_file(home, job, text);
	case MAILROOT_LOOK_BOX:
	case MAILROOT_LOOK_DOMAIN:
	case MAILROOT_LOOK_FILE:
		return mailroot_is_there(home, job);
	}
	return EINVAL;
}
