/* SPDX-License-Identifier: BSD-2-Clause */
/* AMD's virtual machine control block, the bits of its fields, and the exit codes (APM 2,
 * appendices B and C). */
#ifndef VIRT_SVM_H
#define VIRT_SVM_H

#include "lib/types.h"
#include "nova/abi/control.h"
#include "nova/abi/event.h"
#include "virt/vcpu.h"

/* The control block's form of a segment; nova_segment has the same bits. */
struct vmcb_segment {
        uint16_t sel, ar;
        uint32_t limit;
        uint64_t base;
};

/* Bits in the access rights of a code segment. */
#define SVM_AR_L 0x200u
#define SVM_AR_D 0x400u

_Static_assert(sizeof(struct vmcb_segment) == sizeof(struct nova_segment),
               "vmcb_segment has the layout of nova_segment");

struct vmcb {
        uint32_t cr_intercepts; /* 0x000: reads in the low half, writes in the high half */
        uint32_t dr_intercepts;
        uint32_t exception_intercepts;
        uint32_t ctrl[2]; /* 0x00c: intercepts of instructions */
        uint32_t ctrl2;
        uint32_t reserved0[9];
        uint16_t pause_threshold, pause_count; /* 0x03c */
        uint64_t iopm, msrpm;                  /* 0x040 */
        uint64_t tsc_offset;                   /* 0x050 */
        uint32_t asid;
        uint32_t tlb_control;
        uint64_t vintr;            /* 0x060 */
        uint64_t interrupt_shadow; /* 0x068 */
        uint64_t exit_code;        /* 0x070 */
        uint64_t exit_info[2];
        uint64_t exit_int_info; /* 0x088 */
        uint64_t np_enable;     /* 0x090 */
        uint64_t reserved1[2];
        uint64_t event_inj; /* 0x0a8 */
        uint64_t n_cr3;     /* 0x0b0 */
        uint64_t lbr;
        uint64_t clean; /* 0x0c0 */
        uint64_t next_rip;
        uint8_t reserved2[0x400 - 0xd0];
        struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 0x400 */
        uint8_t reserved3[0x4cb - 0x4a0];
        uint8_t cpl; /* 0x4cb */
        uint32_t reserved4;
        uint64_t efer; /* 0x4d0 */
        uint8_t reserved5[0x548 - 0x4d8];
        uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 0x548 */
        uint8_t reserved6[0x5d8 - 0x580];
        uint64_t rsp; /* 0x5d8 */
        uint8_t reserved7[0x5f8 - 0x5e0];
        uint64_t rax;                                   /* 0x5f8 */
        struct guest_msrs msrs;                         /* 0x600 */
        uint64_t sysenter_cs, sysenter_sp, sysenter_ip; /* 0x628 */
        uint64_t cr2;                                   /* 0x640 */
        uint8_t reserved8[0x668 - 0x648];
        uint64_t pat; /* 0x668 */
        uint8_t reserved9[PAGE_SIZE - 0x670];
} __attribute__((packed, aligned(8)));

_Static_assert(offsetof(struct vmcb, iopm) == 0x40, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, event_inj) == 0xa8, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, rflags) == 0x570, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "APM 2, table B-2");
_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "a control block is a page");

/* The guest's state in the block: its offset and size. */
#define VMCB_STATE      offsetof(struct vmcb, es)
#define VMCB_STATE_SIZE (offsetof(struct vmcb, reserved9) - VMCB_STATE)

/* Bits of ctrl[0] and ctrl[1], see nova/abi/control.h. FORCED bits are always on; a VMM chooses
 * among ALLOWED. */
#define SVM_CTRL0_FORCED                                                                         \
        (NOVA_SVM_CTRL0_INTR | NOVA_SVM_CTRL0_NMI | NOVA_SVM_CTRL0_INIT | NOVA_SVM_CTRL0_RDPMC | \
         NOVA_SVM_CTRL0_INVD | NOVA_SVM_CTRL0_HLT | NOVA_SVM_CTRL0_INVLPGA | NOVA_SVM_CTRL0_IO | \
         NOVA_SVM_CTRL0_MSR | NOVA_SVM_CTRL0_SHUTDOWN)

#define SVM_CTRL1_FORCED  0x226d /* VMRUN, VMLOAD, VMSAVE, CLGI, SKINIT, WBINVD, XSETBV */
#define SVM_CTRL1_ALLOWED 0x3fff

/* Intercepted exceptions: #DB, #AC and #MC always. While the guest steps for the VMM, all
 * exceptions except NMI, #BP and #OF are intercepted, because the delivery of any other exception
 * would push the TF of the step. */
#define SVM_EXCEPTIONS_FORCED 0x60002u
#define SVM_EXCEPTIONS_STEP   0xffffffe3u

#define SVM_VINTR_IRQ        ((uint64_t)1 << 8)
#define SVM_VINTR_IGNORE_TPR ((uint64_t)1 << 20)
#define SVM_VINTR_MASKING    ((uint64_t)1 << 24)
#define SVM_VINTR_TPR        0xf

#define SVM_WRITES_CR0 0x10000 /* bit of cr_intercepts */
#define SVM_WRITES_CR4 0x100000
#define SVM_WRITES_CR8 0x1000000

/* Exit codes: the numbers of the events, except for nested page faults and refused states. */
#define SVM_EXIT_CR0_WRITE (NOVA_SVM_CR_WRITE + 0)
#define SVM_EXIT_CR8_WRITE (NOVA_SVM_CR_WRITE + 8)
#define SVM_EXIT_DR_END    (NOVA_SVM_DR_WRITE + 16)
#define SVM_EXIT_LAST      NOVA_SVM_XSETBV
#define SVM_EXIT_NPF       0x400

/* In DR6: a single step. */
#define DR6_STEP 0x4000

/* exit_info[0] of a port access. */
#define SVM_IO_IN         0x1
#define SVM_IO_STRING     0x4
#define SVM_IO_SIZE_SHIFT 4
#define SVM_IO_PORT_SHIFT 16

extern const struct vcpu_ops svm_ops;
VCPU_DECLARE_OPS_OF(svm);

/** Writes the kernel's controls into the control block of ec. */
void svm_write_controls(const struct vcpu *vcpu, const struct ec *ec);

/** Restores the guest's state from the copy made before an entry that the CPU may refuse. */
void svm_restore_state(struct vcpu *vcpu);

/** Returns the event whose delivery the last exit interrupted, if it must be injected again to
 * arrive; else 0. An INT n, INT3 or INTO that the guest executed needs no injection, because the
 * guest executes the instruction again. */
uint64_t svm_interrupted_event(const struct vcpu *vcpu);

/** Returns the length of the instruction that exited. A CPU with next_rip reports the address of
 * the next instruction; any CPU does so for a port access. @return 0: not reported */
word_t svm_instruction_length(const struct vmcb *vmcb);

/** Ends a step that the VMM requested, even if the guest is still at the instruction. In that case,
 * restores the guest's own TF. */
void svm_end_step(struct vcpu *vcpu);

/** Returns true if the VMM wants an interrupt window. */
static inline bool svm_has_window(const struct vmcb *vmcb)
{
        return vmcb->ctrl[0] & NOVA_SVM_CTRL0_VINTR;
}

/** Closes the interrupt window, because the VMM no longer wants it. */
void svm_close_window(struct vmcb *vmcb);

/** Handles an exit. svm_entry.S continues here after every exit. */
_Noreturn void finish_svm_exit(struct ec *self);

#endif
