/* SPDX-License-Identifier: BSD-2-Clause */
/* Completes the C library's <stdio.h>, which has getline() and getdelim() under other names. */
#ifndef NOVART_STDIO_H
#define NOVART_STDIO_H

/* #include_next is an extension, which -Wpedantic permits in a system's headers only. */
#pragma GCC system_header
#include_next <stdio.h>

#if __POSIX_VISIBLE >= 200809 && !defined(_REENT_ONLY)

#ifdef __cplusplus
extern "C" {
#endif

/** Reads up to a delimiter, or up to the end of the file if no delimiter follows.
 * @param line the text with its delimiter and a 0. The buffer is one of malloc() or NULL; the
 *             function makes it larger if needed. The caller frees it, also after -1
 * @param size size of the buffer in bytes
 * @return number of bytes before the 0; -1: the end of the file, or an error in errno
 * @retval -1 EINVAL: an argument is NULL; ENOMEM; EOVERFLOW: the line has more than SSIZE_MAX bytes
 */
ssize_t getdelim(char **line, size_t *size, int delimiter, FILE *stream);

/** Reads a line as getdelim() does; the delimiter is a line feed. */
ssize_t getline(char **line, size_t *size, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif

#endif
