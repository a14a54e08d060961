/* SPDX-License-Identifier: BSD-2-Clause */
/* The first sector of a FAT file system: where the tables, the root and the clusters lie. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fat.h"

/* Content of the first sector. */
struct layout {
        uint32_t sector_bytes, cluster_sectors, reserved, tables, root_entries, sectors;
        uint32_t table_sectors, root_cluster, info, active;
        bool is_32, one_table;
};

static bool is_power(uint32_t value)
{
        return value && !(value & (value - 1));
}

static void read_layout(const uint8_t *bytes, struct layout *layout)
{
        const uint32_t flags = fat_get16(bytes + 40);

        *layout = (struct layout){.sector_bytes = fat_get16(bytes + 11),
                                  .cluster_sectors = bytes[13],
                                  .reserved = fat_get16(bytes + 14),
                                  .tables = bytes[16],
                                  .root_entries = fat_get16(bytes + 17),
                                  .sectors = fat_get16(bytes + 19),
                                  .table_sectors = fat_get16(bytes + 22)};
        if (!layout->sectors)
                layout->sectors = fat_get32(bytes + 32);
        if (layout->table_sectors)
                return;
        layout->is_32 = true;
        layout->table_sectors = fat_get32(bytes + 36);
        layout->root_cluster = fat_get32(bytes + 44) & 0x0fffffff;
        layout->info = fat_get16(bytes + 48);
        layout->one_table = flags & 0x80;
        layout->active = layout->one_table ? flags & 15 : 0;
}

/* Returns true if a sector is the first one of a FAT file system. */
static bool is_fat(const uint8_t *bytes, const struct layout *layout)
{
        return bytes[510] == 0x55 && bytes[511] == 0xaa && (bytes[0] == 0xeb || bytes[0] == 0xe9) &&
               is_power(layout->sector_bytes) && layout->sector_bytes >= 512 &&
               layout->sector_bytes <= FAT_SECTOR_MAX && is_power(layout->cluster_sectors) &&
               layout->reserved && layout->tables && (bytes[21] >= 0xf8 || bytes[21] == 0xf0);
}

/* Computes the positions of the parts. @return an error as a sentence; NULL: none */
static const char *place(struct fat *fat, const struct layout *layout)
{
        const uint64_t tables = (uint64_t)layout->tables * layout->table_sectors;
        const uint32_t root = (layout->root_entries * FAT_ENTRY + layout->sector_bytes - 1) /
                              layout->sector_bytes;
        const uint64_t data = layout->reserved + tables + root;
        uint64_t clusters, entries;

        if ((uint64_t)layout->sectors * layout->sector_bytes > fat->system.disk->bytes)
                return "the file system is larger than the disk.";
        if (data >= layout->sectors || layout->active >= layout->tables)
                return "the tables are larger than the file system.";
        clusters = (layout->sectors - data) / layout->cluster_sectors;
        fat->kind = layout->is_32 ? 32 : clusters < 4085 ? 12 : 16;
        entries = (uint64_t)layout->table_sectors * layout->sector_bytes * 8 / fat->kind;
        if (clusters + 2 > entries)
                clusters = entries > 2 ? entries - 2 : 0;
        if (!clusters || clusters >= 0x0ffffff5 || (fat->kind == 16 && clusters >= 65525))
                return "the number of clusters is wrong.";
        fat->sector_bytes = layout->sector_bytes;
        fat->cluster_sectors = layout->cluster_sectors;
        fat->cluster_bytes = layout->sector_bytes * layout->cluster_sectors;
        fat->table_sectors = layout->table_sectors;
        fat->table_count = layout->one_table ? 1 : layout->tables;
        fat->stale_sectors = layout->table_sectors / FAT_GROUPS + 1;
        fat->table = layout->reserved + layout->active * layout->table_sectors;
        fat->root = (uint32_t)(layout->reserved + tables);
        fat->root_sectors = root;
        fat->data = (uint32_t)data;
        fat->last = (uint32_t)clusters + 1;
        if (fat->kind != 12)
                fat->group = (layout->table_sectors / FAT_GROUPS + 1) *
                             (layout->sector_bytes * 8 / fat->kind);
        fat->root_cluster = layout->root_cluster;
        fat->info = layout->info && layout->info < layout->reserved ? layout->info : 0;
        if (layout->is_32 && (fat->root_cluster < 2 || fat->root_cluster > fat->last))
                return "the root folder is not on the disk.";
        return NULL;
}

/* Reads the count of free clusters on the disk, which may be wrong. */
static int read_info(struct fat *fat)
{
        uint8_t *bytes;
        int error;

        fat->free = UINT32_MAX;
        fat->hint = 2;
        if (!fat->info)
                return 0;
        error = fat_sector(fat, fat->info, &bytes);
        if (error)
                return error;
        if (fat_get32(bytes) != 0x41615252 || fat_get32(bytes + 484) != 0x61417272) {
                fat->info = 0;
                return 0;
        }
        if (fat_get32(bytes + 488) < fat->last)
                fat->free = fat_get32(bytes + 488);
        if (fat_get32(bytes + 492) >= 2 && fat_get32(bytes + 492) <= fat->last)
                fat->hint = fat_get32(bytes + 492);
        return 0;
}

static int make_cache(struct fat *fat)
{
        for (unsigned i = 0; i < FAT_CACHE; i++) {
                fat->cache[i].sector = UINT32_MAX;
                fat->cache[i].bytes = malloc(fat->sector_bytes);
                if (!fat->cache[i].bytes)
                        return ENOMEM;
        }
        fat->bounce = malloc(fat->sector_bytes);
        return fat->bounce ? 0 : ENOMEM;
}

void fat_destroy(struct fat *fat)
{
        for (unsigned i = 0; i < FAT_CACHE; i++)
                free(fat->cache[i].bytes);
        free(fat->bounce);
        free(fat);
}

/* Reads the first sector. */
static int read_first(struct files_disk *disk, struct layout *layout)
{
        const size_t bytes = disk->block_bytes < 512 ? 512 : disk->block_bytes;
        uint8_t *first = disk->bytes < bytes ? NULL : malloc(bytes);
        int error;

        if (!first)
                return disk->bytes < bytes ? EILSEQ : ENOMEM;
        error = disk->read(disk, 0, first, bytes);
        if (!error) {
                read_layout(first, layout);
                error = is_fat(first, layout) ? 0 : EILSEQ;
        }
        free(first);
        return error;
}

int fat_mount(struct files_disk *disk, struct files_system **system, const char **sentence)
{
        struct layout layout;
        int error = read_first(disk, &layout);
        struct fat *fat;

        if (error)
                return error;
        if (layout.sector_bytes < disk->block_bytes) {
                *sentence = "the sectors of the file system are smaller than the disk's blocks.";
                return ENOTSUP;
        }
        fat = calloc(1, sizeof(*fat));
        if (!fat)
                return ENOMEM;
        fat->system = (struct files_system){
                .backend = &files_fat, .disk = disk, .read_only = disk->read_only};
        *sentence = place(fat, &layout);
        error = *sentence ? EIO : make_cache(fat);
        if (!error)
                error = read_info(fat);
        if (error) {
                fat_destroy(fat);
                return error;
        }
        *system = &fat->system;
        return 0;
}
