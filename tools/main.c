/* SPDX-License-Identifier: MIT */
/* popbox: the administrator's tool, see popbox(8). */
#include <errno.h>
#include <string.h>

#include "base/inherited.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/dispatch.h"

/* Before the command line is understood, which may be what fails. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct site site = {0};
	int code;

	if (!inherited_settle())
		return CODE_LATER; /* nobody could be told */
	if (!inherited_seal())
		return say_error(CODE_LATER, "cannot close popbox to other "
					     "processes: %s; nothing was done",
				 strerror(errno));
	interrupt_faults();
	json_start();
	say_in_json(wants_json(argc, argv));
	site_actor(&site, argc - 1, argv + 1);
	code = dispatch(&site, argc, argv);
	site_close(&site);
	return say_finish(code);
}
