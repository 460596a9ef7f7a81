/* qmail-inject.c: stand-in for qmail-inject: adds its arguments and what it
 * reads to the file INJECT_LOG; without that it fails.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

int main(int argc, char **argv)
{
	const char *path = getenv("INJECT_LOG");
	FILE *log = path ? fopen(path, "ae") : NULL;
	char part[4096];
	size_t got;

	if (!log)
		common_die(111, "unable to write the log");
	for (int i = 1; i < argc; i++)
		fprintf(log, "[%s]", argv[i]);
	fputc('\n', log);
	while ((got = fread(part, 1, sizeof part, stdin)) > 0)
		fwrite(part, 1, got, log);
	if (fclose(log) != 0)
		common_die(111, "unable to write the log");
	return 0;
}
