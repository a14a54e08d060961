/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of clusters: for each cluster the next one of its chain. */
#include <errno.h>

#include "fat.h"

#define FREE      0
#define LAST      0x0fffffffu /* cut to the width of an entry */
#define END_FIRST 0x0ffffff8u /* smallest mark of a chain's end */

static uint32_t mask(const struct fat *fat)
{
        return fat->kind == 12 ? 0xfff : fat->kind == 16 ? 0xffff : 0x0fffffff;
}

/* Finds the byte at an offset in the table, and its sector. */
static int find_byte(struct fat *fat, uint32_t offset, uint32_t *sector, uint8_t **byte)
{
        const int error = fat_sector(fat, fat->table + offset / fat->sector_bytes, byte);

        *sector = fat->table + offset / fat->sector_bytes;
        if (!error)
                *byte += offset % fat->sector_bytes;
        return error;
}

/* An entry of FAT12 has 12 bits and may lie in two sectors. */
static int get12(struct fat *fat, uint32_t cluster, uint32_t *value)
{
        const uint32_t offset = cluster + cluster / 2;
        uint8_t *low, *high;
        uint32_t sector;
        int error = find_byte(fat, offset, &sector, &low);

        if (!error)
                error = find_byte(fat, offset + 1, &sector, &high);
        if (!error)
                *value = ((uint32_t)*low | (uint32_t)*high << 8) >> (cluster % 2 ? 4 : 0) & 0xfff;
        return error;
}

/* Changes each byte directly after fat_sector_change() has permitted a change of its sector. To
 * make room for the second sector, the cache may write the first one, which then no longer counts
 * as changed. If there is no room, the disk has refused to write the first sector, so its byte can
 * be restored. */
static int put12(struct fat *fat, uint32_t cluster, uint32_t value)
{
        const uint32_t offset = cluster + cluster / 2;
        const bool odd = cluster % 2;
        uint8_t *low, *high, old;
        uint32_t low_sector, high_sector;
        int error = find_byte(fat, offset, &low_sector, &low);

        if (!error)
                error = find_byte(fat, offset + 1, &high_sector, &high);
        if (!error)
                error = fat_sector_change(fat, low_sector);
        if (error)
                return error;
        old = *low;
        *low = (uint8_t)(odd ? (*low & 0x0f) | value << 4 : value);
        error = fat_sector_change(fat, high_sector);
        if (error)
                *low = old;
        else
                *high = (uint8_t)(odd ? value >> 4 : (*high & 0xf0) | value >> 8);
        return error;
}

static int get(struct fat *fat, uint32_t cluster, uint32_t *value)
{
        uint32_t sector;
        uint8_t *at;
        int error;

        if (fat->kind == 12)
                return get12(fat, cluster, value);
        error = find_byte(fat, cluster * (fat->kind / 8), &sector, &at);
        if (!error)
                *value = (fat->kind == 16 ? fat_get16(at) : fat_get32(at)) & mask(fat);
        return error;
}

static int put(struct fat *fat, uint32_t cluster, uint32_t value)
{
        uint32_t sector;
        uint8_t *at;
        int error;

        value &= mask(fat);
        if (fat->kind == 12)
                return put12(fat, cluster, value);
        error = find_byte(fat, cluster * (fat->kind / 8), &sector, &at);
        if (!error)
                error = fat_sector_change(fat, sector);
        if (error)
                return error;
        if (fat->kind == 16)
                fat_put16(at, value);
        else
                fat_put32(at, (fat_get32(at) & ~mask(fat)) | value);
        return 0;
}

int fat_table_next(struct fat *fat, uint32_t cluster, uint32_t *next)
{
        const int error = get(fat, cluster, next);

        if (error)
                return error;
        if (*next >= (END_FIRST & mask(fat)))
                *next = 0;
        else if (*next < 2 || *next > fat->last)
                return EIO;
        return 0;
}

int fat_table_link(struct fat *fat, uint32_t cluster, uint32_t next)
{
        return put(fat, cluster, next ? next : LAST);
}

bool fat_table_is_split(const struct fat *fat, uint32_t cluster)
{
        return fat->kind == 12 &&
               (cluster + cluster / 2) % fat->sector_bytes == fat->sector_bytes - 1;
}

/* Looks for a free cluster from @p at to the end of its group. A group that is known to be full is
 * not read, so that a client that fills the disk again and again cannot make each search long.
 * @return 0; ENOSPC: there is none, and @p at is the first cluster after the group */
static int search_group(struct fat *fat, uint32_t *at)
{
        const uint32_t group = fat->group ? *at / fat->group : 0;
        const uint32_t begin = group * fat->group;
        const uint32_t left = fat->last + 1 - begin;
        const uint32_t end = begin + (fat->group && fat->group < left ? fat->group : left);
        const bool is_whole = *at <= (begin < 2 ? 2 : begin);

        if (fat->full[group / 8] >> group % 8 & 1)
                *at = end;
        for (; *at < end; ++*at) {
                uint32_t value = LAST;
                const int error = fat_table_is_split(fat, *at) ? 0 : get(fat, *at, &value);

                if (error || value == FREE)
                        return error;
        }
        if (is_whole && fat->group)
                fat->full[group / 8] |= (uint8_t)(1u << group % 8);
        return ENOSPC;
}

/* Looks for a free cluster in the groups from @p cluster to before @p end. */
static int search_groups(struct fat *fat, uint32_t *cluster, uint32_t end)
{
        int error = ENOSPC;

        while (error == ENOSPC && *cluster < end)
                error = search_group(fat, cluster);
        return error;
}

int fat_table_allocate(struct fat *fat, uint32_t *cluster)
{
        const uint32_t start = fat->hint < 2 || fat->hint > fat->last ? 2 : fat->hint;
        int error;

        *cluster = start;
        error = search_groups(fat, cluster, fat->last + 1);
        if (error == ENOSPC) {
                *cluster = 2;
                error = search_groups(fat, cluster, start);
        }
        if (error == ENOSPC) {
                fat->info_stale = fat->info_stale || fat->free;
                fat->free = 0;
        }
        if (!error)
                error = put(fat, *cluster, LAST);
        if (error)
                return error;
        fat_sector_forget(fat, fat_cluster_sector(fat, *cluster), fat->cluster_sectors);
        fat->hint = *cluster + 1;
        if (fat->free != UINT32_MAX && fat->free)
                fat->free--;
        fat->info_stale = true;
        return 0;
}

int fat_table_free(struct fat *fat, uint32_t first)
{
        uint32_t next = first;

        while (next) {
                const uint32_t cluster = next;
                int error = cluster < 2 || cluster > fat->last
                                    ? EIO
                                    : fat_table_next(fat, cluster, &next);

                /* if a damaged chain leads to a free cluster, fat_table_next() fails */
                if (!error)
                        error = put(fat, cluster, FREE);
                if (error)
                        return error;
                if (fat->group)
                        fat->full[cluster / fat->group / 8] &=
                                (uint8_t) ~(1u << cluster / fat->group % 8);
                if (fat->free < fat->last - 1)
                        fat->free++;
                fat->info_stale = true;
        }
        return 0;
}

int fat_table_count(struct fat *fat)
{
        uint32_t count = 0;

        for (uint32_t cluster = 2; cluster <= fat->last; cluster++) {
                uint32_t value = LAST;
                const int error = fat_table_is_split(fat, cluster) ? 0 : get(fat, cluster, &value);

                if (error)
                        return error;
                count += value == FREE;
        }
        if (count != fat->free)
                fat->info_stale = true;
        fat->free = count;
        fat->counted = true;
        return 0;
}
