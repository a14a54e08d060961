/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypervisor information page. @spec 6.2 */
#ifndef NOVA_ABI_HIP_H
#define NOVA_ABI_HIP_H

#include "nova/abi/types.h"

#define NOVA_HIP_SIGNATURE 0x41564f4e /* "NOVA" */
#define NOVA_HIP_VERSION   5

/* Numbers of exception selectors, intercept selectors and global system interrupts. */
#define NOVA_HIP_EXC 32
#define NOVA_HIP_VMI 256
#define NOVA_HIP_GSI 128

/* Feature flags. Bits 1 and 2 are the specification's; the others announce extensions. */
#define NOVA_HIP_VMX     0x2
#define NOVA_HIP_SVM     0x4
#define NOVA_HIP_DESTROY 0x100 /* pd_destroy */
#define NOVA_HIP_OOM     0x200 /* status OUT_OF_MEMORY */
#define NOVA_HIP_DL      0x400 /* call flag DL and status DEADLOCK */
#define NOVA_HIP_R8_R15  0x800 /* x86-64: MTD bit R8_R15 */

/* Types of memory descriptors. */
#define NOVA_MEM_AVAILABLE    1
#define NOVA_MEM_RESERVED     2
#define NOVA_MEM_ACPI_RECLAIM 3
#define NOVA_MEM_ACPI_NVS     4
#define NOVA_MEM_KERNEL       (-1)
#define NOVA_MEM_MODULE       (-2) /* aux: physical address of its command line */

/* CPU descriptor flags. */
#define NOVA_CPU_ENABLED 0x1

/* Selectors: the root PD's own objects, and the microhypervisor's objects behind the H bit. */
#define NOVA_SEL_ROOT_PD (NOVA_HIP_EXC + 0)
#define NOVA_SEL_ROOT_EC (NOVA_HIP_EXC + 1)
#define NOVA_SEL_ROOT_SC (NOVA_HIP_EXC + 2)
#define NOVA_SEL_IDLE_SC 0            /* + CPU number */
#define NOVA_SEL_GSI_SM  NOVA_CPU_MAX /* + GSI number */

#ifndef __ASSEMBLER__

/** One CPU; its index is the CPU number of the hypercalls. */
struct nova_hip_cpu {
        uint8_t flags;
        uint8_t thread;
        uint8_t core;
        uint8_t package;
        uint8_t reserved[4];
};

/** One range of physical memory. Allocated ranges (kernel, modules) overlap available ones. */
struct nova_hip_mem {
        uint64_t addr;
        uint64_t size;
        int32_t type;
        uint32_t aux;
};

/** The hypervisor information page. Memory descriptors follow at mem_offset, up to length. */
struct nova_hip {
        uint32_t signature;
        uint16_t checksum; /* the 16-bit sum over length bytes is 0 */
        uint16_t length;   /* bytes, with all descriptors */
        uint16_t cpu_offset;
        uint16_t cpu_size;
        uint16_t mem_offset;
        uint16_t mem_size;
        uint32_t features;
        uint32_t version;
        uint32_t sel;        /* selectors of an object space */
        uint32_t exc;        /* selectors for exceptions */
        uint32_t vmi;        /* selectors for intercepts */
        uint32_t gsi;        /* global system interrupts */
        uint32_t page_sizes; /* bit n: pages of 2^n bytes */
        uint32_t utcb_sizes;
        uint32_t tsc_khz;
        uint32_t bus_khz;
        struct nova_hip_cpu cpu[NOVA_CPU_MAX];
#ifndef __cplusplus
        struct nova_hip_mem mem[]; /* C++ has no flexible arrays: there use mem_offset */
#endif
};

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
