/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest: it begins here in secure mode, in 64-bit code with all of its memory mapped at its own
 * addresses. */
#include <novauv/guest.h>

#define PORT       0xe9
#define SHARED_GFN 0x300 /* page at 3 MiB */

static const char secret[] = "The monitor cannot read this.";
static const char greeting[] = "Hello from a secure guest.";

static void copy(volatile char *to, const char *from)
{
        while ((*to++ = *from++))
                ;
}

static void out(uint32_t value)
{
        __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(PORT));
}

/* The stack pointer is that of a function which has been called. */
__attribute__((noreturn)) void _start(void)
{
        volatile char *const page = (volatile char *)(SHARED_GFN << 12);

        copy(page, secret);
        if (nova_guest_share_page(SHARED_GFN, 1) == NOVA_U_SUCCESS)
                copy(page, greeting);
        out(SHARED_GFN << 12);
        for (;;)
                __asm__ volatile("cli\nhlt");
}
