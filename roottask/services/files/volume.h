/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes: mounted file systems, each at a path. Grants: the folder that each client sees. */
#ifndef NOVART_FILES_VOLUME_H
#define NOVART_FILES_VOLUME_H

#include "backend.h"
#include "novart/service/files.h"

#define VOLUMES 8
#define GRANTS  32

/* A mounted file system. */
struct volume {
        const char *path;      /* mount point without the slash, such as "data" */
        const char *service;   /* the block service; NULL: a boot module */
        const char *partition; /* NULL: the whole disk */
        bool read_only;        /* the mount's argument has the word `read-only` */
        struct files_disk disk;
        struct files_system *system;
};

/* The folder that a client gets. */
struct grant {
        const char *client;
        const struct volume *volume;
        char folder[NOVA_FILES_PATH_SIZE]; /* inside of the volume, as path_clean() writes it */
        bool read_only;
};

/* Writes a path without its first slash, empty parts, "." and "..". A ".." in the root names the
 * root. @return false if the path is too long */
bool path_clean(const char *path, char clean[NOVA_FILES_PATH_SIZE]);

/* Compares two clean paths. @return the rest of the path if it is the folder or lies below it, else
 * NULL */
const char *path_below(const char *path, const char *folder);

/* Mounts the volume's partition, or a boot module.
 * @param[out] sentence after an error: a sentence that explains it, or NULL
 * @return 0 or an errno value */
int volume_open_blocks(struct volume *volume, const char **sentence);
int volume_open_module(struct volume *volume, const char *module, const char **sentence);

/* Finds the node of a clean path below the root of a volume. The caller releases it. */
int volume_find(const struct volume *volume, const char *path, struct files_node **node);

/* Finds the folder of a clean path, and the last name in it.
 * @return EBUSY: the path is the root of the volume */
int volume_find_parent(const struct volume *volume, const char *path, struct files_node **folder,
                       char name[FILES_NAME_SIZE]);

#endif
