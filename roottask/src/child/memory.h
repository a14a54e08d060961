/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a child: pages that were taken for it, and what is to be mapped where. */
#ifndef NOVART_CHILD_MEMORY_H
#define NOVART_CHILD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "child/elf.h"
#include "nova/abi/utcb.h"

/* Pages of the child's own. */
struct child_block {
        void *page;
        void *alias; /* the same pages, executable; NULL: none */
        unsigned order;
};

/* Something to be mapped; page numbers. Sending it advances all but the end and whole. */
struct child_map {
        nova_word_t from, to, pages, whole;
        unsigned perms;
};

struct child_memory {
        struct child_block *block;
        struct child_map *map;
        unsigned blocks, blocks_max, maps, maps_max;
        unsigned next_map; /* maps before it are done */
};

/* Takes a block; NULL if there is none. It lives until novart_child_memory_free(). */
void *novart_child_memory_block(struct child_memory *memory, unsigned order);

/* Notes that pages are to be mapped. 0 or an errno value. */
int novart_child_memory_map(struct child_memory *memory, const void *from, nova_word_t to,
                            size_t bytes, unsigned perms);

/* Takes pages, as many as bytes need, and notes where they are to be mapped. */
int novart_child_memory_pool(struct child_memory *memory, nova_word_t to, size_t bytes,
                             unsigned perms);

/* The same in one block, for a child that learns its physical address: a power of two is taken. */
int novart_child_memory_pool_whole(struct child_memory *memory, nova_word_t to, size_t bytes,
                                   unsigned perms);

/* After the pool: notes that its last page, and the one before, are to be mapped at these addresses
 * as well, but for 0. 0 or an errno value. */
int novart_child_memory_stacks(struct child_memory *memory, const nova_word_t to[2]);

/* Takes and notes what an image needs. */
int novart_child_memory_image(struct child_memory *memory, const struct elf *elf);

/* Appends items for what is still to be mapped to the answer to an event. */
void novart_child_memory_send(struct child_memory *memory, struct nova_utcb *utcb,
                              unsigned items_max);

/* True if an address is part of what was or is to be mapped. */
bool novart_child_memory_has(const struct child_memory *memory, nova_word_t addr);

/* Gives everything back; nobody must have it mapped any more. */
void novart_child_memory_free(struct child_memory *memory);

#endif
