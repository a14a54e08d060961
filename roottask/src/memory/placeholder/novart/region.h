/* SPDX-License-Identifier: BSD-2-Clause */
/* Until there is memory management: regions. */
#ifndef NOVART_REGION_H
#define NOVART_REGION_H

#include <stddef.h>

#include "nova/abi/crd.h"

/** Take addresses. */
void *nova_region_reserve(size_t bytes);
/** Take memory. */
void *nova_region_lazy(const char *name, size_t bytes);
/** Take memory for a stack. */
void *nova_stack_alloc(size_t bytes);
/** Give back what one of the others took. */
int nova_region_free(void *addr);
/** See physical memory. */
int nova_map_physical(uint64_t phys, size_t bytes, unsigned perms, void **out);
/** Ask the kernel for something. */
int nova_request(nova_crd_t crd, nova_sel_t to);

#endif
