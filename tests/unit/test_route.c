/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "qmail/route.h"

static struct route_text text(const char *bytes)
{
	return (struct route_text){bytes, strlen(bytes)};
}

static void accepts(const char *file, const char *domain, unsigned long line)
{
	assert_int_equal(route_rcpthosts(text(file), domain).number, line);
}

static void rcpthosts(void **state)
{
	(void)state;
	accepts("# c\n\nA.org \t\n.b.org\nc.org\r\n", "a.ORG", 3);
	accepts("x\n.b.org\n", "deep.er.b.org", 2);
	accepts("x\n.b.org\n", "b.org", 0);
	accepts("b.org\n", "x.b.org", 0);
	accepts("c.org\r\n", "c.org", 0);
	accepts(".org\na.org", "a.org", 2);
	accepts("", "a.org", 0);
	accepts("#a.org\n a.org\n", "a.org", 0);
}

static void leads(const char *file, const char *local, const char *domain,
		  unsigned long number, const char *value)
{
	struct route_line line = route_virtualdomains(text(file), local,
						      domain);

	assert_int_equal(line.number, number);
	if (!number)
		return;
	assert_int_equal(line.value_len, strlen(value));
	assert_memory_equal(line.value, value, line.value_len);
}

static void virtualdomains(void **state)
{
	static const char file[] = "a.org:one\njoe@a.org:two\n.org:three\n"
				   "a.org:last\nno.org:\n:rest:x\n";

	(void)state;
	leads(file, "ann", "A.org", 4, "last");
	leads(file, "JOE", "a.org", 2, "two");
	leads(file, "joe", "x.a.org", 3, "three");
	leads(file, "joe", "no.org", 5, "");
	leads(file, "joe", "b.net", 6, "rest:x");
	leads("a.org\n", "joe", "a.org", 0, "");
}

static void assign(void **state)
{
	static const char file[] = "+a-:u:1:2:/a:-::\n=a-joe:v:1:2:/b:::\n"
				   "+a-j:w:1:2:/c:-::\n+a-:x:1:2:/d:-::\n"
				   ".\n+b-:y:1:2:/e:-::\n";
	struct route_user user;
	struct route_line line;

	(void)state;
	assert_int_equal(route_assign(text(file), "a-joe").number, 2);
	assert_int_equal(route_assign(text(file), "A-john").number, 3);
	assert_int_equal(route_assign(text(file), "a-x").number, 1);
	assert_int_equal(route_assign(text(file), "b-x").number, 0);
	assert_int_equal(route_assign(text("+a-:u:1:2:/a:-::"), "a-").number,
			 0);
	line = route_assign(text(file), "a-x");
	assert_true(route_fields(line.value, line.value_len, ':', &user));
	assert_string_equal(user.field[ROUTE_HOME], "/a");
	assert_string_equal(user.field[ROUTE_DASH], "-");
	assert_string_equal(user.field[ROUTE_EXT], "");
	assert_true(route_fields(BYTES("u\0001\0002\0/a\0-\0"), 0, &user));
	assert_string_equal(user.field[ROUTE_GID], "2");
	assert_false(route_fields(BYTES("u:1:2:/a:-"), ':', &user));
}

static void qmail_names(void **state)
{
	static const char *const names[] = {
		".qmail-a:b-c-d", ".qmail-a:b-c-default", ".qmail-a:b-default",
		".qmail-default"};
	char name[ROUTE_QMAIL_MAX], lengthy[400];

	(void)state;
	for (unsigned i = 0; i < COUNT(names); i++) {
		assert_true(route_qmail_name("-", "A.b-c-d", i, name));
		assert_string_equal(name, names[i]);
	}
	assert_false(route_qmail_name("-", "A.b-c-d", COUNT(names), name));
	memset(lengthy, 'a', sizeof lengthy);
	lengthy[399] = 0;
	/* One that is too long for a file is passed over, as qmail-local does. */
	lengthy[2] = '-';
	assert_true(route_qmail_name("-", lengthy, 0, name));
	assert_string_equal(name, "");
	assert_true(route_qmail_name("-", lengthy, 1, name));
	assert_string_equal(name, ".qmail-aa-default");
	assert_true(route_qmail_name("-", lengthy, 2, name));
	assert_string_equal(name, ".qmail-default");
	assert_false(route_qmail_name("-", lengthy, 3, name));
}

static void becomes(const char *file, const char *from, const char *to)
{
	char address[100];

	(void)snprintf(address, sizeof address, "%s", from);
	route_percenthack(text(file), address);
	assert_string_equal(address, to);
}

static void percenthack(void **state)
{
	(void)state;
	becomes("a.org\n", "x%b.org@a.org", "x@b.org");
	becomes("A.org\nb.org\n", "x%c.org%b.org@a.ORG", "x@c.org");
	becomes("a.org\n", "x%b.org@c.org", "x%b.org@c.org");
	becomes("a.org\n", "x@a.org", "x@a.org");
	becomes("", "x%b.org@a.org", "x%b.org@a.org");
}

static void is_local(const char *locals, const char *me, const char *domain,
		     unsigned long line)
{
	const struct route_text none = {NULL, 0};

	assert_int_equal(route_locals(locals ? text(locals) : none,
				      me ? text(me) : none, domain)
				 .number,
			 line);
}

static void locals(void **state)
{
	(void)state;
	is_local("x\nA.org\n", "b.org\n", "a.org", 2);
	is_local("", "a.org\n", "a.org", 0);
	is_local(NULL, "a.ORG \t\nb.org\n", "a.org", 1);
	is_local(NULL, "a.org\nb.org\n", "b.org", 0);
	is_local(NULL, "\na.org\n", "a.org", 0);
	is_local(NULL, NULL, "a.org", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("rcpthosts: the domain, then its ends from a dot on",
		     rcpthosts),
		SAYS("virtualdomains: most specific first, last of several",
		     virtualdomains),
		SAYS("users/assign: exact, then the longest, first of several",
		     assign),
		SAYS(".qmail names are tried from the right", qmail_names),
		SAYS("percenthack rewrites again and again", percenthack),
		SAYS("control/me stands in for a missing locals", locals),
	};

	return RUN(tests);
}
