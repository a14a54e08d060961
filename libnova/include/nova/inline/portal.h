/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of nova/portal.h: each entry point calls the C function whose address is at the top of the
 * stack. */
#ifndef NOVA_INLINE_PORTAL_H
#define NOVA_INLINE_PORTAL_H

#include "nova/portal.h"

#include "nova/arch/entry.h"

#ifdef __cplusplus
extern "C" {
#endif

NOVA_LIBRARY_ENTRY void nova_portal_entry(void)
{
        __asm__ volatile(NOVA_PORTAL_ENTRY_TEXT);
}

NOVA_LIBRARY_ENTRY void nova_thread_entry(void)
{
        __asm__ volatile(NOVA_THREAD_ENTRY_TEXT);
}

#ifdef __cplusplus
}
#endif

#endif
