/* SPDX-License-Identifier: BSD-2-Clause */
/* Sectors: a cache for those of the table and of folders, and the data of files. */
#include <errno.h>
#include <string.h>

#include "fat.h"

/* Number of groups that fat_mend() fails to mend before it leaves the others to the next call. */
#define MEND_FAILURES 4

static int disk_read(struct fat *fat, uint32_t sector, void *to, uint32_t count)
{
        struct files_disk *disk = fat->system.disk;

        return disk->read(disk, (uint64_t)sector * fat->sector_bytes, to,
                          (size_t)count * fat->sector_bytes);
}

static int disk_write(struct fat *fat, uint32_t sector, const void *from, uint32_t count)
{
        struct files_disk *disk = fat->system.disk;

        if (fat->system.read_only)
                return EROFS;
        fat->unflushed = true;
        return disk->write(disk, (uint64_t)sector * fat->sector_bytes, from,
                           (size_t)count * fat->sector_bytes);
}

static bool in_table(const struct fat *fat, uint32_t sector)
{
        return sector >= fat->table && sector - fat->table < fat->table_sectors;
}

static bool is_stale(const struct fat *fat, uint32_t group)
{
        return fat->stale[group / 8] >> group % 8 & 1;
}

/* Records that the other copies of the table differ from the first one. A bit stands for a group of
 * sectors, so that the record outlives the sector in the cache. */
static void set_stale(struct fat *fat, uint32_t sector)
{
        const uint32_t group = (sector - fat->table) / fat->stale_sectors;

        if (!is_stale(fat, group))
                fat->copies_told = false;
        fat->stale[group / 8] |= (uint8_t)(1u << group % 8);
        fat->copies_differ = true;
}

/* Writes a sector to the other copies of the table. */
static int write_copies(struct fat *fat, uint32_t sector, const void *bytes)
{
        int error = 0;

        for (uint32_t i = 1; i < fat->table_count && !error; i++)
                error = disk_write(fat, sector + i * fat->table_sectors, bytes, 1);
        return error;
}

/* Writes a sector; writes a sector of the table to all copies. Only the first copy is in use, so a
 * write succeeds even if it fails for the others. fat_mend() then writes the others again. */
static int write_cached(struct fat *fat, struct fat_cached *cached)
{
        const int error = disk_write(fat, cached->sector, cached->bytes, 1);

        cached->stuck = error && cached->dirty;
        if (error)
                return error;
        if (in_table(fat, cached->sector) && write_copies(fat, cached->sector, cached->bytes))
                set_stale(fat, cached->sector);
        cached->dirty = false;
        return 0;
}

static struct fat_cached *find(struct fat *fat, uint32_t sector)
{
        for (unsigned i = 0; i < FAT_CACHE; i++)
                if (fat->cache[i].sector == sector)
                        return &fat->cache[i];
        return NULL;
}

/* Returns the least recently used sector that the disk has not refused; NULL: there is none.
 * @p dirty: considers only changed sectors */
static struct fat_cached *oldest(struct fat *fat, bool dirty)
{
        struct fat_cached *found = NULL;

        for (unsigned i = 0; i < FAT_CACHE; i++) {
                struct fat_cached *cached = &fat->cache[i];

                if (!cached->stuck && (cached->dirty || !dirty) &&
                    (!found || cached->used < found->used))
                        found = cached;
        }
        return found;
}

/* Finds room for another sector. A sector that the disk refuses stays in the cache, and another
 * one makes room: otherwise no client could read any more. There is always room, because only
 * changed sectors are stuck, and at most FAT_STUCK_MAX are changed. */
static struct fat_cached *make_room(struct fat *fat)
{
        struct fat_cached *cached;

        do
                cached = oldest(fat, false);
        while (cached->dirty && write_cached(fat, cached));
        return cached;
}

int fat_sector(struct fat *fat, uint32_t sector, uint8_t **bytes)
{
        struct fat_cached *cached = find(fat, sector);
        int error;

        if (!cached) {
                cached = make_room(fat);
                cached->sector = UINT32_MAX;
                error = disk_read(fat, sector, cached->bytes, 1);
                if (error)
                        return error;
                cached->sector = sector;
        }
        cached->used = ++fat->time;
        *bytes = cached->bytes;
        return 0;
}

/* A write that reports an error may have taken effect. Then it counts as done: otherwise callers
 * would undo other changes, and the undone changes would contradict this sector on the disk. */
int fat_sector_write(struct fat *fat, uint32_t sector)
{
        struct fat_cached *cached = find(fat, sector);
        const int error = write_cached(fat, cached);

        fat->doubt = false;
        if (!error)
                return 0;
        if (disk_read(fat, sector, fat->bounce, 1))
                fat->doubt = true;
        else if (memcmp(fat->bounce, cached->bytes, fat->sector_bytes) == 0)
                return 0;
        cached->sector = UINT32_MAX; /* it must be read again: its content is unknown */
        return error;
}

static unsigned count_dirty(const struct fat *fat)
{
        unsigned count = 0;

        for (unsigned i = 0; i < FAT_CACHE; i++)
                count += fat->cache[i].dirty;
        return count;
}

int fat_sector_change(struct fat *fat, uint32_t sector)
{
        struct fat_cached *const cached = find(fat, sector);

        while (!cached->dirty && count_dirty(fat) >= FAT_STUCK_MAX) {
                struct fat_cached *const other = oldest(fat, true);

                if (!other)
                        return EIO;
                write_cached(fat, other);
        }
        cached->dirty = true;
        return 0;
}

void fat_sector_forget(struct fat *fat, uint32_t first, uint32_t count)
{
        for (unsigned i = 0; i < FAT_CACHE; i++)
                if (fat->cache[i].sector - first < count)
                        fat->cache[i].sector = UINT32_MAX;
}

/* Returns the number of bytes, beginning at an offset in a sector, that the next transfer moves:
 * whole sectors, or a part of one sector. */
static size_t part_bytes(const struct fat *fat, uint32_t offset, size_t bytes)
{
        const uint32_t size = fat->sector_bytes;

        if (!offset && bytes >= size)
                return bytes - bytes % size;
        return bytes < size - offset ? bytes : size - offset;
}

static int part_read(struct fat *fat, uint32_t sector, uint32_t offset, uint8_t *to, size_t bytes)
{
        int error;

        if (bytes >= fat->sector_bytes)
                return disk_read(fat, sector, to, (uint32_t)(bytes / fat->sector_bytes));
        error = disk_read(fat, sector, fat->bounce, 1);
        if (!error)
                memcpy(to, fat->bounce + offset, bytes);
        return error;
}

static int part_write(struct fat *fat, uint32_t sector, uint32_t offset, const uint8_t *from,
                      size_t bytes)
{
        int error;

        if (bytes >= fat->sector_bytes)
                return disk_write(fat, sector, from, (uint32_t)(bytes / fat->sector_bytes));
        error = disk_read(fat, sector, fat->bounce, 1);
        if (error)
                return error;
        memcpy(fat->bounce + offset, from, bytes);
        return disk_write(fat, sector, fat->bounce, 1);
}

int fat_data_read(struct fat *fat, uint32_t sector, uint32_t offset, void *to, size_t bytes)
{
        const uint32_t size = fat->sector_bytes;
        int error = 0;

        for (size_t done = 0, part; !error && done < bytes; done += part) {
                const uint64_t at = offset + (uint64_t)done;

                part = part_bytes(fat, (uint32_t)(at % size), bytes - done);
                error = part_read(fat, sector + (uint32_t)(at / size), (uint32_t)(at % size),
                                  (uint8_t *)to + done, part);
        }
        return error;
}

int fat_data_write(struct fat *fat, uint32_t sector, uint32_t offset, const void *from,
                   size_t bytes)
{
        const uint32_t size = fat->sector_bytes;
        int error = 0;

        for (size_t done = 0, part; !error && done < bytes; done += part) {
                const uint64_t at = offset + (uint64_t)done;

                part = part_bytes(fat, (uint32_t)(at % size), bytes - done);
                error = part_write(fat, sector + (uint32_t)(at / size), (uint32_t)(at % size),
                                   (const uint8_t *)from + done, part);
        }
        return error;
}

int fat_data_zero(struct fat *fat, uint32_t sector, uint32_t count)
{
        int error = 0;

        fat_sector_forget(fat, sector, count);
        memset(fat->bounce, 0, fat->sector_bytes);
        while (count-- && !error)
                error = disk_write(fat, sector++, fat->bounce, 1);
        return error;
}

int fat_flush_ordered(struct fat *fat)
{
        int error = 0;

        for (unsigned i = 0; i < FAT_CACHE && !error; i++)
                if (fat->cache[i].dirty)
                        error = write_cached(fat, &fat->cache[i]);
        if (error || !fat->unflushed)
                return error;
        error = fat->system.disk->flush(fat->system.disk);
        if (!error)
                fat->unflushed = false;
        return error;
}

/* Writes the count of free clusters, which only saves other systems the work of counting. If this
 * fails, the next call tries again. */
static void write_info(struct fat *fat)
{
        uint8_t *bytes;
        int error;

        if (!fat->info || !fat->info_stale || fat->free == UINT32_MAX)
                return;
        error = fat_sector(fat, fat->info, &bytes);
        if (!error) {
                fat_put32(bytes + 488, fat->free);
                fat_put32(bytes + 492, fat->hint);
                error = fat_sector_write(fat, fat->info);
        }
        fat->info_stale = fat->info_refused = error != 0;
}

/* Writes the sectors of a group to the other copies of the table. */
static int mend_group(struct fat *fat, uint32_t group)
{
        const uint32_t first = group * fat->stale_sectors;
        int error = 0;

        for (uint32_t i = first; i < first + fat->stale_sectors && !error; i++) {
                uint8_t *bytes;

                if (i >= fat->table_sectors)
                        break;
                error = fat_sector(fat, fat->table + i, &bytes);
                if (!error)
                        error = write_copies(fat, fat->table + i, bytes);
        }
        return error;
}

/* Makes the copies of the table equal again, after writes that the disk has refused. A disk may
 * take seconds to refuse a write, so each call stops after MEND_FAILURES groups that it cannot
 * mend. The next call begins after them, so it reaches the other groups. */
static void mend_copies(struct fat *fat)
{
        static const uint8_t none[sizeof(fat->stale)];
        const uint32_t first = fat->mend_next;
        unsigned failures = 0;

        for (uint32_t i = 0; i < FAT_GROUPS && failures < MEND_FAILURES; i++) {
                const uint32_t group = (first + i) % FAT_GROUPS;

                if (!is_stale(fat, group))
                        continue;
                fat->mend_next = (group + 1) % FAT_GROUPS;
                if (mend_group(fat, group))
                        failures++;
                else
                        fat->stale[group / 8] &= (uint8_t) ~(1u << group % 8);
        }
        fat->copies_differ = memcmp(fat->stale, none, sizeof(none)) != 0;
}

int fat_flush(struct fat *fat)
{
        write_info(fat);
        return fat_flush_ordered(fat);
}

/* The first table is already written, so that no copy is newer. */
int fat_mend(struct fat *fat)
{
        if (!fat->copies_differ)
                return 0;
        mend_copies(fat);
        return fat_flush_ordered(fat);
}
