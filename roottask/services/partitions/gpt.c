/* SPDX-License-Identifier: BSD-2-Clause */
/* GUID partition tables: a header and entries at the beginning of the disk, both with checksums,
 * and a copy of both at its end. */
#include <string.h>

#include "table.h"

/* Offsets in a header. UEFI 2.10, table 5.5 */
#define REVISION     8
#define HEADER_SIZE  12
#define HEADER_CRC   16
#define RESERVED     20
#define OWN_BLOCK    24
#define OTHER_BLOCK  32
#define FIRST_USABLE 40
#define LAST_USABLE  48
#define ENTRIES      72
#define ENTRY_COUNT  80
#define ENTRY_SIZE   84
#define ENTRIES_CRC  88
#define HEADER_MIN   92

/* Offsets in an entry. Table 5.6 */
#define TYPE      0
#define TYPE_SIZE 16
#define FIRST     32
#define LAST      40
#define NAME      56
#define ENTRY_MIN 128

/* Largest table that is read; larger ones are refused. Other systems use 128 entries of 128 bytes.
 */
#define ENTRY_COUNT_MAX 1024
#define ENTRY_SIZE_MAX  512

struct header {
        uint64_t other;       /* block of the other header */
        uint64_t first, last; /* blocks that partitions may use */
        uint64_t entries;     /* first block of the entries */
        uint32_t count, size; /* number and size of the entries */
        uint32_t crc;
};

/* [first, end) */
struct blocks {
        uint64_t first, end;
};

/* CRC-32 with the polynomial 0x04c11db7, input and output reflected. */
static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, uint32_t count)
{
        static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                            0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                            0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                            0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

        while (count-- > 0) {
                crc ^= *bytes++;
                crc = crc >> 4 ^ nibble[crc & 15];
                crc = crc >> 4 ^ nibble[crc & 15];
        }
        return crc;
}

static bool all_zero(const uint8_t *bytes, uint32_t count)
{
        while (count-- > 0)
                if (*bytes++)
                        return false;
        return true;
}

/* Checks the header in a block, and reads it. Clears the checksum in the block. */
static bool check_header(const struct table_disk *disk, uint64_t at, uint8_t *block,
                         struct header *header)
{
        const uint32_t size = table_le32(block + HEADER_SIZE);
        const uint32_t crc = table_le32(block + HEADER_CRC);

        if (memcmp(block, "EFI PART", 8) != 0 || table_le32(block + REVISION) >> 16 != 1 ||
            size < HEADER_MIN || size > disk->block_bytes || table_le32(block + RESERVED) ||
            table_le64(block + OWN_BLOCK) != at)
                return false;
        memset(block + HEADER_CRC, 0, 4);
        if (~crc_add(UINT32_MAX, block, size) != crc)
                return false;
        *header = (struct header){.other = table_le64(block + OTHER_BLOCK),
                                  .first = table_le64(block + FIRST_USABLE),
                                  .last = table_le64(block + LAST_USABLE),
                                  .entries = table_le64(block + ENTRIES),
                                  .count = table_le32(block + ENTRY_COUNT),
                                  .size = table_le32(block + ENTRY_SIZE),
                                  .crc = table_le32(block + ENTRIES_CRC)};
        return true;
}

static uint64_t entry_blocks(const struct table_disk *disk, const struct header *header)
{
        return ((uint64_t)header->count * header->size + disk->block_bytes - 1) / disk->block_bytes;
}

/* Checks the positions of entries and partitions, which must not overlap. */
static bool check_places(const struct table_disk *disk, const struct header *header)
{
        const uint32_t size = header->size;
        uint64_t blocks;

        if (size < ENTRY_MIN || size > ENTRY_SIZE_MAX || (size & (size - 1)) || !header->count ||
            header->count > ENTRY_COUNT_MAX)
                return false;
        blocks = entry_blocks(disk, header);
        return header->first >= 2 && header->last < disk->blocks - 1 &&
               header->first <= header->last && header->entries >= 2 &&
               header->entries < disk->blocks && blocks <= disk->blocks - header->entries &&
               (header->entries > header->last || header->entries + blocks <= header->first);
}

static const char *add_entry(struct table *table, const struct header *header, unsigned number,
                             const uint8_t *entry)
{
        const uint64_t first = table_le64(entry + FIRST), last = table_le64(entry + LAST);
        struct partition partition = {.number = number, .first = first};

        if (all_zero(entry + TYPE, TYPE_SIZE))
                return NULL;
        if (last < first || last > header->last)
                return "a partition ends before it begins, or outside the usable blocks.";
        partition.count = last - first + 1;
        for (unsigned i = 0; i < TABLE_NAME - 1; i++) {
                const unsigned c = entry[NAME + 2 * i] | (unsigned)entry[NAME + 2 * i + 1] << 8;

                if (!c)
                        break;
                partition.name[i] = c > ' ' && c < 0x7f ? (char)c : c == ' ' ? ' ' : '?';
        }
        return table_add(table, &partition, header->first, header->last + 1);
}

/* Reads all entries twice: for the checksum, then for the partitions. The disk may return different
 * data the second time, so each entry is checked when it is used. */
static const char *read_entries(const struct table_disk *disk, const struct header *header,
                                struct table *table)
{
        static uint8_t block[4096];
        uint32_t crc = UINT32_MAX, left = header->count * header->size;
        const uint32_t per_block = disk->block_bytes / header->size;

        for (uint64_t at = header->entries; left; at++) {
                const uint32_t now = left < disk->block_bytes ? left : disk->block_bytes;

                if (!disk->read(at, block))
                        return "the entries cannot be read.";
                crc = crc_add(crc, block, now);
                left -= now;
        }
        if (~crc != header->crc)
                return "the checksum of the entries is wrong.";
        for (uint32_t i = 0; i < header->count; i++) {
                if (i % per_block == 0 && !disk->read(header->entries + i / per_block, block))
                        return "the entries cannot be read.";

                const char *wrong =
                        add_entry(table, header, i + 1, block + i % per_block * header->size);

                if (wrong)
                        return wrong;
        }
        return NULL;
}

static bool has_blocks(const struct table *table, struct blocks blocks)
{
        for (unsigned i = 0; i < table->count; i++) {
                const struct partition *partition = &table->partition[i];

                if (partition->first < blocks.end &&
                    blocks.first < partition->first + partition->count)
                        return true;
        }
        return false;
}

/* Returns whether a partition contains blocks of the other copy of the table. The partition's
 * client could write these blocks, and so change the partitions of other clients. A damaged copy
 * may be repaired later, so the blocks next to its header count as its entries. */
static bool reaches_copy(const struct table_disk *disk, uint64_t at, const struct header *header,
                         const struct table *table)
{
        static uint8_t block[4096];
        const uint64_t places[] = {header->other, at == 1 ? disk->blocks - 1 : 1};
        const uint64_t count = entry_blocks(disk, header);
        struct header copy;

        for (unsigned i = 0; i < 2; i++) {
                const uint64_t place = places[i];
                struct blocks entries = {place + 1, place + 1 + count};

                if (place >= disk->blocks)
                        continue;
                if (place > at)
                        entries = (struct blocks){place - (place < count ? place : count), place};
                if (disk->read(place, block) && check_header(disk, place, block, &copy) &&
                    check_places(disk, &copy))
                        entries = (struct blocks){copy.entries,
                                                  copy.entries + entry_blocks(disk, &copy)};
                if (has_blocks(table, entries) ||
                    has_blocks(table, (struct blocks){place, place + 1}))
                        return true;
        }
        return false;
}

static const char *read_at(const struct table_disk *disk, uint64_t at, struct table *table)
{
        static uint8_t block[4096];
        struct header header;
        const char *wrong;

        table->count = 0;
        table->note = NULL;
        if (!disk->read(at, block))
                return "the header cannot be read.";
        if (!check_header(disk, at, block, &header) || !check_places(disk, &header))
                return "there is no valid header.";
        wrong = read_entries(disk, &header, table);
        if (!wrong && reaches_copy(disk, at, &header, table))
                wrong = "a partition contains a part of the other table.";
        return wrong;
}

const char *table_read_gpt(const struct table_disk *disk, struct table *table)
{
        const char *first = read_at(disk, 1, table), *second;

        table->kind = "GPT";
        if (!first)
                return NULL;
        second = read_at(disk, disk->blocks - 1, table);
        if (!second)
                table->note = "the table at the beginning is damaged; the one at the end is used.";
        else
                table->count = 0;
        return second ? first : NULL;
}
