/* SPDX-License-Identifier: MIT */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "accounts/breached.h"
#include "accounts/password_rules.h"
#include "askpass.h"
#include "base/say.h"
#include "operand.h"
#include "password_common.h"
#include "store/secret.h"
#include "transfer/fmt_clean.h"

enum { GENERATE_MIN = 12, GENERATE_MAX = 64 };

void password_wipe(struct password *password)
{
	secret_wipe(password, sizeof *password);
}

/* The first line of a descriptor, without its newline. */
static int read_first_line(int fd, const char *from, char *bytes, size_t room,
			   size_t *ret_len)
{
	char buffer[1024];
	const char *newline = NULL;
	size_t len = 0;
	ssize_t got = 1;
	int code = CODE_DONE;

	while (!newline && len < sizeof buffer && got != 0) {
		got = read(fd, buffer + len, sizeof buffer - len);
		if (got < 0 && errno != EINTR)
			break;
		len += got > 0 ? (size_t)got : 0;
		newline = memchr(buffer, '\n', len);
	}
	if (got < 0)
		code = say_error(CODE_LATER,
				 "cannot read a password from %s: %s", from,
				 strerror(errno));
	else if (!newline && len == 0)
		code = say_error(CODE_REFUSED, "no password in %s", from);
	if (newline)
		len = (size_t)(newline - buffer);
	if (code == CODE_DONE && len > room)
		code = say_error(CODE_REFUSED,
				 "the line in %s has more than %zu bytes", from,
				 room);
	if (code == CODE_DONE) {
		memcpy(bytes, buffer, len);
		*ret_len = len;
	}
	secret_wipe(buffer, sizeof buffer);
	return code;
}

/* What a batch's line has in a member of its own. */
static int take_fed(const struct site *site, char *bytes, size_t room,
		    size_t *ret_len)
{
	if (!site->fed)
		return say_error(CODE_USAGE,
				 "no password: it stands in the member "
				 "'password' of the line, a hash in 'hash'");
	if (site->fed_len > room)
		return say_error(CODE_REFUSED, "it has more than %zu bytes",
				 room);
	memcpy(bytes, site->fed, site->fed_len);
	*ret_len = site->fed_len;
	return CODE_DONE;
}

static int read_stdin(const struct site *site, char *bytes, size_t room,
		      size_t *ret_len)
{
	return site->batch ? take_fed(site, bytes, room, ret_len)
			   : read_first_line(STDIN_FILENO, "standard input",
					     bytes, room, ret_len);
}

static int read_file(const char *path, struct password *password)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int code;

	if (fd < 0)
		return say_error(CODE_REFUSED, "cannot open '%s': %s", path,
				 strerror(errno));
	code = read_first_line(fd, path, password->bytes,
			       sizeof password->bytes, &password->len);
	(void)close(fd); /* read only */
	return code;
}

static int ask(const char *prompt, struct password *password)
{
	if (askpass_read(prompt, password->bytes, sizeof password->bytes,
			 &password->len))
		return CODE_DONE;
	if (errno)
		return say_error(CODE_LATER, "cannot ask for a password: %s",
				 strerror(errno));
	return say_error(CODE_REFUSED, "no password was given");
}

static int ask_new(struct password *password)
{
	struct password again = {.len = 0};
	int code = ask("New password: ", password);

	if (code == CODE_DONE)
		code = ask("Again: ", &again);
	if (code == CODE_DONE &&
	    (again.len != password->len ||
	     !secret_equal(again.bytes, password->bytes, again.len)))
		code = say_error(CODE_REFUSED, "the two passwords differ: "
					       "nothing was changed");
	password_wipe(&again);
	return code;
}

int password_read(const struct site *site, const struct args *args, bool new,
		  struct password *password)
{
	const char *fd = args_get(args, "--fd");
	const char *file = args_get(args, "--file");
	uint64_t number = 0;

	if (args_has(args, "--stdin"))
		return read_stdin(site, password->bytes, sizeof password->bytes,
				  &password->len);
	if (site->batch && (fd || !file))
		return say_error(CODE_USAGE,
				 "no password: it stands in the member "
				 "'password' of the line%s",
				 new ? ", or give the option 'generate' or "
				       "'no-password'"
				     : "");
	if (file)
		return read_file(file, password);
	if (fd && !operand_number(fd, 0, 65535, &number))
		return say_error(CODE_USAGE, "'%s' is not a descriptor", fd);
	if (fd)
		return read_first_line((int)number, "that descriptor",
				       password->bytes, sizeof password->bytes,
				       &password->len);
	if (!askpass_terminal() || site->no_input)
		return say_error(CODE_USAGE,
				 "no terminal to ask for a password: use "
				 "--stdin, --fd N or --file F%s",
				 new ? ", --generate, --hash-stdin or "
				       "--no-password"
				     : "");
	return new ? ask_new(password) : ask("Password: ", password);
}

int password_length(const char *text, size_t *ret_len)
{
	uint64_t len = PASSWORD_GENERATE;

	if (text[0] && !operand_number(text, GENERATE_MIN, GENERATE_MAX, &len))
		return say_error(CODE_USAGE,
				 "--generate takes a length from %d to %d",
				 GENERATE_MIN, GENERATE_MAX);
	*ret_len = (size_t)len;
	return CODE_DONE;
}

static int generate(const char *length, struct password *password)
{
	size_t len = 0;
	int code = password_length(length, &len);

	if (code != CODE_DONE)
		return code;
	password_generate(password->bytes, len);
	password->len = len;
	password->generated = true;
	return CODE_DONE;
}

/* Does the password contain the word, in any case? Short words are in half of
 * all good passwords. */
static bool contains(const struct password *password, const char *word,
		     size_t len)
{
	if (len < 3)
		return false;
	for (size_t i = 0; i + len <= password->len; i++) {
		if (strncasecmp(password->bytes + i, word, len) == 0)
			return true;
	}
	return false;
}

/* NULL, or why it is weak; room for the setting's number. */
static const char *judge_strength(const struct site *site,
				  const struct password *password,
				  const char *local, const char *domain,
				  const char *handle, char short_of[96])
{
	if (password->len < site->config.password_min) {
		(void)snprintf(short_of, 96,
			       "it is shorter than %u characters (setting "
			       "'password_min')",
			       (unsigned)site->config.password_min);
		return short_of;
	}
	if (contains(password, local, strlen(local)))
		return "it contains the local part of the address";
	if (contains(password, domain, strcspn(domain, ".")))
		return "it contains the domain's name";
	if (contains(password, handle, strlen(handle)))
		return "it contains the handle";
	if (password_common(password->bytes, password->len))
		return "it is one of the passwords that are tried first";
	return NULL;
}

static bool looks_like_hash(const struct password *password)
{
	char text[sizeof password->bytes + 1] = {0};
	bool is;

	memcpy(text, password->bytes, password->len);
	is = pwhash_resembles(text);
	secret_wipe(text, sizeof text);
	return is;
}

static int judge_letters(const struct site *site,
			 const struct password *password)
{
	if (password_is_ascii(password->bytes, password->len))
		return CODE_DONE;
	if (site->config.password_letters == CONFIG_LETTERS_ASCII)
		return say_error(CODE_REFUSED,
				 "this password has letters outside of ASCII, "
				 "which the setting 'password_letters' forbids "
				 "(choose another)");
	say_note("this password has letters outside of ASCII: mail clients "
		 "send them as UTF-8 or as Latin-1, and only one of the two "
		 "will match");
	return CODE_DONE;
}

/* NULL, or why it is weak. Returns the exit code. */
static int judge_breached(struct site *site, const struct password *password,
			  const char **ret_why)
{
	bool is = false;
	int code = breached_site_ask(site, password->bytes, password->len, &is);

	breached_site_close(site);
	*ret_why = is ? "it is one of those that were breached (setting "
			"'breached')"
		      : NULL;
	return code;
}

static int judge(struct site *site, const struct args *args,
		 const char *local, const char *domain, const char *handle,
		 struct password *password)
{
	const char *why = pwhash_refuse(password->bytes, password->len);
	char short_of[96];
	int code = CODE_DONE;

	if (why)
		return say_error(CODE_REFUSED,
				 "this password cannot be used: %s", why);
	if (looks_like_hash(password))
		return say_error(CODE_REFUSED,
				 "this password looks like a hash: give it "
				 "with --hash-stdin");
	if (judge_letters(site, password) != CODE_DONE)
		return CODE_REFUSED;
	why = judge_strength(site, password, local, domain, handle, short_of);
	if (!why)
		code = judge_breached(site, password, &why);
	if (!why)
		return code;
	password->forced = args_has(args, "--force");
	if (password->forced) {
		say_note("weak password taken: %s", why);
		return CODE_DONE;
	}
	return say_error_as(CODE_REFUSED, SAY_WEAK,
			    "this password is weak: %s (choose another, let "
			    "--generate make one, or insist with --force)",
			    why);
}

static int refuse_hash(enum pwhash answer, const char *scheme)
{
	const char *name = scheme ? scheme : "unknown";

	if (answer == PWHASH_UNKNOWN && strcmp(name, "plain text") == 0)
		return say_error(CODE_REFUSED,
				 "this is a password and no hash: give it with "
				 "--stdin, without what stands in the braces");
	if (answer == PWHASH_NOMEM)
		return say_error(CODE_LATER,
				 "this hash cannot be tried: no memory for it, "
				 "or libcrypt does not compute %s here: nothing "
				 "was changed",
				 name);
	return say_error(CODE_REFUSED,
			 "this hash cannot be used: %s (%s); set a password "
			 "instead, or --no-password",
			 pwhash_text(answer), name);
}

/* A weak hash is never at rest: it is wrapped before it is stored. */
static int wrap_weak(const struct site *site, const struct args *args,
		     struct password *password)
{
	const struct pwhash_cost cost = {site->config.argon2_kib,
					 site->config.argon2_passes};
	enum pwhash_weakness weakness = pwhash_weakness(password->hash);
	char wrapped[PWHASH_MAX + 1];
	enum pwhash answer;

	if (weakness == PWHASH_STRONG)
		return CODE_DONE;
	if (weakness == PWHASH_LEGACY && !args_has(args, "--legacy-ok"))
		return say_error(CODE_REFUSED,
				 "this hash is one of DES, which looks at 8 "
				 "characters only (--legacy-ok takes it, "
				 "wrapped)");
	answer = pwhash_wrap(cost, password->hash, wrapped);
	if (answer != PWHASH_OK)
		return password_unmade(&cost, answer);
	memcpy(password->hash, wrapped, sizeof wrapped);
	secret_wipe(wrapped, sizeof wrapped);
	say_note("the hash is weak: it was wrapped in argon2id");
	return CODE_DONE;
}

static int take_hash(const struct site *site, const struct args *args,
		     struct password *password)
{
	const char *scheme;
	enum pwhash answer;
	size_t len = 0;
	int code = read_stdin(site, password->hash, PWHASH_MAX, &len);

	if (code != CODE_DONE)
		return code;
	password->hash[len] = 0;
	if (strlen(password->hash) != len)
		return say_error(CODE_REFUSED, "this hash has a NUL in it");
	(void)fmt_clean_blanks(password->hash); /* as files have them */
	answer = pwhash_judge(password->hash, &scheme);
	/* Its form is right; now let the library try, which has its own mind
	 * about salts and parameters. */
	if (answer == PWHASH_OK)
		answer = pwhash_verify(password->hash, "x", 1);
	if (answer != PWHASH_OK && answer != PWHASH_NO)
		return refuse_hash(answer, scheme);
	return wrap_weak(site, args, password);
}

static int count_sources(const struct args *args)
{
	static const char *const sources[] = {
		"--stdin", "--fd", "--file", "--generate", "--hash-stdin",
		"--no-password"};
	int count = 0;

	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		count += args_has(args, sources[i]);
	return count;
}

int password_new(struct site *site, const struct args *args,
		 const char *local, const char *domain, const char *handle,
		 struct password *password)
{
	const char *length = args_get(args, "--generate");
	const struct pwhash_cost cost = {site->config.argon2_kib,
					 site->config.argon2_passes};
	enum pwhash answer = PWHASH_OK;
	int code;

	*password = (struct password){.len = 0};
	if (count_sources(args) > 1)
		return say_error(CODE_USAGE, "give one source of the password, "
					     "not several");
	if (args_has(args, "--no-password"))
		return CODE_DONE;
	if (args_has(args, "--hash-stdin"))
		return take_hash(site, args, password);
	code = length ? generate(length, password)
		      : password_read(site, args, true, password);
	if (code == CODE_DONE && !password->generated)
		code = judge(site, args, local, domain, handle, password);
	if (code == CODE_DONE)
		answer = pwhash_make(cost, password->bytes, password->len,
				     password->hash);
	if (code == CODE_DONE && answer != PWHASH_OK)
		code = password_unmade(&cost, answer);
	return code;
}
