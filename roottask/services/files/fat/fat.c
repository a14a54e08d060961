/* SPDX-License-Identifier: BSD-2-Clause */
/* The FAT file system as a backend of the service `files`: nodes and the table of functions. */
#include "fat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t fat_entry_cluster(const struct fat *fat, const uint8_t *entry)
{
        return fat_get16(entry + 26) | (fat->kind == 32 ? fat_get16(entry + 20) << 16 : 0);
}

void fat_entry_set(struct fat *fat, uint8_t *entry, uint32_t cluster, uint32_t size)
{
        fat_put16(entry + 26, cluster);
        if (fat->kind == 32)
                fat_put16(entry + 20, cluster >> 16);
        fat_put32(entry + 28, size);
}

int64_t fat_now(const struct fat *fat)
{
        return fat_time_limit(fat->system.disk->now ? fat->system.disk->now() : 0);
}

struct fat_node *fat_node_find(struct fat *fat, uint32_t sector, uint32_t slot)
{
        for (struct fat_node *node = fat->nodes; node; node = node->next)
                if (node->sector == sector && node->slot == slot && !node->removed && !node->lost)
                        return node;
        return NULL;
}

bool fat_node_shares(const struct fat *fat, uint32_t first, const struct fat_node *but)
{
        for (const struct fat_node *node = fat->nodes; node && first; node = node->next)
                if (node->first == first && node != but)
                        return true;
        return false;
}

/* Returns true if an entry's first cluster and size are possible. */
static bool is_sound(const struct fat *fat, const struct fat_node *node)
{
        if (!node->first)
                return !node->folder && !node->size;
        return node->first >= 2 && node->first <= fat->last && node->clusters <= fat->last - 1;
}

static void fill_node(const struct fat *fat, const struct fat_set *set, struct fat_node *node)
{
        const uint8_t *entry = set->entry;

        *node = (struct fat_node){
                .node = {(struct files_system *)&fat->system, 1},
                .folder = entry[11] & FAT_FOLDER,
                .attributes = entry[11],
                .sector = set->sector,
                .slot = set->slot,
                .first = fat_entry_cluster(fat, entry),
                .modified = fat_time_of(fat_get16(entry + 24), fat_get16(entry + 22))};
        node->size = node->folder ? 0 : fat_get32(entry + 28);
        node->clusters =
                (uint32_t)(((uint64_t)node->size + fat->cluster_bytes - 1) / fat->cluster_bytes);
        if (!node->clusters && node->first)
                node->clusters = 1;
        node->disk_clusters = node->clusters;
}

static void insert_node(struct fat *fat, struct fat_node *node)
{
        node->next = fat->nodes;
        fat->nodes = node;
}

static int add_node(struct fat *fat, const struct fat_node *filled, struct fat_node **node)
{
        *node = malloc(sizeof(**node));
        if (!*node)
                return ENOMEM;
        **node = *filled;
        insert_node(fat, *node);
        return 0;
}

void fat_node_add(struct fat *fat, const struct fat_set *set, struct fat_node *node)
{
        fill_node(fat, set, node);
        insert_node(fat, node);
}

int fat_node_open(struct fat *fat, const struct fat_set *set, struct fat_node **node)
{
        struct fat_node filled;

        *node = fat_node_find(fat, set->sector, set->slot);
        if (*node) {
                (*node)->node.users++;
                return 0;
        }
        fill_node(fat, set, &filled);
        return is_sound(fat, &filled) ? add_node(fat, &filled, node) : EIO;
}

static int fat_root(struct files_system *system, struct files_node **node)
{
        struct fat *fat = (struct fat *)system;
        struct fat_node filled = {.node = {system, 1},
                                  .folder = true,
                                  .first = fat->root_cluster,
                                  .modified = fat_now(fat)};
        struct fat_node *found = fat_node_find(fat, 0, 0);
        int error = 0;

        if (found)
                found->node.users++;
        else
                error = add_node(fat, &filled, &found);
        if (!error)
                *node = &found->node;
        return error;
}

/* Checks a folder whose entries are read: the clusters of a lost one may have other data. */
static int check_folder(const struct fat_node *folder)
{
        if (!folder->folder)
                return ENOTDIR;
        return folder->lost ? EIO : 0;
}

static int fat_lookup(struct files_node *in, const char *name, struct files_node **node)
{
        struct fat_node *folder = (struct fat_node *)in, *found;
        struct fat_set set;
        int error = check_folder(folder);

        if (!error)
                error = fat_folder_find(folder, name, &set);
        if (!error)
                error = fat_node_open(fat_of(folder), &set, &found);
        if (!error)
                *node = &found->node;
        return error;
}

int fat_release(struct files_node *node)
{
        struct fat_node *file = (struct fat_node *)node;
        struct fat *fat = fat_of(file);
        struct fat_node **link = &fat->nodes;
        int error = 0, late = 0;

        if (--node->users)
                return 0;
        fat_copy_free(fat, &file->copy);
        if (!file->removed)
                error = fat_file_commit(file);
        else if (file->first && !(file->unflushed && fat_flush_ordered(fat)))
                fat_shared_free(fat, file->first, file); /* an error loses clusters, but no data */
        while (*link != file)
                link = &(*link)->next;
        *link = file->next;
        free(file->points);
        free(file);
        /* Flushed now, because the machine may be switched off while no file is in use. The copies
         * of the table, and a free count that was refused, wait for a sync: a disk may take seconds
         * to refuse a write of them. */
        if (!fat->nodes && !fat->system.read_only)
                late = fat->info_refused ? fat_flush_ordered(fat) : fat_flush(fat);
        return error ? error : late;
}

static void describe(const struct fat_node *node, struct files_about *about)
{
        *about = (struct files_about){
                .size = node->size,
                .number = (uint64_t)node->sector * (FAT_SECTOR_MAX / FAT_ENTRY) + node->slot + 1,
                .modified = node->modified,
                .folder = node->folder,
                .read_only = node->attributes & FAT_READ_ONLY,
                .damaged = fat_shared_has(fat_of(node), node->first)};
}

static int fat_stat(struct files_node *node, struct files_about *about)
{
        describe((struct fat_node *)node, about);
        return 0;
}

static int fat_list(struct files_node *in, uint64_t *position, char name[FILES_NAME_SIZE],
                    struct files_about *about)
{
        struct fat_node *folder = (struct fat_node *)in, filled;
        const struct fat_node *node = &filled, *used;
        struct fat_walk walk;
        struct fat_set set;
        int error = check_folder(folder);

        if (error)
                return error;
        if (*position >= FAT_FOLDER_MAX)
                return ENOENT;
        fat_walk_begin(&walk, folder, (uint32_t)*position);
        error = fat_walk_next(&walk, &set);
        if (error)
                return error;
        *position = walk.index;
        memcpy(name, set.name, FILES_NAME_SIZE);
        fill_node(walk.fat, &set, &filled);
        used = fat_node_find(walk.fat, set.sector, set.slot);
        describe(used ? used : node, about);
        return 0;
}

static int fat_sync(struct files_system *system, struct files_node *node)
{
        struct fat *fat = (struct fat *)system;
        int error = 0, late;

        /* An error of one file does not keep the other files from the disk. */
        for (struct fat_node *i = fat->nodes; i; i = i->next)
                if (!node || i == (struct fat_node *)node) {
                        const int own = fat_file_commit(i);

                        error = error ? error : own;
                }
        late = fat_flush(fat);
        if (!late)
                late = fat_mend(fat);
        error = error ? error : late;
        if (error || !fat->copies_differ || fat->copies_told)
                return error;
        /* Reported once: even if the disk never accepts the copy, the first table has all data. */
        fat->copies_told = true;
        return EIO;
}

static void fat_unmount(struct files_system *system)
{
        if (!system->read_only)
                fat_sync(system, NULL);
        fat_destroy((struct fat *)system);
}

const struct files_backend files_fat = {
        .name = "fat",
        .mount = fat_mount,
        .unmount = fat_unmount,
        .root = fat_root,
        .lookup = fat_lookup,
        .release = fat_release,
        .stat = fat_stat,
        .read = fat_file_read,
        .list = fat_list,
        .write = fat_file_write,
        .resize = fat_file_resize,
        .create = fat_create,
        .remove = fat_remove,
        .rename = fat_rename,
        .sync = fat_sync,
};
