/* SPDX-License-Identifier: BSD-2-Clause */
/* The function that gcc's -fsanitize-coverage=trace-pc calls at each block, in the kernel of the
 * preset x86_64-coverage only: it prints each block's address once to port 0xe9, which Bochs copies
 * to its output. A bitmap records the printed addresses. */
#include "arch/x86/insn.h"
#include "lib/types.h"

#define PORT     0xe9
#define GRANULE  4u /* a call has 5 bytes: two calls never share a bit */
#define MAX_TEXT (1u << 20)

extern const char image_text_start[];

void __sanitizer_cov_trace_pc(void);

static uint8_t seen[MAX_TEXT / GRANULE / 8];
static char lock; /* one CPU prints at a time */

static void print(uintptr_t address)
{
        static const char digits[] = "0123456789abcdef";

        while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE))
                __builtin_ia32_pause();
        outb(PORT, '@');
        for (unsigned shift = 64; shift > 0; shift -= 4)
                outb(PORT, (uint8_t)digits[address >> (shift - 4) & 15]);
        outb(PORT, '\n');
        __atomic_clear(&lock, __ATOMIC_RELEASE);
}

void __sanitizer_cov_trace_pc(void)
{
        const uintptr_t address = (uintptr_t)__builtin_return_address(0);
        const size_t bit = (address - (uintptr_t)image_text_start) / GRANULE;
        const uint8_t mask = (uint8_t)(1u << bit % 8);

        if (bit / 8 >= sizeof(seen) || seen[bit / 8] & mask)
                return;
        if (!(__atomic_fetch_or(&seen[bit / 8], mask, __ATOMIC_RELAXED) & mask))
                print(address);
}
