/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between the service `files` and its file systems.
 *
 * A file system is a table of functions (struct files_backend). The service calls one function at a
 * time, so a backend needs no locks. All functions return 0 or a number of <errno.h>. A backend
 * does not trust the disk: damage leads to EIO, but never to an access outside of its memory or to
 * an endless loop. */
#ifndef NOVART_FILES_BACKEND_H
#define NOVART_FILES_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_NAME_SIZE 256 /* size of a name in bytes, UTF-8, including the terminating 0 */

/* Maximum number of zero bytes that one call writes into a gap, because other clients wait
 * meanwhile. */
#define FILES_GROW_MAX 0x40000

/* Maximum number of bytes that one call copies for a rename, because other clients wait meanwhile.
 */
#define FILES_COPY_MAX 0x40000

/* Work of reading a folder of the maximum size, in the units of `work` of struct files_system. */
#define FILES_FOLDER_WORK 0x1000000

/* The disk of a file system: a partition, or a boot module. The object stays valid while the file
 * system is mounted. */
struct files_disk {
        void *context;        /* belongs to the owner of the disk */
        uint64_t bytes;       /* size, a multiple of block_bytes */
        uint32_t block_bytes; /* size of a block: 512 to 4096; 1 if the disk lies in memory */
        bool read_only;       /* the service does not call `write` */
        const void *memory;   /* the first byte if the disk lies in memory; else NULL */
        /* Offset and size are multiples of block_bytes and inside of the disk. */
        int (*read)(struct files_disk *disk, uint64_t offset, void *to, size_t bytes);
        int (*write)(struct files_disk *disk, uint64_t offset, const void *from, size_t bytes);
        int (*flush)(struct files_disk *disk); /* completed writes survive a loss of power */
        int64_t (*now)(void);                  /* seconds since 1970; 0: unknown */
};

/* A mounted file system. A backend's own structure begins with it. */
struct files_system {
        const struct files_backend *backend;
        struct files_disk *disk;
        bool read_only; /* the service opens no file for writing and changes no name; a backend sets
                         * it after damage, and then refuses writes to open files itself */
        uint64_t work; /* increased by `lookup` in proportion to the part of a folder that it reads;
                        * the service sets it to 0 when a path begins */
};

/* A file or a folder in use. A backend's own structure begins with it. All users of one file share
 * one node; the backend counts them. */
struct files_node {
        struct files_system *system;
        unsigned users;
};

/* Properties of a file or a folder. */
struct files_about {
        uint64_t size;    /* size in bytes; 0 for a folder */
        uint64_t number;  /* different for each file of the file system */
        int64_t modified; /* seconds since 1970 */
        bool folder;
        bool read_only; /* cannot be written to */
        bool damaged;   /* a write gives EIO */
};

/* A file system. The service checks names before it calls: they are not empty, ".", or "..", are
 * shorter than FILES_NAME_SIZE and have no '/'. It calls `read`, `write` and `resize` only for
 * files; the functions with a folder check that it is one (ENOTDIR). */
struct files_backend {
        const char *name;
        /* Mounts the file system of a disk. @return 0; EILSEQ it is a different file system; EIO it
         * is damaged or the disk failed; ENOTSUP a feature is missing, with a sentence; ENOMEM */
        int (*mount)(struct files_disk *disk, struct files_system **system, const char **sentence);
        /* Writes everything and frees memory. No node is in use. */
        void (*unmount)(struct files_system *system);
        /* Finds the root. The caller uses the node until it calls `release`. */
        int (*root)(struct files_system *system, struct files_node **node);
        /* Finds a name in a folder. @return 0, ENOENT, ENOTDIR, EIO, ENOMEM */
        int (*lookup)(struct files_node *folder, const char *name, struct files_node **node);
        /* Ends the use of a node, even after an error. @return 0; EIO, EROFS: changes of a file
         * are lost, of this one or of one that was closed earlier */
        int (*release)(struct files_node *node);
        int (*stat)(struct files_node *node, struct files_about *about);
        /* Reads from a file. At or past its end it reads 0 bytes. */
        int (*read)(struct files_node *file, uint64_t offset, void *to, size_t bytes, size_t *done);
        /* Reads an entry of a folder, without "." and "..". A position is initially 0. Later it is
         * the value from the previous call, or any number from a client.
         * @return 0; ENOENT at the end */
        int (*list)(struct files_node *folder, uint64_t *position, char name[FILES_NAME_SIZE],
                    struct files_about *about);

        /* The functions below are NULL in a read-only backend. */

        /* Writes to a file, which grows if necessary; a gap reads as zeroes. Writes fewer bytes
         * only if it returns an error. @return 0, ENOSPC, EFBIG, EIO; EINPROGRESS: the file has
         * grown by FILES_GROW_MAX bytes, but still ends before @p offset; call again */
        int (*write)(struct files_node *file, uint64_t offset, const void *from, size_t bytes,
                     size_t *done);
        /* Sets the size of a file; new bytes are zeroes. @return as `write` */
        int (*resize)(struct files_node *file, uint64_t bytes);
        /* Creates an empty file or folder. @return 0, EEXIST, ENOSPC, EINVAL a character that this
         * file system cannot store, ENAMETOOLONG */
        int (*create)(struct files_node *folder, const char *name, bool make_folder,
                      struct files_node **node);
        /* Removes a name. The file's data stays until its last user has released it. @return 0,
         * ENOENT, ENOTEMPTY, EISDIR if it is a folder but a file is expected, ENOTDIR in the
         * opposite case; EBUSY a folder in use */
        int (*remove)(struct files_node *folder, const char *name, bool remove_folder);
        /* Renames, and replaces a file of the new name. After a loss of power the old or the new
         * name exists. The service checks that a folder is not moved into itself. @return as
         * `create` and `remove`; EXDEV: a copy is necessary; EINPROGRESS: a part of the file has
         * been copied; call again. The copy is given up when the file's node is not in use. */
        int (*rename)(struct files_node *from, const char *name, struct files_node *to,
                      const char *new_name);
        /* Makes sure that all writes to a file, or to the whole file system if @p node is NULL,
         * survive a loss of power. */
        int (*sync)(struct files_system *system, struct files_node *node);
};

/* Tries all file systems that the service knows. @return as `mount`; EILSEQ: none of them matches;
 * @p sentence is NULL or a reason */
int files_mount(struct files_disk *disk, struct files_system **system, const char **sentence);

/* The file systems. */
extern const struct files_backend files_fat;
extern const struct files_backend files_squashfs;
extern const struct files_backend files_ustar;

#endif
