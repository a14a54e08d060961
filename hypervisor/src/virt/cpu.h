/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a CPU's block that only virt uses: the guests' state that is loaded into the CPU. */
#ifndef VIRT_CPU_H
#define VIRT_CPU_H

#include "arch/x86/cpu.h"

struct vcpu;

/* Written and read by its CPU only. */
struct cpu_virt {
        word_t host_state; /* SVM: physical address of the block that holds the kernel's state */
        struct ec *debug_owner;  /* virtual CPU whose DR0 to DR3 are in the registers */
        struct vcpu *vmcs_owner; /* VMX: virtual CPU whose control structure is loaded */
        struct ec *msr_owner;    /* VMX: virtual CPU whose MSRs of SYSCALL are loaded */
        uint32_t tsc_aux;        /* value of TSC_AUX; 0 while a thread runs */
        uint32_t tag_next;       /* next free tag of guests' translations (ASID, VPID) */
        uint32_t tag_end;        /* first number after the last tag */
        uint64_t tag_round;      /* tags of other rounds are invalid */
        bool tag_flush;          /* a round has begun, but its flush is not done yet */
};

_Static_assert(offsetof(struct cpu_virt, host_state) == 0, "svm_entry.S reads it there");
_Static_assert(CPU_VIRT + sizeof(struct cpu_virt) <= CPU_GUARD, "struct cpu_virt ends in the page");

/** Returns the part of a CPU's block that virt uses. */
static always_inline struct cpu_virt *cpu_virt_of(const struct cpu *cpu)
{
        return (struct cpu_virt *)((word_t)cpu + CPU_VIRT);
}

#endif
