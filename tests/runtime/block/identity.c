/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of a disk and of its partition, while the driver ends and starts again with another
 * disk. Arguments: the services. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/service/block.h"

#define READS 150 /* the driver ends within this number of reads */

static char data[512];

static void require(const char *what, int error, int wanted)
{
        if (error == wanted)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

int main(int argc, char **argv)
{
        struct nova_block *disk, *partition, *other;
        struct nova_block_result result;
        int error = 0;

        if (argc < 3)
                return 1;
        require("open", nova_block_open(&disk, argv[1], NULL, 0), 0);
        require("open", nova_block_open(&partition, argv[2], NULL, 0), 0);
        if (!nova_block_get_info(disk)->identity ||
            nova_block_get_info(disk)->identity != nova_block_get_info(partition)->identity) {
                printf("the disk and its partition do not have one identity\n");
                return 1;
        }
        for (unsigned i = 0; i < READS && !error; i++)
                error = nova_block_read(disk, 0, 1, data);
        require("a read of another disk", error, ENODEV);
        require("a write to another disk", nova_block_write(disk, 0, 1, data), ENODEV);
        require("a result", nova_block_reap(disk, &result), ECONNRESET);
        require("a write to its partition", nova_block_write(partition, 0, 1, data), ENODEV);
        require("a session with it", nova_block_open(&other, argv[2], NULL, 0), ENODEV);
        require("a new session", nova_block_open(&other, argv[1], NULL, 0), 0);
        require("a read in it", nova_block_read(other, 0, 1, data), 0);
        puts("the sessions refuse the other disk");
        return 0;
}
