#include "unit.h"

#include "route.h"

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
	assert_false(route_qmail_name("-", lengthy, 0, name));
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
	};

	return RUN(tests);
}
