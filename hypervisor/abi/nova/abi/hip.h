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
#define NOVA_HIP_VMX     0x2       /**< virtual CPUs with Intel VMX */
#define NOVA_HIP_SVM     0x4       /**< virtual CPUs with AMD SVM */
#define NOVA_HIP_DESTROY 0x100     /**< pd_destroy */
#define NOVA_HIP_OOM     0x200     /**< status OUT_OF_MEMORY */
#define NOVA_HIP_DL      0x400     /**< call flag DL and status DEADLOCK */
#define NOVA_HIP_R8_R15  0x800     /**< x86-64: MTD bit R8_R15 */
#define NOVA_HIP_BOOT    0x1000    /**< memory descriptors CMDLINE and BOOT */
#define NOVA_HIP_LOG     0x2000    /**< memory descriptor LOG */
#define NOVA_HIP_TIMEOUT 0x4000    /**< sm_ctrl flag TIMEOUT */
#define NOVA_HIP_QUOTA   0x8000    /**< create_pd flag ACCOUNT and group QUOTA */
#define NOVA_HIP_NAME    0x10000   /**< names of objects */
#define NOVA_HIP_EXIT    0x20000   /**< a thread ends itself */
#define NOVA_HIP_TLS     0x40000   /**< thread-local storage base */
#define NOVA_HIP_MACHINE 0x80000   /**< reset and power-off */
#define NOVA_HIP_VCPU    0x100000  /**< MTD bits CR8 to CSTAR_AUX of virtual CPUs */
#define NOVA_HIP_LIMIT   0x200000  /**< limits of PDs: priority, quantum, CPUs */
#define NOVA_HIP_RECEIVE 0x400000  /**< limits of ECs: kernel memory that a message may use */
#define NOVA_HIP_PCI     0x800000  /**< memory descriptors PCI */
#define NOVA_HIP_TSC     0x1000000 /**< create_ec flag TSC */
#define NOVA_HIP_XMM     0x2000000 /**< MTD bit XMM of virtual CPUs */

/* Types of memory descriptors. */
#define NOVA_MEM_AVAILABLE    1    /**< RAM, except where other descriptors cover it */
#define NOVA_MEM_RESERVED     2    /**< owned by the firmware or a device */
#define NOVA_MEM_ACPI_RECLAIM 3    /**< ACPI tables */
#define NOVA_MEM_ACPI_NVS     4    /**< ACPI; must not be written */
#define NOVA_MEM_KERNEL       (-1) /**< owned by the kernel */
#define NOVA_MEM_MODULE       (-2) /**< aux: physical address of its command line */

/* Extensions: kernel memory that the root PD can request read-only. It lies inside KERNEL ranges,
 * in pages that contain nothing else. */
#define NOVA_MEM_CMDLINE (-3) /**< the kernel's command line; size includes the terminating 0 */
#define NOVA_MEM_LOG     (-4) /**< struct nova_log and its ring */
#define NOVA_MEM_BOOT    (-5) /**< struct nova_boot */

/* Extension: memory-mapped configuration space of PCI segment 0, 1 MiB for each bus. The root PD
 * can request the pages of functions that do not belong to the kernel. */
#define NOVA_MEM_PCI (-6) /**< aux: number of the first bus, whose space begins at addr */

/* CPU descriptor flags. */
#define NOVA_CPU_ENABLED 0x1 /**< the CPU runs */

/* Selectors at which the root PD holds its own objects, and selectors that name the
 * microhypervisor's objects in typed items with the H flag. */
#define NOVA_SEL_ROOT_PD (NOVA_HIP_EXC + 0) /**< the root PD */
#define NOVA_SEL_ROOT_EC (NOVA_HIP_EXC + 1) /**< the root EC */
#define NOVA_SEL_ROOT_SC (NOVA_HIP_EXC + 2) /**< the root SC */
#define NOVA_SEL_IDLE_SC 0                  /**< + CPU number: idle SC */
#define NOVA_SEL_GSI_SM  NOVA_CPU_MAX       /**< + GSI number: its semaphore */

#ifndef __ASSEMBLER__

/** One CPU; its index is the CPU number of the hypercalls. */
struct nova_hip_cpu {
        uint8_t flags;   /**< NOVA_CPU_ENABLED */
        uint8_t thread;  /**< number of the hardware thread within its core */
        uint8_t core;    /**< number of the core within its package */
        uint8_t package; /**< number of the package */
        uint8_t reserved[4];
};

/** One range of physical memory. Allocated ranges (kernel, modules) overlap available ranges. */
struct nova_hip_mem {
        uint64_t addr; /**< physical address of the first byte */
        uint64_t size; /**< size of the range in bytes */
        int32_t type;  /**< NOVA_MEM_… */
        uint32_t aux;  /**< module: physical address of its command line, or 0; PCI: first bus */
};

/** The hypervisor information page. Memory descriptors follow at mem_offset, up to length. */
struct nova_hip {
        uint32_t signature;  /**< NOVA_HIP_SIGNATURE */
        uint16_t checksum;   /**< value that makes the 16-bit sum over length bytes 0 */
        uint16_t length;     /**< size in bytes, including all descriptors */
        uint16_t cpu_offset; /**< offset of the first CPU descriptor in bytes */
        uint16_t cpu_size;   /**< size of a CPU descriptor in bytes */
        uint16_t mem_offset; /**< offset of the first memory descriptor in bytes */
        uint16_t mem_size;   /**< size of a memory descriptor in bytes */
        uint32_t features;   /**< OR of NOVA_HIP_VMX, … */
        uint32_t version;    /**< NOVA_HIP_VERSION */
        uint32_t sel;        /**< number of selectors in an object space */
        uint32_t exc;        /**< number of selectors for exceptions */
        uint32_t vmi;        /**< number of selectors for intercepts */
        uint32_t gsi;        /**< number of global system interrupts */
        uint32_t page_sizes; /**< bit n: pages of 2^n bytes */
        uint32_t utcb_sizes; /**< bit n: UTCBs of 2^n bytes */
        uint32_t tsc_khz;    /**< TSC ticks per millisecond */
        uint32_t bus_khz;    /**< bus clock in kHz */
        struct nova_hip_cpu cpu[NOVA_CPU_MAX]; /**< CPU descriptors, indexed by CPU number */
#ifndef __cplusplus
        struct nova_hip_mem mem[]; /**< memory descriptors; in C++ use mem_offset */
#endif
};

/** Extension: ring buffer of the kernel's messages. The ring contains byte number n, counted from
 * 0, at offset + n % size as long as n + size > written. */
struct nova_log {
        uint32_t written; /**< bytes written, modulo 2^32; updated after the byte is stored */
        uint32_t size;    /**< size of the ring in bytes, a power of two */
        uint32_t offset;  /**< offset of the ring from the start of this structure in bytes */
        uint32_t reserved;
};

/* Bits of nova_boot.flaws and nova_boot.treated: flaws of CPUs that let a program infer memory that
 * it cannot read. */
#define NOVA_FLAW_BRANCHES 0x1    /**< branch target injection (Spectre v2) */
#define NOVA_FLAW_RETURNS  0x2    /**< return target injection (Retbleed) */
#define NOVA_FLAW_HISTORY  0x4    /**< branch history injection (BHI) */
#define NOVA_FLAW_STACK    0x8    /**< return stack overflow (SRSO) */
#define NOVA_FLAW_MELTDOWN 0x10   /**< Meltdown */
#define NOVA_FLAW_L1TF     0x20   /**< L1 terminal fault */
#define NOVA_FLAW_BUFFERS  0x40   /**< data sampling of buffers (MDS, TAA, MMIO, RFDS, TSA) */
#define NOVA_FLAW_LAZY_FPU 0x80   /**< reads of another thread's FPU registers (LazyFP) */
#define NOVA_FLAW_GATHER   0x100  /**< gather data sampling (GDS) */
#define NOVA_FLAW_STORES   0x200  /**< speculative store bypass (SSB) */
#define NOVA_FLAW_MONITOR  0x400  /**< a guest trains branches of its VMM (VMSCAPE) */
#define NOVA_FLAW_TARGETS  0x800  /**< indirect target selection (ITS) */
#define NOVA_FLAW_UPPER    0x1000 /**< stale upper halves of vector registers (Zenbleed) */
#define NOVA_FLAW_DIVIDER  0x2000 /**< stale results of the divider (DIV0) */
#define NOVA_FLAW_RANDOM   0x4000 /**< sampling of random numbers of other CPUs (SRBDS) */

/** Extension: times of the boot in TSC ticks, the name of the boot loader, and flaws of the CPUs.
 */
struct nova_boot {
        uint32_t size; /**< size of this structure in bytes; less in older kernels */
        uint32_t reserved;
        uint64_t tsc_start; /**< TSC when the kernel started, after firmware and loader */
        uint64_t tsc_zero;  /**< TSC when all CPUs had started */
        uint64_t tsc_root;  /**< TSC when the root EC was ready */
        char loader[64];    /**< name of the boot loader, or empty; ends with a 0 */
        uint32_t flaws;     /**< NOVA_FLAW_… that the CPUs may have; 0 with mitigations=off */
        uint32_t treated;   /**< NOVA_FLAW_… that the kernel mitigates */
};

NOVA_STATIC_ASSERT(sizeof(struct nova_log) == 16, "size of a log's head");
NOVA_STATIC_ASSERT(offsetof(struct nova_boot, tsc_start) == 8, "offset of tsc_start");
NOVA_STATIC_ASSERT(offsetof(struct nova_boot, loader) == 32, "offset of loader");
NOVA_STATIC_ASSERT(offsetof(struct nova_boot, flaws) == 96, "offset of flaws");
NOVA_STATIC_ASSERT(sizeof(struct nova_boot) == 104, "size of the boot information");
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
