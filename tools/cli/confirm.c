/* SPDX-License-Identifier: MIT */
#include "confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "askpass.h"
#include "base/say.h"

__attribute__((format(printf, 3, 0))) static int
ask(const struct site *site, const char *option, const char *format,
	       va_list list)
{
	char what[512], line[64];

	(void)vsnprintf(what, sizeof what, format, list); /* cut is enough */
	say_clean(what, what, sizeof what);
	if (!askpass_terminal() || site->no_input)
		return say_error(CODE_USAGE,
				 "%s? nothing was changed (say %s, as there is "
				 "no terminal to ask)",
				 what, option);
	(void)fprintf(stderr, "%s? [y/N] ", what);
	if (fgets(line, sizeof line, stdin) &&
	    (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0))
		return CODE_DONE;
	return say_error(CODE_REFUSED, "nothing was changed");
}

int confirm_by(const struct site *site, const struct args *args,
	       const char *option, const char *format, ...)
{
	va_list list;
	int code;

	if (args_has(args, option) || site->dry_run)
		return CODE_DONE;
	va_start(list, format);
	code = ask(site, option, format, list);
	va_end(list);
	return code;
}

int confirm(const struct site *site, const struct args *args,
	    const char *format, ...)
{
	va_list list;
	int code;

	if (args_has(args, "--yes") || site->dry_run)
		return CODE_DONE;
	va_start(list, format);
	code = ask(site, "--yes", format, list);
	va_end(list);
	return code;
}
