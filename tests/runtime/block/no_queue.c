/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver ahci with a disk that reports no command queue, which all of QEMU's disks have. */
#include "ahci/command.h"

const char *__real_ahci_read_identity(const uint16_t *word, struct ahci_disk *disk);
const char *__wrap_ahci_read_identity(const uint16_t *word, struct ahci_disk *disk);

const char *__wrap_ahci_read_identity(const uint16_t *word, struct ahci_disk *disk)
{
        const char *wrong = __real_ahci_read_identity(word, disk);

        disk->depth = 0;
        return wrong;
}
