/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ustar archives (POSIX.1-1988 tar) that lie in memory. Nothing in them is believed: sizes,
 * names and checksums are checked before a file is listed. */
#ifndef NOVART_DISK_ARCHIVE_H
#define NOVART_DISK_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_BLOCK    512
#define ARCHIVE_NAME_MAX 255 /* prefix (155), a slash, name (100), less one */

/* A regular file of an archive. */
struct archive_file {
        char name[ARCHIVE_NAME_MAX + 1]; /* relative, without "./", "//" and ".." */
        const unsigned char *data;
        uint64_t size;
};

/* Where a walk over an archive stands. */
struct archive {
        const unsigned char *bytes;
        size_t size;
        size_t offset;
        const char *error; /* why the walk ended early: one sentence, or NULL */
};

/* Begin a walk. */
void archive_begin(struct archive *archive, const void *bytes, size_t size);

/* Step to the next regular file; folders are passed over. @return false at the end, and when the
 * archive is not one: then @c error says what is wrong. */
bool archive_next(struct archive *archive, struct archive_file *file);

/* Walk once from begin to end. @return how many files there are, or -1 with @p error */
long archive_check(const void *bytes, size_t size, const char **error);

#endif
