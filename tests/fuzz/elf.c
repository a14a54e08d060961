/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the ELF loader of children. Each run of an accepted image must lie in the address range
 * and, if mapped in place, in the image. It must not be both writable and executable. */
#include "elf.h"

#include <stdlib.h>
#include <string.h>

#include "nova/abi/crd.h"

#define BEGIN       0x1000
#define END         0x10000000
#define IMAGE_BYTES 0x2400
#define PAGES_MAX   64 /* maximum number of pages that are filled; an image may need more */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(const struct elf *elf, const struct elf_run *run, unsigned *pages)
{
        unsigned char page[NOVA_PAGE_SIZE] = {0};

        for (size_t at = 0; at < run->bytes && *pages < PAGES_MAX; at += NOVA_PAGE_SIZE, ++*pages)
                novart_elf_fill(elf, run->address + at, page);
}

/* Makes a good image of two segments and applies the input to it. Every four bytes of input contain
 * an offset in the image and new values for the two bytes there. */
static void make_image(unsigned char *image, const uint8_t *data, size_t size)
{
        static const struct {
                uint64_t header[8], program[2][7];
        } good = {
                {0x00010102464c457f, 0, 0x1003e0002, 0x400000, 64, 0, 0x0038004000000000, 2},
                {{0x500000001, 0x1000, 0x400000, 0, 0x800, 0x800, 0x1000},
                 {0x600000001, 0x1800, 0x401800, 0, 0x200, 0x2000, 0x1000}},
        };

        memset(image, 0x5a, IMAGE_BYTES);
        memcpy(image, &good, sizeof(good));
        for (size_t i = 0; i + 4 <= size; i += 4) {
                const size_t place = (data[i] | (size_t)data[i + 1] << 8) % (IMAGE_BYTES - 1);

                image[place] = data[i + 2];
                image[place + 1] = data[i + 3];
        }
}

static void check(const unsigned char *image, size_t size)
{
        struct elf elf;
        struct elf_run run = {.address = 0};
        unsigned pages = 0;

        if (novart_elf_read(&elf, image, size, BEGIN, END))
                return;
        while (novart_elf_next_run(&elf, run.address + run.bytes, &run)) {
                if (run.address < BEGIN || run.address + run.bytes > END ||
                    (run.in_place && run.offset + run.bytes > size) ||
                    (run.perms & NOVA_MEM_W && run.perms & NOVA_MEM_X))
                        abort();
                fill(&elf, &run, &pages);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const bool raw = size && data[0] & 1;
        const size_t bytes = raw ? size : IMAGE_BYTES;
        void *image;

        /* Modules begin at a page; the sanitizer watches the bytes after the image. */
        if (posix_memalign(&image, NOVA_PAGE_SIZE, bytes))
                abort();
        if (raw)
                memcpy(image, data, size);
        else
                make_image(image, data, size);
        check(image, bytes);
        free(image);
        return 0;
}
