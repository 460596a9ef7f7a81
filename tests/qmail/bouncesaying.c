/* bouncesaying.c: stand-in for qmail's: says why, and bounces. */
#include <stdio.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return 100; /* the real one may run a program first */
	return puts(argv[1]) < 0 ? 111 : 100;
}
