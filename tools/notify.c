#include "notify.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replace.h"
#include "say.h"
#include "text.h"

enum { WORDS_MAX = 16 };

/* Runs a program by its path, without a shell, and waits for it. */
static bool run(char *const *words)
{
	pid_t pid, waited;
	int status;

	(void)fflush(NULL); /* say_finish looks at stdout */
	pid = fork();
	if (pid == 0) {
		execvp(words[0], words);
		_exit(127);
	}
	if (pid < 0)
		return say_error(0, "cannot run '%s': %s", words[0],
				 strerror(errno));
	do
		waited = waitpid(pid, &status, 0);
	while (waited < 0 && errno == EINTR);
	if (waited == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (waited == pid && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return say_error(0, "cannot run '%s' (is it there?)", words[0]);
	if (waited == pid && WIFEXITED(status))
		return say_error(0, "'%s' failed with exit code %d", words[0],
				 WEXITSTATUS(status));
	return say_error(0, "'%s' was ended by a signal", words[0]);
}

/* qmail's own programs sync the file that they make, but not its name: after a
 * power cut the old one would be there, of which nothing is owed any more. */
static bool sync_names(const struct config *config, const char *part)
{
	char path[PATH_MAX];
	int rc;

	(void)snprintf(path, sizeof path, "%s/%s", config->qmail, part);
	rc = replace_sync(path);
	return rc == 0 || say_error(0, "cannot sync '%s': %s", path,
				    strerror(rc));
}

static bool run_own(const struct config *config, const char *name,
		    const char *part)
{
	char path[PATH_MAX];
	char *words[] = {path, NULL};

	(void)snprintf(path, sizeof path, "%s/bin/%s", config->qmail, name);
	return run(words) && sync_names(config, part);
}

bool notify_newu(const struct config *config)
{
	return run_own(config, "qmail-newu", "users");
}

bool notify_newmrh(const struct config *config)
{
	return run_own(config, "qmail-newmrh", "control");
}

/* The setting, cut at blanks. */
static bool run_setting(const char *setting)
{
	char text[CONFIG_TEXT_MAX + 1];
	char *words[WORDS_MAX + 1] = {NULL};

	(void)snprintf(text, sizeof text, "%s", setting);
	if (text_words(text, words, WORDS_MAX) > WORDS_MAX)
		return say_error(0, "setting 'qmail_hup' has more than %d "
				    "words",
				 WORDS_MAX);
	return run(words);
}

/* Is the program of this process the file at path? Its name alone would be
 * anybody's to take. */
static bool runs(const char *pid, const char *path)
{
	char link[64], exe[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof link, "/proc/%.20s/exe", pid);
	len = readlink(link, exe, sizeof exe - 1);
	if (len <= 0)
		return false;
	exe[len] = 0;
	return strcmp(exe, path) == 0;
}

/* Signals one process, if it still is what it was when it was found. */
static bool hup_process(const char *pid_text, const char *path)
{
	pid_t pid = (pid_t)strtol(pid_text, NULL, 10); /* digits of /proc */
	int fd = pidfd_open(pid, 0);
	bool done;

	if (fd < 0)
		return false;
	done = runs(pid_text, path) &&
	       pidfd_send_signal(fd, SIGHUP, NULL, 0) == 0;
	(void)close(fd); /* a handle only */
	return done;
}

/* Signals each process of this program; without hup only looks for one. */
static bool find_process(const char *path, bool hup)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool done = false;

	if (!proc)
		return false;
	while ((entry = readdir(proc)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    runs(entry->d_name, path) &&
		    (!hup || hup_process(entry->d_name, path)))
			done = true;
	}
	(void)closedir(proc); /* read only */
	return done;
}

bool notify_hup(const struct config *config)
{
	char path[PATH_MAX], real[PATH_MAX];

	if (config->qmail_hup[0])
		return run_setting(config->qmail_hup);
	(void)snprintf(path, sizeof path, "%s/bin/qmail-send", config->qmail);
	/* /proc names files without symbolic links. */
	if (!realpath(path, real) || !find_process(real, true))
		say_note("qmail-send is not running: it will read "
			 "control/virtualdomains when it starts");
	return true;
}

bool notify_running(const struct config *config)
{
	char path[PATH_MAX], real[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/bin/qmail-send", config->qmail);
	return realpath(path, real) && find_process(real, false);
}
