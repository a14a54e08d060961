/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands, and the description that a disk returns. */
#include "command.h"

#include <string.h>

#include "block/identity.h"

_Static_assert(sizeof(struct ahci_table) == 1024, "tables are aligned to 128 bytes");

#define FIS_COMMAND   0x27
#define FIS_IS_UPDATE 0x80 /* the FIS is a command */
#define DEVICE_BLOCKS 0x40 /* the address is a block number */
#define DISCARD_TRIM  1    /* value of the features field */
#define RANGE_SHIFT   48

/* Words of the description, and bits in them. */
#define GENERAL        0
#define NOT_ATA        0x8000
#define SERIAL_NUMBER  10
#define SERIAL_WORDS   10
#define MODEL          27
#define MODEL_WORDS    20
#define CAPABILITIES   49
#define HAS_DMA        0x0100
#define HAS_BLOCKS     0x0200
#define QUEUE_DEPTH    75 /* the word holds the depth minus 1 */
#define DEPTH_MASK     0x1f
#define SERIAL         76
#define HAS_QUEUE      0x0100
#define COMMANDS       83
#define LONG_ADDRESSES 0x0400
#define ENABLED        85
#define CACHE_ENABLED  0x0020
#define ENABLED_VALID  87
#define BLOCKS         100
#define SECTOR         106
#define LARGE_BLOCKS   0x1000
#define BLOCK_WORDS    117
#define DISCARD        169
#define HAS_DISCARD    0x0001

/* Returns true if a word is marked as valid. */
static bool is_valid(uint16_t word)
{
        return word >> 14 == 1;
}

const char *ahci_read_identity(const uint16_t *word, struct ahci_disk *disk)
{
        uint64_t bytes = 512;

        if (word[GENERAL] & NOT_ATA)
                return "the device is not an ATA disk.";
        if (!(word[CAPABILITIES] & HAS_DMA) || !(word[CAPABILITIES] & HAS_BLOCKS) ||
            !is_valid(word[COMMANDS]) || !(word[COMMANDS] & LONG_ADDRESSES))
                return "the disk has no DMA, or no addresses of 48 bits.";
        if (is_valid(word[SECTOR]) && word[SECTOR] & LARGE_BLOCKS)
                bytes = (word[BLOCK_WORDS] | (uint64_t)word[BLOCK_WORDS + 1] << 16) * 2;
        if (bytes < 512 || bytes > 4096 || bytes & (bytes - 1))
                return "the size of a block is not 512, 1024, 2048 or 4096.";
        disk->block_bytes = (uint32_t)bytes;
        disk->blocks = word[BLOCKS] | (uint64_t)word[BLOCKS + 1] << 16 |
                       (uint64_t)word[BLOCKS + 2] << 32 | (uint64_t)word[BLOCKS + 3] << 48;
        if (!disk->blocks || disk->blocks > 1ull << 48)
                return "the disk has no blocks, or too many.";
        disk->depth = 0;
        if (word[SERIAL] != 0xffff && word[SERIAL] & HAS_QUEUE)
                disk->depth = (word[QUEUE_DEPTH] & DEPTH_MASK) + 1u;
        disk->cache = !is_valid(word[ENABLED_VALID]) || word[ENABLED] & CACHE_ENABLED;
        disk->discard = word[DISCARD] != 0xffff && word[DISCARD] & HAS_DISCARD;
        disk->identity = block_identity_add(BLOCK_IDENTITY_BEGIN, &word[SERIAL_NUMBER],
                                            SERIAL_WORDS * sizeof(*word));
        disk->identity =
                block_identity_add(disk->identity, &word[MODEL], MODEL_WORDS * sizeof(*word));
        return NULL;
}

void ahci_set_command(struct ahci_table *table, uint8_t command, unsigned features, unsigned count,
                      uint64_t block)
{
        const uint8_t fis[20] = {
                [0] = FIS_COMMAND,
                [1] = FIS_IS_UPDATE,
                [2] = command,
                [3] = (uint8_t)features,
                [4] = (uint8_t)block,
                [5] = (uint8_t)(block >> 8),
                [6] = (uint8_t)(block >> 16),
                [7] = DEVICE_BLOCKS,
                [8] = (uint8_t)(block >> 24),
                [9] = (uint8_t)(block >> 32),
                [10] = (uint8_t)(block >> 40),
                [11] = (uint8_t)(features >> 8),
                [12] = (uint8_t)count,
                [13] = (uint8_t)(count >> 8),
        };

        memset(table->fis, 0, sizeof(table->fis));
        memcpy(table->fis, fis, sizeof(fis));
}

/* A count of 0 means AHCI_BLOCKS_MAX blocks. */
void ahci_set_transfer(struct ahci_table *table, bool write, bool queued, unsigned slot,
                       uint64_t block, uint32_t blocks)
{
        if (queued)
                ahci_set_command(table, write ? AHCI_WRITE_QUEUED : AHCI_READ_QUEUED,
                                 blocks & 0xffff, slot << 3, block);
        else
                ahci_set_command(table, write ? AHCI_WRITE : AHCI_READ, 0, blocks & 0xffff, block);
}

uint32_t ahci_set_discard(struct ahci_table *table, uint64_t block, uint32_t blocks)
{
        uint32_t all = 0;

        memset(table->range, 0, sizeof(table->range));
        for (unsigned i = 0; i < AHCI_RANGES && all < blocks; i++) {
                const uint32_t rest = blocks - all;
                const uint32_t count = rest < AHCI_RANGE_MAX ? rest : AHCI_RANGE_MAX;

                table->range[i] = (block + all) | (uint64_t)count << RANGE_SHIFT;
                all += count;
        }
        ahci_set_command(table, AHCI_DISCARD, DISCARD_TRIM, 1, 0);
        return all;
}

bool ahci_add_piece(struct ahci_table *table, unsigned count, uint64_t address, uint32_t bytes)
{
        if (count >= AHCI_PIECES || !bytes || bytes > AHCI_PIECE_MAX || bytes & 1 || address & 1)
                return false;
        table->piece[count] = (struct ahci_piece){.address = address, .last = bytes - 1};
        return true;
}
