/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ELF images with arbitrary content, for the lengths of the mapped head in main() and the
 * numbers of program headers in read(). */
#include "boot/elf.h"
#include "../driver.h"

#define HEADER  (sizeof(void *) == 8 ? 64 : 52)
#define PROGRAM (sizeof(void *) == 8 ? 56 : 32)
#define COUNT   (sizeof(void *) == 8 ? 56 : 44) /* offset of the number of program headers */

/* Reads an image with this number of program headers. */
static void read_count(char *image, uint64_t head, uint16_t program_count)
{
        struct elf_segment segments[ELF_SEGMENTS_MAX];
        unsigned count;
        word_t entry;

        Frama_C_make_unknown((char *)segments, sizeof(segments));
        Frama_C_make_unknown(image, head);
        *(uint16_t *)(image + COUNT) = program_count;
        elf_head(image, head);
        elf_read(image, head, any_u64(), NOVA_USER_END, segments, &count, &entry);
}

static void read_short(char *image, uint64_t head)
{
        struct elf_segment segments[ELF_SEGMENTS_MAX];
        unsigned count;
        word_t entry;

        elf_head(image, head);
        elf_read(image, head, any_u64(), NOVA_USER_END, segments, &count, &entry);
}

static void read(char *image, uint64_t head)
{
        read_count(image, head, 0);
        read_count(image, head, 1);
        read_count(image, head, 2);
        read_count(image, head, 40);
        read_count(image, head, UINT16_MAX);
}

int main(void)
{
        TRY(read_short, 0);
        TRY(read_short, HEADER - 1);
        TRY(read, HEADER);
        TRY(read, HEADER + PROGRAM - 1);
        TRY(read, HEADER + PROGRAM);
        TRY(read, NOVA_PAGE_SIZE + 1);
        TRY(read, ELF_HEAD_USUAL);
        return 0;
}
