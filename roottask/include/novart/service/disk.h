/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `disk`, which is deprecated: read access to a boot module in ustar format. */
#ifndef NOVART_SERVICE_DISK_H
#define NOVART_SERVICE_DISK_H

#include "novart/session.h"

/** @defgroup disk Service disk
 *
 * Deprecated: the service `files` mounts the same modules. This header remains for one release.
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | FIND | the path | file number; size in bytes | ENOENT |
 * | STAT | file number, from 0 | size in bytes; the path | ENOENT: no such number |
 * | READ | file number; offset; maximum bytes | bytes; the data | ENOENT |
 * | FETCH | file number; offset; maximum bytes; offset in the shared memory | bytes | below |
 *
 * Errors of FETCH: ENOENT; EINVAL outside the shared memory; EFAULT the shared memory is not
 * mapped.
 *
 * Paths are relative, such as "folder/file". An offset at or past the end reads 0 bytes.
 *  @{ */

#define NOVA_DISK_FIND  (NOVA_OPERATION_FIRST + 0) /**< path to number */
#define NOVA_DISK_STAT  (NOVA_OPERATION_FIRST + 1) /**< number to path */
#define NOVA_DISK_READ  (NOVA_OPERATION_FIRST + 2) /**< read through the message */
#define NOVA_DISK_FETCH (NOVA_OPERATION_FIRST + 3) /**< read into shared memory */

#define NOVA_DISK_PATH_SIZE   256 /**< size of a path in bytes, including the terminating 0 */
#define NOVA_DISK_SHARE_PAGES 16  /**< pages that a session can share */

#ifdef __cplusplus
extern "C" {
#endif

/** A file. */
struct nova_disk_file {
        nova_word_t number;             /**< number of the file at the service */
        size_t size;                    /**< size of the file in bytes */
        char path[NOVA_DISK_PATH_SIZE]; /**< relative path, ending with a 0 */
};

/**
 * Opens a session.
 *
 * @param[out] disk the session, to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_disk_open(struct nova_session **disk);

/**
 * Finds a file.
 * @code
 * struct nova_session *disk;
 * struct nova_disk_file file;
 * char text[256];
 * size_t bytes;
 *
 * if (nova_disk_open(&disk) == 0 && nova_disk_find(disk, "etc/motd", &file) == 0 &&
 *     nova_disk_read(disk, &file, 0, text, sizeof(text), &bytes) == 0)
 *         fwrite(text, 1, bytes, stdout);
 * @endcode
 * @param disk      the session
 * @param path      such as "folder/file"
 * @param[out] file the file
 * @retval 0      done
 * @retval ENOENT there is no such file; other values as for nova_session_call()
 */
int nova_disk_find(struct nova_session *disk, const char *path, struct nova_disk_file *file);

/**
 * Gets a file by its number, for listing all files.
 * @code
 * extern struct nova_session *disk;
 * struct nova_disk_file file;
 *
 * for (nova_word_t i = 0; nova_disk_stat(disk, i, &file) == 0; i++)
 *         printf("%s: %zu bytes\n", file.path, file.size);
 * @endcode
 * @param disk      the session
 * @param number    number of the file; the first is 0
 * @param[out] file the file
 * @retval 0      done
 * @retval ENOENT there is no such number; other values as for nova_session_call()
 */
int nova_disk_stat(struct nova_session *disk, nova_word_t number, struct nova_disk_file *file);

/**
 * Reads through messages.
 *
 * @param disk       the session
 * @param file       as nova_disk_find() filled it in
 * @param offset     offset in the file in bytes
 * @param[out] to    the data
 * @param max        size of the buffer in bytes
 * @param[out] bytes number of bytes read; fewer at the end of the file
 * @retval 0      done
 * @retval ENOENT there is no such file; else as nova_session_call()
 */
int nova_disk_read(struct nova_session *disk, const struct nova_disk_file *file, size_t offset,
                   void *to, size_t max, size_t *bytes);

/**
 * Reads into memory shared with nova_session_share().
 *
 * @param disk       the session
 * @param file       as nova_disk_find() filled it in
 * @param offset     offset in the file in bytes
 * @param at         offset in the shared memory in bytes
 * @param max        maximum number of bytes
 * @param[out] bytes number of bytes read; fewer at the end of the file
 * @retval 0      done
 * @retval ENOENT there is no such file
 * @retval EINVAL the range is outside the shared memory
 * @retval EFAULT the shared memory is not mapped; other values as for nova_session_call()
 */
int nova_disk_fetch(struct nova_session *disk, const struct nova_disk_file *file, size_t offset,
                    size_t at, size_t max, size_t *bytes);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
