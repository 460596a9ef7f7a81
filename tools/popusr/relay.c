/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/say.h"

/* A failing stream has nowhere to be reported; say_finish looks at stdout. */
static void flush(struct relay *relay)
{
	relay->line[relay->len] = 0;
	say_clean(relay->line, relay->line, sizeof relay->line);
	say_bar(false);
	(void)fprintf(relay->to, "%s\n", relay->line);
	relay->len = 0;
}

void relay_put(struct relay *relay, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			flush(relay);
		} else if (bytes[i]) {
			relay->line[relay->len++] = bytes[i];
			if (relay->len + 1 == sizeof relay->line)
				flush(relay);
		}
	}
}

void relay_end(struct relay *relay)
{
	if (relay->len)
		flush(relay);
}

/* As long as it ever gets, and no longer. */
int relay_file(void)
{
	int fd = memfd_create("said", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, RELAY_MAX) != 0 ||
			fcntl(fd, F_ADD_SEALS,
			      F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)) {
		(void)close(fd); /* nothing was written */
		fd = -1;
	}
	return fd;
}

void relay_text(int fd, char ret_text[RELAY_MAX + 1], size_t *ret_len)
{
	ssize_t got = pread(fd, ret_text, RELAY_MAX, 0);

	ret_text[got > 0 ? got : 0] = 0;
	*ret_len = strlen(ret_text);
}

void relay_all(int fd)
{
	static char text[RELAY_MAX + 1];
	struct relay relay = {.to = stderr};
	size_t len;

	relay_text(fd, text, &len);
	relay_put(&relay, text, len);
	relay_end(&relay);
}
