/* SPDX-License-Identifier: MIT */
/* floor_hash PROCESSES COUNT HASH PASSWORD: so many processes at a time, each
 * of which verifies the password so many times and does nothing else. Prints
 * how many a second that were, all together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/hash/pwhash.h"
#include "store/secret.h"

static double now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int work(unsigned long count, const char *hash, const char *password)
{
	if (secret_start() != ERR_OK)
		return 1;
	while (count-- > 0) {
		if (pwhash_verify(hash, password, strlen(password)) !=
		    PWHASH_OK)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long processes, count;
	int status, bad = 0;
	double start = now();

	if (argc != 5) {
		fprintf(stderr, "usage: floor_hash PROCESSES COUNT HASH "
				"PASSWORD\n");
		return 2;
	}
	processes = strtoul(argv[1], NULL, 10);
	count = strtoul(argv[2], NULL, 10);
	for (unsigned long i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0)
			_exit(work(count, argv[3], argv[4]));
	}
	for (unsigned long i = 0; i < processes; i++)
		bad |= wait(&status) < 0 || status;
	printf("%.3f\n", (double)(processes * count) / (now() - start));
	return bad;
}
