#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csvfile.h"
#include "import_private.h"
#include "replace.h"
#include "say.h"
#include "secret.h"

/* With a dry run nothing is written; that it is not there is asked all the
 * same. */
static bool open_new(const struct import *import, const char *path,
		     const char *what, int *ret_fd)
{
	if (!path)
		return true;
	if (import->site->dry_run) {
		if (access(path, F_OK) != 0)
			return true;
		errno = EEXIST;
	} else {
		*ret_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			       0600);
		if (*ret_fd >= 0)
			return true;
	}
	return say_error(0, "cannot make '%s' for %s: %s", path, what,
			 strerror(errno));
}

bool import_files_open(struct import *import)
{
	return open_new(import, import->how->credentials, "the new passwords",
			&import->credentials_fd) &&
	       open_new(import, import->how->skip_bad, "the bad rows",
			&import->skip_fd);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	errno = replace_write(fd, bytes, len);
	return errno == 0;
}

static bool failed(const char *path)
{
	return say_error(0, "cannot write '%s': %s", path, strerror(errno));
}

static bool write_credentials(struct import *import)
{
	static const char header[] = "address,password\n";
	const int fd = import->credentials_fd;

	if (fd < 0)
		return true;
	if (ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    write_all(fd, header, sizeof header - 1) &&
	    write_all(fd, import->credentials.bytes,
		      import->credentials.len) &&
	    fsync(fd) == 0)
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
	struct names files;
	struct text text;
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
	if (!names_add(&copying->files, row->file, &file)) {
		copying->failed = true;
		return false;
	}
	key = (uint64_t)file << 32 | (row->line & UINT32_MAX);
	if (!import->bad || !bsearch(&key, import->bad_line, import->bad,
				     sizeof key, by_number))
		return true;
	if (row->raw)
		return put(copying, row->raw, row->raw_len) &&
		       (row->raw[row->raw_len - 1] == '\n' ||
			put(copying, "\n", 1));
	return put(copying, row->file, strlen(row->file)) &&
	       put(copying, "\n", 1);
}

static bool write_skipped(struct import *import)
{
	struct copying copying = {.import = import};
	const int fd = import->skip_fd;
	bool good;

	if (fd < 0)
		return true;
	if (import->bad)
		qsort(import->bad_line, import->bad, sizeof *import->bad_line,
		      by_number);
	good = ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0;
	if (good && source_read(&import->how->source, copy_row, &copying) !=
			    CODE_DONE)
		good = false;
	good = good && !copying.failed &&
	       write_all(fd, copying.text.bytes, copying.text.len) &&
	       fsync(fd) == 0;
	if (copying.text.bytes)
		secret_wipe(copying.text.bytes, copying.text.room);
	free(copying.text.bytes);
	names_free(&copying.files);
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
	close_file(&import->credentials_fd, import->how->credentials,
		   keep && import->credentials.len > 0);
	close_file(&import->skip_fd, import->how->skip_bad,
		   keep && import->bad > 0);
}
