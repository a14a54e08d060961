/* SPDX-License-Identifier: BSD-2-Clause */
/* Sectors: a cache for those of the table and of folders, and the data of files. */
#include <errno.h>
#include <string.h>

#include "fat.h"

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

/* Writes a sector; writes a sector of the table to all copies. Only the first copy is in use, so
 * the write succeeds without the others. */
static int write_cached(struct fat *fat, struct fat_cached *cached)
{
        const uint32_t copies = in_table(fat, cached->sector) ? fat->table_count : 1;
        const int error = disk_write(fat, cached->sector, cached->bytes, 1);

        cached->stuck = error && cached->dirty;
        if (error)
                return error;
        for (uint32_t i = 1; i < copies; i++)
                if (disk_write(fat, cached->sector + i * fat->table_sectors, cached->bytes, 1))
                        fat->copy_failed = true;
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

/* Returns the sector whose last use is the oldest; omits stuck ones, unless there are too many. */
static struct fat_cached *oldest(struct fat *fat)
{
        struct fat_cached *found = NULL;
        unsigned stuck = 0;

        for (unsigned i = 0; i < FAT_CACHE; i++)
                stuck += fat->cache[i].stuck;
        for (unsigned i = 0; i < FAT_CACHE; i++) {
                struct fat_cached *cached = &fat->cache[i];

                if ((!cached->stuck || stuck >= FAT_STUCK_MAX) &&
                    (!found || cached->used < found->used))
                        found = cached;
        }
        return found;
}

/* Finds room for another sector. A sector that the disk refuses stays in the cache, and the room of
 * another one is taken: otherwise no client could read any more. */
static int make_room(struct fat *fat, struct fat_cached **room)
{
        for (;;) {
                struct fat_cached *cached = oldest(fat);
                const bool stuck = cached->stuck;
                const int error = cached->dirty ? write_cached(fat, cached) : 0;

                *room = cached;
                if (!error || stuck)
                        return error;
        }
}

int fat_sector(struct fat *fat, uint32_t sector, uint8_t **bytes)
{
        struct fat_cached *cached = find(fat, sector);
        int error;

        if (!cached) {
                error = make_room(fat, &cached);
                if (error)
                        return error;
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

int fat_sector_write(struct fat *fat, uint32_t sector)
{
        struct fat_cached *cached = find(fat, sector);
        const int error = write_cached(fat, cached);

        if (error)
                cached->sector = UINT32_MAX; /* it must be read again: its content is unknown */
        return error;
}

void fat_sector_change(struct fat *fat, uint32_t sector)
{
        find(fat, sector)->dirty = true;
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

/* Writes the count of free clusters. It only saves other systems from counting them. */
static int write_info(struct fat *fat)
{
        uint8_t *bytes;
        int error;

        if (!fat->info || !fat->info_stale || fat->free == UINT32_MAX)
                return 0;
        error = fat_sector(fat, fat->info, &bytes);
        if (error)
                return error;
        fat_put32(bytes + 488, fat->free);
        fat_put32(bytes + 492, fat->hint);
        fat->info_stale = false;
        return fat_sector_write(fat, fat->info);
}

int fat_flush(struct fat *fat)
{
        const int error = write_info(fat);

        return error ? error : fat_flush_ordered(fat);
}
