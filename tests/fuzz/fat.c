/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the FAT file system: reads, changes and rereads a disk with arbitrary content. No access
 * may go beyond the disk, and the number of accesses must be bounded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

#define SECTORS  64
#define ACCESSES 300000 /* accesses during one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *image;
static unsigned accesses;

static void check(uint64_t offset, size_t bytes)
{
        if (offset % 512 || bytes % 512 || !bytes || offset + bytes > SECTORS * 512 ||
            accesses++ > ACCESSES)
                abort();
}

static int read_image(struct files_disk *disk, uint64_t offset, void *to, size_t bytes)
{
        (void)disk;
        check(offset, bytes);
        memcpy(to, image + offset, bytes);
        return 0;
}

static int write_image(struct files_disk *disk, uint64_t offset, const void *from, size_t bytes)
{
        (void)disk;
        check(offset, bytes);
        memcpy(image + offset, from, bytes);
        return 0;
}

static int flush_image(struct files_disk *disk)
{
        (void)disk;
        return 0;
}

/* Writes the first sector of a small file system, FAT12 or FAT32, and the first entries of its two
 * empty allocation tables. */
static void format(bool is_32)
{
        static const uint8_t start[] = {0xeb, 0, 0x90, 'N', 'O', 'V', 'A', 0, 0, 0, 0, 0, 2, 1};
        const unsigned reserved = is_32 ? 4 : 1;

        memcpy(image, start, sizeof(start));
        image[14] = (uint8_t)reserved;
        image[16] = 2;
        image[17] = is_32 ? 0 : 32;
        image[19] = SECTORS;
        image[21] = 0xf8;
        image[is_32 ? 36 : 22] = 1;
        image[44] = is_32 ? 2 : 0;
        image[48] = is_32 ? 1 : 0;
        image[510] = 0x55;
        image[511] = 0xaa;
        for (unsigned i = 0; i < 2; i++)
                memset(image + (reserved + i) * 512, 0xff, is_32 ? 12 : 3);
}

/* Changes the disk: two bytes give the position, and one byte the number of bytes that follow. */
static void patch(const uint8_t *data, size_t size)
{
        while (size > 3) {
                const size_t at = (data[0] | data[1] << 8) % (SECTORS * 512);
                size_t count = data[2] % 64;

                data += 3;
                size -= 3;
                if (count > size)
                        count = size;
                if (count > SECTORS * 512 - at)
                        count = SECTORS * 512 - at;
                memcpy(image + at, data, count);
                data += count;
                size -= count;
        }
}

static void read_file(struct files_node *file)
{
        const struct files_backend *fat = &files_fat;
        char text[700];
        uint64_t at = 0;
        size_t done;

        while (at < SECTORS * 1024 && !fat->read(file, at, text, sizeof(text), &done) && done)
                at += done;
}

static void change(struct files_node *folder, const char *name, unsigned round)
{
        const struct files_backend *fat = &files_fat;
        static const char text[] = "some text that is longer than its name";
        struct files_node *node;
        size_t done;

        if (fat->lookup(folder, name, &node) == 0) {
                struct files_about about;

                if (fat->stat(node, &about) == 0 && !about.folder) {
                        read_file(node);
                        fat->write(node, round * 300, text, sizeof(text), &done);
                        if (round % 3 == 0)
                                fat->resize(node, round * 100);
                        if (round % 4 == 1)
                                fat->remove(folder, name, false);
                        fat->write(node, 1000, text, sizeof(text), &done);
                }
                fat->release(node);
        }
        if (round % 4 == 2)
                fat->rename(folder, name, folder, "a new name of a file");
        else if (round % 4 == 3)
                fat->remove(folder, name, true);
}

static void walk(struct files_node *folder, unsigned depth)
{
        const struct files_backend *fat = &files_fat;
        char name[FILES_NAME_SIZE];
        struct files_about about;
        struct files_node *node;
        uint64_t position = 0;

        for (unsigned i = 0; i < 20 && !fat->list(folder, &position, name, &about); i++) {
                if (about.folder && depth < 3 && fat->lookup(folder, name, &node) == 0) {
                        walk(node, depth + 1);
                        fat->release(node);
                }
                change(folder, name, i + depth);
        }
        if (fat->create(folder, "made by the test.text", depth % 2, &node) == 0)
                fat->release(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct files_disk disk = {.bytes = SECTORS * 512,
                                  .block_bytes = 512,
                                  .read = read_image,
                                  .write = write_image,
                                  .flush = flush_image};
        struct files_system *system;
        const char *sentence;
        struct files_node *root;

        image = calloc(SECTORS, 512);
        accesses = 0;
        format(size && data[0] & 1);
        if (size)
                patch(data + 1, size - 1);
        if (files_fat.mount(&disk, &system, &sentence) == 0) {
                if (files_fat.root(system, &root) == 0) {
                        walk(root, 0);
                        walk(root, 1);
                        files_fat.release(root);
                }
                files_fat.unmount(system);
        }
        free(image);
        return 0;
}
