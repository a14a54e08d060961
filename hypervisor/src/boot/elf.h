/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading an executable ELF image that may be anything. */
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include "lib/types.h"

#define ELF_SEGMENTS_MAX 32
#define ELF_HEAD_MAX     0x10000 /* bytes in which the headers must lie */

struct elf_segment {
        word_t address;
        uint64_t offset, file_size, memory_size;
        unsigned perms; /* NOVA_MEM_… */
};

/** Reads an image of size bytes whose first head bytes are mapped, for addresses below limit. The
 *  segments come sorted by address and do not overlap. NULL, or what is wrong with the image: the
 *  rest of a sentence that begins with its name. */
const char *elf_read(const void *image, uint64_t head, uint64_t size, word_t limit,
                     struct elf_segment *segments, unsigned *count, word_t *entry);

/** The page after a segment's last one. */
static inline word_t elf_segment_end_page(const struct elf_segment *segment)
{
        return (word_t)((segment->address + segment->memory_size + PAGE_SIZE - 1) >> PAGE_BITS);
}

#endif
