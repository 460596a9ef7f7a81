#include "confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "askpass.h"
#include "say.h"

int confirm(const struct site *site, const struct args *args,
	    const char *format, ...)
{
	char what[512], line[64];
	va_list list;

	if (args_has(args, "--yes") || site->dry_run)
		return CODE_DONE;
	va_start(list, format);
	(void)vsnprintf(what, sizeof what, format, list); /* cut is enough */
	va_end(list);
	say_clean(what, what, sizeof what);
	if (!askpass_terminal() || site->no_input)
		return say_error(CODE_USAGE,
				 "%s? nothing was changed (say --yes, as "
				 "there is no terminal to ask)",
				 what);
	(void)fprintf(stderr, "%s? [y/N] ", what);
	if (fgets(line, sizeof line, stdin) &&
	    (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0))
		return CODE_DONE;
	return say_error(CODE_REFUSED, "nothing was changed");
}
