/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O MMUs: which PD's memory a device reaches. Devices that no PD has are blocked. */
#ifndef DEVICE_IOMMU_H
#define DEVICE_IOMMU_H

#include "lib/types.h"
#include "nova/abi/status.h"
#include "space/second_level.h"

struct pd;

/** Faults are not reported now, because there were too many. */
extern bool iommu_faults_masked;

/** Switches the I/O MMUs on, unless the command line says noiommu. Once, at boot, after the TSC's
 *  rate is known. */
void iommu_init(void);

/** Whether DMA is remapped. */
static inline bool iommu_is_on(void)
{
        return dma_format.levels;
}

/** Gives a PCI function to a PD: its DMA reaches what the PD has with MAPPING_DMA, at the addresses
 *  of the PD's memory space. Another PD loses it. BAD_CAP: the PD is ending; BAD_DEV: no I/O MMU
 *  can block this function; OUT_OF_MEMORY. */
enum nova_status iommu_assign(struct pd *pd, uint16_t rid);

/** An I/O MMU has stopped a device: says so, a few times a second. */
void iommu_fault(void);

/** Lets faults be reported again a second after there were too many. */
void iommu_unmask(void);

static inline void iommu_poll(void)
{
        if (unlikely(iommu_faults_masked))
                iommu_unmask();
}

#endif
