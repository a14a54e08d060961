/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the readers of partition tables: an MBR with a chain of logical partitions, or a GPT,
 * whose checksums the test corrects. All partitions must lie on the disk and share no block, reads
 * must stay on the disk, and their number must have a bound. The disk may return different data at
 * the second read. */
#include "disk_table.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS      96
#define BLOCK_MAX   4096
#define READS       6000 /* of one input: three times all entries of both tables, in small blocks */
#define HEADER_SIZE 92

/* The first bytes of an input. */
struct choice {
        uint8_t kind;  /* 0: the bytes as they are; 1: a GPT; 2: only the GPT at the end */
        uint8_t shift; /* of the size of blocks */
        uint8_t change_block, change_at;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t image[BLOCKS * BLOCK_MAX];
static uint32_t block_bytes;
static struct choice choice;
static unsigned reads, reads_of[BLOCKS];

static bool read_block(uint64_t block, void *to)
{
        if (block >= BLOCKS || reads++ > READS)
                abort();
        memcpy(to, image + block * block_bytes, block_bytes);
        if (reads_of[block]++ && block == choice.change_block)
                ((uint8_t *)to)[choice.change_at * 4 % block_bytes] ^= 0xff;
        return true;
}

/* Repairs the header in a block, so that the reader reads on after it. */
static void mend(uint64_t at)
{
        uint8_t *const header = image + at * block_bytes;
        const uint64_t entries = table_le64(header + 72);
        const uint64_t bytes = (uint64_t)table_le32(header + 80) * table_le32(header + 84);

        memcpy(header, "EFI PART\0\0\1", 12);
        table_put(header + 12, HEADER_SIZE, 4);
        table_put(header + 20, 0, 4);
        table_put(header + 24, at, 8);
        if (entries < BLOCKS && bytes <= sizeof(image) - entries * block_bytes)
                table_put(header + 88, table_crc(image + entries * block_bytes, (size_t)bytes), 4);
        table_put(header + 16, 0, 4);
        table_put(header + 16, table_crc(header, HEADER_SIZE), 4);
}

static void make(const uint8_t *data, size_t size)
{
        const size_t whole = (size_t)BLOCKS * block_bytes;

        memset(image, 0, sizeof(image));
        memcpy(image, data, size < whole ? size : whole);
        if (choice.kind % 3 == 0) { /* the signature, also in the blocks of a chain */
                for (unsigned i = 0; i < BLOCKS; i++)
                        table_put(image + i * block_bytes + 510, 0xaa55, 2);
                return;
        }
        memcpy(image + (size_t)(BLOCKS - 1) * block_bytes, image + block_bytes, HEADER_SIZE);
        table_put(image + 510, 0, 2);
        if (choice.kind % 3 == 1)
                mend(1);
        mend(BLOCKS - 1);
}

static void check(const struct table *table)
{
        if (table->count > TABLE_PARTITIONS)
                abort();
        for (unsigned i = 0; i < table->count; i++) {
                const struct partition *const p = &table->partition[i];

                if (!p->number || !p->count || !p->first || p->first >= BLOCKS ||
                    p->count > BLOCKS - p->first || !memchr(p->name, 0, sizeof(p->name)))
                        abort();
                for (unsigned k = 0; k < i; k++) {
                        const struct partition *const o = &table->partition[k];

                        if (p->first < o->first + o->count && o->first < p->first + p->count)
                                abort();
                }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct table_disk disk = {.blocks = BLOCKS, .read = read_block};
        struct table table;

        if (size < sizeof(choice))
                return 0;
        memcpy(&choice, data, sizeof(choice));
        block_bytes = disk.block_bytes = 512u << choice.shift % 4;
        reads = 0;
        memset(reads_of, 0, sizeof(reads_of));
        make(data + sizeof(choice), size - sizeof(choice));
        if (!table_read(&disk, &table))
                check(&table);
        return 0;
}
