/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the kind of table that a disk has. */
#include "table.h"

#include <string.h>

#include "mbr.h"

const char *table_add(struct table *table, const struct partition *partition, uint64_t first,
                      uint64_t end)
{
        if (!partition->count || partition->first < first || partition->first >= end ||
            partition->count > end - partition->first)
                return "a partition is empty or lies outside of the disk.";
        for (unsigned i = 0; i < table->count; i++) {
                const struct partition *other = &table->partition[i];

                if (partition->first < other->first + other->count &&
                    other->first < partition->first + partition->count)
                        return "two partitions overlap.";
        }
        if (table->count == TABLE_PARTITIONS)
                table->note = "the disk has more than 128 partitions; the others are left out.";
        else
                table->partition[table->count++] = *partition;
        return NULL;
}

/* A GPT is used if the MBR refers to it, or if the MBR is missing. */
const char *table_read(const struct table_disk *disk, struct table *table)
{
        static uint8_t first[4096];

        memset(table, 0, sizeof(*table));
        if (disk->block_bytes < 512 || disk->block_bytes > sizeof(first) || disk->blocks < 2)
                return "the disk has no room for a table.";
        if (!disk->read(0, first))
                return "the first block cannot be read.";
        if (mbr_is_protective(first) || !mbr_is_signed(first))
                return table_read_gpt(disk, table);
        return table_read_mbr(disk, table, first);
}
