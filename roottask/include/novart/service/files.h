/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol of the service `files`. Programs use it through the C library: open(), fopen() and the
 * other functions of POSIX. */
#ifndef NOVART_SERVICE_FILES_H
#define NOVART_SERVICE_FILES_H

#include "novart/protocol.h"

/** @defgroup file_service Service files
 *
 * A session sees the folder that the description gives to the client, as "/". Paths are UTF-8, end
 * with a 0 and begin at this folder; "." and ".." are resolved in the text of the path, and ".." of
 * the root is the root. A *place* is an offset in a file or a position in a folder: two words, the
 * low 32 bits first.
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | OPEN | an OR of nova_files_flag; path | file; about | below |
 * | CLOSE | file | – | EBADF; EIO, EROFS: writes are lost, of this file or an earlier one |
 * | READ | file; place; bytes | bytes; data | EBADF, EISDIR, EIO |
 * | WRITE | file; place; bytes; data | bytes; next place | EBADF, ENOSPC, EFBIG, EIO; EINPROGRESS |
 * | FETCH | file; place; bytes; offset in the shared memory | bytes | as READ |
 * | STORE | file; place; bytes; offset in the shared memory | as WRITE | as WRITE |
 * | STAT | path | about | ENOENT |
 * | ABOUT | file | about | EBADF |
 * | LIST | file; place, 0 at first | next place; about; name | ENOENT: the end; ENOTDIR |
 * | MAKE | path of a new folder | – | as OPEN with CREATE |
 * | REMOVE | 1: a folder; path | – | ENOENT, ENOTEMPTY, EISDIR, ENOTDIR, EBUSY, EROFS |
 * | RENAME | the old path; the new one, after the 0 | – | below |
 * | RESIZE | file; place: the size | – | as WRITE |
 * | SYNC | file | – | EBADF, EIO |
 * | VIEW | file; place; number of a view or 0 | number; bytes; pages | as READ; ENOTSUP, EAGAIN |
 *
 * OPEN: ENOENT absent; EEXIST with CREATE and EXCLUSIVE; EISDIR a folder cannot be written, or
 * created as a file; ENOTDIR a part of the path is a file, even the last part if a slash follows;
 * EROFS the disk or the folder was given read-only; EACCES the file is read-only; EMFILE
 * NOVA_FILES_MAX are open; EINVAL a character that the file system cannot store; ENAMETOOLONG;
 * ENOSPC the disk is full; EIO the disk failed or is damaged.
 *
 * RENAME: as OPEN and REMOVE; EINPROGRESS; EXDEV: the new name of a folder needs another sector of
 * the disk; copy the folder.
 *
 * VIEW gives the client, read-only, the pages of the service's cache that hold the file's data at
 * the place, a multiple of NOVA_FILES_VIEW_BYTES. The service revokes the pages before it changes
 * this data, when the last user closes the file, or when it needs the pages for other data. Bytes
 * after the end of the file are 0. At the end of the file the answer is two zeros, without pages. A
 * request with the number of a view checks this view, and its answer has no pages. If the service
 * has not revoked the view, the answer is the view's number and size; otherwise it is two zeros. A
 * client makes this request after it has received a view, because the service may have revoked the
 * pages before they arrived. ENOTSUP: the service has no cache; EAGAIN: no place in the cache is
 * free at the moment.
 *
 * A write to an APPEND file goes to the end of the file, so the next place may differ from the
 * request's. Fewer bytes than requested are written only if the disk is full or fails.
 *
 * EINPROGRESS: WRITE and RESIZE fill a gap after the end of a file with zeros, at most 256 KiB in
 * one call. Each call makes the file longer by the bytes that it has filled, and the client repeats
 * the request while the answer is EINPROGRESS. The service checks the room on the disk before the
 * first zero. If a later part fails, the file gets its size before the gap again, unless a client
 * has written to the file meanwhile. RENAME copies at most 256 KiB of a file in one call, and the
 * client repeats it in this way, too. The service gives up the copy when the session ends or
 * renames another file. If a client writes to the file meanwhile, the service renames it without a
 * copy.
 *  @{ */

#define NOVA_FILES_OPEN   (NOVA_OPERATION_FIRST + 0)  /**< path to file */
#define NOVA_FILES_CLOSE  (NOVA_OPERATION_FIRST + 1)  /**< end of use */
#define NOVA_FILES_READ   (NOVA_OPERATION_FIRST + 2)  /**< read through the message */
#define NOVA_FILES_WRITE  (NOVA_OPERATION_FIRST + 3)  /**< write through the message */
#define NOVA_FILES_FETCH  (NOVA_OPERATION_FIRST + 4)  /**< read into shared memory */
#define NOVA_FILES_STORE  (NOVA_OPERATION_FIRST + 5)  /**< write from shared memory */
#define NOVA_FILES_STAT   (NOVA_OPERATION_FIRST + 6)  /**< properties by path */
#define NOVA_FILES_ABOUT  (NOVA_OPERATION_FIRST + 7)  /**< properties of a file in use */
#define NOVA_FILES_LIST   (NOVA_OPERATION_FIRST + 8)  /**< an entry of a folder */
#define NOVA_FILES_MAKE   (NOVA_OPERATION_FIRST + 9)  /**< new folder */
#define NOVA_FILES_REMOVE (NOVA_OPERATION_FIRST + 10) /**< remove a name */
#define NOVA_FILES_RENAME (NOVA_OPERATION_FIRST + 11) /**< change a name */
#define NOVA_FILES_RESIZE (NOVA_OPERATION_FIRST + 12) /**< change the size */
#define NOVA_FILES_SYNC   (NOVA_OPERATION_FIRST + 13) /**< writes survive a loss of power */
#define NOVA_FILES_VIEW   (NOVA_OPERATION_FIRST + 14) /**< get pages of the cache or check a view */

#define NOVA_FILES_PATH_SIZE   512  /**< size of a path in bytes, including the terminating 0 */
#define NOVA_FILES_NAME_SIZE   256  /**< size of a name in bytes, including the terminating 0 */
#define NOVA_FILES_MAX         32   /**< files and folders that a session may have open */
#define NOVA_FILES_SHARE_PAGES 16   /**< pages that a session can share */
#define NOVA_FILES_CHUNK       1024 /**< bytes of data in one message */
#define NOVA_FILES_VIEW_ORDER  4    /**< 2^order pages are in a view */
#define NOVA_FILES_VIEW_BYTES \
        ((size_t)NOVA_PAGE_SIZE << NOVA_FILES_VIEW_ORDER) /**< size of a view in bytes */

/** Flags of OPEN. */
enum nova_files_flag {
        NOVA_FILES_WRITABLE = 1,  /**< the file will be written */
        NOVA_FILES_CREATE = 2,    /**< make it if it is absent */
        NOVA_FILES_EXCLUSIVE = 4, /**< with CREATE: it must be absent */
        NOVA_FILES_TRUNCATE = 8,  /**< make it empty */
        NOVA_FILES_APPEND = 0x10, /**< write at the end */
};

#define NOVA_FILES_READ_ONLY        0x1 /**< the file is read-only */
#define NOVA_FILES_MEDIUM_READ_ONLY 0x2 /**< the disk or the client's folder is read-only */

/** Properties of a file or folder. */
struct nova_files_about {
        uint64_t size;      /**< size in bytes */
        uint64_t number;    /**< different for each file of a disk */
        int64_t modified;   /**< seconds since 1970 */
        uint32_t folder;    /**< 1: it is a folder */
        uint32_t read_only; /**< an OR of NOVA_FILES_READ_ONLY and NOVA_FILES_MEDIUM_READ_ONLY */
};

/** @} */

#endif
