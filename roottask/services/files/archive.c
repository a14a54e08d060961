/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ustar archives in memory, and refuses all other files. */
#include "archive.h"

#include <string.h>

/* Fields of a header block, POSIX.1-1988, 10.1.1: offset and size. */
#define NAME_OFFSET     0
#define NAME_SIZE       100
#define SIZE_OFFSET     124
#define SIZE_SIZE       12
#define CHECKSUM_OFFSET 148
#define CHECKSUM_SIZE   8
#define TYPE_OFFSET     156
#define MAGIC_OFFSET    257
#define PREFIX_OFFSET   345
#define PREFIX_SIZE     155

void archive_begin(struct archive *archive, const void *bytes, size_t size)
{
        archive->bytes = (const unsigned char *)bytes;
        archive->size = size;
        archive->offset = 0;
        archive->error = NULL;
}

/* Reads an octal number, which ends at a blank, a zero byte or the end of the field. */
static bool read_octal(const unsigned char *field, size_t size, uint64_t *value)
{
        size_t i = 0;

        *value = 0;
        while (i < size && field[i] == ' ')
                i++;
        if (i == size || field[i] < '0' || field[i] > '7')
                return false;
        for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
                *value = *value * 8 + (unsigned)(field[i] - '0');
        return i == size || field[i] == ' ' || field[i] == 0;
}

static bool checksum_right(const unsigned char *block)
{
        uint64_t said, sum = 0;

        if (!read_octal(block + CHECKSUM_OFFSET, CHECKSUM_SIZE, &said))
                return false;
        for (size_t i = 0; i < ARCHIVE_BLOCK; i++)
                sum += i >= CHECKSUM_OFFSET && i < CHECKSUM_OFFSET + CHECKSUM_SIZE ? ' ' : block[i];
        return sum == said;
}

static bool all_zero(const unsigned char *block)
{
        for (size_t i = 0; i < ARCHIVE_BLOCK; i++)
                if (block[i])
                        return false;
        return true;
}

static size_t field_length(const unsigned char *field, size_t size)
{
        size_t length = 0;

        while (length < size && field[length])
                length++;
        return length;
}

/* Copies one part of a path, component by component, without "." and empty components. */
static bool append_path(char *name, size_t *length, const unsigned char *from, size_t size)
{
        size_t i = 0;

        while (i < size) {
                size_t end = i;

                while (end < size && from[end] != '/')
                        end++;
                const size_t part = end - i;

                if (part == 2 && from[i] == '.' && from[i + 1] == '.')
                        return false;
                if (part && !(part == 1 && from[i] == '.')) {
                        if (*length + (*length > 0) + part > ARCHIVE_NAME_MAX)
                                return false;
                        if (*length)
                                name[(*length)++] = '/';
                        memcpy(name + *length, from + i, part);
                        *length += part;
                }
                i = end + 1;
        }
        return true;
}

/* Copies the file's name. It must be printable and must not lead out of the archive. */
static bool read_name(const unsigned char *block, char *name)
{
        const unsigned char *prefix = block + PREFIX_OFFSET;
        size_t length = 0;

        if (!append_path(name, &length, prefix, field_length(prefix, PREFIX_SIZE)) ||
            !append_path(name, &length, block + NAME_OFFSET,
                         field_length(block + NAME_OFFSET, NAME_SIZE)))
                return false;
        name[length] = 0;
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
                        return false;
        return length > 0;
}

static bool fail(struct archive *archive, const char *error)
{
        archive->error = error;
        return false;
}

/* Checks the header at the archive's position, and advances past its data. */
static bool read_entry(struct archive *archive, struct archive_file *file, bool *regular)
{
        const unsigned char *block = archive->bytes + archive->offset;
        uint64_t size;

        if (memcmp(block + MAGIC_OFFSET, "ustar", 5) != 0)
                return fail(archive, "a header is not in ustar format; create the archive with tar "
                                     "--format=ustar.");
        if (!checksum_right(block))
                return fail(archive,
                            "the checksum of a header is wrong; create the archive again.");
        if (!read_octal(block + SIZE_OFFSET, SIZE_SIZE, &size))
                return fail(archive, "the size of a file is not an octal number.");
        archive->offset += ARCHIVE_BLOCK;
        if (size > archive->size - archive->offset)
                return fail(archive, "a file extends past the end of the archive.");

        const unsigned char type = block[TYPE_OFFSET];

        /* Entries with which GNU tar and pax describe the next file. Without them, its name or data
         * would be wrong. */
        if (type == 'L' || type == 'K' || type == 'S' || type == 'x')
                return fail(archive, "an entry is not in ustar format; create the archive with tar "
                                     "--format=ustar.");
        *regular = type == '0' || type == 0;
        file->data = archive->bytes + archive->offset;
        file->size = size;
        if (*regular && !read_name(block, file->name))
                return fail(
                        archive,
                        "the name of a file is empty or too long, or leads out of the archive.");

        const size_t left = archive->size - archive->offset;
        const size_t step = ((size_t)size + ARCHIVE_BLOCK - 1) & ~(size_t)(ARCHIVE_BLOCK - 1);

        archive->offset += step < left ? step : left;
        return true;
}

bool archive_next(struct archive *archive, struct archive_file *file)
{
        bool regular = false;

        while (!archive->error && !regular) {
                if (archive->size - archive->offset < ARCHIVE_BLOCK) {
                        if (archive->offset != archive->size || !archive->size)
                                return fail(archive, "the archive ends inside a header.");
                        return false;
                }
                if (all_zero(archive->bytes + archive->offset))
                        return false;
                if (!read_entry(archive, file, &regular))
                        return false;
        }
        return regular;
}

long archive_check(const void *bytes, size_t size, const char **error)
{
        struct archive archive;
        struct archive_file file;
        long count = 0;

        archive_begin(&archive, bytes, size);
        while (archive_next(&archive, &file))
                count++;
        *error = archive.error;
        return archive.error ? -1 : count;
}
