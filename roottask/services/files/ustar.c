/* SPDX-License-Identifier: BSD-2-Clause */
/* The file system of archives in ustar format, which lie in memory and can only be read. The
 * folders are implied by the names of the files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "backend.h"

/* A file, or a folder: the part of a file's name before a slash. */
struct ustar_node {
        struct files_node node;
        const struct archive_file *file; /* the file, or the first one in the folder */
        size_t prefix;                   /* length of the folder's name; the root has 0 */
        bool folder;
};

/* The files are sorted by name, so those of a folder follow each other. */
struct ustar {
        struct files_system system;
        unsigned count;
        struct archive_file file[];
};

static struct ustar *ustar_of(const struct files_node *node)
{
        return (struct ustar *)node->system;
}

/* Compares names; files with one name keep their order in the archive. */
static int ustar_compare(const void *one, const void *other)
{
        const struct archive_file *const a = one, *const b = other;
        const int order = strcmp(a->name, b->name);

        return order ? order : a->data < b->data ? -1 : a->data > b->data;
}

/* Keeps the last of the files with one name, as tar does: `tar --append` adds a new version of a
 * file after the old one. */
static void ustar_drop_replaced(struct ustar *ustar)
{
        unsigned kept = 0;

        for (unsigned i = 0; i < ustar->count; i++)
                if (i + 1 == ustar->count ||
                    strcmp(ustar->file[i].name, ustar->file[i + 1].name) != 0)
                        ustar->file[kept++] = ustar->file[i];
        ustar->count = kept;
}

static int ustar_mount(struct files_disk *disk, struct files_system **system, const char **sentence)
{
        const long count =
                disk->memory ? archive_check(disk->memory, (size_t)disk->bytes, sentence) : -1;
        struct archive archive;
        struct ustar *ustar;

        if (count < 0)
                return EILSEQ;
        ustar = calloc(1, sizeof(*ustar) + (size_t)count * sizeof(ustar->file[0]));
        if (!ustar)
                return ENOMEM;
        ustar->system =
                (struct files_system){.backend = &files_ustar, .disk = disk, .read_only = true};
        archive_begin(&archive, disk->memory, (size_t)disk->bytes);
        while (ustar->count < (unsigned long)count &&
               archive_next(&archive, &ustar->file[ustar->count]))
                ustar->count++;
        qsort(ustar->file, ustar->count, sizeof(ustar->file[0]), ustar_compare);
        ustar_drop_replaced(ustar);
        *system = &ustar->system;
        return 0;
}

static void ustar_unmount(struct files_system *system)
{
        free(system);
}

static int ustar_open(struct ustar *ustar, const struct archive_file *file, size_t prefix,
                      bool folder, struct files_node **node)
{
        struct ustar_node *new = malloc(sizeof(*new));

        if (!new)
                return ENOMEM;
        *new = (struct ustar_node){{&ustar->system, 1}, file, prefix, folder};
        *node = &new->node;
        return 0;
}

static int ustar_root(struct files_system *system, struct files_node **node)
{
        struct ustar *ustar = (struct ustar *)system;

        return ustar_open(ustar, ustar->file, 0, true, node);
}

static int ustar_release(struct files_node *node)
{
        if (--node->users == 0)
                free(node);
        return 0;
}

/* Returns a file's name below a folder; NULL: it is not in the folder. */
static const char *ustar_below(const struct ustar_node *folder, const struct archive_file *file)
{
        const size_t length = folder->prefix;

        if (!length)
                return file->name;
        return strncmp(file->name, folder->file->name, length) == 0 && file->name[length] == '/'
                       ? file->name + length + 1
                       : NULL;
}

static int ustar_lookup(struct files_node *in, const char *name, struct files_node **node)
{
        const struct ustar_node *folder = (struct ustar_node *)in;
        struct ustar *ustar = ustar_of(in);
        const size_t length = strlen(name);

        if (!folder->folder)
                return ENOTDIR;
        for (unsigned i = 0; i < ustar->count; i++) {
                const char *below = ustar_below(folder, &ustar->file[i]);

                if (!below || strncmp(below, name, length) != 0 ||
                    (below[length] && below[length] != '/'))
                        continue;
                return ustar_open(ustar, &ustar->file[i],
                                  (size_t)(below - ustar->file[i].name) + length,
                                  below[length] != 0, node);
        }
        return ENOENT;
}

static int ustar_stat(struct files_node *of, struct files_about *about)
{
        const struct ustar_node *node = (struct ustar_node *)of;
        const uint64_t index = (uint64_t)(node->file - ustar_of(of)->file);

        /* Several folders may have the same first file, so the length of the folder's name is part
         * of the number. */
        *about = (struct files_about){.size = node->folder ? 0 : node->file->size,
                                      .number = index * FILES_NAME_SIZE + node->prefix + 1,
                                      .folder = node->folder,
                                      .read_only = true};
        return 0;
}

static int ustar_read(struct files_node *from, uint64_t offset, void *to, size_t bytes,
                      size_t *done)
{
        const struct archive_file *file = ((struct ustar_node *)from)->file;

        if (offset >= file->size)
                bytes = 0;
        else if (bytes > file->size - offset)
                bytes = (size_t)(file->size - offset);
        if (bytes)
                memcpy(to, file->data + offset, bytes);
        *done = bytes;
        return 0;
}

/* Returns true if the file before @p file also lies in the folder @p part, so that this folder was
 * already listed. */
static bool ustar_listed(const struct ustar_node *folder, const struct archive_file *file,
                         const char *part, size_t length)
{
        const char *const below =
                file > ustar_of(&folder->node)->file ? ustar_below(folder, file - 1) : NULL;

        return below && strncmp(below, part, length) == 0 && below[length] == '/';
}

static int ustar_list(struct files_node *in, uint64_t *position, char name[FILES_NAME_SIZE],
                      struct files_about *about)
{
        const struct ustar_node *folder = (struct ustar_node *)in;
        const struct ustar *ustar = ustar_of(in);

        if (!folder->folder)
                return ENOTDIR;
        while (*position < ustar->count) {
                const struct archive_file *file = &ustar->file[(*position)++];
                const char *below = ustar_below(folder, file);
                const size_t length = below ? strcspn(below, "/") : 0;

                if (!length || (below[length] && ustar_listed(folder, file, below, length)))
                        continue;
                memcpy(name, below, length);
                name[length] = 0;

                struct ustar_node node = {*in, file, (size_t)(below - file->name) + length,
                                          below[length] != 0};

                return ustar_stat(&node.node, about);
        }
        return ENOENT;
}

const struct files_backend files_ustar = {
        .name = "ustar",
        .mount = ustar_mount,
        .unmount = ustar_unmount,
        .root = ustar_root,
        .lookup = ustar_lookup,
        .release = ustar_release,
        .stat = ustar_stat,
        .read = ustar_read,
        .list = ustar_list,
};
