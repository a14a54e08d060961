/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical memory that a description cannot give to a device. */
#ifndef NOVA_INIT_MEMORY_H
#define NOVA_INIT_MEMORY_H

#include <stdint.h>

#include "nova/hip.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns words for a message that name the content of a range of physical memory, or NULL if the
 * range may belong to a device. `last` is the range's last address. */
const char *memory_content(const struct nova_hip *hip, uint64_t first, uint64_t last);

#ifdef __cplusplus
}
#endif

#endif
