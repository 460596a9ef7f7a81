/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "store/path.h"

static void usual(void **state)
{
	const struct name_domain domain = {"example.com"};
	const struct name_box box = {{"ex1"}, 1};
	char path[PATH_DOMAIN_TEXT];

	(void)state;
	path_box("/home/popmail", &box, path);
	assert_string_equal(path, "/home/popmail/e/ex1/POP/ex1-0001");
	path_domain("/home/popmail", &box.handle, &domain, path);
	assert_string_equal(path, "/home/popmail/e/ex1/DOMAINS/example.com");
	path_dialup("/home/serialmail", &domain, path);
	assert_string_equal(path, "/home/serialmail/example.com");
}

static void ends(const char *path, const char *end, size_t room)
{
	size_t len = strlen(path);

	assert_int_equal(len, room - 1);
	assert_string_equal(path + len - strlen(end), end);
}

static void longest(void **state)
{
	char home[CONFIG_TEXT_MAX + 1] = "/", path[PATH_DOMAIN_TEXT];
	struct name_box box = {{""}, UINT32_MAX};
	struct name_domain domain = {""};

	(void)state;
	memset(home + 1, 'h', CONFIG_TEXT_MAX - 1);
	memset(box.handle.s, 'e', NAME_HANDLE_MAX);
	memset(domain.s, 'd', NAME_DOMAIN_MAX);
	domain.s[NAME_DOMAIN_MAX - 1] = 'z';
	path_box(home, &box, path);
	ends(path, "e-4294967295", PATH_BOX_TEXT);
	path_domain(home, &box.handle, &domain, path);
	ends(path, "ddz", PATH_DOMAIN_TEXT);
	path_dialup(home, &domain, path);
	ends(path, "ddz", PATH_DIALUP_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a box and a domain lie below the letter of their handle",
		     usual),
		SAYS("the longest names make paths that are not cut", longest),
	};

	return RUN(tests);
}
