/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/path.h"

enum { ANSWER_MAX = NAME_ADDRESS_TEXT + NAME_BOX_TEXT + PATH_BOX_TEXT + 16 };

const char *verdict_asker(const char *service)
{
	static char text[64];
	struct ucred peer;
	socklen_t len = sizeof peer;
	int at = 0;

	text[0] = 0;
	if (service)
		at = snprintf(text, sizeof text, " service=%.16s", service);
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &len) ==
		    0 &&
	    len == sizeof peer && peer.uid != (uid_t)-1)
		(void)snprintf(text + at, sizeof text - (size_t)at,
			       " peer=%u", peer.uid); /* it fits */
	return text;
}

/* Whoever asked may be gone; that ends this process no other way. */
static bool write_all(const char *text, size_t len)
{
	(void)signal(SIGPIPE, SIG_IGN); /* a valid number */
	while (len > 0) {
		ssize_t done = write(STDOUT_FILENO, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text += done;
		len -= (size_t)done;
	}
	return true;
}

bool verdict_answer(enum verdict verdict, const struct config *config,
		    const struct login *login)
{
	char text[ANSWER_MAX], box[NAME_BOX_TEXT], maildir[PATH_BOX_TEXT];

	switch (verdict) {
	case VERDICT_ACCEPT:
		name_box_text(&login->box, box);
		path_box(config->home, &login->box, maildir);
		(void)snprintf(text, sizeof text, "accept\t%s\t%s\t%s\n",
			       login->user, box, maildir); /* it fits */
		return write_all(text, strlen(text));
	case VERDICT_REFUSE:
		return write_all("refuse\n", 7);
	case VERDICT_CANNOT_TELL:
		break;
	}
	return write_all("error\n", 6);
}
