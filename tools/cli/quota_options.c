/* SPDX-License-Identifier: MIT */
#include "quota_options.h"

#include <string.h>

#include "base/say.h"
#include "operand.h"

enum { MESSAGES_MAX = 1000000000 };

int quota_options_read(const struct args *args,
		       struct quota_options *ret_options)
{
	const char *bytes = args_get(args, "--quota");
	const char *messages = args_get(args, "--messages");
	struct quota_options *options = ret_options;
	int code = CODE_DONE;

	*options = (struct quota_options){.set_bytes = bytes,
					  .set_messages = messages};
	if (bytes)
		code = operand_size(bytes, &options->quota.bytes);
	if (code == CODE_DONE && messages && strcmp(messages, "none") != 0 &&
	    !operand_number(messages, 0, MESSAGES_MAX,
			    &options->quota.messages))
		code = say_error(CODE_USAGE,
				 "--messages takes a number up to %d, or none, "
				 "not '%s'",
				 MESSAGES_MAX, messages);
	return code;
}

bool quota_options_any(const struct quota_options *options)
{
	return options->set_bytes || options->set_messages;
}

void quota_options_apply(const struct quota_options *options,
			 struct store_quota *quota)
{
	if (options->set_bytes)
		quota->bytes = options->quota.bytes;
	if (options->set_messages)
		quota->messages = options->quota.messages;
}
