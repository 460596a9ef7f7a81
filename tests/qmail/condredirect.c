/* SPDX-License-Identifier: MIT */
/* condredirect.c: stand-in for condredirect ADDRESS PROG [ARG ...]: where the
 * program ends with 0, the message goes to the address and no line behind this
 * one counts. deliver, which runs it, prints where messages go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

int main(int argc, char **argv)
{
	const char *word = getenv("DELIVER");
	pid_t pid = argc < 3 ? 0 : fork();
	int status;

	if (argc < 3)
		common_die(100, "usage: condredirect newaddress program [ arg "
				"... ]");
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(100);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 111)
		common_die(111, "the program did not end as it should");
	if (WEXITSTATUS(status) != 0)
		return 0;
	return printf("%s %s\n", word ? word : "forward", argv[1]) < 0 ? 111
								      : 99;
}
