/* SPDX-License-Identifier: BSD-2-Clause */
/* The file system squashfs 4.0, read-only, with blocks compressed by LZ4. Every number on the disk
 * may be wrong: an offset is checked against the size of the file system before a read, and a size
 * against the buffer. */
#ifndef NOVART_FILES_SQUASHFS_H
#define NOVART_FILES_SQUASHFS_H

#include "../backend.h"

#define SQUASHFS_METADATA     8192        /* maximum size of a block of metadata in bytes */
#define SQUASHFS_METADATA_MAX 4           /* blocks of metadata that are kept */
#define SQUASHFS_DATA_MAX     2           /* blocks of data that are kept */
#define SQUASHFS_NONE         0xffffffffu /* no fragment */
#define SQUASHFS_BLOCK_MAX    0x100000u
#define SQUASHFS_BOUNCE       4096

/* A block in memory, as it was before compression. */
struct squashfs_block {
        uint64_t start; /* its offset on the disk; 0: none */
        uint64_t next;  /* offset after it; 0: no block of metadata follows */
        uint32_t length;
        uint64_t used; /* time of the last use */
        uint8_t *bytes;
};

struct squashfs {
        struct files_system system;
        uint64_t end; /* size of the file system in bytes */
        uint32_t block_bytes, fragments;
        uint64_t root, inodes, folders, fragment_table; /* offsets of the tables */
        uint64_t time;                                  /* number of uses so far */
        uint8_t *packed; /* a block as it is on the disk; NULL if the disk lies in memory */
        uint8_t bounce[SQUASHFS_BOUNCE];
        struct squashfs_block metadata[SQUASHFS_METADATA_MAX];
        struct squashfs_block data[SQUASHFS_DATA_MAX]; /* memory for the second may be missing */
};

/* A position in metadata: a block on the disk, and an offset in its content. */
struct squashfs_place {
        uint64_t block;
        uint32_t offset;
};

/* A file or a folder. */
struct squashfs_node {
        struct files_node node;
        uint32_t number, modified;
        bool folder;
        uint64_t size;                 /* size of a file, or of a folder's list */
        uint64_t start;                /* first block of a file */
        uint32_t fragment, tail;       /* fragment with the end of a file, and offset in it */
        struct squashfs_place content; /* list of a folder, or sizes of a file's blocks */
        uint64_t index, index_start;   /* block of the file that was found last, and its offset */
        struct squashfs_place index_size; /* position of its size */
};

static inline struct squashfs *squashfs_of(const struct files_node *node)
{
        return (struct squashfs *)node->system;
}

static inline uint32_t squashfs_get16(const uint8_t *bytes)
{
        return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static inline uint32_t squashfs_get32(const uint8_t *bytes)
{
        return squashfs_get16(bytes) | squashfs_get16(bytes + 2) << 16;
}

static inline uint64_t squashfs_get64(const uint8_t *bytes)
{
        return squashfs_get32(bytes) | (uint64_t)squashfs_get32(bytes + 4) << 32;
}

/* Unpacks a block of LZ4. @return the number of bytes; -1: it is damaged or too large */
long lz4_unpack(const uint8_t *from, size_t bytes, uint8_t *to, size_t room);

/* Reads bytes at any offset. @return 0; EIO: they are not inside the file system, or the disk
 * failed */
int squashfs_read_disk(struct squashfs *squashfs, uint64_t at, void *to, size_t bytes);

/* Reads metadata and advances the position. */
int squashfs_read_metadata(struct squashfs *squashfs, struct squashfs_place *place, void *to,
                           size_t bytes);

/* Advances a position. */
int squashfs_skip_metadata(struct squashfs *squashfs, struct squashfs_place *place, uint64_t bytes);

/* Gets a block of data. @p size is its size on the disk with the flag of blocks that are not
 * compressed. The block is valid until the next call. */
int squashfs_get_data(struct squashfs *squashfs, uint64_t start, uint32_t size,
                      const struct squashfs_block **found);

/* Reads an inode. @p reference is its position as folders store it.
 * @return ENOENT: it is neither a file nor a folder */
int squashfs_open(struct squashfs *squashfs, uint64_t reference, struct squashfs_node *node);

/* Functions of the backend. */
int squashfs_lookup(struct files_node *folder, const char *name, struct files_node **node);
int squashfs_list(struct files_node *folder, uint64_t *position, char name[FILES_NAME_SIZE],
                  struct files_about *about);
int squashfs_read(struct files_node *from, uint64_t offset, void *to, size_t bytes, size_t *done);
int squashfs_stat(struct files_node *of, struct files_about *about);
int squashfs_new(struct squashfs *squashfs, uint64_t reference, struct files_node **node);

#endif
