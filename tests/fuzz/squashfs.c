/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the file system squashfs on a disk or in memory: no access may go beyond the disk, and the
 * number of accesses must have a bound. */
#include <stdlib.h>
#include <string.h>

#include "backend.h"

#define BYTES    4096
#define ACCESSES 100000 /* maximum number during one input */
#define ENTRIES  24     /* number of entries of a folder that are checked */
#define DEPTH    3
#define PARTS    40 /* maximum number of reads of a file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *image;
static size_t image_bytes;
static unsigned accesses;

static int read_image(struct files_disk *disk, uint64_t offset, void *to, size_t bytes)
{
        if (offset % disk->block_bytes || bytes % disk->block_bytes || !bytes ||
            offset > image_bytes || bytes > image_bytes - offset || accesses++ > ACCESSES)
                abort();
        memcpy(to, image + offset, bytes);
        return 0;
}

/* Reads a file from its beginning, and some bytes at @p far. */
static void read_file(struct files_node *file, uint64_t far)
{
        static char text[9000];
        uint64_t at = 0;
        size_t done = 1;

        for (unsigned i = 0; i < PARTS && done; i++, at += done)
                if (files_squashfs.read(file, at, text, i % 2 ? 700 : sizeof(text), &done))
                        break;
        if (!files_squashfs.read(file, far, text, sizeof(text), &done) && done > sizeof(text))
                abort();
}

static void walk(struct files_node *folder, unsigned depth, uint64_t far);

static void visit(struct files_node *folder, const char *name, unsigned depth, uint64_t far)
{
        struct files_about about;
        struct files_node *node;

        if (!*name || strlen(name) >= FILES_NAME_SIZE || strchr(name, '/'))
                abort();
        if (files_squashfs.lookup(folder, name, &node))
                return;
        if (!files_squashfs.stat(node, &about)) {
                if (!about.folder)
                        read_file(node, far);
                else if (depth < DEPTH)
                        walk(node, depth + 1, far);
        }
        files_squashfs.release(node);
}

static void walk(struct files_node *folder, unsigned depth, uint64_t far)
{
        char name[FILES_NAME_SIZE];
        struct files_about about;
        uint64_t position = 0;

        for (unsigned i = 0; i < ENTRIES; i++) {
                if (files_squashfs.list(folder, &position, name, &about))
                        break;
                visit(folder, name, depth, far);
        }
        position = far;
        files_squashfs.list(folder, &position, name, &about);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct files_disk disk = {.read_only = true, .read = read_image};
        struct files_system *system;
        const char *sentence;
        struct files_node *root;
        uint64_t far;

        /* The image, then a number for positions and a byte that selects the kind of disk. */
        if (size <= sizeof(far))
                return 0;
        size -= sizeof(far) + 1;
        memcpy(&far, data + size, sizeof(far));
        disk.block_bytes = data[size + sizeof(far)] & 1 ? 512 : 1;
        image_bytes = disk.block_bytes == 1 ? size : (size + 511) / 512 * 512;
        image = calloc(1, image_bytes + 1);
        if (!image)
                return 0;
        memcpy(image, data, size);
        disk.bytes = image_bytes;
        disk.memory = disk.block_bytes == 1 ? image : NULL;
        accesses = 0;
        if (files_squashfs.mount(&disk, &system, &sentence) == 0) {
                if (files_squashfs.root(system, &root) == 0) {
                        walk(root, 0, far);
                        files_squashfs.release(root);
                }
                files_squashfs.unmount(system);
        }
        free(image);
        return 0;
}
