/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O MMUs, which limit the memory that a device reaches. Devices without a PD are blocked. */
#ifndef DEVICE_IOMMU_H
#define DEVICE_IOMMU_H

#include "lib/types.h"
#include "nova/abi/status.h"
#include "space/second_level.h"

struct pd;

/** True while faults are not reported, because there were too many. */
extern bool iommu_faults_masked;

/** Enables the I/O MMUs, unless the command line says noiommu. Call once, at boot, when the rate of
 * the TSC is known. */
void iommu_init(void);

/** Returns true if DMA is remapped. */
static inline bool iommu_is_on(void)
{
        return dma_format.levels;
}

/** Assigns a PCI function to a PD. Its DMA reaches the mappings of the PD with MAPPING_DMA, at the
 * addresses of the PD's memory space. The previous PD loses the function. Returns SUCCESS, BAD_CAP
 * if the PD is ending, BAD_DEV if no I/O MMU can block this function, or OUT_OF_MEMORY. */
enum nova_status iommu_assign(struct pd *pd, uint16_t rid);

/** Reports faults of devices, a few per second. If there are more, masks faults and drops the
 * rest. */
void iommu_fault(void);

/** Enables reports of faults again, a second after there were too many. Each call handles one
 * unit. */
void iommu_unmask(void);

static inline void iommu_poll(void)
{
        if (unlikely(iommu_faults_masked))
                iommu_unmask();
}

#endif
