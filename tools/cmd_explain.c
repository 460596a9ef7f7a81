/* cmd_explain.c: popbox explain. */
#include <string.h>

#include "commands.h"
#include "explain.h"
#include "idn.h"
#include "say.h"

int cmd_explain(struct site *site, const struct args *args)
{
	const char *operand = args->operand[0];
	char text[NAME_ADDRESS_TEXT];
	const char *why = idn_forward(operand, text);
	char *at;
	int code;

	if (why)
		return say_error(CODE_REFUSED, "address '%s': %s", operand, why);
	code = site_open_look(site);
	if (code != CODE_DONE)
		return code;
	at = strrchr(text, '@'); /* idn_forward saw it */
	*at = 0;
	return explain(site, text, at + 1);
}
