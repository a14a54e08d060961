/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the reader of archives: listed files must lie inside the archive, and names must not lead
 * outside. */
#include "archive.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Repairs the checksums of the first blocks, because random bytes never have valid ones. */
static void mend(uint8_t *block)
{
        unsigned sum = 0;

        memcpy(block + 257, "ustar", 5);
        memset(block + 148, ' ', 8);
        for (unsigned i = 0; i < ARCHIVE_BLOCK; i++)
                sum += block[i];
        for (unsigned i = 0; i < 6; i++)
                block[148 + i] = (uint8_t)('0' + (sum >> 3 * (5 - i) & 7));
        block[154] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t *bytes = malloc(size + 1);
        struct archive archive;
        struct archive_file file;
        const char *error;
        long count = 0;

        memcpy(bytes, data, size);
        for (size_t at = 0; size && at + ARCHIVE_BLOCK <= size; at += ARCHIVE_BLOCK)
                if (data[at] & 1)
                        mend(bytes + at);

        archive_begin(&archive, bytes, size);
        while (archive_next(&archive, &file)) {
                if (file.data < bytes || file.size > size || file.data + file.size > bytes + size ||
                    !file.name[0] || file.name[0] == '/' || !strncmp(file.name, "../", 3) ||
                    strstr(file.name, "/../"))
                        abort();
                count++;
        }
        if (archive_check(bytes, size, &error) != (archive.error ? -1 : count))
                abort();
        free(bytes);
        return 0;
}
