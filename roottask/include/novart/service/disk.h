/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `disk`: the files of a boot module in ustar format, to read. */
#ifndef NOVART_SERVICE_DISK_H
#define NOVART_SERVICE_DISK_H

#include "novart/session.h"

/** @defgroup disk Service disk
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | FIND | the path | file number; size in bytes | ENOENT |
 * | STAT | file number, from 0 on | size in bytes; the path | ENOENT: there are not that many |
 * | READ | file number; offset; most bytes | bytes; the data | ENOENT |
 * | FETCH | file number; offset; most bytes; offset in the shared memory | bytes | as below |
 *
 * Errors of FETCH: ENOENT; EINVAL not inside of the shared memory; EFAULT it is not there.
 *
 * Paths are relative, as "folder/file". An offset at the end or behind it gives 0 bytes.
 *  @{ */

#define NOVA_DISK_FIND  (NOVA_OPERATION_FIRST + 0) /**< path to number */
#define NOVA_DISK_STAT  (NOVA_OPERATION_FIRST + 1) /**< number to path */
#define NOVA_DISK_READ  (NOVA_OPERATION_FIRST + 2) /**< read through the message */
#define NOVA_DISK_FETCH (NOVA_OPERATION_FIRST + 3) /**< read into shared memory */

#define NOVA_DISK_PATH_SIZE   256 /**< bytes of a path, the 0 at its end included */
#define NOVA_DISK_SHARE_PAGES 16  /**< pages that a session can share */

/** @} */

#ifdef __cplusplus
extern "C" {
#endif

/** A file. */
struct nova_disk_file {
        nova_word_t number;             /**< its number at the service */
        size_t size;                    /**< in bytes */
        char path[NOVA_DISK_PATH_SIZE]; /**< relative, ended by a 0 */
};

/**
 * Open a session.
 *
 * @param[out] disk to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_disk_open(struct nova_session **disk);

/**
 * Find a file.
 *
 * @param disk      the session
 * @param path      as "folder/file"
 * @param[out] file what is found
 * @retval 0      done
 * @retval ENOENT there is no such file; else as nova_session_call()
 */
int nova_disk_find(struct nova_session *disk, const char *path, struct nova_disk_file *file);

/**
 * Get files by number, for listing them.
 *
 * @param disk      the session
 * @param number    from 0 on
 * @param[out] file what is found
 * @retval 0      done
 * @retval ENOENT there are not that many; else as nova_session_call()
 */
int nova_disk_stat(struct nova_session *disk, nova_word_t number, struct nova_disk_file *file);

/**
 * Read through messages.
 *
 * @param disk       the session
 * @param file       as nova_disk_find() filled it in
 * @param offset     where to begin, in bytes
 * @param[out] to    the data
 * @param max        bytes of room for it
 * @param[out] bytes how many came; fewer at the end of the file
 * @retval 0      done
 * @retval ENOENT there is no such file; else as nova_session_call()
 */
int nova_disk_read(struct nova_session *disk, const struct nova_disk_file *file, size_t offset,
                   void *to, size_t max, size_t *bytes);

/**
 * Read into memory that was shared by nova_session_share().
 *
 * @param disk       the session
 * @param file       as nova_disk_find() filled it in
 * @param offset     where to begin in the file, in bytes
 * @param at         where to begin in the shared memory, in bytes
 * @param max        most bytes
 * @param[out] bytes how many came; fewer at the end of the file
 * @retval 0      done
 * @retval ENOENT there is no such file
 * @retval EINVAL they would not lie inside of the shared memory
 * @retval EFAULT the shared memory is not there; else as nova_session_call()
 */
int nova_disk_fetch(struct nova_session *disk, const struct nova_disk_file *file, size_t offset,
                    size_t at, size_t max, size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
