/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of the service `files`: pieces of files in use. The service gives the pages of a piece
 * to clients, read-only. It revokes them before the data of the file changes and before the pages
 * get other data, so a client that can read a page reads the file's present data. No client can
 * keep a piece in the cache. The caller holds the service's lock. */
#ifndef NOVART_FILES_CACHE_H
#define NOVART_FILES_CACHE_H

#include "backend.h"
#include "novart/service.h"
#include "novart/service/files.h"

#define CACHE_PIECES 256
#define CACHE_MOST   (CACHE_PIECES * NOVA_FILES_VIEW_BYTES) /* maximum size of the cache in bytes */

/* Information about a piece for a client. */
struct cache_view {
        nova_word_t number; /* number of the valid piece; 0: none, at the end of a file */
        size_t bytes;       /* number of bytes of the file; the rest of the pages is 0 */
        nova_crd_t pages;
};

/* Allocates the cache. @return its size in bytes, which may be smaller than requested */
size_t cache_create(size_t bytes);

/* Finds the piece of a file that begins at @p place, and reads it if it is absent.
 * @return 0, EIO, ENOTSUP there is no cache, EAGAIN no place is free at the moment */
int cache_view(struct nova_service *service, struct files_node *file, uint64_t place,
               struct cache_view *view);

/* Returns true if the piece with a number is still in the cache, and describes it. */
bool cache_is_valid(const struct files_node *file, uint64_t place, nova_word_t number,
                    struct cache_view *view);

/* Finds data in the cache. @p bytes: maximum number of bytes; out: number of bytes found, 0 at the
 * end of the file. @return NULL: not in the cache; else valid until another function of the cache
 * is called */
const void *cache_find(const struct files_node *file, uint64_t place, size_t *bytes);

/* Removes the pieces that a write to a file changes. To be called before the write. */
void cache_change(struct nova_service *service, const struct files_node *file, uint64_t place,
                  size_t bytes);

/* Removes all pieces of a file. To be called before the file's size changes or its last user
 * releases it, and after a write that made the file smaller. */
void cache_forget(struct nova_service *service, const struct files_node *file);

#endif
