/* SPDX-License-Identifier: MIT */
/* domain.c: mail domains, each under its A-label form. Its UTF-8 form and its
 * local IP, where it has them, are keys of rows that only point to that one; no
 * domain's name can be one of those, since it is ASCII and ends in no number.
 */
#include <string.h>

#include "fold.h"
#include "row.h"

enum { POINTER = 255 }; /* in the place of the kind */

static uint8_t version_of(const struct store_domain *domain)
{
	if (row_has_limits(&domain->state) || row_has_quota(&domain->quota))
		return ROW_VERSION_LIMITED;
	if (domain->from.s[0])
		return ROW_VERSION_MOVED;
	return domain->extension ? ROW_VERSION_MORE : ROW_VERSION;
}

enum err domain_encode(const struct store_domain *domain, struct row *ret_row)
{
	struct row_key key = row_key_domain(&domain->name);
	const uint8_t version = version_of(domain);
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, version);

	record_put_u8(&record, (uint8_t)domain->kind);
	record_put_text(&record, domain->handle.s);
	record_put_text(&record, domain->utf8);
	record_put_text(&record, domain->target.s);
	record_put_text(&record, domain->host);
	record_put_u16(&record, domain->port);
	record_put_text(&record, domain->ip);
	record_put_u8(&record, domain->subdomains);
	row_put_state(&record, &domain->state);
	if (version >= ROW_VERSION_MORE)
		record_put_u8(&record, (uint8_t)domain->extension);
	if (version >= ROW_VERSION_MOVED)
		record_put_text(&record, domain->from.s);
	if (version >= ROW_VERSION_LIMITED) {
		row_put_limits(&record, &domain->state);
		row_put_quota(&record, &domain->quota);
	}
	return record_seal(&record, key.bytes, key.len, &ret_row->len);
}

static void get_handle(struct record *record, struct name_handle *ret_name)
{
	char text[NAME_HANDLE_MAX + 1];

	record_get_text(record, text, sizeof text);
	if (name_handle_read(text, strlen(text), ret_name))
		record->bad = true;
}

/* Of a row that may have none. */
static void get_from(struct record *record, struct name_handle *ret_name)
{
	char text[NAME_HANDLE_MAX + 1];

	record_get_text(record, text, sizeof text);
	if (text[0] && name_handle_read(text, strlen(text), ret_name))
		record->bad = true;
}

/* What rows of the first version do not have; only pop domains have the first two.
 * A version says what those before it could not. */
static void get_more(struct record *record, struct store_domain *domain)
{
	const uint8_t version = record->version;

	if (version >= ROW_VERSION_MORE)
		domain->extension = (char)record_get_u8(record);
	if (version >= ROW_VERSION_MOVED)
		get_from(record, &domain->from);
	row_get_limits(record, &domain->state);
	row_get_quota(record, &domain->quota);
	if ((domain->extension && domain->extension != '+') ||
	    ((domain->extension || domain->from.s[0]) &&
	     domain->kind != STORE_POP) ||
	    version_of(domain) != version)
		record->bad = true;
}

/* A domain's name, or none. */
static void get_target(struct record *record, struct name_domain *ret_name)
{
	char text[NAME_DOMAIN_MAX + 1];

	record_get_text(record, text, sizeof text);
	if (text[0] && name_domain_read(text, strlen(text), ret_name))
		record->bad = true;
}

enum err domain_decode(struct db_bytes key, struct db_bytes row,
		       struct store_domain *ret_domain)
{
	struct store_domain domain = {0};
	struct record record;
	uint8_t kind;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION_LIMITED, &record);

	if (err != ERR_OK)
		return err;
	kind = record_get_u8(&record);
	if (kind == POINTER)
		return ERR_NOTFOUND;
	if (kind > STORE_DIALUP ||
	    name_domain_read(key.at, key.len, &domain.name))
		return ERR_DAMAGED;
	domain.kind = (enum store_kind)kind;
	get_handle(&record, &domain.handle);
	record_get_text(&record, domain.utf8, sizeof domain.utf8);
	get_target(&record, &domain.target);
	record_get_text(&record, domain.host, sizeof domain.host);
	domain.port = record_get_u16(&record);
	record_get_text(&record, domain.ip, sizeof domain.ip);
	domain.subdomains = record_get_bool(&record);
	row_get_state(&record, &domain.state);
	get_more(&record, &domain);
	err = record_end(&record);
	if (err == ERR_OK)
		*ret_domain = domain;
	return err;
}

enum err domain_encode_pointer(const char *utf8, const struct name_domain *to,
			       struct row *ret_row)
{
	struct row_key key = row_key_text(utf8);
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, ROW_VERSION);

	record_put_u8(&record, POINTER);
	record_put_text(&record, to->s);
	return record_seal(&record, key.bytes, key.len, &ret_row->len);
}

enum err domain_decode_pointer(struct db_bytes key, struct db_bytes row,
			       struct name_domain *ret_to)
{
	struct name_domain to = {{0}};
	struct record record;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION, &record);

	if (err != ERR_OK)
		return err;
	if (record_get_u8(&record) != POINTER)
		return ERR_NOTFOUND;
	get_target(&record, &to);
	err = record_end(&record);
	if (err == ERR_OK && !to.s[0])
		err = ERR_DAMAGED;
	if (err == ERR_OK)
		*ret_to = to;
	return err;
}

enum err store_domain_row(const uint8_t *key, size_t key_len,
			  const uint8_t *row, size_t row_len,
			  struct store_domain *ret_domain)
{
	return domain_decode((struct db_bytes){key, key_len},
			     (struct db_bytes){row, row_len}, ret_domain);
}

enum err store_domain_get(struct store_txn *txn, const struct name_domain *name,
			  struct store_domain *ret_domain)
{
	struct row_key key;
	struct db_bytes row;
	enum err err;

	if (txn->recent && name->s[0] &&
	    strcmp(txn->recent->domain.name.s, name->s) == 0) {
		*ret_domain = txn->recent->domain;
		return ERR_OK;
	}
	key = row_key_domain(name);
	err = db_get(txn->db, DB_DOMAIN, row_key_bytes(&key), &row);
	if (err == ERR_OK)
		err = domain_decode(row_key_bytes(&key), row, ret_domain);
	if (err == ERR_OK && txn->recent)
		txn->recent->domain = *ret_domain;
	return err;
}

enum err store_domain_next(struct store_txn *txn,
			   const struct name_domain *after,
			   struct store_domain *ret_domain)
{
	struct row_key from = after ? row_key_domain(after)
				    : (struct row_key){.len = 0};
	struct db_bytes key = row_key_bytes(&from), row;
	enum err err;

	do {
		err = db_next(txn->db, DB_DOMAIN, key, true, &key, &row);
		if (err != ERR_OK)
			return err;
		err = domain_decode(key, row, ret_domain);
	} while (err == ERR_NOTFOUND); /* a pointer: the next one then */
	return err;
}

/* By a key that only points to a domain: the UTF-8 form, or the local IP. */
static enum err find_pointer(struct store_txn *txn, const void *bytes,
			     size_t len, struct store_domain *ret_domain)
{
	struct db_bytes key = {bytes, len}, row;
	struct name_domain name;
	enum err err = db_get(txn->db, DB_DOMAIN, key, &row);

	if (err == ERR_OK)
		err = domain_decode_pointer(key, row, &name);
	if (err != ERR_OK)
		return err;
	err = store_domain_get(txn, &name, ret_domain);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err; /* points nowhere */
}

enum err store_domain_find(struct store_txn *txn, const void *bytes, size_t len,
			   struct store_domain *ret_domain)
{
	char folded[NAME_DOMAIN_MAX + 1];
	struct name_domain name;
	enum err err;

	if (len == 0 || len > NAME_DOMAIN_MAX)
		return ERR_NOTFOUND;
	if (!name_domain_read(bytes, len, &name))
		return store_domain_get(txn, &name, ret_domain);
	err = find_pointer(txn, bytes, len, ret_domain);
	if (err != ERR_NOTFOUND || !fold_domain(bytes, len, folded, &len))
		return err;
	/* In capitals, in parts, or in letters of East Asian width. */
	if (!name_domain_read(folded, len, &name))
		return store_domain_get(txn, &name, ret_domain);
	return find_pointer(txn, folded, len, ret_domain);
}
