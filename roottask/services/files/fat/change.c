/* SPDX-License-Identifier: BSD-2-Clause */
/* Creates, removes and changes names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fat.h"

/* Maximum size of a file whose data is copied when the file is renamed to another sector. */
#define COPY_MAX 0x1000000u

/* Maximum number of folders above a folder. On a damaged disk, a folder may lie below itself. */
#define DEPTH_MAX 256

static void stamp(struct fat *fat, uint8_t entry[FAT_ENTRY], uint8_t attributes)
{
        uint32_t date, time;

        memset(entry, 0, FAT_ENTRY);
        fat_time_to(fat_now(fat), &date, &time);
        entry[11] = attributes;
        fat_put16(entry + 14, time); /* created */
        fat_put16(entry + 16, date);
        fat_put16(entry + 18, date); /* used */
        fat_put16(entry + 22, time); /* changed */
        fat_put16(entry + 24, date);
}

/* Returns the cluster that the entry ".." of a subfolder stores for a folder; 0: the root. */
static uint32_t parent_cluster(const struct fat_node *folder)
{
        return folder->sector ? folder->first : 0;
}

/* Makes the first cluster of a new folder, with the entries "." and "..". */
static int make_cluster(const struct fat_node *parent, uint32_t *cluster)
{
        struct fat *fat = fat_of(parent);
        uint8_t entries[2 * FAT_ENTRY];
        int error = fat_table_allocate(fat, cluster);

        if (error)
                return error;
        for (unsigned i = 0; i < 2; i++) {
                uint8_t *entry = entries + i * FAT_ENTRY;

                stamp(fat, entry, FAT_FOLDER);
                memset(entry, ' ', 11);
                memset(entry, '.', 1 + i);
                fat_entry_set(fat, entry, i ? parent_cluster(parent) : *cluster, 0);
        }
        error = fat_data_zero(fat, fat_cluster_sector(fat, *cluster), fat->cluster_sectors);
        if (!error)
                error = fat_data_write(fat, fat_cluster_sector(fat, *cluster), 0, entries,
                                       sizeof(entries));
        if (!error)
                error = fat_flush_ordered(fat);
        if (error)
                fat_table_free(fat, *cluster);
        return error;
}

/* Writes the entry of a new file or folder. */
static int add_entry(const struct fat_node *folder, const char *name, bool make_folder,
                     struct fat_set *set)
{
        struct fat *fat = fat_of(folder);
        uint8_t entry[FAT_ENTRY];
        uint32_t cluster = 0;
        int error = make_folder ? make_cluster(folder, &cluster) : 0;

        if (error)
                return error;
        stamp(fat, entry, make_folder ? FAT_FOLDER : FAT_ARCHIVE);
        fat_entry_set(fat, entry, cluster, 0);
        fat->doubt = false;
        error = fat_folder_add(folder, name, entry, set);
        if (error && cluster && !fat->doubt)
                fat_table_free(fat, cluster);
        return error;
}

int fat_create(struct files_node *in, const char *name, bool make_folder, struct files_node **node)
{
        struct fat_node *folder = (struct fat_node *)in, *made;
        struct fat_set set;
        int error = folder->folder ? fat_folder_find(folder, name, &set) : ENOTDIR;

        if (error != ENOENT)
                return error ? error : EEXIST;
        if (folder->removed)
                return ENOENT;
        made = malloc(sizeof(*made)); /* now, so that no error follows the write of the entry */
        if (!made)
                return ENOMEM;
        error = add_entry(folder, name, make_folder, &set);
        if (error) {
                free(made);
                return error;
        }
        fat_node_add(fat_of(folder), &set, made);
        *node = &made->node;
        return 0;
}

/* Frees the chain of an entry that was erased or replaced, unless another name or a node other than
 * @p but has the chain. If the entry's file is in use (@p used), the file keeps the chain. Its node
 * gives up the place in the folder, even after an error, because a new file may get the place. */
static int give_up(struct fat *fat, struct fat_node *used, uint32_t first,
                   const struct fat_node *but)
{
        const int error = fat_flush_ordered(fat);

        if (used) {
                const int link_error = fat_file_orphan(used);

                used->unflushed = error;
                return error ? error : link_error;
        }
        return error || !first ? error : fat_shared_free(fat, first, but);
}

static int check_folder(struct fat *fat, const struct fat_set *set)
{
        struct fat_node folder = {.node = {&fat->system, 1},
                                  .first = fat_entry_cluster(fat, set->entry)};

        if (fat_node_find(fat, set->sector, set->slot))
                return EBUSY;
        /* A damaged folder cannot be read, but its name can be removed. */
        if (folder.first < 2 || folder.first > fat->last)
                return 0;
        return fat_folder_empty(&folder);
}

int fat_remove(struct files_node *in, const char *name, bool remove_folder)
{
        struct fat_node *folder = (struct fat_node *)in;
        struct fat *fat = fat_of(folder);
        struct fat_set set;
        int error = folder->folder ? fat_folder_find(folder, name, &set) : ENOTDIR;

        if (error)
                return error;
        if (!(set.entry[11] & FAT_FOLDER) == remove_folder)
                return remove_folder ? ENOTDIR : EISDIR;
        error = remove_folder ? check_folder(fat, &set) : 0;
        if (error)
                return error;

        const uint32_t first = fat_entry_cluster(fat, set.entry);

        fat_shared_has(fat, first); /* now, while the disk can show that only this name has it */
        error = fat_folder_erase(folder, &set);

        struct fat_node *const used = fat_node_find(fat, set.sector, set.slot);
        const int state = error ? fat_folder_check(fat, &set) : ENOENT;

        if (state != ENOENT) {
                if (used)
                        used->lost = state != 0;
                return error;
        }

        const int late = give_up(fat, used, first, NULL);

        return error ? error : late;
}

/* A rename in progress. */
struct rename {
        struct fat_node *from, *to; /* folders */
        const char *name;           /* the new name */
        struct fat_node *file;
        struct fat_set old, new; /* entries of both names; `new` first describes the entry that is
                                  * replaced, if there is one */
        bool replace;
        bool shared; /* the replaced entry already names the file's chain, because an earlier rename
                      * without a copy has not erased the old entry */
        bool taken;  /* the new name's entry is the file's */
        bool erased; /* the old name's short entry is erased */
        bool unsure; /* it is unknown whether a write of the new name's entry took effect */
        bool twice;  /* both names may have the file's chain if the old one is not erased */
};

/* Gives an existing name to the file: the name's entry gets the file's fields. With @p erase, the
 * write of this entry also removes the old name. */
static int take_entry(struct rename *rename, const uint8_t *entry, bool erase)
{
        struct fat *fat = fat_of(rename->from);
        const struct fat_set *old = &rename->old, *new = &rename->new;
        uint8_t *bytes;
        const int error = fat_sector(fat, new->sector, &bytes);

        if (error)
                return error;
        memcpy(bytes + new->slot *FAT_ENTRY + 13, entry + 13, FAT_ENTRY - 13);
        bytes[new->slot *FAT_ENTRY + 11] = entry[11];
        for (uint32_t i = old->begin; erase && i <= old->end; i++)
                bytes[(old->slot - (old->end - i)) * FAT_ENTRY] = FAT_DELETED;
        return fat_sector_write(fat, new->sector);
}

/* Renames with one write of one sector. @return ENOSPC: one write does not suffice */
static int rename_in_sector(struct rename *rename)
{
        const struct fat_set *old = &rename->old;

        if (rename->from->first != rename->to->first)
                return ENOSPC;
        if (!rename->replace)
                return fat_folder_move(rename->from, old, rename->name, &rename->new);
        if (old->sector != rename->new.sector || old->slot < old->end - old->begin)
                return ENOSPC;
        return take_entry(rename, old->entry, true);
}

/* Copies one part of a file, because other clients wait meanwhile. @return EINPROGRESS: parts are
 * left, so the caller calls again */
static int copy_part(struct fat_node *file)
{
        const uint32_t bytes = fat_of(file)->cluster_bytes;
        const uint32_t most = bytes < FILES_COPY_MAX ? FILES_COPY_MAX / bytes : 1;
        const uint32_t left = file->clusters - file->copy.next;
        const int error =
                fat_chain_copy(file, &file->copy, file->copy.next + (left < most ? left : most));

        return error ? error : left > most ? EINPROGRESS : 0;
}

/* Writes the new name's entry. */
static int add_new(struct rename *rename, uint8_t *entry)
{
        return rename->replace ? take_entry(rename, entry, false)
                               : fat_folder_add(rename->to, rename->name, entry, &rename->new);
}

/* Gives the new name's entry back to the file that had it, or erases it. */
static int take_back(struct rename *rename)
{
        return rename->replace ? take_entry(rename, rename->new.entry, false)
                               : fat_folder_erase(rename->to, &rename->new);
}

/* Erases the old name after the disk has the new one. If this fails, the file was not copied, and
 * the disk certainly still has the old name, takes the new name back. */
static int erase_old(struct rename *rename, bool copy)
{
        struct fat *fat = fat_of(rename->from);
        int error = fat_flush_ordered(fat), state;

        if (!error)
                error = fat_folder_erase(rename->from, &rename->old);
        state = error ? fat_folder_check(fat, &rename->old) : ENOENT;
        rename->erased = state == ENOENT;
        rename->file->lost |= !rename->erased && state;
        if (state || copy)
                return error;
        fat->doubt = false;
        rename->taken = rename->twice = take_back(rename) != 0; /* the first error counts */
        rename->unsure = fat->doubt;
        return error;
}

/* Makes the copy the chain of a file, and frees the file's old chain. */
static int use_copy(struct fat_node *file, uint32_t first)
{
        const int error = give_up(fat_of(file), NULL, file->first, file);

        file->first = first;
        file->tail = 0;
        fat_chain_cut(file, 0);
        return error;
}

/* Renames from one sector to another. The new name gets a copy of the data, so that no two
 * names have the same clusters after a loss of power. A large file is renamed without a copy, and
 * so is a file to which a client writes meanwhile. */
static int rename_by_copy(struct rename *rename)
{
        struct fat *fat = fat_of(rename->from);
        struct fat_node *file = rename->file;
        const bool copy =
                file->first && file->size <= COPY_MAX && !file->copy_lost && !rename->shared;
        uint8_t entry[FAT_ENTRY];
        int error = copy ? copy_part(file) : 0;
        const uint32_t first = copy ? file->copy.first : file->first;

        if (error)
                return error;
        if (!copy && !rename->shared && fat_shared_has(fat, first))
                return EIO; /* a third name would get the chain */
        memcpy(entry, rename->old.entry, FAT_ENTRY);
        fat_entry_set(fat, entry, first, file->size);
        error = fat_flush_ordered(fat);
        if (!error)
                error = add_new(rename, entry);
        rename->taken = !error;
        rename->unsure = error && fat->doubt;
        rename->twice = !copy && (rename->taken || rename->unsure);
        if (!rename->taken && !rename->unsure)
                fat_copy_free(fat, &file->copy);
        else if (copy)
                file->copy = (struct fat_copy){0}; /* the new name has it, or may have it */
        if (error)
                return error;
        file->copy_lost = false;
        error = erase_old(rename, copy);
        if (!rename->erased || !copy)
                return error;

        const int late = use_copy(file, first);

        return error ? error : late;
}

static int rename_file(struct rename *rename)
{
        struct fat *fat = fat_of(rename->from);
        struct fat_node *const file = rename->file, *used = NULL;
        const uint32_t replaced = rename->replace ? fat_entry_cluster(fat, rename->new.entry) : 0;
        int error, late = 0;

        if (rename->replace)
                used = fat_node_find(fat, rename->new.sector, rename->new.slot);
        if (used && rename->shared)
                return EBUSY; /* no two nodes may change one chain */
        error = rename_in_sector(rename);
        rename->taken = rename->erased = !error;
        rename->unsure = error && error != ENOSPC && fat->doubt;
        file->lost |= rename->unsure;
        /* With writes to two sectors, no order guarantees that a folder has exactly one name after
         * any loss of power. */
        if (error == ENOSPC)
                error = file->folder ? EXDEV : rename_by_copy(rename);
        file->lost |= rename->twice && !rename->erased;
        if (used)
                used->lost |= rename->unsure; /* its entry may be the only one of the file */
        /* Without the flush, the disk could have two entries with the old name: the one that is
         * removed here, and that of a file created later. */
        if (rename->taken)
                late = rename->replace && !rename->shared && !rename->unsure
                               ? give_up(fat, used, replaced, NULL)
                               : fat_flush_ordered(fat);
        if (rename->erased) {
                file->sector = rename->new.sector;
                file->slot = rename->new.slot;
        }
        return error ? error : late;
}

/* Remembers the file's chain if both names may have it. Forgets the chain when one of the names was
 * renamed to the other. */
static void remember(const struct rename *rename)
{
        struct fat *fat = fat_of(rename->from);
        const uint32_t first = rename->file->first;
        struct fat_name names[2] = {{.folder = rename->from->first}, {.folder = rename->to->first}};

        if (!rename->erased && (rename->twice || rename->shared)) {
                memcpy(names[0].name, rename->old.name, sizeof(rename->old.name));
                memcpy(names[1].name, rename->name, strlen(rename->name) + 1);
                fat_shared_add(fat, first, names);
        } else if (rename->erased && rename->shared) {
                fat_shared_drop(fat, first);
        } else if (rename->erased) {
                fat_shared_move(fat, first);
        }
}

/* Removes the empty folder that has the new name of a folder. Checks first that the folder can then
 * be renamed. */
static int remove_replaced(const struct rename *rename)
{
        int error;

        if (rename->new.sector != rename->old.sector)
                return EXDEV; /* see rename_file() */
        error = fat_folder_fits(rename->to, &rename->old, rename->name, &rename->new);
        if (error)
                return error == ENOSPC ? EXDEV : error;
        return fat_remove(&rename->to->node, rename->name, true);
}

/* Checks the file or folder that already has the new name. Removes it if it is a folder. */
static int check_new(struct rename *rename)
{
        const bool folder = rename->file->folder;
        int error = fat_folder_find(rename->to, rename->name, &rename->new);

        rename->replace = false;
        if (error)
                return error == ENOENT ? 0 : error;
        /* the names differ in upper and lower case only */
        if (rename->new.sector == rename->old.sector && rename->new.slot == rename->old.slot)
                return 0;
        if (!(rename->new.entry[11] & FAT_FOLDER) == folder)
                return folder ? ENOTDIR : EISDIR;
        rename->replace = !folder;
        rename->shared =
                !folder && rename->file->first &&
                rename->file->first == fat_entry_cluster(fat_of(rename->to), rename->new.entry);
        return folder ? remove_replaced(rename) : 0;
}

/* Checks that a folder is not moved into itself or into a folder below it. The paths do not show
 * this, because FAT ignores the case of names, and a file also has a short name. */
static int check_not_below(const struct fat_node *moved, const struct fat_node *to)
{
        struct fat *fat = fat_of(moved);
        uint32_t cluster = parent_cluster(to);

        for (unsigned depth = 0; cluster && cluster != fat->root_cluster; depth++) {
                uint8_t *bytes;
                int error;

                if (cluster == moved->first)
                        return EINVAL;
                if (cluster < 2 || cluster > fat->last || depth == DEPTH_MAX)
                        return EIO;
                error = fat_sector(fat, fat_cluster_sector(fat, cluster), &bytes);
                if (error)
                        return error;
                if (memcmp(bytes + FAT_ENTRY, "..         ", 11) != 0)
                        return EIO;
                cluster = fat_entry_cluster(fat, bytes + FAT_ENTRY);
        }
        return 0;
}

int fat_rename(struct files_node *from, const char *name, struct files_node *to,
               const char *new_name)
{
        struct rename rename = {
                .from = (struct fat_node *)from, .to = (struct fat_node *)to, .name = new_name};
        struct fat *fat = fat_of(rename.from);
        uint16_t wide[FAT_LONG_MAX + 1];
        unsigned length;
        int error = fat_name_parse(new_name, wide, &length);

        fat->doubt = false;
        if (!rename.from->folder || !rename.to->folder)
                return ENOTDIR;
        if (!error)
                error = fat_folder_find(rename.from, name, &rename.old);
        if (!error && from == to && strcmp(rename.old.name, new_name) == 0)
                return 0;
        if (!error)
                error = fat_node_open(fat, &rename.old, &rename.file);
        if (error)
                return error;
        if (rename.file->folder)
                error = check_not_below(rename.file, rename.to);
        if (!error)
                error = fat_file_commit(rename.file);
        /* read again, because the commit has changed it */
        if (!error)
                error = fat_folder_find(rename.from, name, &rename.old);
        if (!error)
                error = check_new(&rename);
        if (!error)
                error = rename_file(&rename);
        remember(&rename);
        fat_release(&rename.file->node);
        return error;
}
