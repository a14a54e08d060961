/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the untrusted ELF image of a child, and divides it into runs of pages. */
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

/* A checked image: all ranges of its segments lie inside it, and the segments are sorted by
 * address. The caller owns the image. */
struct elf {
        const unsigned char *image;
        size_t bytes;
        struct elf_segment segment[ELF_SEGMENTS_MAX];
        unsigned segments;
        nova_word_t entry;
        nova_word_t begin, end; /* addresses of the first segment's first page and of the page after
                                 * the last segment */
};

/* Consecutive pages with the same permissions. */
struct elf_run {
        nova_word_t address; /* address of the first page */
        size_t bytes;        /* a multiple of the page size */
        unsigned perms;
        bool in_place; /* the pages of the image can be used in place */
        size_t offset; /* offset of the first page in the image; valid if in_place */
};

/** Reads an image of `bytes` bytes for addresses from begin to end, which are multiples of the page
 * size. Returns NULL, or the error of the image as the predicate of a sentence whose subject is the
 * image's name. */
const char *novart_elf_read(struct elf *elf, const void *image, size_t bytes, nova_word_t begin,
                            nova_word_t end);

/** Finds the next run of pages at or above an address. Returns false if there is none. */
bool novart_elf_next_run(const struct elf *elf, nova_word_t from, struct elf_run *run);

/** Returns the size in bytes of all runs that cannot be used in place: the memory that the image
 * needs. */
size_t novart_elf_copied_bytes(const struct elf *elf);

/** Copies the image's content for the page at an address into a page of zeros. */
void novart_elf_fill(const struct elf *elf, nova_word_t page, void *to);

#ifdef __cplusplus
}
#endif

#endif
