/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads an executable ELF image, which may contain any bytes. */
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include "lib/types.h"

#define ELF_SEGMENTS_MAX 32
#define ELF_HEAD_USUAL   0x10000  /* linkers put all headers into these first bytes */
#define ELF_HEAD_MAX     0x3ff000 /* all headers must lie in these first bytes */

struct elf_segment {
        word_t address;
        uint64_t offset, file_size, memory_size;
        unsigned perms; /* NOVA_MEM_… */
};

/** Returns the number of bytes of an image that hold all its headers, at most ELF_HEAD_MAX and at
 *  least head, the number of bytes that are mapped. */
uint64_t elf_head(const void *image, uint64_t head);

/** Reads an image of size bytes, of which the first head bytes are mapped. All segments must lie
 *  below the address limit. The resulting segments are sorted by address and do not overlap.
 *  Returns NULL, or the error as the predicate of a sentence whose subject is the image's name. */
const char *elf_read(const void *image, uint64_t head, uint64_t size, word_t limit,
                     struct elf_segment *segments, unsigned *count, word_t *entry);

/** Returns the number of the page after the segment's last page. */
static inline word_t elf_segment_end_page(const struct elf_segment *segment)
{
        return (word_t)((segment->address + segment->memory_size + PAGE_SIZE - 1) >> PAGE_BITS);
}

#endif
