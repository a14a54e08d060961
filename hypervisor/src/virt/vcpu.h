/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes an EC a virtual CPU, and what SVM and VMX have in common. @spec 2.2, 7.2, 8.2
 *
 * Its general registers but for SP, IP and flags are in ec.regs, the rest in its control block,
 * which only its own CPU reads and writes. */
#ifndef VIRT_VCPU_H
#define VIRT_VCPU_H

#include "lib/types.h"
#include "nova/abi/mtd.h"
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

/* Groups of state that few messages carry: one test for all of them. */
#define VCPU_SEGMENTS                                                                     \
        (NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR | \
         NOVA_MTD_GDTR | NOVA_MTD_IDTR)
#define VCPU_SYSTEM (NOVA_MTD_CR | NOVA_MTD_DR | NOVA_MTD_SYS | NOVA_MTD_CR8)

/* In the injection info of a message with CR8, an extension: the guest's next write of CR8 is an
 * event. Without CR8, as in 2012, the bit means nothing. */
#define VCPU_CR8_WINDOW 0x4000

/** Whether a message asks for that. */
static inline bool vcpu_wants_cr8_window(uint32_t info, nova_mtd_t mtd)
{
        return info & VCPU_CR8_WINDOW && mtd & NOVA_MTD_CR8 && sizeof(word_t) == 8;
}

/** Finds out how virtual CPUs work on this machine. Once, at boot. false: no memory. */
bool vcpu_boot(void);

/** Prepares the memory of virtual CPUs, and lets ECs use it. Part of vcpu_boot(). */
void vcpu_cache_boot(void);

/** Writes what an MTD asks for of a virtual CPU into the handler's UTCB, and the header. */
void vcpu_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);

/** Takes from the handler's UTCB what the MTD in its first word names. The number of typed items
 *  that the answer holds. */
unsigned vcpu_from_utcb(struct ec *ec, const struct nova_utcb *utcb);

/** The first event of a virtual CPU (a continuation). */
_Noreturn void block_on_vcpu_startup(struct ec *self);

/** Enters the guest, after a last look at pending work (a continuation). */
_Noreturn void resume_guest(struct ec *self);

/** A thread will run on a CPU where a guest ran. */
void vcpu_leave(struct cpu *cpu);

/** Makes sure that a virtual CPU's tag has no translations that its guest table lost. Where the CPU
 *  ran out of tags it begins a round of new ones: cpu.tag_flush says that all have to be flushed.
 *  Whether it is another tag. */
bool vcpu_take_tag(struct cpu *cpu, struct ec *ec);

/** Whatever the guest's own tables said is forgotten at the next entry. */
void vcpu_forget_translations(struct ec *ec);

/** DR0 to DR3 of a virtual CPU, wherever they are. On its own CPU. */
void vcpu_read_debug_registers(const struct ec *ec, uint64_t dr[4]);

/** Time that the guest's TSC should not have run: its virtual CPU was ready and another one ran.
 *  Counts once. */
uint64_t vcpu_take_stolen_time(struct vcpu *vcpu);

/** Does a guest's port access if the PD has the ports. false: it has not. */
bool vcpu_access_port(struct ec *self, unsigned port, unsigned bytes, bool in);

#endif
