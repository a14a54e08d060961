/* SPDX-License-Identifier: BSD-2-Clause */
/* Master boot records: four primary partitions, one of which may contain a chain of logical ones.
 */
#include "mbr.h"

#include <string.h>

#include "table.h"

#define ENTRIES     446 /* offset of the entries */
#define ENTRY_BYTES 16
#define SIGNATURE   510

/* Offsets in an entry. */
#define STATUS 0 /* 0x80: active, else 0 */
#define TYPE   4
#define FIRST  8
#define COUNT  12

#define TYPE_EXTENDED_CHS   0x05
#define TYPE_EXTENDED       0x0f
#define TYPE_EXTENDED_LINUX 0x85
#define TYPE_PROTECTIVE     0xee

static const uint8_t *entry_of(const uint8_t *block, unsigned index)
{
        return block + ENTRIES + index * ENTRY_BYTES;
}

static bool is_extended(const uint8_t *entry)
{
        return entry[TYPE] == TYPE_EXTENDED || entry[TYPE] == TYPE_EXTENDED_CHS ||
               entry[TYPE] == TYPE_EXTENDED_LINUX;
}

bool mbr_is_signed(const uint8_t *block)
{
        return block[SIGNATURE] == 0x55 && block[SIGNATURE + 1] == 0xaa;
}

bool mbr_is_protective(const uint8_t *block)
{
        for (unsigned i = 0; i < 4; i++)
                if (entry_of(block, i)[TYPE] == TYPE_PROTECTIVE)
                        return mbr_is_signed(block);
        return false;
}

/* Returns true if a partition contains a block of the chain. Its client could then write the chain,
 * and so change the partitions of other clients. */
static bool has_link(const struct table *table, const uint64_t *links, unsigned count)
{
        for (unsigned i = 0; i < table->count; i++) {
                const struct partition *partition = &table->partition[i];

                for (unsigned k = 0; k < count; k++)
                        if (links[k] - partition->first < partition->count)
                                return true;
        }
        return false;
}

/* Follows the chain in an extended partition. Each link has one partition, relative to the link, or
 * none, and the position of the next link, relative to the extended partition. */
static const char *read_chain(const struct table_disk *disk, struct table *table, uint64_t begin,
                              uint64_t count)
{
        static uint8_t block[4096];
        static uint64_t links[TABLE_PARTITIONS];
        uint64_t link = begin;
        unsigned number = 5; /* of the next partition; links without one have no number */

        for (unsigned i = 0; i < TABLE_PARTITIONS; i++) {
                links[i] = link;
                if (!disk->read(link, block))
                        return "the chain of logical partitions cannot be read.";
                if (!mbr_is_signed(block))
                        return "the chain of logical partitions is broken.";

                const uint8_t *entry = entry_of(block, 0), *next = entry_of(block, 1);
                const struct partition partition = {.number = number,
                                                    .first = link + table_le32(entry + FIRST),
                                                    .count = table_le32(entry + COUNT)};
                const char *wrong =
                        entry[TYPE] ? table_add(table, &partition, link + 1, begin + count) : NULL;

                if (wrong)
                        return wrong;
                number += entry[TYPE] != 0;
                if (!is_extended(next))
                        return has_link(table, links, i + 1)
                                       ? "a partition contains a part of the chain of logical "
                                         "partitions."
                                       : NULL;
                if (!table_le32(next + FIRST) || table_le32(next + FIRST) >= count)
                        return "the chain of logical partitions leads outside the extended "
                               "partition.";
                link = begin + table_le32(next + FIRST);
        }
        return "the chain of logical partitions does not end.";
}

const char *table_read_mbr(const struct table_disk *disk, struct table *table, const uint8_t *first)
{
        const uint8_t *extended = NULL;
        unsigned at = 0; /* index of the extended partition */

        table->kind = "MBR";
        for (unsigned i = 0; i < 4; i++) {
                const uint8_t *entry = entry_of(first, i);
                const struct partition partition = {.number = i + 1,
                                                    .first = table_le32(entry + FIRST),
                                                    .count = table_le32(entry + COUNT)};
                const char *wrong;

                if (entry[STATUS] & 0x7f)
                        return "the first block has no partition table.";
                if (!entry[TYPE])
                        continue;
                wrong = table_add(table, &partition, 1, disk->blocks);
                if (wrong)
                        return wrong;
                if (!is_extended(entry))
                        continue;
                if (extended)
                        return "there are two extended partitions.";
                extended = entry;
                at = table->count - 1;
        }
        if (extended) /* not a partition itself; its range was checked */
                memmove(&table->partition[at], &table->partition[at + 1],
                        (--table->count - at) * sizeof(table->partition[0]));
        if (!table->count && !extended)
                return "the table has no partition.";
        return extended ? read_chain(disk, table, table_le32(extended + FIRST),
                                     table_le32(extended + COUNT))
                        : NULL;
}
