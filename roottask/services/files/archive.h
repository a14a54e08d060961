/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ustar archives (POSIX.1-1988 tar) in memory. The archive is not trusted: sizes, names and
 * checksums are checked before a file is listed. */
#ifndef NOVART_DISK_ARCHIVE_H
#define NOVART_DISK_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_BLOCK    512
#define ARCHIVE_NAME_MAX 255 /* prefix (155), a slash and name (100), minus one */

/* A regular file of an archive. */
struct archive_file {
        char name[ARCHIVE_NAME_MAX + 1]; /* relative, without "./", "//" and ".." */
        const unsigned char *data;
        uint64_t size;
};

/* Position of a walk over an archive. */
struct archive {
        const unsigned char *bytes;
        size_t size;
        size_t offset;
        const char *error; /* reason why the walk ended early, one sentence; NULL: none */
};

/* Begins a walk. */
void archive_begin(struct archive *archive, const void *bytes, size_t size);

/* Advances to the next regular file and skips folders.
 * @return false at the end, or if the file is not a ustar archive; then @c error gives the reason
 */
bool archive_next(struct archive *archive, struct archive_file *file);

/* Checks a whole archive.
 * @return number of files, or -1 with @p error */
long archive_check(const void *bytes, size_t size, const char **error);

#endif
