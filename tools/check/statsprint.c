/* SPDX-License-Identifier: MIT */
#include "statsprint.h"

#include <stdio.h>

#include "base/json.h"
#include "base/say.h"
#include "base/table.h"

static const char *const class_names[STATS_CLASSES] = {
	[STATS_TODAY] = "today",      [STATS_WEEK] = "7 days",
	[STATS_MONTH] = "30 days",    [STATS_QUARTER] = "90 days",
	[STATS_YEAR] = "365 days",    [STATS_LONGER] = "longer ago",
	[STATS_NEVER] = "never",
};

enum { NUMBER_TEXT = 24 };

static void number(uint64_t n, char text[NUMBER_TEXT])
{
	(void)snprintf(text, NUMBER_TEXT, "%llu", (unsigned long long)n);
}

/* 17, 17 KiB, 17.2 MiB ... */
static void size(uint64_t bytes, char text[NUMBER_TEXT])
{
	static const char units[] = "KMGTPE";
	double amount = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(text, NUMBER_TEXT, "%u B", (unsigned)bytes);
		return;
	}
	for (; amount >= 1024 && unit + 2 < sizeof units; unit++)
		amount /= 1024;
	(void)snprintf(text, NUMBER_TEXT, "%.1f %ciB", amount, units[unit]);
}

static void handle_row(struct table *table,
		       const struct stats_handle *h)
{
	char cell[8][NUMBER_TEXT];
	const char *cells[] = {h->name.s, cell[0], cell[1], cell[2], cell[3],
			       cell[4],	  cell[5], cell[6], cell[7]};

	number(h->domains, cell[0]);
	number(h->boxes, cell[1]);
	number(h->suspended ? h->boxes : h->off, cell[2]);
	number(h->without_password, cell[3]);
	number(h->never, cell[4]);
	size(h->quota, cell[5]);
	number(h->full, cell[6]);
	size(h->mail, cell[7]);
	table_row(table, cells);
}

static struct stats_handle total(const struct stats *stats)
{
	struct stats_handle sum = {.name = {"(all)"}};

	for (size_t i = 0; i < stats->handles; i++) {
		const struct stats_handle *h = &stats->handle[i];

		sum.domains += h->domains;
		sum.boxes += h->boxes;
		sum.off += h->suspended ? h->boxes : h->off;
		sum.without_password += h->without_password;
		sum.never += h->never;
		sum.quota += h->quota;
		sum.full += h->full;
		sum.mail += h->mail;
	}
	return sum;
}

static void print_handles(const struct stats *stats)
{
	static const char *const with_mail[] = {
		"CUSTOMER", "DOMAINS",	   "BOXES", "LOGIN OFF", "NO PASSWORD",
		"NEVER",    "QUOTA GIVEN", "FULL",  "MAIL",	 NULL};
	static const char *const without[] = {
		"CUSTOMER", "DOMAINS",	   "BOXES", "LOGIN OFF", "NO PASSWORD",
		"NEVER",    "QUOTA GIVEN", "FULL",  NULL};
	struct stats_handle sum = total(stats);
	struct table table;

	table_begin(&table, stats->mail ? with_mail : without);
	for (size_t i = 0; i < stats->handles; i++)
		handle_row(&table, &stats->handle[i]);
	if (!stats->one)
		handle_row(&table, &sum);
	table_end(&table);
}

static void print_schemes(const struct stats *stats)
{
	static const char *const header[] = {"HASH", "BOXES", NULL};
	struct table table;

	say_out("%s", "");
	table_begin(&table, header);
	for (size_t i = 0; i < STATS_SCHEMES && stats->scheme[i].boxes; i++) {
		char boxes[NUMBER_TEXT];
		const char *cells[] = {stats->scheme[i].name, boxes};

		number(stats->scheme[i].boxes, boxes);
		table_row(&table, cells);
	}
	table_end(&table);
}

static void print_classes(const struct stats *stats)
{
	static const char *const header[] = {"WITHIN", "PASSWORD SET",
					     "LAST LOGIN", NULL};
	struct table table;

	say_out("%s", "");
	table_begin(&table, header);
	for (size_t i = 0; i < STATS_CLASSES; i++) {
		char password[NUMBER_TEXT], login[NUMBER_TEXT];
		const char *cells[] = {class_names[i], password, login};

		number(stats->password[i], password);
		number(stats->login[i], login);
		table_row(&table, cells);
	}
	table_end(&table);
}

static void id_text(const struct stats *stats, char text[2 * STORE_ID_SIZE + 1])
{
	for (size_t i = 0; i < STORE_ID_SIZE; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", stats->id[i]);
}

static void print_store(const struct stats *stats)
{
	static const char *const header[] = {"TABLE", "ROWS", "SIZE", NULL};
	char cell[3][NUMBER_TEXT], id[2 * STORE_ID_SIZE + 1];
	struct table table;

	say_out("%s", "");
	table_begin(&table, header);
	for (size_t i = 0; i < STORE_TABLES_ALL; i++) {
		const char *cells[] = {stats->size.table[i].name, cell[0],
				       cell[1]};

		number(stats->size.table[i].rows, cell[0]);
		size(stats->size.table[i].bytes, cell[1]);
		table_row(&table, cells);
	}
	table_end(&table);
	size(stats->size.file, cell[0]);
	size(stats->size.used, cell[1]);
	size(stats->size.freed, cell[2]);
	id_text(stats, id);
	say_out("store %s: %s in use, %s to be used again, file of %s; %llu "
		"entries of the journal not published",
		id, cell[1], cell[2], cell[0],
		(unsigned long long)(stats->journal - stats->published));
}

static void json_handles(const struct stats *stats)
{
	for (size_t i = 0; i < stats->handles; i++) {
		const struct stats_handle *h = &stats->handle[i];

		json_print(json_pack(
			"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
			"stats", "customer", "handle", h->name.s, "domains",
			(json_int_t)h->domains, "boxes", (json_int_t)h->boxes,
			"login_off",
			(json_int_t)(h->suspended ? h->boxes : h->off),
			"no_password", (json_int_t)h->without_password,
			"never", (json_int_t)h->never, "quota",
			(json_int_t)h->quota, "full",
			(json_int_t)h->full, "mail",
			stats->mail ? json_integer((json_int_t)h->mail)
				    : json_null()));
	}
}

static void json_rest(const struct stats *stats)
{
	char id[2 * STORE_ID_SIZE + 1];

	for (size_t i = 0; i < STATS_SCHEMES && stats->scheme[i].boxes; i++)
		json_print(json_pack("{s:s, s:s, s:I}", "stats", "hash",
				     "scheme", stats->scheme[i].name, "boxes",
				     (json_int_t)stats->scheme[i].boxes));
	for (size_t i = 0; i < STATS_CLASSES; i++)
		json_print(json_pack("{s:s, s:s, s:I, s:I}", "stats", "age",
				     "within", class_names[i], "password_set",
				     (json_int_t)stats->password[i],
				     "last_login",
				     (json_int_t)stats->login[i]));
	for (size_t i = 0; i < STORE_TABLES_ALL; i++)
		json_print(json_pack("{s:s, s:s, s:I, s:I}", "stats", "table",
				     "table", stats->size.table[i].name, "rows",
				     (json_int_t)stats->size.table[i].rows,
				     "bytes",
				     (json_int_t)stats->size.table[i].bytes));
	id_text(stats, id);
	json_print(json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "stats",
			     "store", "id", id, "file",
			     (json_int_t)stats->size.file, "used",
			     (json_int_t)stats->size.used, "freed",
			     (json_int_t)stats->size.freed, "journal",
			     (json_int_t)stats->journal, "published",
			     (json_int_t)stats->published));
}

void statsprint(const struct site *site, const struct stats *stats)
{
	if (site->json) {
		json_handles(stats);
		json_rest(stats);
		return;
	}
	print_handles(stats);
	print_schemes(stats);
	print_classes(stats);
	print_store(stats);
}
