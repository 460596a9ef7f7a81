/* SPDX-License-Identifier: MIT */
#include "poppassd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "accounts/breached.h"
#include "base/say.h"
#include "commands.h"
#include "password.h"
#include "popusr/confined.h"
#include "store/hash/pwhash.h"
#include "store/login.h"
#include "store/secret.h"

enum { SECONDS = 120 }; /* of a connection */

static void put_line(const char *text)
{
	char line[sizeof(struct poppassd_answer) + 2];
	const int len = snprintf(line, sizeof line, "%s\r\n", text);

	if (!confined_write(STDOUT_FILENO, line, (size_t)len)) /* it fits */
		_exit(CODE_DONE); /* the client is gone */
}

/* Hands the request on, and says what came of it. */
static void ask(struct talk *talk, int requests, int answers)
{
	static struct poppassd_answer answer;
	const bool sent = confined_write(requests, &talk->request,
					 sizeof talk->request);

	secret_wipe(&talk->request, sizeof talk->request);
	if (!sent || !confined_read_all(answers, &answer, sizeof answer) ||
	    !memchr(answer.text, 0, sizeof answer.text))
		put_line("500 not changed for now, please try again later");
	else
		put_line(answer.text);
}

/* False: that was the last one. */
static bool on_line(struct talk *talk, const char *line, size_t len,
		    int requests, int answers)
{
	const char *answer = "";

	switch (talk_line(talk, line, len, &answer)) {
	case TALK_SAY:
		put_line(answer);
		return true;
	case TALK_ASK:
		ask(talk, requests, answers);
		return true;
	case TALK_END:
		break;
	}
	put_line(answer);
	return false;
}

void poppassd_talk(int client_in, int requests, int answers)
{
	static char bytes[TALK_LINE_MAX + 2]; /* and its end */
	static struct talk talk;
	size_t len = 0;
	bool more = true;
	ssize_t got = 1;

	(void)alarm(SECONDS);
	if (!confined())
		_exit(CODE_LATER);
	put_line("200 popbox hello, who are you?");
	while (more && got > 0) {
		char *end = memchr(bytes, '\n', len);
		size_t line;

		if (!end && len == sizeof bytes)
			break; /* no client sends such a line */
		if (!end) {
			got = confined_read(client_in, bytes + len,
					    sizeof bytes - len);
			len += got > 0 ? (size_t)got : 0;
			continue;
		}
		line = (size_t)(end - bytes);
		more = on_line(&talk, bytes,
			       line && end[-1] == '\r' ? line - 1 : line,
			       requests, answers);
		len -= line + 1;
		memmove(bytes, end + 1, len);
		secret_wipe(bytes + len, sizeof bytes - len);
	}
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(&talk, sizeof talk);
	_exit(CODE_DONE);
}

/* As the login program escapes what a client sent. */
static void escape(const char *bytes, size_t len, char ret_text[POPPASSD_USER])
{
	size_t at = 0;

	for (size_t i = 0; i < len && at + 5 < POPPASSD_USER; i++) {
		const unsigned char c = (unsigned char)bytes[i];

		if (c > ' ' && c < 0x7f && c != '"' && c != '\\')
			ret_text[at++] = (char)c;
		else
			at += (size_t)snprintf(ret_text + at, 5, "\\x%02x", c);
	}
	if (at == 0)
		ret_text[at++] = '-';
	ret_text[at] = 0;
}

/* Refusals of every class come at one moment, as the login's do. */
static void wait_refusal(const struct timespec *start, uint32_t ms)
{
	struct timespec until = *start;

	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	       EINTR)
		;
}

static struct poppassd_report report;

/* Of the first error the words before what only an administrator could do. */
static void on_error(const char *word, const char *text, const char *object)
{
	const char *end = strstr(text, " (");
	size_t len;

	if (!end)
		end = strstr(text, ": give it");
	len = end ? (size_t)(end - text) : strlen(text);
	(void)word;
	(void)object;
	if (!report.why[0] && len < sizeof report.why)
		memcpy(report.why, text, len);
}

static void on_text(const char *text)
{
	(void)text;
}

/* One word of the log. */
static void note_reason(const char *reason)
{
	(void)snprintf(report.reason, sizeof report.reason, "%.31s", reason);
	for (char *c = report.reason; *c; c++) {
		if (*c == ' ')
			*c = '-';
	}
}

/* What `popbox passwd --stdin` does with it. */
static enum poppassd_verdict judge_new(struct site *site,
				       const struct talk_request *request,
				       const struct login *login)
{
	static const struct say_sink sink = {on_text, on_text, on_error};
	static const char from_stdin[] = "--stdin";
	static struct password password;
	struct args args = {.options = cmd_passwd_options};
	const struct args_option *option =
		args_find(cmd_passwd_options, from_stdin, strlen(from_stdin));
	const char *at = strchr(login->user, '@');
	char local[NAME_ADDRESS_TEXT] = "";
	int code;

	if (at)
		memcpy(local, login->user, (size_t)(at - login->user));
	args.given[option - cmd_passwd_options] = "";
	site->batch = true; /* the password is in memory */
	site->fed = request->new;
	site->fed_len = request->new_len;
	say_into(&sink);
	code = password_new(site, &args, local, at ? at + 1 : "",
			    login->box.handle.s, &password);
	if (code == CODE_DONE)
		(void)snprintf(report.hash, sizeof report.hash, "%s",
			       password.hash); /* of the same size */
	password_wipe(&password);
	if (code == CODE_DONE)
		return POPPASSD_ACCEPT;
	if (code == CODE_LATER)
		note_reason("new password not judged");
	return code == CODE_LATER || !report.why[0] ? POPPASSD_LATER
						    : POPPASSD_WEAK;
}

/* The login program's own way: find, close, decide. */
static enum poppassd_verdict judge_old(struct site *site, const char *local_ip,
				       unsigned service,
				       const struct talk_request *request,
				       struct login *login)
{
	const char *reason = "store";
	enum verdict verdict = VERDICT_CANNOT_TELL;
	enum err err = login_find(site->store, &site->config, request->login,
				  request->login_len, local_ip, service, login);

	store_close(&site->store);
	if (err == ERR_OK)
		verdict = login_decide(login, request->old, request->old_len,
				       &reason);
	secret_wipe(&login->apps, sizeof login->apps);
	note_reason(reason);
	switch (verdict) {
	case VERDICT_ACCEPT:
		memcpy(report.verified, login->hash, sizeof report.verified);
		return POPPASSD_ACCEPT;
	case VERDICT_REFUSE:
		return POPPASSD_REFUSE;
	case VERDICT_CANNOT_TELL:
		break;
	}
	return POPPASSD_LATER;
}

static bool is_request(const struct talk_request *request)
{
	return request->login_len <= TALK_FIELD_MAX &&
	       request->old_len <= TALK_FIELD_MAX &&
	       request->new_len <= TALK_FIELD_MAX;
}

static void judge(struct site *site, const char *local_ip, unsigned service,
		  const struct talk_request *request)
{
	static struct login login;
	struct timespec start;

	(void)clock_gettime(CLOCK_MONOTONIC, &start); /* always there */
	escape(request->login, request->login_len, report.user);
	report.verdict = judge_old(site, local_ip, service, request, &login);
	secret_wipe(login.hash, sizeof login.hash);
	if (report.verdict != POPPASSD_ACCEPT) {
		wait_refusal(&start, site->config.refuse_delay_ms);
		return;
	}
	report.verdict = judge_new(site, request, &login);
	(void)snprintf(report.address, sizeof report.address, "%s",
		       login.user); /* it is of this size */
	name_box_text(&login.box, report.box);
}

void poppassd_judge(struct site *site, const char *dir, const char *local_ip,
		    unsigned service, int requests, int reports)
{
	static struct talk_request request;

	/* Root until the store is open; nothing of the client's has been read. */
	if (secret_start() != ERR_OK ||
	    store_open_login(dir, &site->store) != ERR_OK)
		_exit(CODE_LATER);
	/* If it cannot be opened, no new password will be judged. */
	(void)breached_site_open(site);
	if (child_drop(site->config.uid, site->config.gid))
		_exit(CODE_LATER);
	if (!confined_read_all(requests, &request, sizeof request))
		_exit(CODE_DONE); /* the client asked for nothing */
	if (!is_request(&request))
		_exit(CODE_LATER);
	judge(site, local_ip, service, &request);
	secret_wipe(&request, sizeof request);
	if (!confined_write(reports, &report, sizeof report))
		_exit(CODE_LATER);
	secret_wipe(&report, sizeof report);
	_exit(CODE_DONE);
}

/* Ended within its room, and of letters that pass through a log and a line. */
static bool is_text(const char *text, size_t room, char lowest)
{
	const char *end = memchr(text, 0, room);

	for (; end && text < end; text++) {
		if (*text < lowest || *text > '~')
			return false;
	}
	return end != NULL;
}

bool poppassd_is_report(const struct poppassd_report *r)
{
	return r->verdict < POPPASSD_VERDICTS &&
	       is_text(r->reason, sizeof r->reason, '!') &&
	       is_text(r->user, sizeof r->user, '!') &&
	       is_text(r->address, sizeof r->address, '!') &&
	       is_text(r->box, sizeof r->box, '!') &&
	       is_text(r->hash, sizeof r->hash, '!') &&
	       is_text(r->verified, sizeof r->verified, '!') &&
	       is_text(r->why, sizeof r->why, ' ') &&
	       (r->verdict != POPPASSD_ACCEPT ||
		(strncmp(r->hash, "$argon2id$", 10) == 0 &&
		 !pwhash_unstorable(r->hash)));
}
