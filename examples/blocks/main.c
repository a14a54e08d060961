/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts the starts of the machine in block 0 of its partition. */
#include <stdio.h>
#include <string.h>

#include <novart/service/block.h>

struct record {
        char magic[8];
        unsigned starts;
};

static int count(struct nova_block *disk)
{
        static char block[4096]; /* the largest block */
        struct record *record = (struct record *)block;
        int error = nova_block_read(disk, 0, 1, block);

        if (error)
                return error;
        if (memcmp(record->magic, "starts", 7) != 0) {
                memset(block, 0, sizeof(block));
                memcpy(record->magic, "starts", 7);
        }
        record->starts++;
        error = nova_block_write(disk, 0, 1, block);
        if (!error)
                error = nova_block_flush(disk); /* now it survives a loss of power */
        if (!error)
                printf("start number %u of this disk\n", record->starts);
        return error;
}

int main(void)
{
        struct nova_block *disk;
        int error = nova_block_open(&disk, "partitions", "counter", 0);

        if (!error) {
                const struct nova_block_info *info = nova_block_get_info(disk);

                printf("%llu blocks of %u bytes\n", (unsigned long long)info->blocks,
                       (unsigned)info->block_bytes);
                error = count(disk);
                nova_block_close(disk);
        }
        if (error)
                printf("the disk: %s\n", strerror(error));
        return error ? 1 : 0;
}
