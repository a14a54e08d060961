/* SPDX-License-Identifier: BSD-2-Clause */
/* The flaws of CPUs by which a program can infer memory that it cannot read, and the choice of
 * treatments (docs/kernel/speculation.md). The choice does not access the machine, so that host
 * tests can choose treatments for CPUs that they describe. */
#ifndef ARCH_X86_FLAWS_H
#define ARCH_X86_FLAWS_H

#include "lib/cmdline.h"
#include "lib/types.h"

/* The features of a CPU for the treatment of flaws. */
#define CAN_IBRS       0x1   /* MSR SPEC_CTRL with IBRS */
#define CAN_IBRS_ON    0x2   /* IBRS protects if it is always on */
#define CAN_AUTO_IBRS  0x4   /* AMD: a bit of EFER in place of IBRS */
#define CAN_IBPB       0x8   /* MSR PRED_CMD */
#define CAN_BHI_DIS    0x10  /* SPEC_CTRL has BHI_DIS_S */
#define CAN_VERW       0x20  /* VERW overwrites buffers */
#define CAN_L1D_FLUSH  0x40  /* MSR FLUSH_CMD */
#define CAN_KEEP_UPPER 0x80  /* AMD Zen 2, not under a hypervisor: a bit of MSR DE_CFG */
#define CAN_SRBDS_CTRL 0x100 /* Intel: the microcode treats SRBDS */
#define CAN_MCU_OPT    0x200 /* Intel, not under a hypervisor: MSR MCU_OPT_CTRL */

/* Treatments: settings at the start, and actions at entries, exits and switches. */
#define TREAT_IBRS_ON      0x1   /* at the start: IBRS */
#define TREAT_AUTO_IBRS    0x2   /* at the start: automatic IBRS */
#define TREAT_BHI_DIS      0x4   /* at the start: BHI_DIS_S */
#define TREAT_IBRS_ENTRY   0x8   /* IBRS at each entry from user mode and at each exit of a guest */
#define TREAT_IBPB_SWITCH  0x10  /* IBPB between domains */
#define TREAT_IBPB_ENTRY   0x20  /* IBPB at each entry from user mode */
#define TREAT_IBPB_GUEST   0x40  /* IBPB at each exit of a guest */
#define TREAT_RSB_ENTRY    0x80  /* fills the return stack at each entry from user mode */
#define TREAT_RSB_GUEST    0x100 /* fills the return stack at each exit of a guest */
#define TREAT_HISTORY_LOOP 0x200 /* overwrites the branch history at entries and guest exits */
#define TREAT_VERW         0x400 /* VERW at each return to user mode and each entry of a guest */
#define TREAT_L1D_FLUSH    0x800 /* flushes the L1 data cache at each entry of a guest */
#define TREAT_HIDE_FPU     0x1000  /* removes another PD's FPU state from the registers */
#define TREAT_EACH_PD      0x2000  /* domains are PDs, instead of accounts and guests */
#define TREAT_KEEP_UPPER   0x4000  /* at the start: the bit of DE_CFG against Zenbleed */
#define TREAT_MICROCODE    0x8000  /* at the start: switches the microcode's treatments on */
#define TREAT_DIVIDE       0x10000 /* divides at switches, and at entries and exits of a guest */

/* Flaws, in the order in which the kernel reports them; bit n of NOVA_FLAW_… is flaw n. */
enum flaw {
        FLAW_BRANCHES, /* branch target injection (Spectre v2) */
        FLAW_RETURNS,  /* Retbleed */
        FLAW_HISTORY,  /* branch history injection (BHI) */
        FLAW_STACK,    /* speculative return stack overflow (SRSO, Inception) */
        FLAW_MELTDOWN, /* rogue data cache load */
        FLAW_L1TF,     /* L1 terminal fault */
        FLAW_BUFFERS,  /* MDS, TAA, MMIO stale data, RFDS, TSA */
        FLAW_LAZY_FPU, /* reads of FPU registers despite CR0.TS */
        FLAW_GATHER,   /* gather data sampling (GDS, Downfall) */
        FLAW_STORES,   /* speculative store bypass (SSB, Spectre v4) */
        FLAW_MONITOR,  /* a guest trains branches of its VMM (VMSCAPE) */
        FLAW_TARGETS,  /* indirect target selection (ITS) */
        FLAW_UPPER,    /* cross-process leak of vector registers (Zenbleed) */
        FLAW_DIVIDER,  /* stale results of the divider (DIV0) */
        FLAW_RANDOM,   /* special register buffer data sampling (SRBDS) */
        FLAWS
};

enum cpu_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

/* Properties of a CPU that CPUID and IA32_ARCH_CAPABILITIES report. */
struct cpu_facts {
        enum cpu_vendor vendor;
        unsigned family, model;
        uint32_t can;                 /* CAN_… */
        uint64_t capabilities;        /* IA32_ARCH_CAPABILITIES */
        bool emulated;                /* QEMU emulates it */
        bool sse2, smep, avx2, rtm;   /* features on which flaws and treatments depend */
        bool ssb_no, srso_no, tsa_no; /* AMD: the CPU is free of the flaw */
};

struct flaws_choice {
        uint32_t treatments;     /* TREAT_… */
        uint32_t flaws;          /* bit n: the CPU may have flaw n */
        uint32_t treated;        /* bit n: flaw n is treated */
        const char *done[FLAWS]; /* treatment of each flaw that the CPU may have, in words */
};

/** Returns true for AMD's models of Zen 2, which have Zenbleed. */
bool flaws_is_zen_2(const struct cpu_facts *cpu);

/** Returns the name of a flaw. */
const char *flaws_name(enum flaw flaw);

/** Chooses the treatments for a CPU. */
struct flaws_choice flaws_choose(const struct cpu_facts *cpu, enum mitigations mode);

/** Returns true if the treatments that were chosen for the boot CPU suit another CPU. The other
 * CPU must have the abilities that the treatments need, and must not need other treatments. It must
 * not have a flaw that the boot CPU lacks, or that the kernel treats better on the boot CPU. */
bool flaws_suit(const struct flaws_choice *chosen, const struct cpu_facts *cpu,
                enum mitigations mode);

/** Records that treatments of the microcode stay off: the bits MCU_OPT_…_OFF in @p off are still
 * set after the CPU's start. */
void flaws_refuse_microcode(struct flaws_choice *choice, uint64_t off);

/** Records that the write of DE_CFG against Zenbleed was refused, by a hypervisor that CPUID does
 * not report. The treatment stays chosen, so that the choice still suits the other CPUs. */
void flaws_refuse_upper(struct flaws_choice *choice);

#endif
