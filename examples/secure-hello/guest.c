/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest: it begins here after it has become secure, in 64-bit code, with an identity mapping of
 * all its memory. Its secrets come from the encrypted part of its image. */
#include <novauv/guest.h>

#define PORT       0xe9
#define SHARED_GFN 0x300 /* page at 3 MiB */
#define KEPT_GFN   0x301 /* the next page, which the guest does not share */

static void out(uint32_t value)
{
        __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(PORT));
}

__attribute__((noreturn)) void _start(void);

/* The stack begins below the boot parameters at 0x10000, and has 28 KiB: the start page is below
 * it. */
void _start(void)
{
        void *const page = (void *)(SHARED_GFN << 12), *const kept = (void *)(KEPT_GFN << 12);

        /* "" is the name of the phrase. */
        if (nova_guest_secret("", page, 64) > 0 && nova_guest_secret("", kept, 64) > 0 &&
            nova_guest_share_page(SHARED_GFN, 1) == NOVA_U_SUCCESS)
                nova_guest_secret("greeting", page, 63);
        out(SHARED_GFN << 12);
        for (;;)
                __asm__ volatile("cli\nhlt");
}
