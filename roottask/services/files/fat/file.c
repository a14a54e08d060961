/* SPDX-License-Identifier: BSD-2-Clause */
/* The data of files: chains of clusters that are read, grow and shrink. */
#include <errno.h>
#include <string.h>

#include "fat.h"

static uint32_t clusters_of(const struct fat *fat, uint64_t bytes)
{
        return (uint32_t)((bytes + fat->cluster_bytes - 1) / fat->cluster_bytes);
}

/* A part of a file; its clusters are contiguous on the disk. */
struct run {
        uint32_t sector, offset; /* place of the first byte */
        size_t bytes;
};

static int find_run(struct fat_node *file, uint64_t offset, size_t bytes, struct run *run)
{
        struct fat *fat = fat_of(file);
        uint32_t index = (uint32_t)(offset / fat->cluster_bytes), cluster, next;
        int error = fat_chain_cluster(file, index, &cluster);

        if (error)
                return error;
        run->sector = fat_cluster_sector(fat, cluster);
        run->offset = (uint32_t)(offset % fat->cluster_bytes);
        run->bytes = fat->cluster_bytes - run->offset;
        while (run->bytes < bytes) {
                error = fat_chain_cluster(file, ++index, &next);
                if (error)
                        return error;
                if (next != ++cluster)
                        break;
                run->bytes += fat->cluster_bytes;
        }
        if (run->bytes > bytes)
                run->bytes = bytes;
        return 0;
}

int fat_file_read(struct files_node *node, uint64_t offset, void *to, size_t bytes, size_t *done)
{
        struct fat_node *file = (struct fat_node *)node;

        *done = 0;
        if (file->lost)
                return EIO;
        if (offset >= file->size)
                return 0;
        if (bytes > file->size - offset)
                bytes = (size_t)(file->size - offset);
        while (*done < bytes) {
                struct run run;
                int error = find_run(file, offset + *done, bytes - *done, &run);

                if (!error)
                        error = fat_data_read(fat_of(file), run.sector, run.offset,
                                              (uint8_t *)to + *done, run.bytes);
                if (error)
                        return error;
                *done += run.bytes;
        }
        return 0;
}

/* The clusters at the end of a chain that have split entries in the table (fat_table_is_split()).
 */
struct split {
        uint32_t begin, count; /* index of the first of these clusters in the chain; their number */
        uint32_t old, copy;    /* the first of these clusters; the first of their copies */
};

/* Copies the split clusters at the end of the first @p keep clusters to other clusters, so that no
 * split entry of a file in use has to change. Nothing refers to the copies yet. */
static int copy_split(struct fat_node *file, uint32_t keep, struct split *split)
{
        struct fat *fat = fat_of(file);
        int error = 0;

        *split = (struct split){.begin = keep};
        while (split->begin && fat->kind == 12) {
                uint32_t cluster;

                error = fat_chain_cluster(file, split->begin - 1, &cluster);
                if (error || !fat_table_is_split(fat, cluster))
                        break;
                split->begin--;
                split->count++;
                split->old = cluster;
        }
        if (error || !split->count)
                return error;

        struct fat_copy copy = {.next = split->begin};

        error = fat_chain_copy(file, &copy, keep);
        split->copy = copy.first;
        return error ? error : fat_flush_ordered(fat);
}

/* Puts the copies into the chain, with one write. */
static int use_copies(struct fat_node *file, const struct split *split)
{
        uint32_t last;
        int error;

        if (!split->begin) {
                file->first = split->copy;
                file->grown = true;
                error = fat_file_commit(file);
        } else {
                error = fat_chain_cluster(file, split->begin - 1, &last);
                if (!error)
                        error = fat_table_link(fat_of(file), last, split->copy);
        }
        fat_chain_cut(file, split->begin);
        return error ? error : fat_flush_ordered(fat_of(file));
}

/* Frees clusters after the end of the file. A loss of power while the file grew may have left
 * them. */
static int cut_tail(struct fat *fat, uint32_t last)
{
        uint32_t next;
        int error = fat_table_next(fat, last, &next);

        if (error || !next)
                return error;
        error = fat_table_link(fat, last, 0);
        if (!error)
                error = fat_flush_ordered(fat);
        return error ? error : fat_table_free(fat, next);
}

/* Finds the last cluster of the chain on the disk, and prepares it for a link to a new cluster. */
static int find_tail(struct fat_node *file, uint32_t last)
{
        struct fat *fat = fat_of(file);
        struct split split;
        int error = copy_split(file, file->clusters, &split);

        if (error)
                return error;
        if (!split.count) {
                error = cut_tail(fat, last);
        } else {
                error = use_copies(file, &split);
                if (!error)
                        error = fat_table_free(fat, split.old);
                if (!error)
                        error = fat_chain_cluster(file, file->clusters - 1, &last);
        }
        if (!error)
                file->tail = last;
        return error;
}

/* Adds a cluster to the chain. fat_file_commit() links the added clusters to the part on the disk.
 */
static int add_cluster(struct fat_node *file)
{
        struct fat *fat = fat_of(file);
        uint32_t last = 0, cluster;
        int error = 0;

        if (file->clusters)
                error = fat_chain_cluster(file, file->clusters - 1, &last);
        if (!error && last && file->clusters == file->disk_clusters)
                error = find_tail(file, last);
        if (!error)
                error = fat_table_allocate(fat, &cluster);
        if (error)
                return error;
        if (!last)
                file->first = cluster;
        else if (file->clusters == file->disk_clusters)
                file->added = cluster;
        else
                error = fat_table_link(fat, last, cluster);
        if (error) {
                fat_table_free(fat, cluster);
                return error;
        }
        fat_chain_add(file, cluster);
        file->grown = true;
        return 0;
}

static int write_runs(struct fat_node *file, uint64_t offset, const void *from, size_t bytes,
                      size_t *done)
{
        while (*done < bytes) {
                struct run run;
                int error = find_run(file, offset + *done, bytes - *done, &run);

                if (!error)
                        error = fat_data_write(fat_of(file), run.sector, run.offset,
                                               (const uint8_t *)from + *done, run.bytes);
                if (error)
                        return error;
                *done += run.bytes;
        }
        return 0;
}

/* Writes data that begins at or before the end of the file. */
static int write_at(struct fat_node *file, uint64_t offset, const void *from, size_t bytes,
                    size_t *done)
{
        struct fat *fat = fat_of(file);
        int full = offset + bytes > UINT32_MAX ? EFBIG : 0, error = 0;

        if (full)
                bytes = offset < UINT32_MAX ? (size_t)(UINT32_MAX - offset) : 0;
        while (!error && file->clusters < clusters_of(fat, offset + bytes))
                error = add_cluster(file);
        if (error) {
                const uint64_t room = (uint64_t)file->clusters * fat->cluster_bytes;

                full = error;
                if (room <= offset)
                        bytes = 0;
                else if (room - offset < bytes)
                        bytes = (size_t)(room - offset);
        }
        error = write_runs(file, offset, from, bytes, done);
        if (*done && offset + *done > file->size) {
                file->size = (uint32_t)(offset + *done);
                file->grown = true;
        }
        if (*done) {
                file->changed = true;
                file->modified = fat_now(fat);
        }
        return error ? error : full;
}

/* Ends the chain, which no other name has, after @p keep clusters. Writes the file's entry first,
 * and frees the other clusters last. */
static int cut(struct fat_node *file, uint32_t keep)
{
        struct fat *fat = fat_of(file);
        uint32_t last = 0, rest = file->first;
        struct split split;
        int error = copy_split(file, keep, &split);

        if (!error && keep)
                error = fat_chain_cluster(file, keep - 1, &last);
        if (!error && keep)
                error = fat_table_next(fat, last, &rest);
        if (error)
                return error;
        if (!split.begin)
                file->first = split.copy; /* 0 if nothing is kept */
        file->clusters = keep;
        fat_chain_cut(file, split.begin);
        error = fat_file_commit(file);
        if (!error)
                error = fat_flush_ordered(fat);
        if (!error && split.count) {
                rest = split.old;
                error = split.begin ? use_copies(file, &split) : 0;
        } else if (!error && keep) {
                error = fat_table_link(fat, last, 0);
                if (!error)
                        error = fat_flush_ordered(fat);
        }
        return error || !rest ? error : fat_table_free(fat, rest);
}

static int shrink(struct fat_node *file, uint32_t bytes)
{
        const uint32_t keep = clusters_of(fat_of(file), bytes);
        const int error = fat_file_commit(file);

        if (error)
                return error;
        file->size = bytes;
        file->changed = file->grown = true;
        file->modified = fat_now(fat_of(file));
        return keep < file->clusters ? cut(file, keep) : fat_file_commit(file);
}

/* Appends zeroes up to a size. */
static int append_zeroes(struct fat_node *file, uint64_t end)
{
        static const uint8_t zeroes[4096];
        int error = 0;

        while (!error && file->size < end) {
                const uint64_t left = end - file->size;
                size_t done = 0;

                error = write_at(file, file->size, zeroes,
                                 left < sizeof(zeroes) ? (size_t)left : sizeof(zeroes), &done);
        }
        return error;
}

/* Checks that the disk has room for a file of @p end bytes, before any zero of a gap is written. */
static int check_room(const struct fat_node *file, uint64_t end)
{
        struct fat *fat = fat_of(file);
        const uint32_t wanted = clusters_of(fat, end);
        int error = 0;

        if (wanted <= file->clusters)
                return 0;
        /* The count on the disk may be wrong. It is corrected only once, because counting reads the
         * whole table. */
        if (!fat->counted && (wanted - file->clusters > fat->free || fat->free == UINT32_MAX))
                error = fat_table_count(fat);
        return !error && wanted - file->clusters > fat->free ? ENOSPC : error;
}

/* Returns the size of the file before a gap that is filled in parts. */
static uint32_t size_before(const struct fat_node *file)
{
        return file->gap_end && file->gap_end == file->size ? file->gap_begin : file->size;
}

/* Fills one part of the gap between the end of the file and @p end. Checks first that the disk has
 * room for a file of @p wanted bytes. After an error, removes all parts of the gap that were
 * filled.
 * @return EINPROGRESS: a part of the gap is left */
static int fill(struct fat_node *file, uint64_t end, uint64_t wanted)
{
        const uint32_t begin = size_before(file), clusters = file->clusters;
        const bool is_last = end - file->size <= FILES_GROW_MAX;
        int error = check_room(file, wanted);

        if (!error)
                error = append_zeroes(file, is_last ? end : (uint64_t)file->size + FILES_GROW_MAX);
        if (error && (file->size > begin || file->clusters > clusters))
                shrink(file, begin); /* the first error counts */
        if (error || is_last)
                return error;
        file->gap_begin = begin;
        file->gap_end = file->size;
        return EINPROGRESS;
}

/* Returns an error if the file must not change. If two names have its chain, a change through one
 * of them would leave the other one with clusters of another file. */
static int check_change(const struct fat_node *file)
{
        struct fat *fat = fat_of(file);

        if (file->lost || fat_shared_has(fat, file->first))
                return EIO;
        return fat->system.read_only ? EROFS : 0;
}

/* Ends a copy for a rename before the file changes. */
static void end_copy(struct fat_node *file)
{
        file->copy_lost |= file->copy.first != 0;
        fat_copy_free(fat_of(file), &file->copy);
}

int fat_file_write(struct files_node *node, uint64_t offset, const void *from, size_t bytes,
                   size_t *done)
{
        struct fat_node *file = (struct fat_node *)node;
        const uint32_t size = offset > file->size ? size_before(file) : file->size;
        int error = check_change(file);

        *done = 0;
        if (error || !bytes)
                return error;
        if (offset >= UINT32_MAX)
                return EFBIG;
        end_copy(file);
        if (offset > file->size)
                error = fill(file, offset, offset + 1);
        if (error == EINPROGRESS)
                return error;
        file->gap_end = 0;
        if (!error)
                error = write_at(file, offset, from, bytes, done);
        if (error && !*done && file->size > size)
                shrink(file, size);
        return error;
}

int fat_file_resize(struct files_node *node, uint64_t bytes)
{
        struct fat_node *file = (struct fat_node *)node;
        const int error = check_change(file);

        if (error)
                return error;
        if (bytes > UINT32_MAX)
                return EFBIG;
        end_copy(file);
        if (bytes > file->size) {
                const int result = fill(file, bytes, bytes);

                if (result != EINPROGRESS)
                        file->gap_end = 0;
                return result;
        }
        file->gap_end = 0;
        return bytes < file->size ? shrink(file, (uint32_t)bytes) : 0;
}

int fat_file_commit(struct fat_node *file)
{
        struct fat *fat = fat_of(file);
        uint32_t date, time;
        uint8_t *bytes;
        int error = 0;

        if (file->lost)
                return EIO;
        if (file->removed || !(file->changed || file->grown))
                return 0;
        if (file->grown)
                error = fat_flush_ordered(fat);
        if (!error && file->added) {
                error = fat_table_link(fat, file->tail, file->added);
                if (!error)
                        error = fat_flush_ordered(fat);
                if (!error)
                        file->added = 0;
        }
        if (!error)
                error = fat_sector(fat, file->sector, &bytes);
        if (error)
                return error;
        bytes += file->slot * FAT_ENTRY;
        fat_time_to(file->modified, &date, &time);
        fat_put16(bytes + 22, time);
        fat_put16(bytes + 24, date);
        bytes[11] |= FAT_ARCHIVE;
        fat_entry_set(fat, bytes, file->first, file->size);
        error = fat_sector_write(fat, file->sector);
        if (error)
                return error;
        file->disk_clusters = file->clusters;
        file->tail = 0;
        file->changed = file->grown = false;
        return 0;
}

int fat_file_orphan(struct fat_node *file)
{
        const int error = file->added ? fat_table_link(fat_of(file), file->tail, file->added) : 0;

        file->removed = true;
        file->added = file->tail = file->disk_clusters = 0;
        return error;
}
