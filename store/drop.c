/* SPDX-License-Identifier: MIT */
#include "drop.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Are all three uids and all three gids the wanted ones? */
static bool ids_are(uid_t uid, gid_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) != 0)
		return false;
	for (int i = 0; i < 3; i++) {
		if (uids[i] != uid || gids[i] != gid)
			return false;
	}
	return true;
}

/* Asking for root must be refused; that it was asked for and granted is the
 * only sure sign of a kernel or a capability that kept the way back open. */
static bool root_comes_back(void)
{
	return setresuid((uid_t)-1, 0, (uid_t)-1) == 0 ||
	       setresgid((gid_t)-1, 0, (gid_t)-1) == 0;
}

static const char *seal(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return "cannot forbid tracing";
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return "cannot forbid core files";
	return NULL;
}

const char *drop_to(uid_t uid, gid_t gid)
{
	errno = 0;
	if (uid == 0 || gid == 0)
		return "uid and gid of popusr cannot be 0";
	if (setgroups(1, &gid) == 0) {
		if (setresgid(gid, gid, gid) != 0)
			return "cannot become the group of popusr";
		if (setresuid(uid, uid, uid) != 0)
			return "cannot become popusr";
	} else if (errno != EPERM) {
		return "cannot drop supplementary groups";
	}
	/* Refused is only who is not root: then all must be so already. */
	if (!ids_are(uid, gid)) {
		errno = 0;
		return "not started as root and not as popusr";
	}
	if (root_comes_back()) {
		errno = 0;
		return "root could be had again after dropping it";
	}
	return seal();
}
