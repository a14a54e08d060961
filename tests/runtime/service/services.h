/* SPDX-License-Identifier: BSD-2-Clause */
/* An archive for tests. */
#ifndef TESTS_RUNTIME_SERVICES_H
#define TESTS_RUNTIME_SERVICES_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Appends a file of @p size bytes, all of which are @p fill. @return where the next file begins */
static inline unsigned char *add_file(unsigned char *block, const char *name, size_t size,
                                      char fill)
{
        unsigned sum = 0;

        memset(block, 0, 512);
        memcpy(block, name, strlen(name) + 1);
        snprintf((char *)block + 124, 12, "%011o", (unsigned)size);
        block[156] = '0';
        memcpy(block + 257, "ustar", 6);
        memcpy(block + 263, "00", 3);
        memset(block + 148, ' ', 8);
        for (unsigned i = 0; i < 512; i++)
                sum += block[i];
        snprintf((char *)block + 148, 8, "%06o", sum);
        memset(block + 512, fill, size);
        return block + 512 + (size + 511) / 512 * 512;
}

/* Makes an archive of two files: "dir/one" with 900 'a', and "two" with 3 'b'. @return its size */
static inline size_t make_archive(unsigned char *archive)
{
        unsigned char *end = add_file(add_file(archive, "dir/one", 900, 'a'), "two", 3, 'b');

        memset(end, 0, 1024);
        return (size_t)(end - archive) + 1024;
}

#endif
