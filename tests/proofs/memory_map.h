/* SPDX-License-Identifier: BSD-2-Clause */
/* Stubs that ignore the ranges of memory and the modules that a boot loader reports. */
#ifndef PROOFS_MEMORY_MAP_H
#define PROOFS_MEMORY_MAP_H

#include "firmware/memory_map.h"

void memory_map_add(paddr_t start, uint64_t size, uint32_t type)
{
        (void)start;
        (void)size;
        (void)type;
}

void memory_map_add_module(paddr_t start, paddr_t end, uint32_t cmdline)
{
        (void)start;
        (void)end;
        (void)cmdline;
}

#endif
