/* SPDX-License-Identifier: MIT */
/* source_pairs.c: accounts that are told as names and values, line by line. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/say.h"
#include "source_private.h"
#include "store/secret.h"

struct telling {
	struct source_reading *r;
	struct fmt_pairs pairs;
	struct text raw;
	unsigned long line; /* the first of the account */
	const char *domain;
	bool enough;
};

/* An address more of an account leads to it. */
static void give_other(struct telling *t, const char *other,
		       const struct name_address *main,
		       const struct source_row *given)
{
	struct import_account *account = &t->r->account;
	struct source_row row = *given;
	char target[NAME_ADDRESS_TEXT];

	name_address_text(main, target);
	import_account_wipe(account);
	account->line = row.line;
	row.why = strchr(other, '@') ? import_account_address(account, other)
				     : import_account_local(account, other,
							    main->domain.s);
	if (!row.why)
		row.why = import_account_forward(account, target);
	t->enough = t->enough || !t->r->sink(t->r->arg, &row);
}

static void give(struct telling *t)
{
	struct import_account *account = &t->r->account;
	struct source_row row = {.file = t->r->input.name,
				 .line = t->line,
				 .raw = t->raw.bytes,
				 .raw_len = t->raw.len,
				 .account = account};
	struct name_address main;

	import_account_wipe(account);
	row.why = fmt_pairs_fill(&t->pairs, t->domain, account, &row.left);
	account->line = row.line;
	main = account->address;
	t->enough = !t->r->sink(t->r->arg, &row);
	if (!row.why && !row.left) {
		const char *at = t->pairs.others.bytes;
		const char *end = at + t->pairs.others.len;

		for (; at < end; at += strlen(at) + 1)
			give_other(t, at, &main, &row);
	}
	fmt_pairs_clear(&t->pairs);
	t->raw.len = 0;
}

static bool take(struct telling *t, fmt_pairs *parse, char *line, size_t len,
		 struct text *copy)
{
	enum fmt_pairs_got got;

	if (t->r->input.why && !len) { /* cut: it is not an empty line */
		t->pairs.why = t->r->input.why;
		return true;
	}
	copy->len = 0;
	if (!text_put(copy, line, len))
		return false;
	while (copy->len && strchr("\r\n", copy->bytes[copy->len - 1]))
		copy->bytes[--copy->len] = 0;
	got = parse(&t->pairs, copy->bytes, copy->len);
	if (got == FMT_PAIRS_BEFORE) {
		give(t);
		got = parse(&t->pairs, copy->bytes, copy->len);
	}
	if (t->r->input.why && !t->pairs.why)
		t->pairs.why = t->r->input.why;
	if (!t->raw.len)
		t->line = t->r->input.line;
	if (t->pairs.begun && !text_put(&t->raw, line, len))
		return false;
	if (got == FMT_PAIRS_DONE)
		give(t);
	return !t->pairs.starved;
}

static int read_all(struct telling *t, fmt_pairs *parse, struct text *copy)
{
	enum input_got got;
	char *line, none[1] = "";
	size_t len;

	while ((got = input_next(&t->r->input, &line, &len)) == INPUT_LINE) {
		source_step(t->r);
		if (!take(t, parse, line, len, copy)) {
			errno = ENOMEM;
			got = INPUT_FAILED;
			break;
		}
		if (t->enough)
			return CODE_DONE;
	}
	if (got == INPUT_FAILED)
		return source_failed(t->r->how->path);
	(void)parse(&t->pairs, none, 0); /* its last line may be folded */
	if (t->pairs.begun)
		give(t);
	return CODE_DONE;
}

/* Hestia's files are named as their domain is: .../example.com.conf */
static const char *of_name(const char *path, char ret_domain[NAME_DOMAIN_MAX + 1])
{
	const char *name = strrchr(path, '/');
	size_t len;

	name = name ? name + 1 : path;
	len = strlen(name);
	if (len < 6 || len - 5 > NAME_DOMAIN_MAX ||
	    strcmp(name + len - 5, ".conf") != 0)
		return NULL;
	memcpy(ret_domain, name, len - 5);
	ret_domain[len - 5] = 0;
	return ret_domain;
}

int source_pairs(struct source_reading *r, fmt_pairs *parse)
{
	struct telling t = {.r = r,
			    .domain = r->how->domain,
			    .raw.secret = true};
	struct text copy = {.secret = true};
	char domain[NAME_DOMAIN_MAX + 1];
	int code;

	if (parse == fmt_pairs_hestia && !t.domain)
		t.domain = of_name(r->how->path, domain);
	fmt_pairs_open(&t.pairs);
	code = read_all(&t, parse, &copy);
	fmt_pairs_close(&t.pairs);
	text_wipe(&t.raw);
	text_wipe(&copy);
	return code;
}
