/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "name.h"

enum kind {
	NUMBER,
	PATH,
	PATH_OR_NONE,
	PROGRAM,
	PATHS,
	WORDS,
	CHOICE,
	MARKS,
	DOMAIN,
};

/* Everything there is to know of a setting stands in its row. */
struct setting {
	struct config_key key;
	enum kind kind;
	size_t offset;
	uint32_t low, high;    /* NUMBER */
	const char *choice[4]; /* CHOICE: value = index; PROGRAM: how its path ends,
				* and what is said of one that does not */
};

#define AT(field) offsetof(struct config, field)

static const struct setting settings[] = {
	{{"uid", "user id of popusr, who owns every box", "510", true},
	 .kind = NUMBER, .offset = AT(uid), .low = 1, .high = UINT32_MAX - 1},
	{{"gid", "group id of popusr", "51", true},
	 .kind = NUMBER, .offset = AT(gid), .low = 1, .high = UINT32_MAX - 1},
	{{"home", "the mail root: boxes and domains lie below it",
	  "/home/popmail", true},
	 .kind = PATH, .offset = AT(home)},
	{{"serialmail", "directory of the mail that waits for dial-up customers",
	  "/home/serialmail", true},
	 .kind = PATH, .offset = AT(serialmail)},
	{{"qmail", "directory of the qmail installation; none: no qmail",
	  "/var/qmail", true},
	 .kind = PATH_OR_NONE, .offset = AT(qmail)},
	{{"qmail_hup",
	  "command that sends HUP to qmail-send; empty: find the process", "", true},
	 .kind = WORDS, .offset = AT(qmail_hup)},
	{{"rcpthosts_max",
	  "maximum number of domains in control/rcpthosts; the others are in "
	  "morercpthosts", "50", false},
	 .kind = NUMBER, .offset = AT(rcpthosts_max), .low = 0, .high = 1000000000},
	{{"assign_user",
	  "user field of users/assign: the handle, or popusr's name", "handle", true},
	 .kind = CHOICE, .offset = AT(assign_user), .choice = {"handle", "popusr"}},
	{{"popusr", "name of popusr, used if assign_user = popusr",
	  "popusr", true},
	 .kind = WORDS, .offset = AT(assign_popusr)},
	{{"dovecot_dir",
	  "directory of passwd-files for Dovecot, one a domain; none: no files",
	  "none", true},
	 .kind = PATH_OR_NONE, .offset = AT(dovecot_dir)},
	{{"dovecot_group", "group that may read the files in dovecot_dir", "dovecot", true},
	 .kind = WORDS, .offset = AT(dovecot_group)},
	{{"validrcptto", "write control/validrcptto.cdb", "no", false},
	 .kind = CHOICE, .offset = AT(validrcptto), .choice = {"no", "yes"}},
	{{"sqmail_recipients", "write control/recipients for s/qmail", "no", false},
	 .kind = CHOICE, .offset = AT(sqmail_recipients), .choice = {"no", "yes"}},
	{{"postfix_dir",
	  "directory of the maps for Postfix; none: no maps",
	  "none", true},
	 .kind = PATH_OR_NONE, .offset = AT(postfix_dir)},
	{{"separators",
	  "characters that may separate user and domain in a login",
	  "@%/:", false},
	 .kind = MARKS, .offset = AT(separators)},
	{{"default_domain",
	  "domain of a login that names no domain; empty: such a login is unknown", "", false},
	 .kind = DOMAIN, .offset = AT(default_domain)},
	{{"login_by_box", "accept the name of a box (ex1-0001) as a login", "yes", false},
	 .kind = CHOICE, .offset = AT(login_by_box), .choice = {"no", "yes"}},
	{{"refuse_delay_ms",
	  "time from the start of a refused login to the answer", "1000", false},
	 .kind = NUMBER, .offset = AT(refuse_delay_ms), .low = 0, .high = 30000},
	{{"login_cache",
	  "seconds for which a repeated login skips the slow hash; 0: never skip",
	  "3600", false},
	 .kind = NUMBER, .offset = AT(login_cache), .low = 0, .high = 86400},
	{{"log", "destination of the log lines of the login program", "syslog", false},
	 .kind = CHOICE, .offset = AT(log), .choice = {"syslog", "stderr", "none"}},
	{{"confine",
	  "confinement of the POP server by the kernel",
	  "auto", true},
	 .kind = CHOICE, .offset = AT(confine), .choice = {"auto", "require", "strict", "off"}},
	{{"confine_read",
	  "paths that the POP server may read and execute, beside its Maildir",
	  "/bin /sbin /usr /lib /lib32 /lib64 /etc /dev/urandom /command "
	  "/package /nix/store", true},
	 .kind = PATHS, .offset = AT(confine_read)},
	{{"argon2_kib", "memory of a new password hash, in KiB", "19456", false},
	 .kind = NUMBER, .offset = AT(argon2_kib), .low = 8, .high = 262144},
	{{"argon2_passes", "passes of a new password hash", "2", false},
	 .kind = NUMBER, .offset = AT(argon2_passes), .low = 1, .high = 64},
	{{"password_min", "minimum length of a password that people set, in bytes",
	  "10", false},
	 .kind = NUMBER, .offset = AT(password_min), .low = 1, .high = 255},
	{{"password_letters",
	  "letters that a new password may contain",
	  "any", false},
	 .kind = CHOICE, .offset = AT(password_letters), .choice = {"any", "ascii"}},
	{{"breached",
	  "filter of breached passwords that people may not set; none: no filter",
	  "none", true},
	 .kind = PATH_OR_NONE, .offset = AT(breached)},
	{{"quota_program",
	  "path of popbox-quota; empty: in the directory of popbox", "", true},
	 .kind = PROGRAM, .offset = AT(quota_program),
	 .choice = {"/popbox-quota", "the path does not end in /popbox-quota"}},
	{{"quota_grace",
	  "seconds for which mail for a full box waits before it bounces", "0", false},
	 .kind = NUMBER, .offset = AT(quota_grace), .low = 0, .high = 604800},
	{{"quota_warn",
	  "percentage of its quota at which a box gets a warning; 0: no warning", "90", false},
	 .kind = NUMBER, .offset = AT(quota_warn), .low = 0, .high = 100},
	{{"vacation_program",
	  "path of popbox-vacation; empty: in the directory of popbox", "", true},
	 .kind = PROGRAM, .offset = AT(vacation_program),
	 .choice = {"/popbox-vacation",
		    "the path does not end in /popbox-vacation"}},
	{{"central",
	  "connection string of the central database; empty: no central database", "", true},
	 .kind = WORDS, .offset = AT(central)},
	{{"central_user", "user that runs popbox-central", "popboxdb", true},
	 .kind = WORDS, .offset = AT(central_user)},
	{{"host", "name of this host in a cluster; empty: its nodename", "", false},
	 .kind = WORDS, .offset = AT(host)},
	{{"mailroot",
	  "make Maildirs and .qmail files, or await those of another host", "make", false},
	 .kind = CHOICE, .offset = AT(mailroot), .choice = {"make", "await"}},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

const struct config_key *config_key(size_t index)
{
	return index < SETTINGS ? &settings[index].key : NULL;
}

/* A login looks for each line of the file, so the first letters are compared here. */
static bool is_named(const char *name, const char *key, size_t len)
{
	return len && name[0] == key[0] && strncmp(name, key, len) == 0 &&
	       name[len] == 0;
}

static const struct setting *find(const char *key, size_t len)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (is_named(settings[i].key.name, key, len))
			return &settings[i];
	}
	return NULL;
}

static const char *set_number(const struct setting *setting, const char *text,
			      size_t len, uint32_t *ret_number)
{
	uint64_t number = 0;

	if (len == 0 || len > 10)
		return "the value is not a number in range";
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return "the value is not a number";
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	if (number < setting->low || number > setting->high)
		return "the number is out of range";
	*ret_number = (uint32_t)number;
	return NULL;
}

static bool isalnum_ascii(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* An absolute path of plain characters: it becomes part of lines of
 * users/assign (fields end at a colon) and of .qmail files, of which one is
 * read by a shell. */
static const char *judge_path(const char *text, size_t len)
{
	if (len < 2 || text[0] != '/' || text[len - 1] == '/')
		return "the value is not an absolute path without a final '/'";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!isalnum_ascii(c) && !strchr("/._+@=,-", c))
			return "a path here has letters, digits and /._+@=,- "
			       "only";
		if (c == '/' && i + 1 < len &&
		    (text[i + 1] == '/' || text[i + 1] == '.'))
			return "a path here has no empty or dotted component";
	}
	return NULL;
}

/* Paths with single blanks between them, or nothing. */
static const char *judge_paths(const char *text, size_t len)
{
	while (len) {
		const char *blank = memchr(text, ' ', len);
		size_t path = blank ? (size_t)(blank - text) : len;
		const char *why = judge_path(text, path);

		if (why)
			return why;
		if (blank && path + 1 == len)
			return "the value ends in a blank";
		text += path + (blank != NULL);
		len -= path + (blank != NULL);
	}
	return NULL;
}

/* By its name its line in a .qmail file is known. */
static const char *judge_program(const struct setting *setting,
				 const char *text, size_t len)
{
	const char *name = setting->choice[0];
	const size_t end = strlen(name);

	if (len && (len < end || memcmp(text + len - end, name, end) != 0))
		return setting->choice[1];
	return len ? judge_path(text, len) : NULL;
}

static const char *judge_words(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c >= 0x7f)
			return "the value has a control or 8-bit character";
	}
	return NULL;
}

/* Marks that no domain and no box's name has in it, each once. */
static const char *judge_marks(const char *text, size_t len)
{
	static const char marks[] = "@%/:!#$&*+=?^_`{|}~";

	if (len == 0)
		return "the value is empty";
	for (size_t i = 0; i < len; i++) {
		if (!strchr(marks, text[i]))
			return "a separator is one of @%/:!#$&*+=?^_`{|}~";
		if (memchr(text + i + 1, text[i], len - i - 1))
			return "a separator stands there twice";
	}
	return NULL;
}

static const char *judge_domain(const char *text, size_t len)
{
	struct name_domain name;

	return len ? name_domain_read(text, len, &name) : NULL;
}

static const char *set_choice(const struct setting *setting, const char *text,
			      size_t len, uint32_t *ret_number)
{
	for (uint32_t i = 0; i < 4 && setting->choice[i]; i++) {
		if (is_named(setting->choice[i], text, len)) {
			*ret_number = i;
			return NULL;
		}
	}
	return "the value is none of those allowed";
}

static const char *judge_text(const struct setting *setting, const char *text,
			      size_t len)
{
	switch (setting->kind) {
	case PATH:
		return judge_path(text, len);
	case PATH_OR_NONE:
		return is_named("none", text, len) ? NULL
						   : judge_path(text, len);
	case PROGRAM:
		return judge_program(setting, text, len);
	case PATHS:
		return judge_paths(text, len);
	case WORDS:
		return judge_words(text, len);
	case MARKS:
		return judge_marks(text, len);
	case DOMAIN:
		return judge_domain(text, len);
	case NUMBER:
	case CHOICE:
		break;
	}
	return "it is no text";
}

/* Puts one value where its row says, or says why not. */
static const char *set(struct config *config, const struct setting *setting,
		       const char *value, size_t len)
{
	char *place = (char *)config + setting->offset;
	uint32_t *number = (void *)place;
	const char *why;

	if (len > CONFIG_TEXT_MAX)
		return "the value has more than 255 bytes";
	if (setting->kind == NUMBER)
		return set_number(setting, value, len, number);
	if (setting->kind == CHOICE)
		return set_choice(setting, value, len, number);
	why = judge_text(setting, value, len);
	if (!why) {
		memcpy(place, value, len);
		memset(place + len, 0, CONFIG_TEXT_MAX + 1 - len);
	}
	return why;
}

const char *config_judge(const char *key, const char *value)
{
	const struct setting *setting = find(key, strlen(key));
	struct config scratch;

	if (!setting)
		return "there is no such setting";
	return set(&scratch, setting, value, strlen(value));
}

const char *config_wants(const char *key)
{
	static char text[64]; /* the longest row is half of it */
	const struct setting *setting = find(key, strlen(key));
	size_t at = 0;

	text[0] = 0;
	if (setting && setting->kind == NUMBER)
		(void)snprintf(text, sizeof text, " (from %u to %u)",
			       setting->low, setting->high);
	for (size_t i = 0; setting && setting->kind == CHOICE && i < 4 &&
			   setting->choice[i];
	     i++)
		at += (size_t)snprintf(
			text + at, sizeof text - at, "%s%s",
			i == 0				    ? " ("
			: i == 3 || !setting->choice[i + 1] ? " or "
							    : ", ",
			setting->choice[i]);
	if (at)
		memcpy(text + at, ")", 2);
	return text;
}

enum err config_value(const struct config *config, const char *key,
		      char ret_text[CONFIG_TEXT_MAX + 1])
{
	const struct setting *setting = find(key, strlen(key));
	const void *place;

	if (!setting)
		return ERR_NOTFOUND;
	place = (const char *)config + setting->offset;
	if (setting->kind == NUMBER)
		(void)snprintf(ret_text, CONFIG_TEXT_MAX + 1, "%u",
			       *(const uint32_t *)place);
	else if (setting->kind == CHOICE)
		(void)snprintf(ret_text, CONFIG_TEXT_MAX + 1, "%s",
			       setting->choice[*(const uint32_t *)place]);
	else
		memcpy(ret_text, place, CONFIG_TEXT_MAX + 1);
	return ERR_OK;
}

/* Texts are not judged, which would be a third of what settings cost a login: a
 * unit test asks config_judge about every default. */
static void set_defaults(struct config *config)
{
	*config = (struct config){0};
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *setting = &settings[i];
		const char *value = setting->key.fallback;
		const size_t len = strlen(value);

		if (setting->kind == NUMBER || setting->kind == CHOICE)
			(void)set(config, setting, value, len);
		else
			memcpy((char *)config + setting->offset, value, len);
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One line without its newline: blank, comment, or key = value. */
static const char *read_line(struct config *config, const char *line,
			     size_t len, bool seen[SETTINGS])
{
	const char *equals;
	const struct setting *setting;
	size_t key, start;

	while (len && is_blank(line[len - 1]))
		len--;
	if (len == 0 || line[0] == '#')
		return NULL;
	equals = memchr(line, '=', len);
	if (!equals)
		return "the line has not the form 'key = value'";
	key = start = (size_t)(equals - line);
	while (key && is_blank(line[key - 1]))
		key--;
	do
		start++;
	while (start < len && is_blank(line[start]));
	setting = find(line, key);
	if (!setting)
		return "there is no such setting ('popbox config list -v' "
		       "shows all)";
	if (seen[setting - settings])
		return "the setting stands there twice";
	seen[setting - settings] = true;
	return set(config, setting, line + start, len - start);
}

enum err config_parse(const char *text, size_t len, struct config *ret_config,
		      struct config_fault *ret_fault)
{
	struct config config;
	bool seen[SETTINGS] = {false};
	unsigned number = 0;

	set_defaults(&config);
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;
		const char *why = NULL;

		number++;
		if (memchr(text, 0, line))
			why = "the line has a NUL in it";
		if (!why)
			why = read_line(&config, text, line, seen);
		if (why) {
			*ret_fault = (struct config_fault){number, why};
			return ERR_INVALID;
		}
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
	*ret_config = config;
	return ERR_OK;
}
