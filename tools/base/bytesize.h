/* SPDX-License-Identifier: MIT */
/* bytesize.h: amounts of bytes as people and programs write them. Pure. */
#ifndef POPBOX_BYTESIZE_H
#define POPBOX_BYTESIZE_H

#include <stdbool.h>
#include <stdint.h>

/* 500, 500M, 500 MB, 1.5G, 1,5 GiB; a K is 1024 bytes. "", 0, -1, -, none,
 * unlimited and NOQUOTA are 0: there is no limit. unit multiplies a bare number.
 * False: it is none of these, is larger than 4 EiB, or could be read in two ways
 * (1,500). */
bool bytesize_read(const char *text, uint64_t unit, uint64_t *ret_bytes);

#endif
