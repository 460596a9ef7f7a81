/* SPDX-License-Identifier: MIT */
/* qmail-inject.c: stand-in for qmail-inject and qmail-queue: puts a message and
 * its envelope where the real ones put them, QMAIL/queue/mess and todo.
 *
 *	qmail-inject -a -f SENDER [--] RECIPIENT ...
 *
 * It adds no header and knows no other options.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common.h"

static FILE *create(const char *part, long number)
{
	char name[64];
	FILE *file;

	(void)snprintf(name, sizeof name, "queue/%s/%ld", part, number);
	file = fopen(common_path(name), "wxe");
	if (!file)
		common_die(111, "unable to write %s", name);
	return file;
}

/* The first number that is free. */
static long next_number(void)
{
	char name[64];
	long number = 1;

	do
		(void)snprintf(name, sizeof name, "queue/mess/%ld", number++);
	while (access(common_path(name), F_OK) == 0);
	return number - 1;
}

static void take_message(FILE *file)
{
	char part[4096];
	char last = '\n';
	size_t got;

	while ((got = fread(part, 1, sizeof part, stdin)) > 0) {
		fwrite(part, 1, got, file);
		last = part[got - 1];
	}
	if (last != '\n')
		fputc('\n', file);
	if (ferror(stdin) || fclose(file) != 0)
		common_die(111, "unable to write the message");
}

static void take_envelope(FILE *file, const char *sender, char **recipients)
{
	fprintf(file, "u%u%cp%ld%cF%s%c", getuid(), 0, (long)getpid(), 0,
		sender, 0);
	for (; *recipients; recipients++)
		fprintf(file, "T%s%c", *recipients, 0);
	if (fclose(file) != 0)
		common_die(111, "unable to write the envelope");
}

int main(int argc, char **argv)
{
	const char *sender = NULL;
	bool recipients = false;
	long number;
	int option;

	while ((option = getopt(argc, argv, "af:")) != -1) {
		if (option == 'a')
			recipients = true;
		else if (option == 'f')
			sender = optarg;
		else
			common_die(100, "usage");
	}
	if (!sender || !recipients || !argv[optind])
		common_die(100, "usage");
	number = next_number();
	take_message(create("mess", number));
	take_envelope(create("todo", number), sender, argv + optind);
	return 0;
}
