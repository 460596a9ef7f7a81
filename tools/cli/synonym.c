/* SPDX-License-Identifier: MIT */
#include "synonym.h"

#include <string.h>

struct synonym {
	const char *word;
	const char *meaning;
	const char *noun; /* of this one alone; NULL = of any */
};

static const struct synonym nouns[] = {
	/* vpopmail, vmailmgr */
	{"vadduser", "box add", NULL},
	{"vaddusers", "import", NULL},
	{"vdeluser", "box del", NULL},
	{"vmoduser", "box set", NULL},
	{"vuserinfo", "box show", NULL},
	{"vsetuserquota", "box set", NULL},
	{"vpasswd", "passwd", NULL},
	{"vchattr", "box set", NULL},
	{"vchforwards", "address set", NULL},
	{"vadddomain", "domain add", NULL},
	{"vdeldomain", "domain del", NULL},
	{"vdominfo", "domain show", NULL},
	{"vaddaliasdomain", "domain add", NULL},
	{"vaddalias", "address add", NULL},
	{"valias", "address add", NULL},
	{"vforward", "address add", NULL},
	{"vchkpw", "verify", NULL},
	{"vconvert", "import", NULL},
	{"vsetup", "init", NULL},
	{"listvdomain", "address list", NULL},
	/* Unix, doveadm, and one's own guess */
	{"adduser", "box add", NULL},
	{"useradd", "box add", NULL},
	{"addbox", "box add", NULL},
	{"deluser", "box del", NULL},
	{"userdel", "box del", NULL},
	{"usermod", "box set", NULL},
	{"adddomain", "domain add", NULL},
	{"deldomain", "domain del", NULL},
	{"addalias", "address add", NULL},
	{"user", "box", NULL},
	{"users", "box list", NULL},
	{"boxes", "box list", NULL},
	{"domains", "domain list", NULL},
	{"handles", "handle list", NULL},
	{"addresses", "address list", NULL},
	{"account", "box", NULL},
	{"mailbox", "box", NULL},
	{"customer", "handle", NULL},
	{"client", "handle", NULL},
	{"alias", "address", NULL},
	{"forward", "address", NULL},
	{"catchall", "address", NULL},
	{"add", "box add", NULL},
	{"create", "box add", NULL},
	{"list", "box list", NULL},
	{"show", "box show", NULL},
	{"del", "box del", NULL},
	{"delete", "box del", NULL},
	{"suspend", "box suspend", NULL},
	{"resume", "box resume", NULL},
	{"undelete", "box undelete", NULL},
	{"set", "config set", NULL},
	{"settings", "config list", NULL},
	{"password", "passwd", NULL},
	{"auth", "verify", NULL},
	{"login", "verify", NULL},
	{"test", "verify", NULL},
	{"publish", "sync", NULL},
	{"reload", "sync", NULL},
	{"fsck", "check", NULL},
	{"repair", "check --repair", NULL},
	{"why", "explain", NULL},
	{"trace", "explain", NULL},
	{"route", "explain", NULL},
	{"history", "log", NULL},
	{"journal", "log", NULL},
	{"revert", "undo", NULL},
	{"dump", "export", NULL},
	{"load", "import", NULL},
	{"setup", "init", NULL},
	{"version", "--version", NULL},
	{NULL, NULL, NULL},
};

static const struct synonym verbs[] = {
	{"rename", "popbox handle set HANDLE --name TEXT", "handle"},
	{"rename", "popbox address rename", "box"},
	{"passwd", "popbox passwd", NULL},
	{"password", "popbox passwd", NULL},
	{"verify", "popbox verify", NULL},
	{"undelete", "popbox undo", NULL},
	{"restore", "undelete", NULL},
	{"restore", "popbox undo", NULL},
	{"purge", "popbox purge", NULL},
	{"new", "add", NULL},
	{"create", "add", NULL},
	{"make", "add", NULL},
	{"delete", "del", NULL},
	{"remove", "del", NULL},
	{"rm", "del", NULL},
	{"info", "show", NULL},
	{"info", "list", NULL},
	{"get", "show", NULL},
	{"view", "show", NULL},
	{"view", "list", NULL},
	{"show", "list", NULL},
	{"ls", "list", NULL},
	{"all", "list", NULL},
	{"change", "set", NULL},
	{"edit", "set", NULL},
	{"modify", "set", NULL},
	{"mod", "set", NULL},
	{"update", "set", NULL},
	{"move", "rename", NULL},
	{"mv", "rename", NULL},
	{"disable", "suspend", NULL},
	{"block", "suspend", NULL},
	{"lock", "suspend", NULL},
	{"enable", "resume", NULL},
	{"unblock", "resume", NULL},
	{"unlock", "resume", NULL},
	{"unsuspend", "resume", NULL},
	{"start", "run", NULL},
	{NULL, NULL, NULL},
};

static const struct synonym options[] = {
	{"--verbose", "-v", NULL},
	{"--quiet", "-q", NULL},
	{"-V", "--version", NULL},
	{"-j", "--json", NULL},
	{"-n", "--dry-run", NULL},
	{"--dryrun", "--dry-run", NULL},
	{"-y", "--yes", NULL},
	{"-f", "--yes", NULL},
	{"--force", "--yes", NULL},
	{"--store", "-d", NULL},
	{"--random", "--generate", NULL},
	{"--customer", "--handle", NULL},
	{"--older", "--older-than", NULL},
	{NULL, NULL, NULL},
};

static const char *find(const struct synonym *s, const char *noun,
			const char *word, size_t at)
{
	for (; s->word; s++) {
		if (strcmp(s->word, word) == 0 &&
		    (!s->noun || (noun && strcmp(s->noun, noun) == 0)) &&
		    at-- == 0)
			return s->meaning;
	}
	return NULL;
}

const char *synonym_noun(const char *word)
{
	return find(nouns, NULL, word, 0);
}

const char *synonym_verb(const char *noun, const char *word, size_t at)
{
	return find(verbs, noun, word, at);
}

const char *synonym_option(const char *word)
{
	return find(options, NULL, word, 0);
}
