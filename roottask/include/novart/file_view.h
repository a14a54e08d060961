/* SPDX-License-Identifier: BSD-2-Clause */
/* Views: pages of the service `files` with a part of a file, which a program reads without a copy.
 */
#ifndef NOVART_FILE_VIEW_H
#define NOVART_FILE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_FILE_VIEW_BYTES 0x10000 /**< size of a view; its offset is a multiple of this */
#define NOVA_FILE_VIEWS      4       /**< views that a program may have at a time */

/** A view. Its owner only reads the fields. */
struct nova_file_view {
        const void *data; /**< the first byte, page-aligned, read-only */
        size_t bytes;     /**< number of bytes of the file; 0 at its end */
        unsigned slot;    /**< private to the runtime */
};

/**
 * Makes a part of an open file visible, without a copy.
 *
 * The pages belong to the service's cache. The service revokes them before the file's data in this
 * part changes, before the file's size changes, after the last program has closed the file, when it
 * needs the pages for other data, and when it ends. The program then reads zeros. So a program
 * first copies or processes the data, then calls nova_file_view_check(), and only then uses the
 * result.
 * @code
 * extern int file; // of open()
 * struct nova_file_view view;
 * unsigned sum = 0;
 *
 * if (nova_file_view_begin(file, 0, &view) == 0) {
 *         for (size_t i = 0; i < view.bytes; i++)
 *                 sum += ((const unsigned char *)view.data)[i];
 *         if (nova_file_view_check(&view) == 0)
 *                 printf("%u\n", sum);
 *         nova_file_view_end(&view);
 * }
 * @endcode
 * @param file      number of the file
 * @param place     offset of the first byte, a multiple of NOVA_FILE_VIEW_BYTES
 * @param[out] view the view, to be ended by nova_file_view_end()
 * @retval 0       done
 * @retval EBADF   not open for reading
 * @retval EINVAL  @p place is not a multiple of NOVA_FILE_VIEW_BYTES
 * @retval EISDIR  a folder
 * @retval EMFILE  the program has NOVA_FILE_VIEWS views
 * @retval ENOTSUP the service has no cache: read() works
 * @retval EAGAIN  the service revoked the pages at once; read() works
 * @retval EIO     the disk failed, or the service has ended since open()
 * @retval EPROTO  the service does not follow the protocol
 * @retval ENOMEM  no addresses, or no kernel memory for the mappings
 */
int nova_file_view_begin(int file, uint64_t place, struct nova_file_view *view);

/**
 * Checks that all bytes that were read from a view so far were the file's data.
 *
 * @retval 0 they were the file's data
 * @retval ESTALE the service has revoked the pages: end the view, and get another or use read() */
int nova_file_view_check(const struct nova_file_view *view);

/** Ends a view. The program must not access its data afterwards. */
void nova_file_view_end(const struct nova_file_view *view);

#ifdef __cplusplus
}
#endif

#endif
