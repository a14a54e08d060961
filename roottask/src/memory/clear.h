/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages are filled with zero, by the fastest way that the CPU has. */
#ifndef NOVA_ROOTTASK_CLEAR_H
#define NOVA_ROOTTASK_CLEAR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fills pages with zero, which any CPU sees after the return. */
void novart_clear_pages(void *pages, size_t count);

#ifdef __cplusplus
}
#endif

#endif
