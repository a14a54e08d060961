/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills pages with zero by the fastest method of the CPU. */
#ifndef NOVA_ROOTTASK_CLEAR_H
#define NOVA_ROOTTASK_CLEAR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fills pages with zero. When it returns, all CPUs see the zeros. */
void novart_clear_pages(void *pages, size_t count);

#ifdef __cplusplus
}
#endif

#endif
