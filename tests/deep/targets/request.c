/* SPDX-License-Identifier: MIT */
/* What qmail-popup hands over: three fields, each ended by the first NUL
 * behind the one before, or a refusal. */
#include "fuzz.h"

#include "checkpw/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request;
	enum request_answer answer;
	size_t nuls = 0;

	if (size > REQUEST_MAX + 1)
		return 0;
	memset(&request, 0, sizeof request);
	memcpy(request.bytes, data, size);
	request.len = size;
	for (size_t i = 0; i < size; i++)
		nuls += data[i] == 0;
	answer = request_parse(&request);
	if (size > REQUEST_MAX) {
		HOLDS(answer == REQUEST_TOOLONG);
		return 0;
	}
	HOLDS((answer == REQUEST_OK) == (nuls >= 3));
	if (answer != REQUEST_OK)
		return 0;
	HOLDS(request.login == request.bytes);
	HOLDS(request.login_len == strlen(request.bytes));
	HOLDS(request.password == request.login + request.login_len + 1);
	HOLDS(request.password_len == strlen(request.password));
	return 0;
}
