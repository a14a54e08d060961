/* SPDX-License-Identifier: BSD-2-Clause */
/* Inodes of the file system squashfs, and the content of files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "squashfs.h"

#define HEADER       16 /* size in bytes of the common start of all inodes */
#define INODE_MAX    56
#define FOLDER       1
#define FILE_        2
#define FOLDER_LARGE 8
#define FILE_LARGE   9
/* Maximum number of blocks of a file. The search for a block of a larger file in a damaged image
 * would keep the service busy for too long. */
#define BLOCKS_MAX    (1u << 22)
#define LIST_MAX      FILES_FOLDER_WORK
#define LIST_EXTRA    3 /* the size of a folder counts "." and ".." as 3 bytes */
#define FRAGMENT      16
#define FRAGMENTS_ONE (SQUASHFS_METADATA / FRAGMENT) /* fragments in a block of metadata */

static void decode_file(struct squashfs_node *node, const uint8_t *bytes, bool large)
{
        node->start = large ? squashfs_get64(bytes + 16) : squashfs_get32(bytes + 16);
        node->size = large ? squashfs_get64(bytes + 24) : squashfs_get32(bytes + 28);
        node->fragment = squashfs_get32(bytes + (large ? 44 : 20));
        node->tail = squashfs_get32(bytes + (large ? 48 : 24));
        node->index = 0;
        node->index_start = node->start;
        node->index_size = node->content;
}

static void decode_folder(const struct squashfs *squashfs, struct squashfs_node *node,
                          const uint8_t *bytes, bool large)
{
        const uint32_t size = large ? squashfs_get32(bytes + 20) : squashfs_get16(bytes + 24);

        node->folder = true;
        node->size = size < LIST_EXTRA ? 0 : size - LIST_EXTRA;
        node->content.block = squashfs->folders + squashfs_get32(bytes + (large ? 24 : 16));
        node->content.offset = squashfs_get16(bytes + (large ? 34 : 26));
}

int squashfs_open(struct squashfs *squashfs, uint64_t reference, struct squashfs_node *node)
{
        struct squashfs_place place = {squashfs->inodes + (reference >> 16), reference & 0xffff};
        uint8_t bytes[INODE_MAX];
        uint32_t type, size;
        int error = reference >> 48 ? EIO : 0;

        if (!error)
                error = squashfs_read_metadata(squashfs, &place, bytes, HEADER);
        if (error)
                return error;
        type = squashfs_get16(bytes);
        if (!type || type > 14)
                return EIO;
        if (type != FOLDER && type != FILE_ && type != FOLDER_LARGE && type != FILE_LARGE)
                return ENOENT;
        size = type == FOLDER || type == FILE_ ? 32 : type == FILE_LARGE ? 56 : 40;
        error = squashfs_read_metadata(squashfs, &place, bytes + HEADER, size - HEADER);
        if (error)
                return error;
        *node = (struct squashfs_node){.node = {&squashfs->system, 1},
                                       .number = squashfs_get32(bytes + 12),
                                       .modified = squashfs_get32(bytes + 8),
                                       .content = place};
        if (type == FILE_ || type == FILE_LARGE)
                decode_file(node, bytes, type == FILE_LARGE);
        else
                decode_folder(squashfs, node, bytes, type == FOLDER_LARGE);
        return node->folder                                      ? (node->size > LIST_MAX ? EIO : 0)
               : node->size / squashfs->block_bytes > BLOCKS_MAX ? EIO
                                                                 : 0;
}

int squashfs_new(struct squashfs *squashfs, uint64_t reference, struct files_node **node)
{
        struct squashfs_node *new = malloc(sizeof(*new));
        int error = new ? squashfs_open(squashfs, reference, new) : ENOMEM;

        if (error)
                free(new);
        else
                *node = &new->node;
        return error;
}

int squashfs_stat(struct files_node *of, struct files_about *about)
{
        const struct squashfs_node *node = (struct squashfs_node *)of;

        *about = (struct files_about){.size = node->folder ? 0 : node->size,
                                      .number = node->number,
                                      .modified = node->modified,
                                      .folder = node->folder,
                                      .read_only = true};
        return 0;
}

/* Reads the size that a block of a file has on the disk, and finds the block's place. The search
 * continues at the block that was found last, unless the wanted block lies before it. */
static int find_block(struct squashfs_node *file, uint64_t index, uint64_t *start, uint32_t *size)
{
        struct squashfs *squashfs = squashfs_of(&file->node);
        struct squashfs_place place;
        uint8_t bytes[4];

        if (index < file->index) {
                file->index = 0;
                file->index_start = file->start;
                file->index_size = file->content;
        }
        for (;;) {
                place = file->index_size;

                const int error = squashfs_read_metadata(squashfs, &place, bytes, sizeof(bytes));

                if (error)
                        return error;
                *size = squashfs_get32(bytes);
                *start = file->index_start;
                if (file->index == index)
                        return 0;
                file->index++;
                file->index_start += *size & 0xffffff;
                file->index_size = place;
                if (file->index_start > squashfs->end)
                        return EIO;
        }
}

static int find_fragment(const struct squashfs_node *file, uint64_t *start, uint32_t *size)
{
        struct squashfs *squashfs = squashfs_of(&file->node);
        const uint64_t entry = file->fragment / FRAGMENTS_ONE;
        struct squashfs_place place = {0, file->fragment % FRAGMENTS_ONE * FRAGMENT};
        uint8_t bytes[FRAGMENT];
        int error = file->fragment < squashfs->fragments ? 0 : EIO;

        if (!error)
                error = squashfs_read_disk(squashfs, squashfs->fragment_table + entry * 8, bytes,
                                           8);
        if (error)
                return error;
        place.block = squashfs_get64(bytes);
        error = squashfs_read_metadata(squashfs, &place, bytes, sizeof(bytes));
        *start = squashfs_get64(bytes);
        *size = squashfs_get32(bytes + 8);
        return error;
}

/* Reads from one block of a file. */
static int read_part(struct squashfs_node *file, uint64_t offset, uint8_t *to, size_t bytes)
{
        struct squashfs *squashfs = squashfs_of(&file->node);
        const uint64_t index = offset / squashfs->block_bytes;
        const bool tail =
                file->fragment != SQUASHFS_NONE && index == file->size / squashfs->block_bytes;
        uint64_t at = offset % squashfs->block_bytes, start;
        const struct squashfs_block *block;
        uint32_t size;
        int error =
                tail ? find_fragment(file, &start, &size) : find_block(file, index, &start, &size);

        if (error)
                return error;
        if (!size && !tail) {
                memset(to, 0, bytes); /* a hole */
                return 0;
        }
        error = squashfs_get_data(squashfs, start, size, &block);
        if (error)
                return error;
        at += tail ? file->tail : 0;
        if (at > block->length || bytes > block->length - at)
                return EIO;
        memcpy(to, block->bytes + at, bytes);
        return 0;
}

int squashfs_read(struct files_node *from, uint64_t offset, void *to, size_t bytes, size_t *done)
{
        struct squashfs_node *file = (struct squashfs_node *)from;
        const uint32_t block_bytes = squashfs_of(from)->block_bytes;
        uint8_t *out = to;

        *done = 0;
        if (offset >= file->size)
                return 0;
        if (bytes > file->size - offset)
                bytes = (size_t)(file->size - offset);
        while (*done < bytes) {
                size_t part = block_bytes - (size_t)(offset % block_bytes);
                int error;

                if (part > bytes - *done)
                        part = bytes - *done;
                error = read_part(file, offset, out + *done, part);
                if (error)
                        return *done ? 0 : error;
                offset += part;
                *done += part;
        }
        return 0;
}
