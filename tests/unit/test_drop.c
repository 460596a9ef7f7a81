/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/drop.h"

/* Nothing was given up yet when this is refused. */
static void root(void **state)
{
	static const char why[] = "uid and gid of popusr cannot be 0";
	const uid_t before = geteuid();

	(void)state;
	assert_string_equal(drop_to(0, 51), why);
	assert_string_equal(drop_to(510, 0), why);
	assert_string_equal(drop_to(0, 0), why);
	assert_int_equal(geteuid(), before);
}

enum { UID = 510, GID = 51 };

/* In a child, since it is for good: what is left after a drop, as a number of
 * the first thing that is wrong; 0: all is as promised. */
static int left(void)
{
	const gid_t many[] = {0, 27, GID};
	struct rlimit core = {RLIM_INFINITY, RLIM_INFINITY};
	uid_t uid[3];
	gid_t gid[3], group[8];

	if (setgroups(COUNT(many), many) != 0 ||
	    setrlimit(RLIMIT_CORE, &core) != 0)
		return 1;
	if (drop_to(UID, GID))
		return 2;
	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 ||
	    getresgid(&gid[0], &gid[1], &gid[2]) != 0)
		return 3;
	for (int i = 0; i < 3; i++) {
		if (uid[i] != UID || gid[i] != GID)
			return 4;
	}
	if (getgroups(COUNT(group), group) != 1 || group[0] != GID)
		return 5;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 6;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 ||
	    core.rlim_max != 0)
		return 7;
	return setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0 ? 8 : 0;
}

/* Popusr already, but not in everything: none of these is accepted. */
static int refused(uid_t real, uid_t effective, uid_t saved, gid_t real_gid,
		   gid_t effective_gid, gid_t saved_gid)
{
	if (setresgid(real_gid, effective_gid, saved_gid) != 0 ||
	    setresuid(real, effective, saved) != 0)
		return 1;
	return drop_to(UID, GID) == NULL ? 2 : 0;
}

static int half_uid(void)
{
	return refused(UID, UID, UID + 1, GID, GID, GID);
}

static int half_gid(void)
{
	return refused(UID, UID, UID, GID + 1, GID, GID);
}

static int saved_gid(void)
{
	return refused(UID, UID, UID, GID, GID, 0);
}

static int all(void)
{
	return refused(UID, UID, UID, GID, GID, GID) == 2 ? 0 : 1;
}

/* Popusr in everything, and yet with one capability of root's. */
static int capable(unsigned capability)
{
	static const char why[] = "root could be had again after dropping it";
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {
		{.effective = 1U << capability, .permitted = 1U << capability}};
	const char *said;

	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0 ||
	    setgroups(0, NULL) != 0 || setresgid(GID, GID, GID) != 0 ||
	    setresuid(UID, UID, UID) != 0 ||
	    syscall(SYS_capset, &header, caps) != 0)
		return 1;
	said = drop_to(UID, GID);
	return said && strcmp(said, why) == 0 ? 0 : 2;
}

static int may_set_uids(void)
{
	return capable(CAP_SETUID);
}

static int may_set_gids(void)
{
	return capable(CAP_SETGID);
}

static void child(int (*what)(void))
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(what());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void nothing(void **state)
{
	(void)state;
	child(left);
}

static void halves(void **state)
{
	(void)state;
	child(half_uid);
	child(half_gid);
	child(saved_gid);
	child(all);
}

static void capabilities(void **state)
{
	(void)state;
	child(may_set_uids);
	child(may_set_gids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("popusr is never root, nor of root's group", root),
		SAYS("after a drop no id, no group, no core file and no way "
		     "back is left",
		     nothing),
		SAYS("a caller that is popusr must be so in all its ids", halves),
		SAYS("one capability that would bring root's user or group back "
		     "is enough to refuse",
		     capabilities),
	};

	return RUN(tests);
}
