/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of file systems. */
#include <errno.h>

#include "backend.h"

static const struct files_backend *const backends[] = {
        &files_fat,
        &files_squashfs,
        &files_ustar,
};

int files_mount(struct files_disk *disk, struct files_system **system, const char **sentence)
{
        *sentence = NULL;
        for (unsigned i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
                const int error = backends[i]->mount(disk, system, sentence);

                if (error != EILSEQ)
                        return error;
        }
        return EILSEQ;
}
