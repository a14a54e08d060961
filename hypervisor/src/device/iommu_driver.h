/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of VT-d and AMD-Vi that iommu.c uses, and the functions of iommu.c that VT-d and
 * AMD-Vi use. */
#ifndef DEVICE_IOMMU_DRIVER_H
#define DEVICE_IOMMU_DRIVER_H

#include "lib/types.h"
#include "nova/abi/status.h"
#include "space/second_level.h"

struct pd;

/* Operations on all units of the machine together. The units are of one kind. */
struct iommu_driver {
        /* Enables all units, with every function blocked, and fills in dma_format. Returns the
         * number of domains that they support; 0: there is no usable unit. */
        unsigned (*init)(void);
        /* Attaches a function to the DMA table of a PD, or blocks the function (NULL). Returns
         * OUT_OF_MEMORY, or BAD_DEV if the units have no entry for the function. The caller holds
         * the memory space lock. The change takes effect after flush(). */
        enum nova_status (*attach)(uint16_t rid, const struct pd *pd);
        /* Flushes the translations of a domain (0: of none; FLUSH_DMA_ALL: of all). If functions is
         * set, also flushes the attachments and interrupts of functions. Returns when the flush is
         * done. The caller holds no lock. */
        void (*flush)(unsigned domain, bool functions);
        /* Reports and clears a unit's faults until iommu_report() returns false. Returns true if
         * the caller must continue with the next unit. */
        bool (*read_faults)(unsigned number);
        /* Clears a unit's faults without reporting them. Returns false for the last unit. */
        bool (*discard_faults)(unsigned number);
        void (*mask_faults)(bool mask);
        /* Lets only one function raise a GSI, which arrives at a CPU as a vector. Called only if
         * init() has set remap_is_on. The vector of a GSI never changes. Returns when the route is
         * in effect. */
        enum nova_status (*route)(unsigned gsi, unsigned rid, unsigned vector, unsigned apic_id,
                                  bool level);
        /* Removes from the table a permission that route() gave. Later messages are discarded, but
         * not reported as faults. The change takes effect after forget_routes(). */
        void (*unroute)(unsigned gsi, unsigned rid, unsigned vector);
        /* Makes all units read the table again for a function that lost permissions. If wait is
         * set, the change is in effect at the return, else after a flush() of functions. */
        void (*forget_routes)(unsigned rid, bool wait);
};

extern const struct iommu_driver vtd_driver, amd_vi_driver;

/** The driver of this machine's I/O MMUs. */
extern const struct iommu_driver *iommu_driver;

/** Returns true if a PD has the domain. If not, no unit has translations of the domain, so a flush
 * may omit it, even if a PD takes the domain during the flush. */
bool iommu_domain_is_taken(unsigned domain);

enum iommu_fault_kind { IOMMU_FAULT_READ, IOMMU_FAULT_WRITE, IOMMU_FAULT_INTERRUPT };

/** Reports a fault, unless there were too many. Returns true if another fault may be reported.
 * address: the address of the access, or the index of the interrupt. */
bool iommu_report(uint16_t rid, uint64_t address, enum iommu_fault_kind kind);

/** Maps a page of a unit's registers. After this, no PD can request the page. Returns NULL if the
 * page cannot contain registers. */
volatile char *iommu_map(paddr_t phys);

/** Reports at boot that a unit cannot be used. */
void iommu_ignore(paddr_t phys);

/** Reports at boot that a driver lacks memory. Returns 0, for init(). */
unsigned iommu_lacks_memory(void);

/** Returns true if there may be a unit that the kernel does not use. */
bool iommu_lacks_units(void);

/** Allocates a table for all PDs: one frame, empty, never freed. NULL: no memory. */
void *iommu_table(void);

/** Waits until (*at & mask) == value. Returns false if that takes more than a second. */
bool iommu_wait(const volatile uint32_t *at, uint32_t mask, uint32_t value);

/** Stops the kernel because a unit no longer answers: devices may access any memory. */
_Noreturn void iommu_stop(void);

/** Returns the MSI address of an interrupt to the boot CPU. The upper half has the bits of its
 * local APIC's number beyond the lowest eight; only units of VT-d use them. */
uint64_t iommu_msi_address(void);

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
