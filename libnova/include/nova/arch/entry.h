/* SPDX-License-Identifier: BSD-2-Clause */
/* The assembly of nova/inline/portal.h for the target architecture. */
#ifndef NOVA_ARCH_ENTRY_H
#define NOVA_ARCH_ENTRY_H

#if __SIZEOF_POINTER__ == 8
#include "nova/arch/x86_64/entry.h"
#else
#include "nova/arch/x86_32/entry.h"
#endif

#endif
