/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPUs, and the common part of SVM and VMX. @spec 2.2, 7.2, 8.2
 *
 * The general registers except SP, IP and flags are in ec.regs. The other registers are in the CPU,
 * in the control block or in struct vcpu. Only the virtual CPU's own CPU reads and writes them. */
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

/* State of a virtual CPU that the control block of SVM does not hold. */
struct vcpu_svm {
        uint64_t backup[80]; /* copy of the guest's state while it is unproven */
        uint64_t soft_event; /* the software event that was injected last; else 0 */
        uint64_t soft_ip;    /* IP at which it was injected */
        uint64_t vintr;      /* the interrupt field of the last entry */
        uint64_t step_ip;    /* address of the instruction that the guest steps over */
        bool soft_interrupt; /* soft_event replaces an interrupt that the VMM injected */
        bool steps;          /* the guest steps for the VMM; TF is the kernel's */
        bool guest_tf;       /* the guest's own TF during the step */
        bool lme;            /* EFER.LME is set for the guest (QEMU's TCG, see svm.c) */
        bool writes_cr0;     /* the guest's next instruction writes CR0 */
};

/* State of a virtual CPU that the control structure of VMX does not hold. */
struct vcpu_vmx {
        bool known, launched;   /* the structure has been loaded once; launched once */
        bool cr8_window;        /* the VMM waits for a write of CR8 */
        word_t cr2, cr8, dr6;   /* the guest's values while it does not run */
        word_t host_cr3;        /* the kernel's CR3 in the structure */
        struct guest_msrs msrs; /* valid while cpu_virt.msr_owner is another virtual CPU */
};

/* Causes for which the kernel refuses the state that the VMM wrote. */
#define REFUSED_ONCE   1u /* the next entry is refused */
#define REFUSED_PDPTES 2u /* VMX: each entry is refused until a message ends PAE paging */

struct vcpu {
        void *control;           /* VMCB or VMCS, a frame */
        uint64_t ready_since;    /* TSC at which it was preempted; 0: it was not */
        uint64_t stolen;         /* TSC ticks of earlier preemptions since the last entry */
        uint64_t dr[4], xcr0;    /* dr: valid while the registers hold another EC's values */
        uint32_t tsc_aux;        /* the guest cannot write it without an exit */
        uint32_t tag;            /* ASID or VPID */
        uint64_t tag_round;      /* the CPU's round in which the tag was taken */
        word_t guest_generation; /* value of pd.guest.generation when the tag was taken */
        unsigned refused;        /* REFUSED_…; 0: the state may be loaded into a CPU */
        bool counts_stolen_time; /* the TSC counts stolen time */
        bool debugging;          /* the guest uses DR0 to DR3 */
        bool unproven;           /* the VMM wrote state that the CPU may refuse */
        bool wants_dr_exits;     /* accesses to debug registers are events for the VMM */
        bool wants_wbinvd;       /* WBINVD is an event for the VMM */
        union {
                struct vcpu_svm svm;
                struct vcpu_vmx vmx;
        };
};

/* Registers of a guest that are not in ec.regs but in the CPU, the control block or struct vcpu. */
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
        GUEST_FAULT_ADDRESS, /* guest-physical address of a memory access that exited */
        GUEST_PAT,
        GUEST_SYSENTER_CS,
        GUEST_SYSENTER_SP,
        GUEST_SYSENTER_IP,
};

/* Segments in the order of VMX. */
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

/* Bits of EFER that a guest may have; on x86-32, a guest is 32-bit. */
#define GUEST_EFER_WRITABLE (EFER_SCE | (sizeof(word_t) == 8 ? EFER_LME | EFER_LMA : 0) | EFER_NXE)

/* Operations and properties that SVM and VMX each define. */
struct vcpu_ops {
        uint32_t feature;                  /* NOVA_HIP_… */
        unsigned refused_event;            /* number of the event for state that the CPU refuses */
        unsigned memory_event;             /* number of the event for a nested page fault */
        uint64_t efer_writable;            /* bits that a message may set */
        bool (*supported)(void);           /* whether all CPUs can run guests */
        bool (*boot)(void);                /* before any delegation; false: no memory */
        bool (*init_cpu)(struct cpu *cpu); /* enables SVM or VMX; false: no memory */
        void (*init)(struct vcpu *vcpu, struct ec *ec);
        void (*to_utcb)(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);
        void (*from_utcb)(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd);
        /* enters the guest; the exit continues at finish_…_exit */
        __attribute__((noreturn)) void (*enter)(struct ec *ec);
        void (*leave)(struct cpu *cpu); /* restores the state for threads after an exit; or NULL */
        void (*end_step)(struct vcpu *vcpu); /* before an event that is not an exit; may be NULL */
        void (*stop)(struct ec *ec);         /* ec has ended; called on its CPU; may be NULL */

        /* Getters and setters, called on the CPU of the EC. A value that no CPU accepts is written
         * and then refused at the next entry. */
        uint64_t (*read)(const struct ec *ec, enum guest_register reg);
        void (*write)(struct ec *ec, enum guest_register reg, uint64_t value);
        void (*read_segment)(const struct ec *ec, enum guest_segment segment,
                             struct nova_segment *to);
        void (*write_segment)(struct ec *ec, enum guest_segment segment,
                              const struct nova_segment *from);
        void (*read_msrs)(const struct ec *ec, struct guest_msrs *msrs);
        /* false: one of the values would fault when it is loaded; none was written */
        bool (*write_msrs)(struct ec *ec, const struct guest_msrs *msrs);
        unsigned (*exception_vector)(const struct ec *ec); /* vector of an exception that exited */
        uint64_t (*next_ip)(const struct ec *ec); /* address after the instruction that exited */
        void (*deliver_again)(struct ec *ec);     /* the event that the exit interrupted */
        void (*reflect_exception)(struct ec *ec); /* the exception that exited */
        void (*raise)(struct ec *ec, unsigned vector, bool error); /* error: push code 0 */
        void (*raise_step)(struct ec *ec);                         /* #DB of a single step */
        void (*end_shadow)(struct ec *ec);                         /* shadow of STI or MOV SS */
        void (*grant_debug_registers)(struct vcpu *vcpu); /* accesses do not exit any more */
};

/* Functions whose names differ only in the prefix, svm or vmx. The first macro declares them, the
 * second enters them into the vendor's table. */
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

/** Operations for virtual CPUs on this machine; NULL: it has no SVM or VMX. */
extern const struct vcpu_ops *vcpu_ops;

/** Returns true if a message asks for a CR8 window. The bit is ignored unless the MTD has CR8,
 * which the interface of 2012 lacks. */
static inline bool vcpu_wants_cr8_window(uint32_t info, nova_mtd_t mtd)
{
        return info & NOVA_INJ_CR8_WINDOW && mtd & NOVA_MTD_CR8 && sizeof(word_t) == 8;
}

/** Chooses the operations for virtual CPUs. Call once, at boot. Returns false if there is no
 * memory. */
bool vcpu_boot(void);

/** Gives up virtual CPUs and guest page tables if a CPU lacks SVM or VMX. Call when all CPUs have
 * started, before the first thread runs. */
void vcpu_settle(void);

/** Prepares the memory of virtual CPUs, and sets ec_guest_ops. Part of vcpu_boot(). */
void vcpu_cache_boot(void);

/** Writes the state of a virtual CPU that an MTD names, and the header, into the handler's UTCB. */
void vcpu_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);

/** Takes state from the handler's UTCB: the groups that the MTD in the first word names.
 * @return number of typed items in the answer */
unsigned vcpu_from_utcb(struct ec *ec, const struct nova_utcb *utcb);

/** Sends the first event of a virtual CPU (a continuation). */
_Noreturn void block_on_vcpu_startup(struct ec *self);

/** Does the pending work and enters the guest (a continuation). */
_Noreturn void resume_guest(struct ec *self);

/** Prepares a CPU for a thread after a guest has run on it. */
void vcpu_leave(struct cpu *cpu);

/** Makes sure that the tag of a virtual CPU has no translations that its guest page table has lost.
 * When a CPU runs out of tags, it begins a round of new tags: cpu_virt.tag_flush then requires a
 * flush of all tags. @return true if the virtual CPU has another tag now */
bool vcpu_take_tag(struct cpu *cpu, struct ec *ec);

/** Discards all translations of the guest's own page tables at the next entry. */
void vcpu_forget_translations(struct ec *ec);

/** Reads DR0 to DR3 of a virtual CPU from the registers or from memory. Call on its own CPU. */
void vcpu_read_debug_registers(const struct ec *ec, uint64_t dr[4]);

/** Returns and resets the stolen time in TSC ticks: the time in which the virtual CPU was ready but
 * other threads ran. The caller must set back the guest's TSC by this time. */
uint64_t vcpu_take_stolen_time(struct vcpu *vcpu);

/** Does a guest's port access and returns true if the guest's PD owns the ports; else returns
 * false. */
bool vcpu_access_port(struct ec *self, unsigned port, unsigned bytes, bool in);

#endif
