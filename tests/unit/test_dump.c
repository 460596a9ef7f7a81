/* SPDX-License-Identifier: MIT */
/* Dumps of databases and directories: bytes in, rows out. */
#include "unit.h"

#include "base/words.h"

#include "transfer/fmt_pairs.h"
#include "transfer/fmt_sql.h"

struct seen {
	char text[4096];
	size_t len;
};

static bool see(void *arg, const struct fmt_sql_row *row)
{
	struct seen *seen = arg;
	size_t *at = &seen->len;

	*at += (size_t)snprintf(seen->text + *at, sizeof seen->text - *at,
				"%s:", row->table);
	for (size_t i = 0; !row->why && i < row->values->count; i++)
		*at += (size_t)snprintf(
			seen->text + *at, sizeof seen->text - *at, "%s%s=%s",
			i ? "|" : "", csvfile_field(row->columns, i),
			csvfile_field(row->values, i));
	*at += (size_t)snprintf(seen->text + *at, sizeof seen->text - *at, "%s",
				row->why ? "!/" : "/");
	return true;
}

/* In pieces of any size it is the same. */
static void sql_is(const char *in, const char *out, bool whole)
{
	const size_t len = strlen(in);

	for (size_t piece = 1; piece <= len; piece += 1 + piece / 3) {
		struct seen seen = {.len = 0};
		struct fmt_sql *sql = fmt_sql_new(see, &seen);

		assert_non_null(sql);
		for (size_t at = 0; at < len; at += piece)
			assert_int_equal(fmt_sql_take(sql, in + at,
						      len - at < piece
							      ? len - at
							      : piece),
					 FMT_SQL_MORE);
		assert_int_equal(fmt_sql_end(sql) == NULL, whole);
		assert_string_equal(seen.text, out);
		fmt_sql_free(sql);
	}
}

static const struct {
	const char *in, *out;
} dumps[] = {
	{"INSERT INTO t (a, b) VALUES ('x','y'),(1,NULL);",
	 "t:a=x|b=y/t:a=1|b=/"},
	{"INSERT INTO `t` (`a`,`b`) VALUES ('it''s','q\\'\\\\n\\n');",
	 "t:a=it's|b=q'\\n\n/"},
	{"insert ignore into db.`t` (a) values(\"x\");", "t:a=x/"},
	{"REPLACE INTO t(a) VALUES (-1.5),(now()),('x');\n",
	 "t:a=-1.5/t:a=/t:a=x/"},
	{"CREATE TABLE `t` (\n  `a` varchar(255) NOT NULL DEFAULT 'p,q',\n"
	 "  b int(1),\n PRIMARY KEY (`a`), KEY k (b,a)\n) ENGINE=x;\n"
	 "/*!40000 ALTER TABLE `t` DISABLE KEYS */;\n"
	 "INSERT INTO `t` VALUES ('x',2),('y;z',3);\n",
	 "t:a=x|b=2/t:a=y;z|b=3/"},
	{"CREATE TABLE IF NOT EXISTS public.t (a text, \"b\" int);"
	 "INSERT INTO public.t VALUES ('x', 1);",
	 "t:a=x|b=1/"},
	{"-- it's a comment\n# it's, too\n/* '; */ INSERT INTO t (a) "
	 "VALUES ('x') ON DUPLICATE KEY UPDATE a='y';",
	 "t:a=x/"},
	{"SET standard_conforming_strings = on;\n"
	 "INSERT INTO t (a, b) VALUES ('x\\', E'y\\'z');",
	 "t:a=x\\|b=y'z/"},
	{"INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES "
	 "('x'::character varying, _utf8'y');",
	 "t:!/"},
	{"CREATE FUNCTION f() AS $$ BEGIN INSERT INTO t VALUES ('x'); "
	 "END; $$; CREATE FUNCTION g() AS $a$ '$$ $b$ $a$;"
	 "INSERT INTO t (a) VALUES ('y');",
	 "t:a=y/"},
	{"COPY public.t (a, b) FROM stdin;\nx\ty\\tz\n\\N\t\\\\N\n\\.\n"
	 "INSERT INTO t (a) VALUES ('it');",
	 "t:a=x|b=y\tz/t:a=|b=\\N/t:a=it/"},
	{"COPY t (a) FROM stdin;\r\n\\101\\\\b\r\n\\.\r\n", "t:a=A\\b/"},
	{"COPY t (a) FROM stdin;\n\\.\nINSERT INTO t (a) VALUES ('x');",
	 "t:a=x/"},
	{"PRAGMA foreign_keys=OFF;\nINSERT INTO t(a) VALUES('x\\');",
	 "t:a=x\\/"},
	{"BEGIN TRANSACTION;\nINSERT INTO \"t\"(a) VALUES('x\\');", "t:a=x\\/"},
	{"CREATE TABLE t (a int, b int, CHECK (b > 0));"
	 "CREATE INDEX i ON t (b); CREATE VIEW t (c) AS x;"
	 "INSERT INTO t VALUES (1,2);",
	 "t:a=1|b=2/"},
	{"SELECT 4/-2; INSERT INTO t (a) VALUES ('x');", "t:a=x/"},
	{"CREATE TABLE t (a decimal(1, 2), b set('p','q'));"
	 "INSERT INTO t VALUES (1,2);",
	 "t:a=1|b=2/"},
	{"INSERT INTO t VALUES ('x');", "t:!/"},
	{"INSERT INTO t (a, b) VALUES ('x');", "t:!/"},
	{"INSERT INTO t (a) VALUES ('x\\0y'),('z');", "t:!/t:a=z/"},
	{"INSERT INTO t (a) SELECT b FROM u; DROP TABLE t;", ""},
	{"INSERT INTO t (a) VALUES ('x'; INSERT INTO t (a) VALUES "
	 "('y');",
	 "t:!/t:a=y/"},
	{"", ""},
};

static void rows_of_insert_and_copy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(dumps); i++)
		sql_is(dumps[i].in, dumps[i].out, true);
}

static void a_cut_dump_is_noticed(void **state)
{
	(void)state;
	sql_is("INSERT INTO t (a) VALUES ('x'),('y", "t:a=x/", false);
	sql_is("INSERT INTO t (a) VALUES ('x'),('y',", "t:a=x/", false);
	sql_is("COPY t (a) FROM stdin;\nx\ny", "t:a=x/t:a=y/", false);
	sql_is("/* x", "", false);
	sql_is("CREATE TABLE t (a int", "", false);
}

static void a_value_without_end_costs_no_memory(void **state)
{
	struct seen seen = {.len = 0};
	struct fmt_sql *sql = fmt_sql_new(see, &seen);
	static char much[1 << 16];

	(void)state;
	memset(much, 'x', sizeof much);
	assert_non_null(sql);
	assert_int_equal(
		fmt_sql_take(sql, BYTES("INSERT INTO t (a) VALUES ('")),
		FMT_SQL_MORE);
	for (int i = 0; i < 40; i++)
		assert_int_equal(fmt_sql_take(sql, much, sizeof much),
				 FMT_SQL_MORE);
	assert_int_equal(fmt_sql_take(sql, BYTES("'),('z');")), FMT_SQL_MORE);
	assert_null(fmt_sql_end(sql));
	assert_string_equal(seen.text, "t:!/t:a=z/");
	fmt_sql_free(sql);
}

/* address hash|password name forwards login others; ! and the reason if it is
 * refused, - if it is left out. */
static void show(struct fmt_pairs *pairs, char *out, size_t room)
{
	static struct import_account account;
	char text[NAME_ADDRESS_TEXT], services[WORD_SERVICES];
	const char *left, *why, *at;
	size_t len = strlen(out);

	import_account_wipe(&account);
	account.forwards_len = 0;
	why = fmt_pairs_fill(pairs, "w.example", &account, &left);
	if (why || left) {
		(void)snprintf(out + len, room - len, "%s/", why ? "!" : "-");
		fmt_pairs_clear(pairs);
		return;
	}
	name_address_text(&account.address, text);
	len += (size_t)snprintf(out + len, room - len, "%s %s%s %s", text,
				account.hash, account.password, account.title);
	for (at = account.forwards;
	     at < account.forwards + account.forwards_len; at += strlen(at) + 1)
		len += (size_t)snprintf(out + len, room - len, ">%s", at);
	for (at = pairs->others.bytes;
	     pairs->others.len && at < pairs->others.bytes + pairs->others.len;
	     at += strlen(at) + 1)
		len += (size_t)snprintf(out + len, room - len, "+%s", at);
	len += (size_t)snprintf(
		out + len, room - len, "%s%s%s%s",
		account.has_services ? " not by " : "",
		word_services(account.services_off, services),
		account.has_login && !account.login ? " nologin" : "",
		account.has_delivery && account.delivery == STORE_BOUNCE
			? " nomail"
			: "");
	if (account.has_quota && account.quota)
		len += (size_t)snprintf(out + len, room - len, " %llu",
					(unsigned long long)account.quota);
	(void)snprintf(out + len, room - len, "/");
	fmt_pairs_clear(pairs);
}

static void pairs_are(fmt_pairs *parse, const char *in, const char *out)
{
	struct fmt_pairs pairs;
	char text[2048] = "", line[1024], none[1] = "";

	fmt_pairs_open(&pairs);
	while (*in) {
		size_t len = strcspn(in, "\n");
		enum fmt_pairs_got got;

		do {
			memcpy(line, in, len);
			line[len] = 0;
			got = parse(&pairs, line, len);
			if (got != FMT_PAIRS_MORE)
				show(&pairs, text, sizeof text);
		} while (got == FMT_PAIRS_BEFORE);
		in += len + (in[len] == '\n');
	}
	(void)parse(&pairs, none, 0);
	if (pairs.begun)
		show(&pairs, text, sizeof text);
	fmt_pairs_close(&pairs);
	assert_string_equal(text, out);
}

#define HASH                                                                   \
	"$6$saltsalt$"                                                         \
	"dZ5nnPz2lG.UMvKMjM52tVriW2CoQy4eXDHJ1v2e.o6FAssVj4laLl/Tp2mHxsS"      \
	"8ez2.7PlC3dlHmM2tZNPhx1"

static void entries_of_ldif(void **state)
{
	(void)state;
	pairs_are(
		fmt_pairs_ldif,
		"version: 1\n\n# a comment\n that goes on\ndn: ou=x\nou: x\n\n"
		"dn: uid=joe\nmail: joe@w.example\nuserPassword: long wo\n "
		"rds\n"
		"cn:: SsO2cmc=\nmailAlternateAddress: j@w.example\n"
		"mail: joey@w.example\njpegPhoto:: AAEC\n\n\n"
		"dn: uid=ann\nmail: Ann <ann@w.example>\n"
		"userPassword:: e1BMQUlOfWxvbmcgd29yZHM=\nmailQuota: 100S,5C\n"
		"accountStatus: noaccess",
		"-/joe@w.example long words J\xc3\xb6rg+j@w.example"
		"+joey@w.example/ann@w.example long words  nologin 100/");
	pairs_are(fmt_pairs_ldif,
		  "dn: x\nmail: list@w.example\ncn: List\n"
		  "mailForwardingAddress: a@else.example\n"
		  "mailForwardingAddress: b@else.example\n",
		  "list@w.example  List>a@else.example>b@else.example/");
	pairs_are(
		fmt_pairs_ldif,
		"dn: mail=a\nobjectClass: mailUser\nmail: a@w.example\n"
		"userPassword: long words\nshadowAddress: b@w.example\n"
		"mailForwardingAddress: x@else.example\n\n"
		"dn: mail=c\nmail: c@w.example\nobjectClass: mailUser\n"
		"userPassword: long words\nmailForwardingAddress: c@w.example\n"
		"mailForwardingAddress: x@else.example\n\n"
		"dn: d\nmail: d@w.example\nobjectClass: qmailUser\n"
		"cn: mailUser\n"
		"userPassword: long words\nmailForwardingAddress: "
		"x@else.example\n",
		"a@w.example long words >x@else.example+b@w.example nomail/"
		"c@w.example long words >x@else.example/"
		"d@w.example long words mailUser>x@else.example/");
	pairs_are(fmt_pairs_ldif,
		  "dn: x\nmail: a@w.example\nchangetype: delete\n", "!/");
	pairs_are(fmt_pairs_ldif,
		  "dn: x\nmail:: YQ=%\n\ndn: y\nmail:< file:///x\n", "!/!/");
	pairs_are(fmt_pairs_ldif, "dn: x\nmail:: YUB3LmV4YW1wbGUA\n", "!/");
	pairs_are(fmt_pairs_ldif, "dn: x\nno colon\n\nmail: a@w.example\n",
		  "!/a@w.example  /");
}

static void users_of_vuserinfo(void **state)
{
	(void)state;
	pairs_are(
		fmt_pairs_vuserinfo,
		"name:   joe\npasswd: " HASH "\nclear passwd: some words\n"
		"comment/gecos: Joe Doe\nuid:    0\ngid:    0\nflags:  2\n"
		"gecos: Joe Doe\nlimits:\n    pop access closed\n"
		"dir:       /home/vpopmail/domains/example.com/joe\n"
		"quota:     10485760S,100C\nusage:     0%\n"
		"last auth: Never logged in\n\n"
		"name:   ann\npasswd: \nclear passwd: other words\nuid:    0\n"
		"gid:    16\ngecos: Ann\n"
		"dir: /home/vpopmail/domains/A/b.example/1/ann\nquota: "
		"NOQUOTA\n",
		"joe@example.com " HASH " Joe Doe not by pop 10485760/"
		"ann@b.example other words Ann nomail/");
}

static void lines_of_hestia_and_virtualmin(void **state)
{
	(void)state;
	pairs_are(fmt_pairs_hestia,
		  "ACCOUNT='joe' ALIAS='j,info' AUTOREPLY='no' "
		  "FWD='x@else.example'"
		  " FWD_ONLY='yes' MD5='{SHA512-CRYPT}" HASH "' QUOTA='100' "
		  "U_DISK='0' SUSPENDED='no'\n"
		  "ACCOUNT='ann' ALIAS='' FWD='' MD5='' QUOTA='unlimited' "
		  "SUSPENDED='yes'\n"
		  "ACCOUNT='cut\n",
		  "joe@w.example {SHA512-CRYPT}" HASH
		  " >x@else.example+j+info nomail 104857600/"
		  "ann@w.example   nologin nomail/-/");
	pairs_are(fmt_pairs_virtualmin,
		  "joe\n    Domain: w.example\n    Unix username: joe.w\n"
		  "    Real name: Joe Doe\n    Encrypted password: " HASH "\n"
		  "    Disabled: Yes\n    Home byte quota: 1048576\n"
		  "    Email address: joe@w.example\n"
		  "    Extra addresses: a@w.example b@w.example\n"
		  "    Forward mail to: x@else.example\n"
		  "ftp\n    Domain: w.example\n    Unix username: ftp.w\n",
		  "joe@w.example " HASH " Joe Doe>x@else.example+a@w.example"
		  "+b@w.example nologin 1048576/-/");
	pairs_are(fmt_pairs_virtualmin,
		  "joe\n    Email address: joe@w.example\n"
		  "    Password: long words\n    Disabled: No\n"
		  "    Forward: x@else.example, y@else.example\n"
		  "    Deliver to user: No\n    Mail byte quota: 2097152\n"
		  "    Mail location: /v/joe/Maildir\n\n"
		  "ann\n    Email address: ann@w.example\n"
		  "    Password: other words\n    Deliver to user: Yes\n"
		  "    Mail location: mbox\n",
		  "joe@w.example long words >x@else.example>y@else.example "
		  "nomail "
		  "2097152/ann@w.example other words /");
	pairs_are(fmt_pairs_virtualmin,
		  "joe:Joe Doe:long words:n:1:2048:j@w.example, k@w.example:"
		  "x@else.example:db\n"
		  "web:Web:other words:y:0:0:::\n"
		  "ann::more words::1:\n"
		  "cut::more words:1\n",
		  "joe@w.example long words Joe Doe>x@else.example+j@w.example"
		  "+k@w.example 2097152/-/ann@w.example more words /-/");
}

static void formats_are_known_by_their_beginning(void **state)
{
	(void)state;
	assert_true(fmt_sql_resembles(BYTES("\n-- MySQL dump 10.13\n")));
	assert_true(
		fmt_sql_resembles(BYTES("--\n-- PostgreSQL database dump")));
	assert_false(fmt_sql_resembles(BYTES("address,password\n")));
	assert_true(fmt_sql_resembles(
		BYTES("-- it is from\n/*!40101 SET NAMES utf8 */;\n-- x\n\n"
		      "CREATE TABLE `a` (")));
	assert_true(fmt_sql_resembles(BYTES("-- only a comment, that goes")));
	assert_true(fmt_sql_resembles(BYTES("use mail;\n")));
	assert_false(fmt_sql_resembles(BYTES("-- a title\naddress,hash\n")));
	assert_false(fmt_sql_resembles(BYTES("")));
	assert_false(fmt_sql_resembles(BYTES("\n \n")));
	assert_true(fmt_pairs_is_ldif(BYTES("# x\n\ndn: uid=joe\n")));
	assert_false(fmt_pairs_is_ldif(BYTES("# x")));
	assert_true(fmt_pairs_is_vuserinfo(BYTES("name:   joe\npasswd: x\n")));
	assert_false(fmt_pairs_is_vuserinfo(BYTES("name,passwd\n")));
	assert_true(fmt_pairs_is_hestia(BYTES("ACCOUNT='joe' ")));
	assert_true(fmt_pairs_is_virtualmin(
		BYTES("joe\n    Domain: x\n    Unix username: y\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("INSERT and COPY give rows, with columns of their own or "
		     "of "
		     "CREATE TABLE; all else gives none",
		     rows_of_insert_and_copy),
		SAYS("a dump that is cut is noticed", a_cut_dump_is_noticed),
		SAYS("a value without end costs no memory",
		     a_value_without_end_costs_no_memory),
		SAYS("LDIF is unfolded and decoded, and an entry is an account "
		     "if it has an address",
		     entries_of_ldif),
		SAYS("vuserinfo tells users, their domains by their "
		     "directories",
		     users_of_vuserinfo),
		SAYS("Hestia's lines and Virtualmin's lists are accounts",
		     lines_of_hestia_and_virtualmin),
		SAYS("formats are known by their beginning",
		     formats_are_known_by_their_beginning),
	};

	return RUN(tests);
}
