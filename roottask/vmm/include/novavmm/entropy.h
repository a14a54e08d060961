/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes of the CPU, for guests. */
#ifndef NOVAVMM_ENTROPY_H
#define NOVAVMM_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Whether this CPU has them: RDRAND. Nothing else here is random enough for a guest's keys, so a
 *  monitor on another CPU gives its guest no entropy device. */
bool nova_entropy_available(void);

/** Fill @p bytes at @p to; @p unused is for those who call sources of entropy. @return how many
 *  bytes; fewer if the CPU has no more for now */
size_t nova_entropy(void *unused, void *to, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
