#include "unit.h"

#include <unistd.h>

#include "drop.h"

/* Nothing was given up yet when this is refused. */
static void root(void **state)
{
	static const char why[] = "uid and gid of popusr cannot be 0";
	const uid_t before = geteuid();

	(void)state;
	assert_string_equal(drop_to(0, 51), why);
	assert_string_equal(drop_to(510, 0), why);
	assert_string_equal(drop_to(0, 0), why);
	assert_int_equal(geteuid(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("popusr is never root, nor of root's group", root),
	};

	return RUN(tests);
}
