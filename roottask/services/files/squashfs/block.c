/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and unpacks the blocks of a squashfs file system, and caches some of them in memory. */
#include <errno.h>
#include <string.h>

#include "squashfs.h"

#define METADATA_PLAIN 0x8000u    /* in a size: the block is not compressed */
#define DATA_PLAIN     0x1000000u /* in a size: the block is not compressed */

static bool is_inside(const struct squashfs *squashfs, uint64_t at, size_t bytes)
{
        return at <= squashfs->end && bytes <= squashfs->end - at;
}

int squashfs_read_disk(struct squashfs *squashfs, uint64_t at, void *to, size_t bytes)
{
        struct files_disk *disk = squashfs->system.disk;
        uint8_t *out = to;

        if (!is_inside(squashfs, at, bytes))
                return EIO;
        if (disk->memory) {
                memcpy(to, (const uint8_t *)disk->memory + at, bytes);
                return 0;
        }
        while (bytes) {
                const uint32_t skip = (uint32_t)(at % disk->block_bytes);
                size_t part = SQUASHFS_BOUNCE - skip;
                int error;

                if (part > bytes)
                        part = bytes;
                error = disk->read(disk, at - skip, squashfs->bounce,
                                   (skip + part + disk->block_bytes - 1) / disk->block_bytes *
                                           disk->block_bytes);
                if (error)
                        return error;
                memcpy(out, squashfs->bounce + skip, part);
                out += part;
                at += part;
                bytes -= part;
        }
        return 0;
}

/* Finds a cached block. Returns it, or NULL and a block to replace in *victim. */
static struct squashfs_block *find(struct squashfs *squashfs, struct squashfs_block *blocks,
                                   unsigned count, uint64_t start, struct squashfs_block **victim)
{
        *victim = &blocks[0];
        for (unsigned i = 0; i < count && blocks[i].bytes; i++) {
                if (blocks[i].start == start) {
                        blocks[i].used = ++squashfs->time;
                        return &blocks[i];
                }
                if (blocks[i].used < (*victim)->used)
                        *victim = &blocks[i];
        }
        return NULL;
}

/* Reads a block of @p size bytes on the disk and unpacks it. */
static int fill(struct squashfs *squashfs, struct squashfs_block *block, uint64_t at, uint32_t size,
                bool plain, uint32_t room)
{
        const struct files_disk *disk = squashfs->system.disk;
        const uint8_t *packed = squashfs->packed;
        long length = (long)size;
        int error = 0;

        block->start = 0;
        if (!size || size > room || !is_inside(squashfs, at, size))
                return EIO;
        if (disk->memory)
                packed = (const uint8_t *)disk->memory + at;
        else
                error = squashfs_read_disk(squashfs, at, plain ? block->bytes : squashfs->packed,
                                           size);
        if (error)
                return error;
        if (!plain)
                length = lz4_unpack(packed, size, block->bytes, room);
        else if (disk->memory)
                memcpy(block->bytes, packed, size);
        if (length <= 0)
                return EIO;
        block->length = (uint32_t)length;
        block->next = at + size;
        block->used = ++squashfs->time;
        return 0;
}

static int get_metadata(struct squashfs *squashfs, uint64_t start,
                        const struct squashfs_block **found)
{
        struct squashfs_block *block;
        uint8_t header[2];
        uint32_t size;
        int error;

        if (!start)
                return EIO;
        *found = find(squashfs, squashfs->metadata, SQUASHFS_METADATA_MAX, start, &block);
        if (*found)
                return 0;
        error = squashfs_read_disk(squashfs, start, header, sizeof(header));
        if (error)
                return error;
        size = squashfs_get16(header);
        error = fill(squashfs, block, start + sizeof(header), size & ~METADATA_PLAIN,
                     size & METADATA_PLAIN, SQUASHFS_METADATA);
        if (error)
                return error;
        block->start = start;
        /* Only the last block of a table is shorter. A damaged image could otherwise keep other
         * clients waiting with millions of blocks. */
        if (block->length < SQUASHFS_METADATA)
                block->next = 0;
        *found = block;
        return 0;
}

int squashfs_read_metadata(struct squashfs *squashfs, struct squashfs_place *place, void *to,
                           size_t bytes)
{
        uint8_t *out = to;

        while (bytes) {
                const struct squashfs_block *block;
                const int error = get_metadata(squashfs, place->block, &block);
                size_t part;

                if (error)
                        return error;
                if (place->offset > block->length)
                        return EIO;
                part = block->length - place->offset;
                if (part > bytes)
                        part = bytes;
                if (out) {
                        memcpy(out, block->bytes + place->offset, part);
                        out += part;
                }
                place->offset += (uint32_t)part;
                bytes -= part;
                if (place->offset == block->length)
                        *place = (struct squashfs_place){block->next, 0};
        }
        return 0;
}

int squashfs_skip_metadata(struct squashfs *squashfs, struct squashfs_place *place, uint64_t bytes)
{
        int error = 0;

        while (bytes && !error) {
                const size_t part = bytes < SQUASHFS_METADATA ? (size_t)bytes : SQUASHFS_METADATA;

                error = squashfs_read_metadata(squashfs, place, NULL, part);
                bytes -= part;
        }
        return error;
}

int squashfs_get_data(struct squashfs *squashfs, uint64_t start, uint32_t size,
                      const struct squashfs_block **found)
{
        struct squashfs_block *block;
        int error;

        if (!start)
                return EIO;
        *found = find(squashfs, squashfs->data, SQUASHFS_DATA_MAX, start, &block);
        if (*found)
                return 0;
        error = fill(squashfs, block, start, size & ~DATA_PLAIN, size & DATA_PLAIN,
                     squashfs->block_bytes);
        if (error)
                return error;
        block->start = start;
        *found = block;
        return 0;
}
