/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes of the CPU, for guests. */
#ifndef NOVAVMM_ENTROPY_H
#define NOVAVMM_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Returns true if this CPU has RDRAND. No other source is random enough for a guest's keys, so a
 * monitor gives its guest an entropy device only if this CPU has RDRAND. */
bool nova_entropy_available(void);

/** Fills @p bytes at @p to; @p unused is there so that the function can be a source of
 * nova_virtio_random_init(). @return number of bytes; fewer if the CPU has no more at the moment */
size_t nova_entropy(void *unused, void *to, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
