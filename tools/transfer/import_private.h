/* SPDX-License-Identifier: MIT */
/* import_private.h: what the parts of an import share: import.c (the story),
 * import_refuse.c (rows that are refused), import_merge.c (rows that tell
 * of one account),
 * import_judge.c (against the store), import_domain.c (the domains of its
 * rows), import_site.c (those of an old site, with its aliases), import_preflight.c (against qmail's files), import_hash.c,
 * import_apply.c (the transaction), import_files.c (what is written beside).
 */
#ifndef POPBOX_IMPORT_PRIVATE_H
#define POPBOX_IMPORT_PRIVATE_H

#include "base/strtab.h"
#include "import.h"
#include "import_table.h"

/* A domain that rows are in; numbered as its name is. */
struct import_domain {
	struct name_handle handle;
	struct store_domain *fresh; /* to be made; malloc'ed */
	char *why;		    /* no row of it can be taken; malloc'ed */
	struct strtab files;	    /* .qmail files that it has already */
	enum { FILES_UNKNOWN, FILES_LISTED, FILES_UNLISTED } listed;
};

/* A domain that a row named, with what becomes of it. */
struct import_moved {
	struct source_domain is;
	size_t file;
	unsigned long line;
	struct store_domain *alias; /* to be made; malloc'ed */
	bool bad, same;
};

struct import {
	struct site *site;
	const struct import_how *how;
	struct import_table table;
	struct strtab files; /* that rows came from */
	struct source_found found;
	struct oldroutes old;
	struct import_moved *moved; /* domains of an old site */
	size_t moves, moved_room;
	struct strtab names; /* of domains */
	struct import_domain *domain;
	size_t domains, domain_room;
	uint64_t *bad_line; /* file << 32 | line */
	struct import_told *told; /* bad ones with their messages */
	struct text refusals;	  /* these messages, a NUL behind each */
	size_t bad, bad_room;
	uint64_t snapshot; /* the journal's end when the rows were judged */
	bool judged; /* at least once */
	bool parted; /* rows are parts of accounts */
	bool no_memory;
	bool failed; /* and said so */
	unsigned long left;    /* rows left out on purpose */
	unsigned long noted;   /* rows of which something is left out */
	unsigned long yielded; /* lines of the old site in qmail's files */
	unsigned long again;   /* rows that say what one before them said */
	unsigned long short_passwords;
	unsigned long foreign_passwords; /* not ASCII */
	unsigned long breached_passwords;
	unsigned long unusable; /* boxes that got no password */
	unsigned long verdicts[UPSERT_SAME + 1];
	struct rejoin_box *back; /* boxes that were deleted; malloc'ed */
	size_t backs, back_room;
	struct rejoin rejoin;
	struct text credentials; /* of generated passwords; wiped */
	int skip_fd, credentials_fd; /* -1: none */
};

/* FILE:LINE, or FILE where that is one account. */
enum { IMPORT_PLACE = PATH_MAX + 24 };
void import_place(const struct import *import, size_t file, unsigned long line,
		  char ret_text[IMPORT_PLACE]);

/* The address of a row, or its box. */
const char *import_name(const struct import_account *account,
			char text[NAME_ADDRESS_TEXT]);

/* Rejects a row. address: what it is about, or NULL; bad: the value, or "". False:
 * no memory to remember it, and the import must end without a change. */
MUST_USE bool import_refuse(struct import *import, size_t file,
			    unsigned long line, const char *address,
			    const char *bad, const char *why);
/* One of import->table. */
MUST_USE bool import_refuse_row(struct import *import, size_t number,
				const struct import_account *account,
				const char *why);
/* Says all of them, in the order of the files and their lines. */
void import_refusals_say(struct import *import);

/* A row of an address that a row before has, of the file's other table: they
 * become one. IMPORT_TABLE_OTHER: they cannot. At the end: what the two together
 * mean; false: no memory. */
enum import_table_added import_merge(struct import *import,
				     const struct import_account *account);
MUST_USE bool import_merge_end(struct import *import);

/* Judges all rows that are not refused, in one snapshot, and says what becomes of
 * their passwords. Returns the exit code. */
int import_judge(struct import *import);
/* Has the domain of a row anything against it? Looked at once, with the first
 * row that names it. ret_why: "", or why not. */
enum err import_domain_judge(struct import *import, struct store_txn *txn,
			     const struct import_account *account,
			     char *ret_why, size_t room);
/* The domain of an old site that accounts are in: to be made, though it may have
 * none. Subdomains are as qmail's files had them, unless told otherwise. */
enum err import_domain_plan(struct import *import, struct store_txn *txn,
			    const struct import_account *account,
			    struct import_domain **ret_domain);
bool import_subdomains(const struct import *import,
		       const struct name_domain *name);

/* All that was found of domains, before rows are judged again. */
void import_domain_forget(struct import *import);

/* The domains of an old site, its aliases among them (import_site.c). Each says
 * what is wrong with one and marks it. */
bool import_site_take(struct import *import, size_t file,
		      const struct source_row *row);
enum err import_site_judge(struct import *import, struct store_txn *txn);
enum err import_site_apply(struct import *import, struct store_txn *txn,
			   size_t *ret_refused);
void import_site_forget(struct import *import);
void import_site_free(struct import *import);
/* Lines of qmail's files that lead into the old site (lines_yield). */
bool import_site_yields(void *arg, enum lines_file file, const char *line,
			size_t len);

/* What qmail's files and files made by hand have against it. */
int import_preflight(struct import *import);

/* What the table's rows say MAKE or WRAP of becomes READY or SAME. Returns the exit
 * code. */
int import_hash(struct import *import);

/* Writes all rows, and again without those that this refused, until none more is
 * refused. *ret_stale: the store is not as it was judged; judge again. *ret_last
 * is an entry of the change. Returns the exit code. */
int import_apply(struct import *import, bool *ret_stale, uint64_t *ret_last);

/* The two files must not exist; they are written before the commit, if there is
 * anything to write, and taken away where it came to none. Each says what is
 * wrong; false. */
bool import_files_look(const struct import *import);
bool import_files_write(struct import *import);
void import_files_close(struct import *import, bool keep);

#endif
