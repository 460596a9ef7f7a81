/* SPDX-License-Identifier: MIT */
/* cmd_explain.c: popbox explain. */
#include "base/idn.h"
#include "base/say.h"
#include "check/explain.h"
#include "cli/commands.h"

int cmd_explain(struct site *site, const struct args *args)
{
	const char *operand = args->operand[0];
	char text[NAME_ADDRESS_TEXT];
	const char *why = idn_forward(operand, text);
	int code;

	if (why)
		return say_error(CODE_REFUSED, "address '%s': %s", operand, why);
	code = site_open_look(site);
	if (code != CODE_DONE)
		return code;
	return explain(site, text);
}
