/* SPDX-License-Identifier: BSD-2-Clause */
/* What VT-d and AMD-Vi do for iommu.c, and what they need of it. */
#ifndef DEVICE_IOMMU_DRIVER_H
#define DEVICE_IOMMU_DRIVER_H

#include "lib/types.h"
#include "nova/abi/status.h"
#include "space/second_level.h"

struct pd;

/* All units of the machine, which are of one kind, as one. */
struct iommu_driver {
        /* Switches all units on, every function blocked, and fills dma_format. Number of domains
         * that they know; 0: there is no usable unit. */
        unsigned (*init)(void);
        /* Points a function to the DMA table of a PD, or blocks it (NULL). 0x9: no memory; BAD_DEV.
         * Under the memory space lock. Counts after flush. */
        enum nova_status (*attach)(uint16_t rid, const struct pd *pd);
        /* Forgets the translations of a domain (0: none, FLUSH_DMA_ALL), and what functions are
         * attached to and may raise; returns when it is done. No lock is held. */
        void (*flush)(unsigned domain, bool functions);
        /* Reports the faults that were recorded, through iommu_report(), and clears them. */
        void (*read_faults)(void);
        void (*mask_faults)(bool mask);
        /* Lets a function raise a GSI as a vector at a CPU, and no other one; only when init has
         * set remap_is_on. The vector of a GSI is always the same. Returns when it counts. */
        enum nova_status (*route)(unsigned gsi, unsigned rid, unsigned vector, unsigned apic_id,
                                  bool level);
        /* Takes what route gave, silently: a message that comes all the same is not a fault to
         * report. Counts when it returns, with wait, else after flush of functions. */
        void (*unroute)(unsigned gsi, unsigned rid, unsigned vector, bool wait);
};

extern const struct iommu_driver vtd_driver, amd_vi_driver;

/** The one of this machine. */
extern const struct iommu_driver *iommu_driver;

enum iommu_fault_kind { IOMMU_FAULT_READ, IOMMU_FAULT_WRITE, IOMMU_FAULT_INTERRUPT };

/** Reports a fault. address: the address of the access, or the interrupt's index. */
void iommu_report(uint16_t rid, uint64_t address, enum iommu_fault_kind kind);

/** Maps a page of a unit's registers, which no PD can request from then on; NULL: none can be
 *  there. */
volatile char *iommu_map(paddr_t phys);

/** Says at boot that a unit cannot be used. */
void iommu_ignore(paddr_t phys);

/** A table of one frame, empty, for all PDs; never given back. NULL: no memory. */
void *iommu_table(void);

/** Waits until (*at & mask) == value; false: not within a second. */
bool iommu_wait(const volatile uint32_t *at, uint32_t mask, uint32_t value);

/** A unit that worked does not answer any more: what devices can reach is not known. */
_Noreturn void iommu_stop(void);

/** MSI address and data of an interrupt to the boot CPU. */
uint32_t iommu_msi_address(void);

static inline uint32_t iommu_read(const volatile char *registers, unsigned at)
{
        return *(const volatile uint32_t *)(registers + at);
}

static inline void iommu_write(volatile char *registers, unsigned at, uint32_t value)
{
        *(volatile uint32_t *)(registers + at) = value;
}

static inline uint64_t iommu_read_u64(const volatile char *registers, unsigned at)
{
        return iommu_read(registers, at) | (uint64_t)iommu_read(registers, at + 4) << 32;
}

static inline void iommu_write_u64(volatile char *registers, unsigned at, uint64_t value)
{
        iommu_write(registers, at, (uint32_t)value);
        iommu_write(registers, at + 4, (uint32_t)(value >> 32));
}

#endif
