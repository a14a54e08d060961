/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor information page. @spec 6.2 */
#ifndef BOOT_HIP_H
#define BOOT_HIP_H

#include "lib/types.h"

/** Allocates the page and fills in all fields that are known at this time. Returns false if there
 * is no frame. */
bool hip_build(void);

/** Adds the started CPUs, the memory that the kernel took, and the checksum. */
void hip_finish(void);

#endif
