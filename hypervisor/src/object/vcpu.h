/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes an EC a virtual CPU: its memory, and how SVM or VMX work with it. @spec 2.2
 *
 * Its general registers but for SP, IP and flags are in ec.regs, the rest in its control block,
 * which only its own CPU reads and writes. */
#ifndef OBJECT_VCPU_H
#define OBJECT_VCPU_H

#include "lib/types.h"
#include "nova/abi/utcb.h"

struct cpu;
struct ec;

/* MSRs of SYSCALL and SWAPGS. */
struct guest_msrs {
        uint64_t star, lstar, cstar, fmask, kernel_gs_base;
};

/* What the control block of SVM does not hold. */
struct vcpu_svm {
        uint64_t backup[80]; /* the guest's state while it is unproven */
        uint64_t soft_event; /* what the VMM injected last, if it was a software event, else 0 */
        uint64_t soft_ip;    /* … and where */
        uint64_t vintr;      /* the interrupt field of the last entry */
        uint64_t step_ip;    /* where the instruction is that the guest steps over */
        bool steps;          /* it does, and TF is the kernel's */
        bool guest_tf;       /* … what TF is for the guest meanwhile */
        bool wants_wbinvd;   /* the VMM wants exits of WBINVD */
        bool lme;            /* EFER.LME is set for the guest (QEMU's TCG, see svm.c) */
        bool writes_cr0;     /* … and it writes CR0 next */
};

/* What the control structure of VMX does not hold. */
struct vcpu_vmx {
        bool known, launched;   /* what the CPU was told about the structure */
        bool wants_dr_exits;    /* the VMM does */
        bool wants_wbinvd;      /* … those of WBINVD, too */
        bool cr8_window;        /* the VMM waits for a write of CR8 */
        word_t cr2, cr8, dr6;   /* the guest's, while it does not run */
        word_t host_cr3;        /* the kernel's, as the structure has it */
        struct guest_msrs msrs; /* valid while cpu.msr_owner is another */
};

struct vcpu {
        void *control;           /* VMCB or VMCS, a frame */
        uint64_t ready_since;    /* TSC when it was preempted; 0: it was not */
        uint64_t dr[4], xcr0;    /* valid while the registers are another's */
        uint32_t tsc_aux;        /* the guest does not write it without an exit */
        uint32_t tag;            /* ASID or VPID */
        uint64_t tag_round;      /* … of this round of the CPU */
        word_t guest_generation; /* pd.guest.generation that its translations are of */
        bool refused;            /* the VMM wrote state that no CPU may get */
        bool debugging;          /* the guest uses DR0 to DR3 */
        bool unproven;           /* the VMM wrote state that the CPU may refuse */
        union {
                struct vcpu_svm svm;
                struct vcpu_vmx vmx;
        };
};

struct vcpu_ops {
        uint32_t feature;                  /* NOVA_HIP_… */
        unsigned refused_event;            /* number of the event for state that the CPU refuses */
        bool (*supported)(void);           /* whether all CPUs can run guests */
        bool (*boot)(void);                /* before a delegation; false: no memory */
        bool (*init_cpu)(struct cpu *cpu); /* switches it on; false: no memory */
        void (*init)(struct vcpu *vcpu, struct ec *ec);
        void (*to_utcb)(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);
        void (*from_utcb)(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd);
        void (*enter)(struct ec *ec);        /* into the guest; comes back by finish_…_exit */
        void (*leave)(struct cpu *cpu);      /* a thread will run: what an exit left; may be NULL */
        void (*end_step)(struct vcpu *vcpu); /* before an event that is not an exit; may be NULL */
        void (*stop)(struct ec *ec);         /* ended, on its own CPU; may be NULL */
};

/** How virtual CPUs work on this machine; NULL: there are none. */
extern const struct vcpu_ops *vcpu_ops;

/** Prepares the cache. Once, at boot. */
void vcpu_cache_boot(void);

/** Memory for the virtual part of an EC; NULL: there is none. */
struct vcpu *vcpu_alloc(void);

/** Gives it back. */
void vcpu_free(struct vcpu *vcpu);

/** Bytes that it takes, for the account. */
word_t vcpu_bytes(void);

/** The EC, on its own CPU, will not enter the guest again. */
void vcpu_stop(struct ec *ec);

#endif
