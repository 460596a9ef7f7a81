/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/say.h"
#include "csvfile.h"
#include "import_private.h"
#include "store/secret.h"

/* What must not exist is looked for before anything else; it is made when there
 * is something to put in. */
static bool look_new(const char *path, const char *what)
{
	struct stat st;

	if (!path || (lstat(path, &st) != 0 && errno == ENOENT))
		return true;
	return say_error(0, "cannot make '%s' for %s: %s", path, what,
			 strerror(EEXIST));
}

bool import_files_look(const struct import *import)
{
	return look_new(import->how->credentials, "the new passwords") &&
	       look_new(import->how->skip_bad, "the bad rows");
}

/* Empty, made now unless it was by a run before. */
static bool begin(const char *path, int *fd)
{
	if (*fd < 0)
		*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *fd >= 0 && ftruncate(*fd, 0) == 0 &&
	       lseek(*fd, 0, SEEK_SET) == 0;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	errno = replace_write(fd, bytes, len);
	return errno == 0;
}

/* Whoever is told a password, or which rows are to be mended, finds them there
 * after a power cut, too. */
static bool is_synced(int fd, const char *path)
{
	errno = fsync(fd) == 0 ? replace_sync_parent(path) : errno;
	return errno == 0;
}

static bool failed(const char *path)
{
	return say_error(0, "cannot write '%s': %s", path, strerror(errno));
}

static bool write_credentials(struct import *import)
{
	static const char header[] = "address,password\n";
	int *fd = &import->credentials_fd;

	if (!import->credentials.len)
		return true;
	if (begin(import->how->credentials, fd) &&
	    write_all(*fd, header, sizeof header - 1) &&
	    write_all(*fd, import->credentials.bytes,
		      import->credentials.len) &&
	    is_synced(*fd, import->how->credentials))
		return true;
	return failed(import->how->credentials);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The file is read once more, and what was refused of it copied. */
struct copying {
	struct import *import;
	struct strtab files;
	struct text text;
	bool headed; /* the line that names the columns is written */
	bool failed;
};

static bool put(struct copying *copying, const char *bytes, size_t len)
{
	copying->failed = !text_put(&copying->text, bytes, len);
	if (copying->failed)
		errno = ENOMEM;
	if (!copying->failed && copying->text.len > 1 << 20) {
		copying->failed = !write_all(copying->import->skip_fd,
					     copying->text.bytes,
					     copying->text.len);
		copying->text.len = 0;
	}
	return !copying->failed;
}

static bool copy_row(void *arg, const struct source_row *row)
{
	struct copying *copying = arg;
	const struct import *import = copying->import;
	size_t file = 0;
	uint64_t key;

	if (row->header)
		return put(copying, row->raw, row->raw_len);
	if (!strtab_add(&copying->files, row->file, &file)) {
		copying->failed = true;
		return false;
	}
	key = (uint64_t)file << 32 | (row->line & UINT32_MAX);
	if (!import->bad || !bsearch(&key, import->bad_line, import->bad,
				     sizeof key, by_number))
		return true;
	if (row->rewritten && !copying->headed &&
	    !put(copying, source_columns, strlen(source_columns)))
		return false;
	copying->headed = copying->headed || row->rewritten;
	if (row->raw)
		return put(copying, row->raw, row->raw_len) &&
		       (row->raw[row->raw_len - 1] == '\n' ||
			put(copying, "\n", 1));
	return put(copying, row->file, strlen(row->file)) &&
	       put(copying, "\n", 1);
}

static bool write_skipped(struct import *import)
{
	struct copying copying = {.import = import, .text.secret = true};
	struct source_how how = import->how->source;
	bool good;

	if (!import->bad || !import->how->skip_bad)
		return true;
	qsort(import->bad_line, import->bad, sizeof *import->bad_line,
	      by_number);
	good = begin(import->how->skip_bad, &import->skip_fd);
	how.old = &import->old;
	how.copies = true;
	if (good && source_read(&how, copy_row, &copying) != CODE_DONE)
		good = false;
	good = good && !copying.failed &&
	       write_all(import->skip_fd, copying.text.bytes,
			 copying.text.len) &&
	       is_synced(import->skip_fd, import->how->skip_bad);
	text_wipe(&copying.text);
	strtab_free(&copying.files);
	return good || failed(import->how->skip_bad);
}

bool import_files_write(struct import *import)
{
	return write_credentials(import) && write_skipped(import);
}

static void close_file(int *fd, const char *path, bool keep)
{
	if (*fd < 0)
		return;
	(void)close(*fd); /* what was written is synced */
	*fd = -1;
	if (!keep)
		(void)unlink(path); /* ours: it was made with O_EXCL */
}

void import_files_close(struct import *import, bool keep)
{
	close_file(&import->credentials_fd, import->how->credentials, keep);
	close_file(&import->skip_fd, import->how->skip_bad, keep);
}
