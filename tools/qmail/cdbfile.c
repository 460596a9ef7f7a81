/* SPDX-License-Identifier: MIT */
#include "cdbfile.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/resource_error.h"

enum { KEY_MAX = 1024 };

const char *cdbfile_users(const char *qmail)
{
	static const char *const names[] = {"users/cdb", "users/assign.cdb"};
	struct timespec made[2] = {{0}, {0}};
	char path[PATH_MAX];

	for (size_t i = 0; i < 2; i++) {
		struct stat st;

		(void)snprintf(path, sizeof path, "%s/%s", qmail, names[i]);
		if (stat(path, &st) == 0)
			made[i] = st.st_mtim;
	}
	return names[made[1].tv_sec > made[0].tv_sec ||
		     (made[1].tv_sec == made[0].tv_sec &&
		      made[1].tv_nsec > made[0].tv_nsec)];
}

static enum cdbfile unopened(void)
{
	if (resource_error(errno))
		return CDBFILE_LATER;
	return errno == ENOENT ? CDBFILE_MISSING : CDBFILE_DAMAGED;
}

static enum cdbfile open_cdb(const char *path, struct cdb *cdb, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum cdbfile found;

	if (fd < 0)
		return unopened();
	errno = EPROTO; /* it is too short to be one */
	if (cdb_init(cdb, fd) != 0) {
		found = unopened();
		(void)close(fd); /* read only */
		return found;
	}
	*ret_fd = fd;
	return CDBFILE_FOUND;
}

static void close_cdb(struct cdb *cdb, int fd)
{
	cdb_free(cdb);
	(void)close(fd); /* read only */
}

static enum cdbfile seek(struct cdb *cdb, const char *key, size_t len)
{
	int found = cdb_find(cdb, key, (unsigned)len);

	return found > 0 ? CDBFILE_FOUND
			 : found == 0 ? CDBFILE_NONE : CDBFILE_DAMAGED;
}

static enum cdbfile take_user(struct cdb *cdb, struct route_user *ret_user)
{
	const unsigned len = cdb_datalen(cdb);
	const char *value = cdb_get(cdb, len, cdb_datapos(cdb));

	return value && route_fields(value, len, 0, ret_user)
		       ? CDBFILE_FOUND
		       : CDBFILE_DAMAGED;
}

/* '!', the local part in lower case, NUL. 0: too long. */
static size_t make_key(const char *local, char key[KEY_MAX])
{
	size_t len = strlen(local) + 2;

	if (len > KEY_MAX)
		return 0;
	key[0] = '!';
	for (size_t i = 0; i + 1 < len; i++)
		key[i + 1] = local[i] >= 'A' && local[i] <= 'Z'
				     ? (char)(local[i] + 32)
				     : local[i];
	return len;
}

static enum cdbfile find_user(struct cdb *cdb, const char *local,
			      struct route_user *ret_user)
{
	char key[KEY_MAX], ends[256];
	size_t len = make_key(local, key), count = 0;
	enum cdbfile found = seek(cdb, "", 0);

	/* qmail-lspawn reads none without that entry. */
	if (found != CDBFILE_FOUND || len == 0)
		return CDBFILE_DAMAGED;
	if (cdb_datalen(cdb) <= sizeof ends) {
		count = cdb_datalen(cdb);
		if (cdb_read(cdb, ends, (unsigned)count, cdb_datapos(cdb)) != 0)
			return CDBFILE_DAMAGED;
	}
	for (size_t i = len; i > 0; i--) {
		if (i != len && i != 1 && !memchr(ends, key[i - 1], count))
			continue;
		found = seek(cdb, key, i);
		if (found == CDBFILE_NONE)
			continue;
		if (found == CDBFILE_FOUND)
			found = take_user(cdb, ret_user);
		(void)snprintf(ret_user->rest, sizeof ret_user->rest, "%s",
			       i == len ? "" : local + i - 1);
		return found;
	}
	return CDBFILE_NONE;
}

enum cdbfile cdbfile_user(const char *path, const char *local,
			  struct route_user *ret_user)
{
	struct cdb cdb;
	int fd;
	enum cdbfile found = open_cdb(path, &cdb, &fd);

	if (found != CDBFILE_FOUND)
		return found;
	found = find_user(&cdb, local, ret_user);
	close_cdb(&cdb, fd);
	return found;
}

enum cdbfile cdbfile_has(const char *path, const char *key)
{
	char lower[KEY_MAX];
	size_t len = make_key(key, lower);
	struct cdb cdb;
	int fd;
	enum cdbfile found = open_cdb(path, &cdb, &fd);

	if (found != CDBFILE_FOUND)
		return found;
	found = len ? seek(&cdb, lower + 1, len - 2) : CDBFILE_NONE;
	close_cdb(&cdb, fd);
	return found;
}

enum cdbfile cdbfile_walk(const char *path, cdbfile_each *each, void *arg)
{
	struct cdb cdb;
	unsigned at;
	int fd, more;
	enum cdbfile found = open_cdb(path, &cdb, &fd);

	if (found != CDBFILE_FOUND)
		return found;
	cdb_seqinit(&at, &cdb);
	while ((more = cdb_seqnext(&at, &cdb)) > 0) {
		const unsigned key_len = cdb_keylen(&cdb);
		const unsigned len = cdb_datalen(&cdb);
		const char *key = cdb_get(&cdb, key_len, cdb_keypos(&cdb));
		const char *value = cdb_get(&cdb, len, cdb_datapos(&cdb));

		if (!key || !value) {
			more = -1;
			break;
		}
		if (!each(arg, key, key_len, value, len))
			break;
	}
	close_cdb(&cdb, fd);
	return more < 0 ? CDBFILE_DAMAGED : CDBFILE_FOUND;
}

static bool put_pair(void *to, const char *key, size_t key_len,
		     const char *value, size_t value_len)
{
	return cdb_make_add(to, key, (unsigned)key_len, value,
			    (unsigned)value_len) == 0;
}

int cdbfile_write(int fd, cdbfile_fill *fill, void *arg)
{
	struct cdb_make cdb;
	int rc = 0;

	errno = EIO;
	if (cdb_make_start(&cdb, fd) != 0)
		return errno;
	if (!fill(arg, put_pair, &cdb))
		rc = errno ? errno : EIO;
	/* It gives back the memory in any case. */
	if (cdb_make_finish(&cdb) != 0 && rc == 0)
		rc = errno ? errno : EIO;
	return rc;
}
