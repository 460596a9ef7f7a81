/* SPDX-License-Identifier: MIT */
/* config.h: the settings, a text file `config` in the store's directory.
 *
 * Lines `key = value`; blank lines and lines that begin with '#' are comments.
 * Strict: an unknown or repeated key, a value out of range or a line of
 * another form is an error that names the line. A key that is absent has its
 * default. See popbox.conf(5).
 */
#ifndef POPBOX_CONFIG_H
#define POPBOX_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

enum {
	CONFIG_SIZE_MAX = 65536, /* bytes of the file */
	CONFIG_TEXT_MAX = 255,	 /* bytes of a value */
};

enum config_log { CONFIG_LOG_SYSLOG, CONFIG_LOG_STDERR, CONFIG_LOG_NONE };
enum config_confine {
	CONFIG_CONFINE_AUTO,	/* as far as the kernel knows it */
	CONFIG_CONFINE_REQUIRE, /* Landlock, or no login */
	CONFIG_CONFINE_STRICT,	/* and seccomp */
	CONFIG_CONFINE_OFF,
};
enum config_assign { CONFIG_ASSIGN_HANDLE, CONFIG_ASSIGN_POPUSR };

enum config_mailroot { CONFIG_MAILROOT_MAKE, CONFIG_MAILROOT_AWAIT };

enum config_letters { CONFIG_LETTERS_ANY, CONFIG_LETTERS_ASCII };

struct config {
	uint32_t uid;
	uint32_t gid;
	char home[CONFIG_TEXT_MAX + 1];	      /* absolute, no final slash */
	char serialmail[CONFIG_TEXT_MAX + 1]; /* the same */
	char qmail[CONFIG_TEXT_MAX + 1];      /* the same, or "none" */
	char qmail_hup[CONFIG_TEXT_MAX + 1];  /* "" = find qmail-send */
	char assign_popusr[CONFIG_TEXT_MAX + 1]; /* user name of popusr */
	uint32_t rcpthosts_max; /* domains; more are in morercpthosts */
	uint32_t assign_user;			 /* enum config_assign */
	char dovecot_dir[CONFIG_TEXT_MAX + 1];	 /* absolute, or "none" */
	char dovecot_group[CONFIG_TEXT_MAX + 1];
	uint32_t validrcptto;			 /* 0 or 1 */
	uint32_t sqmail_recipients;		 /* 0 or 1 */
	char postfix_dir[CONFIG_TEXT_MAX + 1];	 /* absolute, or "none" */
	char separators[CONFIG_TEXT_MAX + 1];	 /* of user and domain */
	char default_domain[CONFIG_TEXT_MAX + 1]; /* A-labels, or "" */
	uint32_t login_by_box;			  /* 0 or 1 */
	uint32_t refuse_delay_ms;
	uint32_t login_cache; /* seconds; 0 = off */
	uint32_t log; /* enum config_log */
	uint32_t confine; /* enum config_confine */
	char confine_read[CONFIG_TEXT_MAX + 1]; /* paths, blanks between */
	uint32_t argon2_kib;
	uint32_t argon2_passes;
	uint32_t password_min; /* bytes */
	uint32_t password_letters; /* enum config_letters */
	char breached[CONFIG_TEXT_MAX + 1]; /* or "none" */
	char quota_program[CONFIG_TEXT_MAX + 1]; /* "" = where popbox lies */
	char quota_path[CONFIG_TEXT_MAX + 1]; /* no setting: that, once it was
					       * looked for; else "" */
	char vacation_program[CONFIG_TEXT_MAX + 1]; /* as with quota */
	char vacation_path[CONFIG_TEXT_MAX + 1];
	uint32_t quota_grace; /* seconds */
	uint32_t quota_warn;  /* percent; 0 = never */
	char central[CONFIG_TEXT_MAX + 1]; /* conninfo; "" = none */
	char central_user[CONFIG_TEXT_MAX + 1];
	char host[CONFIG_TEXT_MAX + 1]; /* "" = the nodename */
	uint32_t mailroot; /* enum config_mailroot */
};

/* One setting, for listing and editing. */
struct config_key {
	const char *name;
	const char *meaning; /* one sentence, for people */
	const char *fallback; /* the default, as it would be written */
	/* Says what root runs, where it writes, who popusr is, or what the POP
	 * server may do: to be taken from nobody unseen. */
	bool leads;
};

/* The index-th setting, or NULL after the last. */
const struct config_key *config_key(size_t index);

/* Where a text went wrong. */
struct config_fault {
	unsigned line;	 /* counted from 1; 0 = the file as a whole */
	const char *why; /* static */
};

/* Pure. ERR_INVALID fills *ret_fault. */
MUST_USE enum err config_parse(const char *text, size_t len,
			       struct config *ret_config,
			       struct config_fault *ret_fault);

/* Is this value good for this key? NULL, or why not. */
MUST_USE const char *config_judge(const char *key, const char *value);

/* What a key takes, " (from 8 to 64)" or " (syslog, stderr or none)"; "" where
 * config_judge says all. Good until the next call. */
const char *config_wants(const char *key);

/* The value of a key as it would be written, into text. ERR_NOTFOUND. */
MUST_USE enum err config_value(const struct config *config, const char *key,
			       char ret_text[CONFIG_TEXT_MAX + 1]);

/* Reads STOREDIR/config. The directory and the file must belong to root or to
 * the caller and be writable by nobody else, because whoever writes here says
 * who popusr is. ERR_NOTFOUND, ERR_SYSTEM (errno), ERR_INVALID (fault). */
MUST_USE enum err config_read(const char *dir, struct config *ret_config,
			      struct config_fault *ret_fault);

static inline bool config_has_qmail(const struct config *config)
{
	return config->qmail[0] == '/';
}

static inline bool config_has_breached(const struct config *config)
{
	return config->breached[0] == '/';
}

static inline bool config_has_dovecot(const struct config *config)
{
	return config->dovecot_dir[0] == '/';
}

#endif
