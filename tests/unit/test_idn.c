/* SPDX-License-Identifier: MIT */
#include "base/idn.h"
#include "named.h"
#include "unit.h"

#define LABEL_63                                                              \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void domain_is(const char *text, const char *ascii, const char *utf8)
{
	struct name_domain name;
	char written[NAME_DOMAIN_MAX + 1];

	assert_null(idn_domain(text, &name, written));
	assert_string_equal(name.s, ascii);
	assert_string_equal(written, utf8);
	assert_null(idn_new_domain(text, &name, written));
	assert_string_equal(name.s, ascii);
	assert_string_equal(written, utf8);
}

static void domains(void **state)
{
	(void)state;
	domain_is("example.org", "example.org", "");
	domain_is("Example.ORG", "example.org", "");
	domain_is("b\303\274cher.example", "xn--bcher-kva.example",
		  "b\303\274cher.example");
	domain_is("xn--bcher-kva.example", "xn--bcher-kva.example",
		  "b\303\274cher.example");
	domain_is("XN--BCHER-KVA.example", "xn--bcher-kva.example",
		  "b\303\274cher.example");
	/* NFC is made of what is not. */
	domain_is("bu\314\210cher.example", "xn--bcher-kva.example",
		  "b\303\274cher.example");
	/* Not s and s, as IDNA2003 had it. */
	domain_is("stra\303\237e.example", "xn--strae-oqa.example",
		  "stra\303\237e.example");
	domain_is("a.xn--bcher-kva.b.xn--strae-oqa", "a.xn--bcher-kva.b.xn--strae-oqa",
		  "a.b\303\274cher.b.stra\303\237e");
	domain_is(LABEL_63 ".xn--bcher-kva", LABEL_63 ".xn--bcher-kva",
		  LABEL_63 ".b\303\274cher");
}

static void is_refused(const char *text)
{
	struct name_domain name;
	char utf8[NAME_DOMAIN_MAX + 1];

	assert_non_null(idn_domain(text, &name, utf8));
	assert_non_null(idn_new_domain(text, &name, utf8));
}

/* What the library would mend is refused: a blank in a name vanishes there. */
static void refused(void **state)
{
	(void)state;
	is_refused("");
	is_refused("exa mple.org");
	is_refused("exa mple.b\303\274cher");
	is_refused("b\303\274 cher.example");
	is_refused("b\303\274cher_.example");
	is_refused("b\303\274cher\302\240.example"); /* a blank, mapped */
	is_refused("b\303\274/cher.example");
	is_refused("b\303\274cher:25.example");
	is_refused("example..org");
	is_refused("b\303\274cher..org");
	is_refused("\303.example");
	is_refused("b\374cher.example");
	is_refused(LABEL_63 "a.org");
	is_refused("xn--a\303\274.example");
}

/* What an earlier store may have can be named, and is not made. */
static void is_old(const char *text)
{
	struct name_domain name;
	char utf8[NAME_DOMAIN_MAX + 1];

	if (idn_domain(text, &name, utf8)) /* which the library cannot decode */
		assert_string_equal(utf8, "");
	else
		assert_string_equal(name.s, text);
	assert_non_null(idn_new_domain(text, &name, utf8));
}

static void labels(void **state)
{
	struct name_domain name;
	char utf8[NAME_DOMAIN_MAX + 1];

	(void)state;
	is_old("xn--abc-.example"); /* of plain ASCII */
	is_old("xn--zzzzzzzz99999.example");
	is_old("xn--a.example");
	is_old("xn--ls8h.example"); /* a sign, which no registry takes */
	is_old("a.xn--ls8h");
	is_old("a.xn--bcher-kva.xn--ls8h.b");
	is_old("xn--bucher-xyd.example"); /* u and a mark: not NFC */
	/* "xn--" that is no prefix says nothing. */
	assert_null(idn_new_domain("axn--b.example", &name, utf8));
}

static void addresses(void **state)
{
	struct name_address name;
	char text[NAME_ADDRESS_TEXT];

	(void)state;
	assert_null(idn_address("Joe@B\303\274cher.example", false, &name));
	name_address_text(&name, text);
	assert_string_equal(text, "joe@xn--bcher-kva.example");
	assert_non_null(idn_address("*@example.org", false, &name));
	assert_null(idn_address("*@example.org", true, &name));
	assert_null(idn_address("joe@example.org", true, &name));
	assert_string_equal(name.local.s, "joe");
	assert_non_null(idn_address("joe", false, &name));
	assert_non_null(idn_address("@example.org", false, &name));
	assert_non_null(idn_address("joe@", false, &name));
	assert_string_equal(name.local.s, "joe"); /* and is as it was */
}

static void forwards(void **state)
{
	char text[NAME_ADDRESS_TEXT];

	(void)state;
	assert_null(idn_forward("Joe+X@B\303\274cher.example", text));
	assert_string_equal(text, "Joe+X@xn--bcher-kva.example");
	assert_non_null(idn_forward("joe", text));
	assert_non_null(idn_forward("@example.org", text));
	assert_non_null(idn_forward("joe@", text));
	assert_non_null(idn_forward("jo e@example.org", text));
	assert_non_null(idn_forward("joe@exa mple.org", text));
	assert_string_equal(text, "Joe+X@xn--bcher-kva.example");
}

static void writes(const char *name, const char *as)
{
	char text[IDN_WRITTEN];

	assert_string_equal(idn_written(name, text), as);
}

static void written(void **state)
{
	char local[NAME_LOCAL_MAX + 2], name[200], as[200];

	(void)state;
	writes("example.org", "example.org");
	writes("joe@example.org", "joe@example.org");
	writes("xn--bcher-kva.example", "b\303\274cher.example");
	writes("joe@xn--bcher-kva.example", "joe@b\303\274cher.example");
	writes("*@xn--bcher-kva.example", "*@b\303\274cher.example");
	writes("xn--a@example.org", "xn--a@example.org");
	/* That does not encode back to what it is. */
	writes("joe@xn--abc-.example", "joe@xn--abc-.example");
	writes("joe@xn--zzzzzzzz99999.example", "joe@xn--zzzzzzzz99999.example");
	memset(local, 'a', NAME_LOCAL_MAX + 1);
	local[NAME_LOCAL_MAX] = 0;
	(void)snprintf(name, sizeof name, "%s@xn--bcher-kva.example", local);
	(void)snprintf(as, sizeof as, "%s@b\303\274cher.example", local);
	writes(name, as);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a domain in UTF-8 or in A-labels is one name, in both forms",
		     domains),
		SAYS("what is no domain is refused, and not mended", refused),
		SAYS("an A-label that does not encode back to itself, or has a "
		     "letter that no registry takes, is not made",
		     labels),
		SAYS("an address: its local part in lower case, catch-all where "
		     "that is asked for",
		     addresses),
		SAYS("somebody's address keeps its local part", forwards),
		SAYS("names are written in UTF-8 where that encodes back to them",
		     written),
	};

	return RUN(tests);
}
