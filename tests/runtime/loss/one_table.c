/* SPDX-License-Identifier: BSD-2-Clause */
/* A FAT file system whose second table is never written, for a variant of `files` that must fail
 * the test of a loss of power. */
#include "files/fat/fat.h"

int __real_fat_mount(struct files_disk *disk, struct files_system **system, const char **sentence);
int __wrap_fat_mount(struct files_disk *disk, struct files_system **system, const char **sentence);
int __wrap_fat_mount(struct files_disk *disk, struct files_system **system, const char **sentence)
{
        const int error = __real_fat_mount(disk, system, sentence);

        if (!error)
                ((struct fat *)*system)->table_count = 1;
        return error;
}
