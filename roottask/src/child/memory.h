/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a child: the pages that were allocated for it, and their addresses in the child. */
#ifndef NOVART_CHILD_MEMORY_H
#define NOVART_CHILD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "child/elf.h"
#include "nova/abi/utcb.h"

/* Pages that belong to the child. */
struct child_block {
        void *page;  /* NULL: the parent keeps the pages when the child has ended */
        void *alias; /* executable mapping of the pages; NULL: none */
        unsigned order;
};

/* A range to be mapped, in page numbers. Sending a part of it changes from, to and pages. */
struct child_map {
        nova_word_t from, to, pages, whole;
        unsigned perms;
};

struct child_memory {
        struct child_block *block;
        struct child_map *map;
        unsigned blocks, blocks_max, maps, maps_max;
        unsigned next_map; /* maps before it are complete */
};

/* Allocates a block that lives until novart_child_memory_free(). Returns NULL if no such block is
 * left. */
void *novart_child_memory_block(struct child_memory *memory, unsigned order);

/* Records that pages are to be mapped. Returns 0 or an errno value. */
int novart_child_memory_map(struct child_memory *memory, const void *from, nova_word_t to,
                            size_t bytes, unsigned perms);

/* Allocates pages for `bytes` bytes, and records their address in the child. Returns 0 or an errno
 * value. */
int novart_child_memory_pool(struct child_memory *memory, nova_word_t to, size_t bytes,
                             unsigned perms);

/* Allocates the pages as one block, for a child that may learn its physical address. The size must
 * be a power of two. */
int novart_child_memory_pool_whole(struct child_memory *memory, nova_word_t to, size_t bytes,
                                   unsigned perms);

/* Records second addresses for the last page of the pool and for the page before it; 0: none. Must
 * follow the recording of the pool. Returns 0 or an errno value. */
int novart_child_memory_stacks(struct child_memory *memory, const nova_word_t to[2]);

/* Allocates and records the pages of an image. Returns 0 or an errno value. */
int novart_child_memory_image(struct child_memory *memory, const struct elf *elf);

/* Appends items for the pages that are still to be mapped to the answer to an event. */
void novart_child_memory_send(struct child_memory *memory, struct nova_utcb *utcb,
                              unsigned items_max);

/* Returns true if an address is part of a recorded range. */
bool novart_child_memory_has(const struct child_memory *memory, nova_word_t addr);

/* Revokes the pages from all other programs: a program to which the child gave its portal may have
 * them, too. Pages that were mapped from an alias stay mapped until novart_child_memory_free(). */
void novart_child_memory_revoke(const struct child_memory *memory);

/* Frees all memory and its aliases; no program may have a page mapped any more. */
void novart_child_memory_free(struct child_memory *memory);

#endif
