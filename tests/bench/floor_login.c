/* SPDX-License-Identifier: MIT */
/* floor_login SETTING PROGRAM [ARG ...]: what a login cannot do without, and
 * nothing else: reads descriptor 3 to its end, computes the hash of the
 * password in it, and becomes the program. SETTING "-": no hash. Without
 * arguments it ends with 0 at once, as no login does by itself.
 */
#include <crypt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static struct crypt_data data;
	char record[513];
	size_t len = 0;
	ssize_t got;
	const char *password;

	if (argc < 3)
		return argc == 1 ? 0 : 2;
	while (len < sizeof record - 1 &&
	       (got = read(3, record + len, sizeof record - 1 - len)) > 0)
		len += (size_t)got;
	(void)close(3); /* read to its end */
	record[len] = 0;
	password = memchr(record, 0, len);
	if (!password)
		return 2;
	if (argv[1][0] != '-' &&
	    !crypt_rn(password + 1, argv[1], &data, (int)sizeof data))
		return 111;
	(void)execv(argv[2], argv + 2); /* returns only in failure */
	return 111;
}
