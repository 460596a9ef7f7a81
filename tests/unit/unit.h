/* SPDX-License-Identifier: MIT */
/* unit.h: cmocka with its prerequisites, and tests named as sentences. */
#ifndef POPBOX_UNIT_H
#define POPBOX_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAYS(sentence, function)                                              \
	{                                                                     \
		sentence, function, NULL, NULL, NULL                          \
	}
#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A string as bytes with a length. */
#define BYTES(text) (text), sizeof(text) - 1

#endif
