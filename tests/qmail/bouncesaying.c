/* SPDX-License-Identifier: MIT */
/* bouncesaying.c: stand-in for bouncesaying ERROR [PROG [ARG ...]]: bounces, and
 * says why on descriptor 2; with PROG only where that ends with 0.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

/* Does the program say that the message is to be bounced? */
static bool asks(char **words)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execvp(words[0], words);
		_exit(100);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		common_die(111, "unable to run a program");
	if (!WIFEXITED(status))
		common_die(111, "child crashed");
	if (WEXITSTATUS(status) == 111)
		common_die(111, "temporary child error");
	return WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fputs("bouncesaying: usage: bouncesaying error "
			    "[ program [ arg ... ] ]\n",
			    stderr);
		return 100;
	}
	if (argc > 2 && !asks(argv + 2))
		return 0;
	return fprintf(stderr, "%s\n", argv[1]) < 0 ? 111 : 100;
}
