/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders of a file system squashfs: runs of entries whose inodes lie in one block. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "squashfs.h"

#define RUN_HEADER 12
#define RUN_MAX    256 /* entries of a run */
#define ENTRY      8   /* size of an entry without its name, in bytes */

/* Position of a walk over the list of a folder. */
struct walk {
        struct squashfs *squashfs;
        struct squashfs_place place;
        uint64_t size, left;   /* size of the list, and the rest of it, in bytes */
        uint64_t run;          /* offset of the run in the list */
        uint32_t index, count; /* index of the next entry, number of entries in the run */
        uint64_t inodes;       /* block with the run's inodes, from the beginning of the table */
};

/* An entry of a folder. */
struct entry {
        char name[FILES_NAME_SIZE];
        uint64_t reference; /* reference to the inode */
};

/* Reads bytes of the list. @return EIO: the list has fewer bytes left */
static int take(struct walk *walk, void *to, size_t bytes)
{
        if (walk->left < bytes)
                return EIO;
        walk->left -= bytes;
        walk->squashfs->system.work += bytes;
        return squashfs_read_metadata(walk->squashfs, &walk->place, to, bytes);
}

static int begin(struct walk *walk, const struct files_node *in, uint64_t run)
{
        const struct squashfs_node *folder = (const struct squashfs_node *)in;

        if (!folder->folder)
                return ENOTDIR;
        *walk = (struct walk){.squashfs = squashfs_of(in),
                              .place = folder->content,
                              .size = folder->size,
                              .left = folder->size};
        if (run >= folder->size)
                return ENOENT;
        walk->left -= run;
        return squashfs_skip_metadata(walk->squashfs, &walk->place, run);
}

static int begin_run(struct walk *walk)
{
        uint8_t header[RUN_HEADER];
        int error;

        if (!walk->left)
                return ENOENT;
        walk->run = walk->size - walk->left;
        error = take(walk, header, sizeof(header));
        if (error)
                return error;
        walk->count = squashfs_get32(header);
        if (walk->count >= RUN_MAX)
                return EIO;
        walk->count++;
        walk->index = 0;
        walk->inodes = squashfs_get32(header + 4);
        return 0;
}

static bool is_name(const char *name, size_t length)
{
        return strlen(name) == length && !strchr(name, '/') && strcmp(name, ".") != 0 &&
               strcmp(name, "..") != 0;
}

/* Reads an entry. @return ENOENT: the list ends */
static int next(struct walk *walk, struct entry *entry)
{
        int error = walk->index == walk->count ? begin_run(walk) : 0;
        uint8_t bytes[ENTRY];
        size_t length;

        if (!error)
                error = take(walk, bytes, sizeof(bytes));
        if (error)
                return error;
        length = squashfs_get16(bytes + 6) + 1;
        if (length >= FILES_NAME_SIZE)
                return EIO;
        error = take(walk, entry->name, length);
        entry->name[length] = 0;
        if (!error && !is_name(entry->name, length))
                error = EIO;
        entry->reference = walk->inodes << 16 | squashfs_get16(bytes);
        walk->index++;
        return error;
}

int squashfs_lookup(struct files_node *folder, const char *name, struct files_node **node)
{
        struct entry entry;
        struct walk walk;
        int error = begin(&walk, folder, 0);

        while (!error) {
                error = next(&walk, &entry);
                if (!error && strcmp(entry.name, name) == 0)
                        return squashfs_new(squashfs_of(folder), entry.reference, node);
        }
        return error;
}

/* A position is the offset of a run in the list, and the number of an entry of the run. */
int squashfs_list(struct files_node *folder, uint64_t *position, char name[FILES_NAME_SIZE],
                  struct files_about *about)
{
        const uint32_t index = *position % RUN_MAX;
        struct squashfs_node node;
        struct entry entry;
        struct walk walk;
        int error = begin(&walk, folder, *position / RUN_MAX);

        for (uint32_t i = 0; i < index && !error; i++)
                error = next(&walk, &entry);
        while (!error) {
                error = next(&walk, &entry);
                if (error)
                        return error;
                error = squashfs_open(squashfs_of(folder), entry.reference, &node);
                if (error == ENOENT) {
                        error = 0; /* a link or a device */
                        continue;
                }
                if (error)
                        return error;
                /* The next entry of this run, or the first entry of the next run. */
                *position = walk.index == walk.count ? (walk.size - walk.left) * RUN_MAX
                                                     : walk.run * RUN_MAX + walk.index;
                memcpy(name, entry.name, sizeof(entry.name));
                return squashfs_stat(&node.node, about);
        }
        return error;
}
