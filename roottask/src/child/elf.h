/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the ELF image of a child, which may be anything, and cutting it into runs of pages. */
#ifndef NOVART_CHILD_ELF_H
#define NOVART_CHILD_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ELF_SEGMENTS_MAX 16

struct elf_segment {
        nova_word_t address;
        size_t offset, file_bytes, memory_bytes;
        unsigned perms; /* NOVA_MEM_… */
};

/* An image that was checked: everything in it lies inside, segments are sorted by address. The
 * image stays the caller's. */
struct elf {
        const unsigned char *image;
        size_t bytes;
        struct elf_segment segment[ELF_SEGMENTS_MAX];
        unsigned segments;
        nova_word_t entry;
        nova_word_t begin, end; /* pages from the first to behind the last segment */
};

/* Neighbouring pages with the same permissions. */
struct elf_run {
        nova_word_t address; /* of the first page */
        size_t bytes;        /* a multiple of the page size */
        unsigned perms;
        bool in_place; /* the pages of the image can be used where they lie */
        size_t offset; /* of the first page in the image, if in place */
};

/**
 * Reads an image of so many bytes for addresses from begin to end, which are multiples of the page
 * size. NULL, or what is wrong with the image: the rest of a sentence that begins with its name.
 */
const char *novart_elf_read(struct elf *elf, const void *image, size_t bytes, nova_word_t begin,
                            nova_word_t end);

/** The next run of pages at or above an address. False if there is none. */
bool novart_elf_next_run(const struct elf *elf, nova_word_t from, struct elf_run *run);

/** Bytes of all runs that cannot be used where they lie: so much memory the image takes. */
size_t novart_elf_copied_bytes(const struct elf *elf);

/** Copies what the image has for the page at an address into a page of zeros. */
void novart_elf_fill(const struct elf *elf, nova_word_t page, void *to);

#ifdef __cplusplus
}
#endif

#endif
