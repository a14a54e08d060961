/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that replace those of the library in the monitor of secure-linux (search.c, scan.c). */
#ifndef NOVA_TESTS_SECURE_SEARCH_H
#define NOVA_TESTS_SECURE_SEARCH_H

#include "novavmm/pc.h"
#include "novavmm/secure.h"
#include "novavmm/virtio_block.h"

/* Texts that the monitor looks for. */
enum search_text {
        SEARCH_HEADER, /* header of the disk, which the guest reads and which is not secret */
        SEARCH_PHRASE,
        SEARCH_MOTD,
        SEARCH_MARKER,
        SEARCH_MARKED, /* on the console: the guest has filled its memory with the marker */
        SEARCH_TEXTS
};

struct search_found {
        unsigned of[SEARCH_TEXTS];
};

/* Counts the places of each text in a range of memory. */
void search_count(struct search_found *found, const uint8_t *in, size_t bytes);

/* A stream of bytes, in which a text can be split between buffers. */
struct search_stream {
        uint8_t last[4096];
        uint64_t bytes;
        struct search_found found;
};

/* Adds a byte to a stream. @return the text that it completes, SEARCH_TEXTS: none */
enum search_text search_pass(struct search_stream *stream, uint8_t byte);

/* Counts the places of each text in the monitor's memory other than the guest's normal memory.
 * @return the number of pages in which it has looked */
unsigned search_own(struct search_found *found, const struct nova_guest_memory *memory);

/* Looks for the marker in all memory of the monitor, and in the guest's normal memory. */
void search_scan(const char *when, const struct nova_guest_memory *memory);

/* Lets the ultravisor write the marker to each secure page of the guest, looks for it, and lets the
 * ultravisor restore the pages. Only the ultravisor of a test does so (counts.c). */
void search_scan_all(const struct nova_guest_memory *memory);

void search_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                       void *data, size_t bytes, bool read_only);

int search_add_console(struct nova_pc *pc, unsigned slot);
enum nova_vm_end search_wait(struct nova_vm *vm);

/* With the linker's option --wrap, the library calls the first two functions in place of
 * nova_virtio_serve() and nova_virtio_give(). */
void __wrap_nova_virtio_serve(struct nova_virtio *virtio, unsigned number,
                              bool (*serve)(struct nova_virtio *virtio, uint32_t *written));
void __wrap_nova_virtio_give(struct nova_virtio *virtio, unsigned number, uint32_t written);
void __real_nova_virtio_serve(struct nova_virtio *virtio, unsigned number,
                              bool (*serve)(struct nova_virtio *virtio, uint32_t *written));
void __real_nova_virtio_give(struct nova_virtio *virtio, unsigned number, uint32_t written);

#endif
