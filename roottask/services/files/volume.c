/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes on partitions and in boot modules. */
#include "volume.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "novart/parent.h"
#include "novart/service/block.h"

#define POOL_BYTES 0x10000

/* Maximum work of all lookups of a path before the last lookup. */
#define WORK_MAX (UINT64_C(4) * FILES_FOLDER_WORK)

static int read_blocks(struct files_disk *disk, uint64_t offset, void *to, size_t bytes)
{
        return nova_block_read(disk->context, offset / disk->block_bytes,
                               (uint32_t)(bytes / disk->block_bytes), to);
}

static int write_blocks(struct files_disk *disk, uint64_t offset, const void *from, size_t bytes)
{
        return nova_block_write(disk->context, offset / disk->block_bytes,
                                (uint32_t)(bytes / disk->block_bytes), from);
}

static int flush_blocks(struct files_disk *disk)
{
        return nova_block_flush(disk->context);
}

static int read_memory(struct files_disk *disk, uint64_t offset, void *to, size_t bytes)
{
        memcpy(to, (const char *)disk->memory + offset, bytes);
        return 0;
}

static int64_t now(void)
{
        return (int64_t)time(NULL);
}

/* Mounts the file system of a session's blocks. No other mount may write these blocks. If this
 * mount can write the file system, no other mount may read the blocks either. */
static int mount_blocks(struct volume *volume, const char **sentence)
{
        struct nova_block *const block = volume->disk.context;
        int error = nova_block_claim(block, NOVA_BLOCK_READS);

        if (!error)
                error = files_mount(&volume->disk, &volume->system, sentence);
        if (error || volume->system->read_only)
                return error;
        error = nova_block_claim(block, NOVA_BLOCK_WRITES);
        if (error)
                volume->system->backend->unmount(volume->system);
        return error;
}

int volume_open_blocks(struct volume *volume, const char **sentence)
{
        const struct nova_block_info *info;
        struct nova_block *block;
        int error = nova_block_open(&block, volume->service, volume->partition, POOL_BYTES);

        *sentence = NULL;
        if (error)
                return error;
        info = nova_block_get_info(block);
        volume->disk = (struct files_disk){
                .context = block,
                .bytes = info->blocks * info->block_bytes,
                .block_bytes = info->block_bytes,
                .read_only = volume->read_only || info->flags & NOVA_BLOCK_READ_ONLY,
                .read = read_blocks,
                .write = write_blocks,
                .flush = flush_blocks,
                .now = now,
        };
        error = mount_blocks(volume, sentence);
        if (error)
                nova_block_close(block);
        return error;
}

int volume_open_module(struct volume *volume, const char *module, const char **sentence)
{
        const void *memory;
        size_t bytes;
        const int error = nova_parent_module(module, &memory, &bytes);

        *sentence = NULL;
        if (error)
                return error;
        volume->disk = (struct files_disk){
                .bytes = bytes,
                .block_bytes = 1,
                .read_only = true,
                .memory = memory,
                .read = read_memory,
                .now = now,
        };
        return files_mount(&volume->disk, &volume->system, sentence);
}

/* Takes the first name of a path. @return the rest; NULL: the name is too long */
static const char *take_name(const char *path, char name[FILES_NAME_SIZE])
{
        const size_t length = strcspn(path, "/");

        if (length >= FILES_NAME_SIZE)
                return NULL;
        memcpy(name, path, length);
        name[length] = 0;
        return path + length + (path[length] == '/');
}

/* Finds the root, where a path begins. */
static int begin_path(const struct volume *volume, struct files_node **root)
{
        volume->system->work = 0;
        return volume->system->backend->root(volume->system, root);
}

/* Finds the next name of a path. The work is limited: on a damaged disk, a folder of the maximum
 * size may contain itself, and other clients wait while a path leads through it again and again. */
static int look_up(const struct volume *volume, struct files_node *folder, const char *name,
                   struct files_node **node)
{
        return volume->system->work > WORK_MAX
                       ? EIO
                       : volume->system->backend->lookup(folder, name, node);
}

int volume_find(const struct volume *volume, const char *path, struct files_node **node)
{
        const struct files_backend *backend = volume->system->backend;
        int error = begin_path(volume, node);
        char name[FILES_NAME_SIZE];

        while (!error && *path) {
                struct files_node *const folder = *node;

                path = take_name(path, name);
                error = path ? look_up(volume, folder, name, node) : ENAMETOOLONG;
                backend->release(folder);
        }
        return error;
}

int volume_find_parent(const struct volume *volume, const char *path, struct files_node **folder,
                       char name[FILES_NAME_SIZE])
{
        const struct files_backend *backend = volume->system->backend;
        int error = begin_path(volume, folder);

        if (error)
                return error;
        if (!*path)
                error = EBUSY;
        while (!error) {
                struct files_node *const above = *folder;

                path = take_name(path, name);
                if (path && !*path)
                        return 0;
                error = path ? look_up(volume, above, name, folder) : ENAMETOOLONG;
                backend->release(above);
                if (error)
                        return error;
        }
        backend->release(*folder);
        return error;
}
