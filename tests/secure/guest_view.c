/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses the guest's memory through its normal view (without the encryption bit), and copies code
 * to another address and runs it there. */
#include "guest_view.h"

#include "probe.h"

#ifdef __x86_64__

#define WINDOW       0xffe00000ull         /* the last block of the 4 GiB that the guest maps */
#define ADDRESS_BITS 0x0000007ffffff000ull /* without the encryption bit, which is bit 39 */
#define BLOCK_ENTRY  0x83u
#define BLOCK_MASK   0x1fffffull

volatile uint32_t *guest_view(unsigned long address)
{
        uint64_t entry, cr3;

        __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
        entry = cr3;
        for (unsigned shift = 39; shift > 21; shift -= 9)
                entry = ((uint64_t *)(uintptr_t)(entry & ADDRESS_BITS))[WINDOW >> shift & 511];
        ((uint64_t *)(uintptr_t)(entry & ADDRESS_BITS))[WINDOW >> 21 & 511] =
                (address & ~BLOCK_MASK) | BLOCK_ENTRY;
        __asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
        return (volatile uint32_t *)(uintptr_t)(WINDOW | (address & BLOCK_MASK));
}

extern const uint8_t guest_image[], guest_image_end[];

/* The second image: the code that guest_image_run() copies. It writes PROBE_IMAGE_RUNS to the port
 * PROBE_RESULT, and returns. */
__asm__(".pushsection .rodata\n"
        "guest_image:\n"
        "movl $0x2badcafe, %eax\n"
        "outl %eax, $0xec\n"
        "ret\n"
        "guest_image_end:\n"
        ".popsection\n");

void guest_image_run(unsigned long address)
{
        void (*const image)(void) = (void (*)(void))(uintptr_t)address;
        volatile uint8_t *const to = (volatile uint8_t *)(uintptr_t)address;

        for (unsigned long i = 0; i < (unsigned long)(guest_image_end - guest_image); i++)
                to[i] = guest_image[i];
        image();
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
volatile uint32_t *guest_view(unsigned long address)
{
        return (volatile uint32_t *)address;
}

void guest_image_run(unsigned long address)
{
        (void)address;
}

#endif
