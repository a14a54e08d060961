/* SPDX-License-Identifier: BSD-2-Clause */
/* The first block of a file system squashfs, and its memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "squashfs.h"

#define HEADER     96 /* size in bytes */
#define MAGIC      0x73717368u
#define LZ4        5
#define ABSENT     UINT64_MAX
#define SECTOR_MAX 4096

static void squashfs_unmount(struct files_system *system)
{
        struct squashfs *squashfs = (struct squashfs *)system;

        for (unsigned i = 0; i < SQUASHFS_METADATA_MAX; i++)
                free(squashfs->metadata[i].bytes);
        for (unsigned i = 0; i < SQUASHFS_DATA_MAX; i++)
                free(squashfs->data[i].bytes);
        free(squashfs->packed);
        free(squashfs);
}

static int squashfs_root(struct files_system *system, struct files_node **node)
{
        struct squashfs *squashfs = (struct squashfs *)system;
        const int error = squashfs_new(squashfs, squashfs->root, node);

        if (error)
                return error == ENOENT ? EIO : error;
        if (((struct squashfs_node *)*node)->folder)
                return 0;
        free(*node);
        return EIO;
}

static int squashfs_release(struct files_node *node)
{
        if (--node->users == 0)
                free(node);
        return 0;
}

/* Allocates the blocks that are kept. The service needs only one block of data. */
static int allocate(struct squashfs *squashfs)
{
        uint32_t packed = squashfs->block_bytes;

        for (unsigned i = 0; i < SQUASHFS_METADATA_MAX; i++) {
                squashfs->metadata[i].bytes = malloc(SQUASHFS_METADATA);
                if (!squashfs->metadata[i].bytes)
                        return ENOMEM;
        }
        if (packed < SQUASHFS_METADATA)
                packed = SQUASHFS_METADATA;
        if (!squashfs->system.disk->memory) {
                squashfs->packed = malloc(packed);
                if (!squashfs->packed)
                        return ENOMEM;
        }
        for (unsigned i = 0; i < SQUASHFS_DATA_MAX; i++)
                squashfs->data[i].bytes = malloc(squashfs->block_bytes);
        return squashfs->data[0].bytes ? 0 : ENOMEM;
}

/* Decodes and checks the header. */
static int decode(struct squashfs *squashfs, const uint8_t *header, const char **sentence)
{
        if (squashfs_get16(header + 28) != 4 || squashfs_get16(header + 30) != 0) {
                *sentence = "only version 4.0 of squashfs can be read.";
                return ENOTSUP;
        }
        if (squashfs_get16(header + 20) != LZ4) {
                *sentence = "it is not compressed with LZ4; use `mksquashfs -comp lz4`.";
                return ENOTSUP;
        }
        squashfs->block_bytes = squashfs_get32(header + 12);
        squashfs->fragments = squashfs_get32(header + 16);
        squashfs->root = squashfs_get64(header + 32);
        squashfs->end = squashfs_get64(header + 40);
        squashfs->inodes = squashfs_get64(header + 64);
        squashfs->folders = squashfs_get64(header + 72);
        squashfs->fragment_table = squashfs_get64(header + 80);
        if (squashfs->block_bytes < 4096 || squashfs->block_bytes > SQUASHFS_BLOCK_MAX ||
            squashfs->block_bytes & (squashfs->block_bytes - 1) ||
            squashfs->end > squashfs->system.disk->bytes || squashfs->end < HEADER ||
            squashfs->inodes >= squashfs->end || squashfs->folders >= squashfs->end ||
            (squashfs->fragments && squashfs->fragment_table >= squashfs->end)) {
                *sentence = "its first block is damaged, or its end is missing.";
                return EIO;
        }
        return 0;
}

static int squashfs_mount(struct files_disk *disk, struct files_system **system,
                          const char **sentence)
{
        struct squashfs *squashfs;
        struct files_node *root;
        uint8_t header[HEADER];
        int error;

        if (disk->bytes < HEADER)
                return EILSEQ;
        if (disk->block_bytes > SECTOR_MAX)
                return ENOTSUP;
        squashfs = calloc(1, sizeof(*squashfs));
        if (!squashfs)
                return ENOMEM;
        squashfs->system =
                (struct files_system){.backend = &files_squashfs, .disk = disk, .read_only = true};
        squashfs->end = disk->bytes;
        error = squashfs_read_disk(squashfs, 0, header, sizeof(header));
        if (!error && squashfs_get32(header) != MAGIC)
                error = EILSEQ;
        if (!error)
                error = decode(squashfs, header, sentence);
        if (!error) {
                error = allocate(squashfs);
                if (error)
                        *sentence = "its blocks need more memory; write a larger `memory`.";
        }
        if (!error)
                error = squashfs_root(&squashfs->system, &root);
        if (error) {
                squashfs_unmount(&squashfs->system);
                return error;
        }
        squashfs_release(root);
        *system = &squashfs->system;
        return 0;
}

const struct files_backend files_squashfs = {
        .name = "squashfs",
        .mount = squashfs_mount,
        .unmount = squashfs_unmount,
        .root = squashfs_root,
        .lookup = squashfs_lookup,
        .release = squashfs_release,
        .stat = squashfs_stat,
        .read = squashfs_read,
        .list = squashfs_list,
};
