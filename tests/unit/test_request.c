/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <unistd.h>

#include "checkpw/request.h"

static enum request_answer parse(const char *bytes, size_t len,
				 struct request *request)
{
	memcpy(request->bytes, bytes, len);
	request->len = len;
	return request_parse(request);
}

static void fields(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(parse(BYTES("joe\0pass word\0<1@h>\0"), &request),
			 REQUEST_OK);
	assert_int_equal(request.login_len, 3);
	assert_memory_equal(request.login, "joe", 3);
	assert_int_equal(request.password_len, 9);
	assert_memory_equal(request.password, "pass word", 9);
	assert_int_equal(parse(BYTES("\0\0\0"), &request), REQUEST_OK);
	assert_int_equal(request.login_len, 0);
	assert_int_equal(request.password_len, 0);
	/* The interface allows more data behind the three. */
	assert_int_equal(parse(BYTES("a\0b\0c\0more"), &request), REQUEST_OK);
	assert_string_equal(request.client, "");
	assert_int_equal(parse(BYTES("a\0b\0c\0::1\0"), &request), REQUEST_OK);
	assert_string_equal(request.client, "::1");
	assert_int_equal(parse(BYTES("a\0b\0c\0"), &request), REQUEST_OK);
	assert_string_equal(request.client, "");
}

static void malformed(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(parse("", 0, &request), REQUEST_MALFORMED);
	assert_int_equal(parse(BYTES("a"), &request), REQUEST_MALFORMED);
	assert_int_equal(parse(BYTES("a\0b\0c"), &request), REQUEST_MALFORMED);
	assert_int_equal(parse(BYTES("\0\0"), &request), REQUEST_MALFORMED);
}

static enum request_answer through_pipe(size_t len, struct request *request)
{
	char bytes[600] = {0};
	enum request_answer answer;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], bytes, len), (ssize_t)len);
	close(fd[1]);
	answer = request_read(fd[0], request);
	close(fd[0]);
	return answer;
}

static void limits(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(through_pipe(512, &request), REQUEST_OK);
	assert_int_equal(through_pipe(513, &request), REQUEST_TOOLONG);
	assert_int_equal(through_pipe(600, &request), REQUEST_TOOLONG);
	assert_int_equal(through_pipe(2, &request), REQUEST_MALFORMED);
	assert_int_equal(through_pipe(0, &request), REQUEST_MALFORMED);
	assert_int_equal(request_read(999, &request), REQUEST_UNREADABLE);
	request.len = REQUEST_MAX + 1;
	assert_int_equal(request_parse(&request), REQUEST_TOOLONG);
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(request_text(REQUEST_OK), "");
	for (int a = REQUEST_OK + 1; a <= REQUEST_UNREADABLE + 1; a++) {
		const char *text = request_text((enum request_answer)a);

		assert_int_equal(strncmp(text, "request: ", 9), 0);
		for (int b = REQUEST_OK; b < a; b++)
			assert_string_not_equal(
				text, request_text((enum request_answer)b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("three fields, and possibly more data", fields),
		SAYS("fewer than three NULs are malformed", malformed),
		SAYS("512 bytes are read, 513 are too long", limits),
		SAYS("each answer but the good one has its text", texts),
	};

	return RUN(tests);
}
