/* SPDX-License-Identifier: MIT */
#include "watched.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES = 4096, DEPTH = 6 };

struct file {
	char *path;
	char *bytes;
	size_t len;
	struct stat st;
	bool seen;
};

static struct file files[FILES];
static size_t count;

static struct file *file_of(const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	}
	if (count == FILES)
		abort();
	files[count].path = strdup(path);
	if (!files[count].path)
		abort();
	return &files[count++];
}

static bool is_same(const struct file *file, const char *bytes, size_t len,
		    const struct stat *st)
{
	return file->bytes && file->len == len &&
	       memcmp(file->bytes, bytes, len) == 0 &&
	       file->st.st_mode == st->st_mode &&
	       file->st.st_uid == st->st_uid && file->st.st_gid == st->st_gid;
}

static void take(const char *path, FILE *out)
{
	struct file *file = file_of(path);
	struct stat st;
	size_t len;
	char *bytes = qmailview_bytes(path, &len);

	if (!bytes || lstat(path, &st) != 0) {
		free(bytes);
		return;
	}
	file->seen = true;
	if (is_same(file, bytes, len, &st)) {
		free(bytes);
		return;
	}
	free(file->bytes);
	file->bytes = bytes;
	file->len = len;
	file->st = st;
	fprintf(out, "file\t%s\t%o\t%u\t%u\t", path, st.st_mode & 07777U,
		st.st_uid, st.st_gid);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", (unsigned char)bytes[i]);
	fputc('\n', out);
}

/* all: every file; else those of qmail-local and the dial-up roots. */
static bool is_watched(const char *name, bool all)
{
	if (strstr(name, "popbox") || strstr(name, ".tmp"))
		return false;
	return all || strncmp(name, ".qmail", 6) == 0 ||
	       strcmp(name, "RELAYHOST") == 0;
}

static bool is_worth_entering(const char *name)
{
	return name[0] != '.' && strcmp(name, "POP") != 0 &&
	       strcmp(name, "Maildir") != 0;
}

static void walk(const char *dir, bool all, int depth, FILE *out)
{
	DIR *list = opendir(dir);
	const struct dirent *entry;
	char path[PATH_MAX];

	while (list && (entry = readdir(list)) != NULL) {
		int len = snprintf(path, sizeof path, "%s/%s", dir,
				   entry->d_name);

		if (len < 0 || (size_t)len >= sizeof path)
			abort();
		if (entry->d_type == DT_DIR && depth < DEPTH &&
		    is_worth_entering(entry->d_name))
			walk(path, all, depth + 1, out);
		else if (entry->d_type == DT_REG &&
			 is_watched(entry->d_name, all))
			take(path, out);
	}
	if (list)
		(void)closedir(list); /* read only */
}

void watched_print(const struct qmailview *view, FILE *out)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < count; i++)
		files[i].seen = false;
	(void)snprintf(path, sizeof path, "%s/control", view->qmail);
	walk(path, true, 0, out);
	(void)snprintf(path, sizeof path, "%s/users", view->qmail);
	walk(path, true, 0, out);
	walk(view->home, false, 0, out);
	walk(view->serial, false, 0, out);
	for (size_t i = 0; i < count; i++) {
		if (files[i].seen || !files[i].bytes)
			continue;
		free(files[i].bytes);
		files[i].bytes = NULL;
		fprintf(out, "gone\t%s\n", files[i].path);
	}
}
