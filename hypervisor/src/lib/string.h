/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and string functions. Compilers call the first four on their own. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);
size_t strlen(const char *string);
int strncmp(const char *left, const char *right, size_t bytes);

#endif
