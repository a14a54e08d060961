/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest, whose first instruction runs in secure mode, in 64-bit code: it prints a text to a
 * port. <novauv/guest.h> also has functions for ultracalls and for the guest's secrets. */
#include <novauv/guest.h>

#define PRINT_PORT 0xe9

static const char text[] = "My monitor cannot read my memory.";

__attribute__((noreturn)) void _start(void);

void _start(void)
{
        for (unsigned i = 0; i < sizeof(text); i++)
                nova_guest_out(PRINT_PORT, (uint8_t)text[i]);
        for (;;)
                __asm__ volatile("cli\nhlt");
}
