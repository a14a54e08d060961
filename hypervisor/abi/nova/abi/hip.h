/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypervisor information page. @spec 6.2 */
#ifndef NOVA_ABI_HIP_H
#define NOVA_ABI_HIP_H

#include "nova/abi/types.h"

#define NOVA_HIP_SIGNATURE 0x41564f4e /**< "NOVA" */
#define NOVA_HIP_VERSION   5          /**< version of the interface */

/* Numbers of exception selectors, intercept selectors and global system interrupts. */
#define NOVA_HIP_EXC 32  /**< exception selectors of a thread */
#define NOVA_HIP_VMI 256 /**< intercept selectors of a virtual CPU */
#define NOVA_HIP_GSI 128 /**< global system interrupts */

/* Feature flags. Bits 1 and 2 are the specification's; the others announce extensions. */
#define NOVA_HIP_VMX     0x2      /**< virtual CPUs by Intel VMX */
#define NOVA_HIP_SVM     0x4      /**< virtual CPUs by AMD SVM */
#define NOVA_HIP_DESTROY 0x100    /**< pd_destroy */
#define NOVA_HIP_OOM     0x200    /**< status OUT_OF_MEMORY */
#define NOVA_HIP_DL      0x400    /**< call flag DL and status DEADLOCK */
#define NOVA_HIP_R8_R15  0x800    /**< x86-64: MTD bit R8_R15 */
#define NOVA_HIP_BOOT    0x1000   /**< memory descriptors CMDLINE and BOOT */
#define NOVA_HIP_LOG     0x2000   /**< memory descriptor LOG */
#define NOVA_HIP_TIMEOUT 0x4000   /**< sm_ctrl flag TIMEOUT */
#define NOVA_HIP_QUOTA   0x8000   /**< create_pd flag ACCOUNT and group QUOTA */
#define NOVA_HIP_NAME    0x10000  /**< names of objects */
#define NOVA_HIP_EXIT    0x20000  /**< a thread ends itself */
#define NOVA_HIP_TLS     0x40000  /**< thread-local storage base */
#define NOVA_HIP_MACHINE 0x80000  /**< reset and power-off */
#define NOVA_HIP_VCPU    0x100000 /**< MTD bits CR8 to XCR0 of virtual CPUs */
#define NOVA_HIP_LIMIT   0x200000 /**< limits of PDs: priority and CPUs */
#define NOVA_HIP_RECEIVE 0x400000 /**< limits of ECs: what a message may cost */

/* Types of memory descriptors. */
#define NOVA_MEM_AVAILABLE    1    /**< RAM; parts of it may be allocated by other descriptors */
#define NOVA_MEM_RESERVED     2    /**< the firmware's or a device's */
#define NOVA_MEM_ACPI_RECLAIM 3    /**< ACPI tables */
#define NOVA_MEM_ACPI_NVS     4    /**< ACPI, to be left alone */
#define NOVA_MEM_KERNEL       (-1) /**< the kernel's */
#define NOVA_MEM_MODULE       (-2) /**< aux: physical address of its command line */

/* Extensions: memory of the kernel that the root PD can request, to read. It lies in KERNEL ranges,
 * in whole pages that hold nothing else but other parts of this list. */
#define NOVA_MEM_CMDLINE (-3) /**< the kernel's command line, size with the 0 at its end */
#define NOVA_MEM_LOG     (-4) /**< struct nova_log and its ring */
#define NOVA_MEM_BOOT    (-5) /**< struct nova_boot */

/* CPU descriptor flags. */
#define NOVA_CPU_ENABLED 0x1 /**< the CPU runs */

/* Selectors: the root PD's own objects, and the microhypervisor's objects behind the H bit. */
#define NOVA_SEL_ROOT_PD (NOVA_HIP_EXC + 0) /**< the root PD */
#define NOVA_SEL_ROOT_EC (NOVA_HIP_EXC + 1) /**< the root EC */
#define NOVA_SEL_ROOT_SC (NOVA_HIP_EXC + 2) /**< the root SC */
#define NOVA_SEL_IDLE_SC 0                  /**< + CPU number: idle SC */
#define NOVA_SEL_GSI_SM  NOVA_CPU_MAX       /**< + GSI number: its semaphore */

#ifndef __ASSEMBLER__

/** One CPU; its index is the CPU number of the hypercalls. */
struct nova_hip_cpu {
        uint8_t flags;   /**< NOVA_CPU_ENABLED */
        uint8_t thread;  /**< number of the hardware thread in its core */
        uint8_t core;    /**< number of the core in its package */
        uint8_t package; /**< number of the package */
        uint8_t reserved[4];
};

/** One range of physical memory. Allocated ranges (kernel, modules) overlap available ones. */
struct nova_hip_mem {
        uint64_t addr; /**< physical address of the first byte */
        uint64_t size; /**< in bytes */
        int32_t type;  /**< NOVA_MEM_… */
        uint32_t aux;  /**< of a module: physical address of its command line, or 0 */
};

/** The hypervisor information page. Memory descriptors follow at mem_offset, up to length. */
struct nova_hip {
        uint32_t signature;                    /**< NOVA_HIP_SIGNATURE */
        uint16_t checksum;                     /**< the 16-bit sum over length bytes is 0 */
        uint16_t length;                       /**< bytes, with all descriptors */
        uint16_t cpu_offset;                   /**< of the first CPU descriptor, in bytes */
        uint16_t cpu_size;                     /**< bytes of a CPU descriptor */
        uint16_t mem_offset;                   /**< of the first memory descriptor, in bytes */
        uint16_t mem_size;                     /**< bytes of a memory descriptor */
        uint32_t features;                     /**< NOVA_HIP_VMX, … */
        uint32_t version;                      /**< NOVA_HIP_VERSION */
        uint32_t sel;                          /**< selectors of an object space */
        uint32_t exc;                          /**< selectors for exceptions */
        uint32_t vmi;                          /**< selectors for intercepts */
        uint32_t gsi;                          /**< global system interrupts */
        uint32_t page_sizes;                   /**< bit n: pages of 2^n bytes */
        uint32_t utcb_sizes;                   /**< bit n: UTCBs of 2^n bytes */
        uint32_t tsc_khz;                      /**< TSC ticks per millisecond */
        uint32_t bus_khz;                      /**< bus clock in kHz */
        struct nova_hip_cpu cpu[NOVA_CPU_MAX]; /**< by CPU number */
#ifndef __cplusplus
        struct nova_hip_mem mem[]; /**< C++ has no flexible arrays: there use mem_offset */
#endif
};

/** Extension: the kernel's messages, in a ring. The byte that was written as number n (from 0 on)
 *  lies at offset + n % size as long as n + size > written. */
struct nova_log {
        uint32_t written; /**< bytes so far, modulo 2^32; changes after the byte was stored */
        uint32_t size;    /**< of the ring: a power of two */
        uint32_t offset;  /**< of the ring from the beginning of this structure */
        uint32_t reserved;
};

/** Extension: the boot in TSC ticks, and who did it. */
struct nova_boot {
        uint32_t size; /**< of this structure */
        uint32_t reserved;
        uint64_t tsc_start; /**< when the kernel started; firmware and loader came before */
        uint64_t tsc_zero;  /**< on the same scale: when the TSCs of all CPUs were set to 0 */
        uint64_t tsc_root;  /**< since then: when the root EC was made ready */
        char loader[64];    /**< its name, or empty; ends with a 0 */
};

NOVA_STATIC_ASSERT(sizeof(struct nova_log) == 16, "size of a log's head");
NOVA_STATIC_ASSERT(offsetof(struct nova_boot, tsc_start) == 8, "offset of tsc_start");
NOVA_STATIC_ASSERT(offsetof(struct nova_boot, loader) == 32, "offset of loader");
NOVA_STATIC_ASSERT(sizeof(struct nova_boot) == 96, "size of the boot information");
NOVA_STATIC_ASSERT(offsetof(struct nova_hip, length) == 0x06, "offset of length");
NOVA_STATIC_ASSERT(offsetof(struct nova_hip, features) == 0x10, "offset of features");
NOVA_STATIC_ASSERT(offsetof(struct nova_hip, sel) == 0x18, "offset of sel");
NOVA_STATIC_ASSERT(offsetof(struct nova_hip, gsi) == 0x24, "offset of gsi");
NOVA_STATIC_ASSERT(offsetof(struct nova_hip, page_sizes) == 0x28, "offset of page_sizes");
NOVA_STATIC_ASSERT(offsetof(struct nova_hip, bus_khz) == 0x34, "offset of bus_khz");
NOVA_STATIC_ASSERT(offsetof(struct nova_hip, cpu) == 0x38, "offset of cpu");
NOVA_STATIC_ASSERT(sizeof(struct nova_hip) == 0x238, "offset of mem");
NOVA_STATIC_ASSERT(sizeof(struct nova_hip_mem) == 24, "size of a memory descriptor");

#endif /* __ASSEMBLER__ */
#endif
