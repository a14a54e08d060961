/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes an EC a virtual CPU, and what SVM and VMX have in common. @spec 2.2, 7.2, 8.2
 *
 * Its general registers but for SP, IP and flags are in ec.regs, the rest in its control block,
 * which only its own CPU reads and writes. */
#ifndef VIRT_VCPU_H
#define VIRT_VCPU_H

#include "lib/types.h"
#include "nova/abi/inject.h"
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
        bool lme;            /* EFER.LME is set for the guest (QEMU's TCG, see svm.c) */
        bool writes_cr0;     /* … and it writes CR0 next */
};

/* What the control structure of VMX does not hold. */
struct vcpu_vmx {
        bool known, launched;   /* what the CPU knows about the structure */
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
        bool wants_dr_exits;     /* accesses to debug registers are events for the VMM */
        bool wants_wbinvd;       /* … and so is WBINVD */
        union {
                struct vcpu_svm svm;
                struct vcpu_vmx vmx;
        };
};

/* Registers of a guest that the CPU, its control block or the kernel keeps, not ec.regs. */
enum guest_register {
        GUEST_CR0,
        GUEST_CR2,
        GUEST_CR3,
        GUEST_CR4,
        GUEST_CR8,
        GUEST_DR6,
        GUEST_DR7,
        GUEST_EFER,
        GUEST_FLAGS,
        GUEST_IP,
        GUEST_FAULT_ADDRESS, /* guest-physical, of the exit for a memory access */
        GUEST_PAT,
        GUEST_SYSENTER_CS,
        GUEST_SYSENTER_SP,
        GUEST_SYSENTER_IP,
};

/* In the order of VMX. */
enum guest_segment {
        GUEST_ES,
        GUEST_CS,
        GUEST_SS,
        GUEST_DS,
        GUEST_FS,
        GUEST_GS,
        GUEST_LDTR,
        GUEST_TR,
        GUEST_GDTR, /* base and limit */
        GUEST_IDTR,
};

/* EFER of a guest; on x86-32 a guest is 32-bit. */
#define GUEST_EFER_WRITABLE (EFER_SCE | (sizeof(word_t) == 8 ? EFER_LME | EFER_LMA : 0) | EFER_NXE)

/* What SVM and VMX each bring. */
struct vcpu_ops {
        uint32_t feature;                  /* NOVA_HIP_… */
        unsigned refused_event;            /* number of the event for state that the CPU refuses */
        unsigned memory_event;             /* … and for an access to memory that is not there */
        uint64_t efer_writable;            /* bits that a message may set */
        bool (*supported)(void);           /* whether all CPUs can run guests */
        bool (*boot)(void);                /* before a delegation; false: no memory */
        bool (*init_cpu)(struct cpu *cpu); /* switches it on; false: no memory */
        void (*init)(struct vcpu *vcpu, struct ec *ec);
        void (*to_utcb)(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);
        void (*from_utcb)(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd);
        /* into the guest; comes back by finish_…_exit */
        __attribute__((noreturn)) void (*enter)(struct ec *ec);
        void (*leave)(struct cpu *cpu);      /* a thread will run: what an exit left; may be NULL */
        void (*end_step)(struct vcpu *vcpu); /* before an event that is not an exit; may be NULL */
        void (*stop)(struct ec *ec);         /* ended, on its own CPU; may be NULL */

        /* Getters and setters, on the CPU of the EC. A value that no CPU takes is written, and
         * refused at the next entry. */
        uint64_t (*read)(const struct ec *ec, enum guest_register reg);
        void (*write)(struct ec *ec, enum guest_register reg, uint64_t value);
        void (*read_segment)(const struct ec *ec, enum guest_segment segment,
                             struct nova_segment *to);
        void (*write_segment)(struct ec *ec, enum guest_segment segment,
                              const struct nova_segment *from);
        void (*read_msrs)(const struct ec *ec, struct guest_msrs *msrs);
        /* false: one of them faults where it is loaded; none was written */
        bool (*write_msrs)(struct ec *ec, const struct guest_msrs *msrs);
        unsigned (*exception_vector)(const struct ec *ec); /* of an exit for an exception */
        uint64_t (*next_ip)(const struct ec *ec);          /* after the instruction that exited */
        void (*deliver_again)(struct ec *ec);              /* what the exit interrupted */
        void (*reflect_exception)(struct ec *ec);          /* … and what it is about */
        void (*raise)(struct ec *ec, unsigned vector, bool error); /* error code 0 */
        void (*raise_step)(struct ec *ec);                         /* #DB of a single step */
        void (*end_shadow)(struct ec *ec);                         /* of STI and MOV SS */
        void (*grant_debug_registers)(struct vcpu *vcpu); /* accesses do not exit any more */
};

/* The functions that both vendors name alike: declared for all files of a vendor, and entered in
 * its table. */
#define VCPU_DECLARE_OPS_OF(vendor)                                                           \
        void vendor##_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);   \
        void vendor##_from_utcb(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd); \
        uint64_t vendor##_read(const struct ec *ec, enum guest_register reg);                 \
        void vendor##_write(struct ec *ec, enum guest_register reg, uint64_t value);          \
        void vendor##_read_segment(const struct ec *ec, enum guest_segment segment,           \
                                   struct nova_segment *to);                                  \
        void vendor##_write_segment(struct ec *ec, enum guest_segment segment,                \
                                    const struct nova_segment *from);                         \
        void vendor##_read_msrs(const struct ec *ec, struct guest_msrs *msrs);                \
        bool vendor##_write_msrs(struct ec *ec, const struct guest_msrs *msrs);               \
        unsigned vendor##_exception_vector(const struct ec *ec);                              \
        uint64_t vendor##_next_ip(const struct ec *ec);                                       \
        void vendor##_deliver_again(struct ec *ec);                                           \
        void vendor##_reflect_exception(struct ec *ec);                                       \
        void vendor##_raise(struct ec *ec, unsigned vector, bool error);                      \
        void vendor##_raise_step(struct ec *ec);                                              \
        void vendor##_end_shadow(struct ec *ec);                                              \
        void vendor##_grant_debug_registers(struct vcpu *vcpu)
#define VCPU_OPS_OF(vendor)                                                                    \
        .supported = vendor##_supported, .boot = vendor##_boot, .init_cpu = vendor##_init_cpu, \
        .init = vendor##_init, .to_utcb = vendor##_to_utcb, .from_utcb = vendor##_from_utcb,   \
        .read = vendor##_read, .write = vendor##_write, .read_segment = vendor##_read_segment, \
        .write_segment = vendor##_write_segment, .read_msrs = vendor##_read_msrs,              \
        .write_msrs = vendor##_write_msrs, .exception_vector = vendor##_exception_vector,      \
        .next_ip = vendor##_next_ip, .deliver_again = vendor##_deliver_again,                  \
        .reflect_exception = vendor##_reflect_exception, .raise = vendor##_raise,              \
        .raise_step = vendor##_raise_step, .end_shadow = vendor##_end_shadow,                  \
        .grant_debug_registers = vendor##_grant_debug_registers

/** How virtual CPUs work on this machine; NULL: there are none. */
extern const struct vcpu_ops *vcpu_ops;

/** Whether a message asks for a window for CR8: without CR8, as in 2012, the bit means nothing. */
static inline bool vcpu_wants_cr8_window(uint32_t info, nova_mtd_t mtd)
{
        return info & NOVA_INJ_CR8_WINDOW && mtd & NOVA_MTD_CR8 && sizeof(word_t) == 8;
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
