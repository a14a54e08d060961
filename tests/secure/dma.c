/* SPDX-License-Identifier: BSD-2-Clause */
/* A device accesses each block of the machine's memory, including secure frames. `dma protected`
 * runs behind an I/O MMU. `dma open` runs without an I/O MMU, and shows that the same accesses find
 * the frames there. */
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "dma.h"
#include "honest.h"

#define BLOCK   0x200000u
#define BLOCKS  4u   /* blocks of the guest, with a mark at the beginning of each */
#define MACHINE 160u /* MiB of memory */
#define PLACES  (MACHINE / 2)
#define MARK    0x7a5e0000u
#define WRONG   0x0badbad0u

static struct nova_session *device;
static bool has_mark[PLACES];

static bool begin(void)
{
        bool good = honest_start(3) && honest_become_secure() == NOVA_U_SUCCESS &&
                    nova_uv_register_mem_slot(&uv, MEMORY, BLOCKS * BLOCK, 0, 1) == NOVA_U_SUCCESS;

        for (uint32_t i = 0; i < BLOCKS && good; i++)
                good = guest(PROBE_WRITE, MEMORY + i * BLOCK, MARK + i) == 0;
        return good;
}

/* Returns the number of blocks in which the guest finds its mark. */
static unsigned intact(void)
{
        unsigned count = 0;

        for (uint32_t i = 0; i < BLOCKS; i++)
                count += guest(PROBE_READ, MEMORY + i * BLOCK, 0) == MARK + i;
        return count;
}

/* Lets the device read from all blocks. @return the number of marks that it finds */
static unsigned read_all(void)
{
        unsigned marks = 0;

        for (unsigned i = 0; i < PLACES; i++) {
                const uint32_t value = dma_ask(device, DMA_READ, (nova_word_t)i * BLOCK, 0);

                has_mark[i] = value - MARK < BLOCKS;
                marks += has_mark[i];
        }
        return marks;
}

/* Lets the device write to all blocks, or only where it has found a mark: without an I/O MMU, the
 * other blocks can belong to any program.
 * @return true if the device itself works */
static bool write_all(bool is_open)
{
        bool works = true;

        for (unsigned i = 0; i < PLACES; i++)
                if (!is_open || has_mark[i])
                        works &= dma_ask(device, DMA_WRITE, (nova_word_t)i * BLOCK, WRONG) == WRONG;
        return works;
}

int main(int argc, char **argv)
{
        const bool is_open = argc == 2 && !strcmp(argv[1], "open");
        unsigned marks;

        nova_session_open(&device, "device", NULL);
        if (!device)
                return 1;
        check(begin() && intact() == BLOCKS, "a guest has a mark in each of four blocks");
        marks = read_all();
        printf("The device finds %u marks.\n", marks);
        check(marks == (is_open ? BLOCKS : 0),
              is_open ? "without an I/O MMU, a device finds them" : "a device finds none of them");
        check(write_all(is_open), "it writes what it is told");
        check(intact() == (is_open ? 0 : BLOCKS),
              is_open ? "and changes the guest's memory" : "no secure frame changes");
        return tap_end();
}
