/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads partition tables: GPT (UEFI 2.10, 5.3) and MBR with logical partitions. The disk is not
 * trusted: every field is checked, every loop is bounded. */
#ifndef NOVART_PARTITIONS_TABLE_H
#define NOVART_PARTITIONS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_PARTITIONS 128 /* maximum number of partitions of a disk; others are left out */
#define TABLE_NAME       37  /* size of a name with its terminating 0 */

struct partition {
        unsigned number;       /* number of the partition as in other systems; at least 1 */
        uint64_t first, count; /* blocks */
        char name[TABLE_NAME]; /* name in a GPT; characters other than printable ASCII are '?' */
};

/* The disk. */
struct table_disk {
        uint64_t blocks;
        uint32_t block_bytes; /* 512 to 4096 */
        /* Reads one block. @return false: it failed */
        bool (*read)(uint64_t block, void *to);
};

struct table {
        const char *kind;  /* "GPT" or "MBR" */
        const char *note;  /* a sentence about damage; NULL: no damage */
        uint64_t identity; /* identity of the disk from which the table was read */
        unsigned count;
        struct partition partition[TABLE_PARTITIONS];
};

/* Reads the table of a disk. @return NULL, or a sentence with the reason why there is no table */
const char *table_read(const struct table_disk *disk, struct table *table);

/* Read a table of one kind, and return as table_read(). @p first: the disk's first block. */
const char *table_read_gpt(const struct table_disk *disk, struct table *table);
const char *table_read_mbr(const struct table_disk *disk, struct table *table,
                           const uint8_t *first);

/* Adds a partition. @return NULL, or a sentence if it is outside of [first, end) or overlaps
 * another one */
const char *table_add(struct table *table, const struct partition *partition, uint64_t first,
                      uint64_t end);

/* Reads numbers as they are on a disk. */
static inline uint32_t table_le32(const uint8_t *bytes)
{
        return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
               (uint32_t)bytes[3] << 24;
}

static inline uint64_t table_le64(const uint8_t *bytes)
{
        return table_le32(bytes) | (uint64_t)table_le32(bytes + 4) << 32;
}

#endif
