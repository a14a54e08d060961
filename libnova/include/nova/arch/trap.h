/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel entry for the target architecture. One include directory serves both widths, so that the
 * installed headers need no per-architecture path. */
#ifndef NOVA_ARCH_TRAP_H
#define NOVA_ARCH_TRAP_H

/** The identifier word of a reply, for assembly; hypercall.h asserts that it matches the
 * contract. */
#define NOVA_REPLY_ID 0x1

#if __SIZEOF_POINTER__ == 8
#include "nova/arch/x86_64/trap.h"
#else
#include "nova/arch/x86_32/trap.h"
#endif

#endif
