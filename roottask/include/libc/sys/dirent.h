/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of folders, for newlib's <dirent.h>. */
#ifndef NOVART_SYS_DIRENT_H
#define NOVART_SYS_DIRENT_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DT_UNKNOWN 0 /**< the kind is not known */
#define DT_DIR     4 /**< a folder */
#define DT_REG     8 /**< a file */

/** An open folder. */
typedef struct novart_folder DIR;

/** An entry of a folder. */
struct dirent {
        ino_t d_ino;          /**< number of the file */
        unsigned char d_type; /**< DT_DIR or DT_REG */
        char d_name[256];     /**< name, UTF-8 */
};

#ifdef __cplusplus
}
#endif

#endif
