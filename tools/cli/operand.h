/* SPDX-License-Identifier: MIT */
/* operand.h: names on a command line to names of the store. Each says what is
 * wrong with one; returns the exit code.
 */
#ifndef POPBOX_OPERAND_H
#define POPBOX_OPERAND_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

int operand_handle(const char *text, struct name_handle *ret_name);

/* Decimal digits alone, from low to high. Says nothing. */
bool operand_number(const char *text, uint64_t low, uint64_t high,
		    uint64_t *ret_number);

/* In ASCII or UTF-8. */
int operand_domain(const char *text, struct name_domain *ret_name);

/* One that is to be made: its name, and how it is written in UTF-8. */
int operand_new_domain(const char *text, struct store_domain *domain);

/* Also the catch-all, *@domain. */
int operand_address(const char *text, struct name_address *ret_name);

/* pop, relay, backup or dialup; an alias is told by its target. */
int operand_kind(const char *text, enum store_kind *ret_kind);

/* HOST[:PORT], a name or an IPv4 address, into a domain's host and port. */
int operand_host(const char *text, struct store_domain *domain);

/* A name that people gave, or a reason: UTF-8 without control characters, of at
 * most room - 1 bytes. NULL leaves ret_text alone. */
int operand_text(const char *what, const char *text, char *ret_text,
		 size_t room);

/* 30d, 12h, 90m, or seconds. */
int operand_duration(const char *text, int64_t *ret_seconds);

/* Bytes, as bytesize.h reads them. */
int operand_size(const char *text, uint64_t *ret_bytes);

#endif
