/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver ahci with a disk that reports no command queue. All of QEMU's disks report one, which
 * this wrapper hides from the driver. */
#include "ahci/command.h"

const char *__real_ahci_read_identity(const uint16_t *word, struct ahci_disk *disk);
const char *__wrap_ahci_read_identity(const uint16_t *word, struct ahci_disk *disk);

const char *__wrap_ahci_read_identity(const uint16_t *word, struct ahci_disk *disk)
{
        const char *wrong = __real_ahci_read_identity(word, disk);

        disk->depth = 0;
        return wrong;
}
