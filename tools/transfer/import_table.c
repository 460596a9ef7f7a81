/* SPDX-License-Identifier: MIT */
#include "import_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "store/secret.h"

/* Which parts of an account follow the key. */
enum {
	HAS_ADDRESS = 1 << 0,
	HAS_UTF8 = 1 << 1,
	HAS_HANDLE = 1 << 2,
	HAS_BOX = 1 << 3,
	HAS_PASSWORD = 1 << 4,
	HAS_HASH = 1 << 5,
	HAS_TITLE = 1 << 6,
	HAS_QUOTA = 1 << 7,
	HAS_LOGIN = 1 << 8,
	HAS_DELIVERY = 1 << 9,
	HAS_REASON = 1 << 10,
	HAS_FORWARDS = 1 << 11,
	HAS_MAILDIR = 1 << 12,
	HAS_UNUSABLE = 1 << 13,
	LOGIN_ON = 1 << 14,
	PART_BOX = 1 << 15,
	PART_FORWARDS = 1 << 16,
	ITSELF = 1 << 17,
	HAS_SERVICES = 1 << 18,
	HAS_EXPIRES = 1 << 19,
	HAS_MESSAGES = 1 << 20,
	HAS_VACATION = 1 << 21,
};

/* At the head of a packed row; then the parts, each as long as it is. */
struct head {
	uint32_t parts;
	uint8_t secret;	  /* enum import_account_secret */
	uint8_t delivery; /* enum store_delivery */
	uint16_t services_off; /* packed rows are compared as bytes */
};

static unsigned parts_of(const struct import_account *i)
{
	return (i->has_address ? HAS_ADDRESS : 0u) |
	       (i->utf8[0] ? HAS_UTF8 : 0u) |
	       (i->has_handle ? HAS_HANDLE : 0u) | (i->has_box ? HAS_BOX : 0u) |
	       (i->password_len ? HAS_PASSWORD : 0u) |
	       (i->hash[0] ? HAS_HASH : 0u) | (i->has_title ? HAS_TITLE : 0u) |
	       (i->has_quota ? HAS_QUOTA : 0u) |
	       (i->has_messages ? HAS_MESSAGES : 0u) |
	       (i->has_vacation ? HAS_VACATION : 0u) |
	       (i->has_login ? HAS_LOGIN : 0u) |
	       (i->has_login && i->login ? LOGIN_ON : 0u) |
	       (i->has_delivery ? HAS_DELIVERY : 0u) |
	       (i->has_reason ? HAS_REASON : 0u) |
	       (i->has_services ? HAS_SERVICES : 0u) |
	       (i->has_expires ? HAS_EXPIRES : 0u) |
	       (i->has_forwards ? HAS_FORWARDS : 0u) |
	       (i->maildir[0] ? HAS_MAILDIR : 0u) |
	       (i->unusable ? HAS_UNUSABLE : 0u) |
	       (i->part & IMPORT_ACCOUNT_BOX ? PART_BOX : 0u) |
	       (i->part & IMPORT_ACCOUNT_FORWARDS ? PART_FORWARDS : 0u) |
	       (i->itself ? ITSELF : 0u);
}

static bool put(struct text *out, const void *bytes, size_t len)
{
	return text_put(out, bytes, len);
}

static bool put_text(struct text *out, unsigned parts, unsigned part,
		     const char *text)
{
	return !(parts & part) || put(out, text, strlen(text) + 1);
}

static bool pack(struct text *out, const struct import_account *i)
{
	const unsigned parts = parts_of(i);
	const struct head head = {parts, (uint8_t)i->secret,
				  (uint8_t)i->delivery,
				  i->has_services ? (uint16_t)i->services_off
						  : 0};
	const uint16_t forwards = (uint16_t)i->forwards_len;

	return put(out, &head, sizeof head) &&
	       put_text(out, parts, HAS_ADDRESS, i->address.local.s) &&
	       put_text(out, parts, HAS_ADDRESS, i->address.domain.s) &&
	       put_text(out, parts, HAS_BOX, i->box.handle.s) &&
	       (!(parts & HAS_BOX) ||
		put(out, &i->box.number, sizeof i->box.number)) &&
	       put_text(out, parts, HAS_PASSWORD, i->password) &&
	       put_text(out, parts, HAS_HASH, i->hash) &&
	       put_text(out, parts, HAS_UTF8, i->utf8) &&
	       put_text(out, parts, HAS_HANDLE, i->handle.s) &&
	       put_text(out, parts, HAS_TITLE, i->title) &&
	       (!(parts & HAS_QUOTA) ||
		put(out, &i->quota, sizeof i->quota)) &&
	       (!(parts & HAS_MESSAGES) ||
		put(out, &i->messages, sizeof i->messages)) &&
	       (!(parts & HAS_EXPIRES) ||
		put(out, &i->expires, sizeof i->expires)) &&
	       put_text(out, parts, HAS_REASON, i->reason) &&
	       (!(parts & HAS_VACATION) ||
		(put(out, &i->vacation_from, sizeof i->vacation_from) &&
		 put(out, &i->vacation_until, sizeof i->vacation_until))) &&
	       put_text(out, parts, HAS_VACATION, i->vacation) &&
	       put_text(out, parts, HAS_MAILDIR, i->maildir) &&
	       (!(parts & HAS_UNUSABLE) ||
		put(out, &i->unusable, sizeof i->unusable)) &&
	       (!(parts & HAS_FORWARDS) ||
		(put(out, &forwards, sizeof forwards) &&
		 put(out, i->forwards, i->forwards_len)));
}

static const char *take(const char *at, void *ret_bytes, size_t len)
{
	memcpy(ret_bytes, at, len);
	return at + len;
}

/* What pack has put there fits. */
static const char *take_text(const char *at, unsigned parts, unsigned part,
			     char *ret_text)
{
	return parts & part ? take(at, ret_text, strlen(at) + 1) : at;
}

/* What a row is and has, without its texts. */
static void unpack_head(const struct head *head, struct import_account *i)
{
	const unsigned parts = head->parts;

	i->secret = (enum import_account_secret)head->secret;
	i->delivery = (enum store_delivery)head->delivery;
	i->part = (parts & PART_BOX ? IMPORT_ACCOUNT_BOX : 0u) |
		  (parts & PART_FORWARDS ? IMPORT_ACCOUNT_FORWARDS : 0u);
	i->itself = parts & ITSELF;
	i->has_address = parts & HAS_ADDRESS;
	i->has_handle = parts & HAS_HANDLE;
	i->has_box = parts & HAS_BOX;
	i->has_title = parts & HAS_TITLE;
	i->has_quota = parts & HAS_QUOTA;
	i->has_messages = parts & HAS_MESSAGES;
	i->has_vacation = parts & HAS_VACATION;
	i->has_login = parts & HAS_LOGIN;
	i->login = parts & LOGIN_ON;
	i->has_delivery = parts & HAS_DELIVERY;
	i->has_reason = parts & HAS_REASON;
	i->has_services = parts & HAS_SERVICES;
	i->services_off = head->services_off;
	i->has_expires = parts & HAS_EXPIRES;
	i->has_forwards = parts & HAS_FORWARDS;
}

static void unpack(const char *at, struct import_account *ret_intake)
{
	struct import_account *i = ret_intake;
	struct head head;
	uint16_t forwards;
	unsigned parts;

	/* Not the three large texts at its end. */
	memset(i, 0, offsetof(struct import_account, maildir));
	i->maildir[0] = i->vacation[0] = 0;
	at = take(at, &head, sizeof head);
	parts = head.parts;
	unpack_head(&head, i);
	at = take_text(at, parts, HAS_ADDRESS, i->address.local.s);
	at = take_text(at, parts, HAS_ADDRESS, i->address.domain.s);
	at = take_text(at, parts, HAS_BOX, i->box.handle.s);
	if (parts & HAS_BOX)
		at = take(at, &i->box.number, sizeof i->box.number);
	at = take_text(at, parts, HAS_PASSWORD, i->password);
	i->password_len = strlen(i->password);
	at = take_text(at, parts, HAS_HASH, i->hash);
	at = take_text(at, parts, HAS_UTF8, i->utf8);
	at = take_text(at, parts, HAS_HANDLE, i->handle.s);
	at = take_text(at, parts, HAS_TITLE, i->title);
	if (parts & HAS_QUOTA)
		at = take(at, &i->quota, sizeof i->quota);
	if (parts & HAS_MESSAGES)
		at = take(at, &i->messages, sizeof i->messages);
	if (parts & HAS_EXPIRES)
		at = take(at, &i->expires, sizeof i->expires);
	at = take_text(at, parts, HAS_REASON, i->reason);
	if (parts & HAS_VACATION) {
		at = take(at, &i->vacation_from, sizeof i->vacation_from);
		at = take(at, &i->vacation_until, sizeof i->vacation_until);
	}
	at = take_text(at, parts, HAS_VACATION, i->vacation);
	at = take_text(at, parts, HAS_MAILDIR, i->maildir);
	if (parts & HAS_UNUSABLE)
		at = take(at, &i->unusable, sizeof i->unusable);
	if (parts & HAS_FORWARDS) {
		at = take(at, &forwards, sizeof forwards);
		i->forwards_len = forwards;
		memcpy(i->forwards, at, forwards);
	}
}

/* Both keys of a packed row, where they lie: local NUL domain NUL; handle NUL
 * number. Length 0: it has none. */
struct key {
	const char *at;
	size_t len;
};

static const char *skip(const char *text)
{
	return text + strlen(text) + 1;
}

static struct key key_address(const char *packed)
{
	struct head head;
	const char *at = take(packed, &head, sizeof head);

	if (!(head.parts & HAS_ADDRESS))
		return (struct key){at, 0};
	return (struct key){at, (size_t)(skip(skip(at)) - at)};
}

static struct key key_box(const char *packed)
{
	struct key before = key_address(packed);
	const char *at = before.at + before.len;
	struct head head;

	(void)take(packed, &head, sizeof head);
	if (!(head.parts & HAS_BOX))
		return (struct key){at, 0};
	return (struct key){at, (size_t)(skip(at) - at) + sizeof(uint32_t)};
}

typedef struct key key_of(const char *packed);

/* FNV-1a: the names are validated, and a slow import is all that who chose them
 * could reach. */
static size_t slot_of(struct key key, size_t slots)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < key.len; i++)
		sum = (sum ^ (unsigned char)key.at[i]) *
		      UINT64_C(1099511628211);
	return (size_t)(sum ^ sum >> 32) & (slots - 1);
}

static const char *packed(const struct import_table *table, size_t number)
{
	return table->bytes.bytes + table->row[number].at;
}

/* Where the key is, or where it would be. */
static uint32_t *find(const struct import_table *table, uint32_t *hashed,
		      key_of *of, struct key key)
{
	size_t slot = slot_of(key, table->slots);

	for (; hashed[slot]; slot = (slot + 1) & (table->slots - 1)) {
		struct key other = of(packed(table, hashed[slot] - 1));

		if (other.len == key.len &&
		    memcmp(other.at, key.at, key.len) == 0)
			break;
	}
	return &hashed[slot];
}

static void fill(const struct import_table *table, uint32_t *hashed, key_of *of)
{
	for (size_t i = 0; i < table->count; i++) {
		struct key key = of(packed(table, i));
		uint32_t *slot = key.len ? find(table, hashed, of, key) : NULL;

		if (slot && !*slot)
			*slot = (uint32_t)i + 1;
	}
}

static bool grow(struct import_table *table)
{
	size_t room = table->room ? table->room * 2 : 1024;
	struct import_table_row *row =
		reallocarray(table->row, room, sizeof *row);

	if (!row)
		return false;
	table->row = row;
	table->room = room;
	free(table->by_address);
	free(table->by_box);
	table->slots = room * 2;
	table->by_address = calloc(table->slots, sizeof(uint32_t));
	table->by_box = calloc(table->slots, sizeof(uint32_t));
	if (!table->by_address || !table->by_box)
		return false;
	fill(table, table->by_address, key_address);
	fill(table, table->by_box, key_box);
	return true;
}

static bool same_secret(const struct import_table *table, size_t number,
			const struct import_account *account)
{
	struct import_account other;
	bool same;

	import_table_get(table, number, &other);
	same = other.secret == account->secret &&
	       strcmp(other.hash, account->hash) == 0 &&
	       strcmp(other.password, account->password) == 0;
	import_account_wipe(&other);
	return same;
}

/* The packed row lies at the end; takes it back unless it is new. */
static enum import_table_added judge(struct import_table *table, size_t at,
				     const struct import_account *account,
				     struct import_table_row *row,
				     size_t *ret_other)
{
	const char *new = table->bytes.bytes + at;
	const size_t len = table->bytes.len - at;
	struct key key = key_address(new);
	uint32_t *slot = NULL;

	if (key.len)
		slot = find(table, table->by_address, key_address, key);
	if (slot && *slot) {
		*ret_other = *slot - 1;
		at = table->row[*ret_other].at;
		return len <= table->bytes.len - len - at &&
				       memcmp(table->bytes.bytes + at, new,
					      len) == 0
			       ? IMPORT_TABLE_AGAIN
			       : IMPORT_TABLE_OTHER;
	}
	key = key_box(new);
	if (key.len) {
		uint32_t *box = find(table, table->by_box, key_box, key);

		row->twin = *box != 0;
		*ret_other = *box ? *box - 1 : 0;
		if (*box && !same_secret(table, *ret_other, account))
			return IMPORT_TABLE_OTHER;
		if (!*box)
			*box = (uint32_t)table->count + 1;
	}
	if (slot)
		*slot = (uint32_t)table->count + 1;
	return IMPORT_TABLE_ADDED;
}

enum import_table_added import_table_add(struct import_table *table,
					 const struct import_account *account,
					 unsigned long *ret_other)
{
	const size_t at = table->bytes.len;
	struct import_table_row row = {.at = at,
				       .line = (uint32_t)account->line};
	enum import_table_added added;
	size_t other = 0;

	if ((table->count == table->room && !grow(table)) ||
	    table->count >= UINT32_MAX - 1)
		return IMPORT_TABLE_NOMEM;
	table->bytes.secret = true;
	if (!pack(&table->bytes, account)) {
		table->bytes.len = at;
		return IMPORT_TABLE_NOMEM;
	}
	added = judge(table, at, account, &row, &other);
	if (added == IMPORT_TABLE_ADDED) {
		table->row[table->count++] = row;
		return added;
	}
	*ret_other = table->row[other].line;
	secret_wipe(table->bytes.bytes + at, table->bytes.len - at);
	table->bytes.len = at;
	return added;
}

void import_table_get(const struct import_table *table, size_t number,
		      struct import_account *ret_intake)
{
	unpack(packed(table, number), ret_intake);
	ret_intake->line = table->row[number].line;
}

bool import_table_replace(struct import_table *table, size_t number,
			  const struct import_account *account)
{
	const size_t at = table->bytes.len;

	if (!pack(&table->bytes, account)) {
		table->bytes.len = at;
		return false;
	}
	table->row[number].at = at; /* what it was stays, and is wiped */
	return true;
}

bool import_table_has(const struct import_table *table,
		      const struct name_address *name)
{
	size_t number;

	return import_table_find(table, name, &number);
}

bool import_table_find(const struct import_table *table,
		       const struct name_address *name, size_t *ret_number)
{
	uint32_t slot;
	char key[NAME_ADDRESS_TEXT + 1];
	size_t local = strlen(name->local.s) + 1;
	size_t domain = strlen(name->domain.s) + 1;

	if (!table->count)
		return false;
	memcpy(key, name->local.s, local);
	memcpy(key + local, name->domain.s, domain);
	slot = *find(table, table->by_address, key_address,
		     (struct key){key, local + domain});
	if (slot)
		*ret_number = slot - 1;
	return slot != 0;
}

void import_table_free(struct import_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->row[i].hash)
			secret_wipe(table->row[i].hash,
				    strlen(table->row[i].hash));
		free(table->row[i].hash);
	}
	text_wipe(&table->bytes);
	free(table->row);
	free(table->by_address);
	free(table->by_box);
	*table = (struct import_table){.count = 0};
}
