/* SPDX-License-Identifier: BSD-2-Clause */
/* The assembly of nova/inline/start.h for the target architecture. */
#ifndef NOVA_ARCH_START_H
#define NOVA_ARCH_START_H

#if __SIZEOF_POINTER__ == 8
#include "nova/arch/x86_64/start.h"
#else
#include "nova/arch/x86_32/start.h"
#endif

#endif
