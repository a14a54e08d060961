/* SPDX-License-Identifier: BSD-2-Clause */
/* Places for new entries in a folder. All entries of a name lie in one sector. */
#include <errno.h>
#include <string.h>

#include "fat.h"

/* Adds a cluster full of zeroes to a folder. @p walk has reached the folder's last cluster. */
static int grow(struct fat_walk *walk)
{
        struct fat *fat = walk->fat;
        uint32_t cluster;
        int error;

        /* The clusters of a folder cannot be replaced, because nodes know their sectors. */
        if (!walk->first || fat_table_is_split(fat, walk->cluster) ||
            walk->at + 1 >= FAT_FOLDER_MAX / (fat->cluster_bytes / FAT_ENTRY))
                return ENOSPC;
        error = fat_table_allocate(fat, &cluster);
        if (error)
                return error;
        error = fat_data_zero(fat, fat_cluster_sector(fat, cluster), fat->cluster_sectors);
        if (!error)
                error = fat_flush_ordered(fat);
        if (!error)
                error = fat_table_link(fat, walk->cluster, cluster);
        if (error)
                fat_table_free(fat, cluster);
        return error;
}

/* Finds free slots in a sector. @return false; @p end is set if the folder ends there */
static bool find_run(const uint8_t *sector, unsigned slots, unsigned count, unsigned *slot,
                     unsigned *end)
{
        unsigned run = 0;

        *end = slots;
        for (unsigned i = 0; i < slots; i++) {
                const uint8_t mark = sector[i * FAT_ENTRY];

                if (!mark) {
                        *end = i;
                        *slot = i - run;
                        return slots - *slot >= count;
                }
                run = mark == FAT_DELETED ? run + 1 : 0;
                *slot = i + 1 - run;
                if (run == count)
                        return true;
        }
        return false;
}

/* Finds a place in a sector such that the folder's end mark stays unchanged or moves within the
 * sector. */
bool fat_place_in(uint8_t *sector, unsigned slots, unsigned count, unsigned *slot)
{
        unsigned end;

        if (!find_run(sector, slots, count, slot, &end))
                return false;
        if (*slot + count <= end)
                return true;
        /* The slots after the end mark may have any content, so a new end mark follows the
         * place. */
        if (*slot + count == slots)
                return false;
        sector[(*slot + count) * FAT_ENTRY] = 0;
        return true;
}

int fat_place_find(const struct fat_node *folder, unsigned count, struct fat_place *place)
{
        const unsigned slots = fat_of(folder)->sector_bytes / FAT_ENTRY;
        struct fat_walk walk;
        unsigned end = slots;

        *place = (struct fat_place){0};
        fat_walk_begin(&walk, folder, 0);
        for (uint32_t i = 0;; i++) {
                int error = fat_walk_sector(&walk, i, &place->sector);
                uint8_t *bytes;

                if (error == ENOENT) {
                        error = grow(&walk);
                        if (!error)
                                error = fat_walk_sector(&walk, i, &place->sector);
                }
                if (!error)
                        error = fat_sector(walk.fat, place->sector, &bytes);
                if (error)
                        return error;
                place->index = i;
                place->fresh = end < slots;
                if (place->fresh) {
                        place->slot = 0;
                        end = 0;
                } else if (!find_run(bytes, slots, count, &place->slot, &end)) {
                        place->end_sector = end < slots ? place->sector : 0;
                        place->end_slot = end;
                        continue;
                }
                place->terminate = place->slot + count > end;
                if (place->slot + count == slots && place->terminate &&
                    fat_walk_sector(&walk, i + 1, &place->after) != 0)
                        place->after = 0;
                return 0;
        }
}

/* Ends the folder at a sector whose content is not valid yet. */
static int end_folder(struct fat *fat, uint32_t sector)
{
        uint8_t *bytes;
        int error = fat_sector(fat, sector, &bytes);

        if (error || !bytes[0])
                return error;
        memset(bytes, 0, FAT_ENTRY);
        error = fat_sector_write(fat, sector);
        return error ? error : fat_flush_ordered(fat);
}

/* Moves the folder's end from the middle of a sector to the next one. */
static int move_end(struct fat *fat, const struct fat_place *place)
{
        uint8_t *bytes;
        int error = fat_flush_ordered(fat);

        if (!error)
                error = fat_sector(fat, place->end_sector, &bytes);
        if (error)
                return error;
        for (uint32_t i = place->end_slot; i < fat->sector_bytes / FAT_ENTRY; i++) {
                memset(bytes + i * FAT_ENTRY, 0, FAT_ENTRY);
                bytes[i * FAT_ENTRY] = FAT_DELETED;
        }
        return fat_sector_write(fat, place->end_sector);
}

int fat_place_write(struct fat *fat, const struct fat_place *place, const uint8_t *entries,
                    unsigned count)
{
        const uint32_t end = place->slot + count;
        uint8_t *bytes;
        int error = place->after ? end_folder(fat, place->after) : 0;

        if (!error)
                error = fat_sector(fat, place->sector, &bytes);
        if (error)
                return error;
        if (place->fresh)
                memset(bytes, 0, fat->sector_bytes);
        memcpy(bytes + place->slot * FAT_ENTRY, entries, count * FAT_ENTRY);
        if (place->terminate && end < fat->sector_bytes / FAT_ENTRY)
                memset(bytes + end * FAT_ENTRY, 0, FAT_ENTRY);
        error = fat_sector_write(fat, place->sector);
        return error || !place->end_sector ? error : move_end(fat, place);
}
