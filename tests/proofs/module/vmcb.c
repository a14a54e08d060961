/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes a guest's state from messages with arbitrary content into a control block of SVM, writes it
 * into messages, and handles exits with arbitrary content of the block. In all these cases the
 * block keeps the intercepts and the tables of the kernel, and injects only events that the CPU
 * accepts. */
#include "../plain.h"

#include "arch/x86/msr.h"
#include "virt/exit.c"
#include "virt/state.c"
#include "virt/svm/svm_exit.c"
#include "virt/svm/svm_state.c"

#include "../virt.h"

/* Values that only the kernel writes. */
#define EFER_FFXSR 0x4000 /* as in svm.c */
#define EFER_GUEST (EFER_SVME | GUEST_EFER_WRITABLE | EFER_FFXSR)
#define IO_MAP     0x1000
#define MSR_MAP    0x4000
#define ROOT       0x7000
#define TAG        3

static const struct vcpu_ops ops = {
        .memory_event = NOVA_SVM_NPT_FAULT,
        .efer_writable = GUEST_EFER_WRITABLE | EFER_FFXSR,
        .read = svm_read,
        .write = svm_write,
        .read_segment = svm_read_segment,
        .write_segment = svm_write_segment,
        .read_msrs = svm_read_msrs,
        .write_msrs = svm_write_msrs,
        .exception_vector = svm_exception_vector,
        .next_ip = svm_next_ip,
        .deliver_again = svm_deliver_again,
        .reflect_exception = svm_reflect_exception,
        .raise = svm_raise,
        .raise_step = svm_raise_step,
        .end_shadow = svm_end_shadow,
        .grant_debug_registers = svm_grant_debug_registers,
};
const struct vcpu_ops *vcpu_ops = &ops;

static struct vmcb vmcb;
static struct vcpu vcpu;
static struct ec self;
static struct nova_utcb utcb;

/* Requires that the guest can access only its own memory, and that all intercepts are in force. */
static void check_entry(void)
{
        const uint32_t ctrl0 = vmcb.ctrl[0] & SVM_CTRL0_FORCED;
        const uint32_t ctrl1 = vmcb.ctrl[1] & SVM_CTRL1_FORCED;
        const uint32_t exceptions = vmcb.exception_intercepts & SVM_EXCEPTIONS_FORCED;
        const uint64_t efer = vmcb.efer & EFER_SVME, more = vmcb.efer & ~(uint64_t)EFER_GUEST;
        const uint64_t masking = vmcb.vintr & SVM_VINTR_MASKING;

        /*@ assert intercepts: ctrl0 == SVM_CTRL0_FORCED && ctrl1 == SVM_CTRL1_FORCED; */
        /*@ assert exceptions: exceptions == SVM_EXCEPTIONS_FORCED; */
        /*@ assert efer: efer == EFER_SVME && more == 0; */
        /*@ assert masking: masking == SVM_VINTR_MASKING; */
        /*@ assert maps: vmcb.iopm == IO_MAP && vmcb.msrpm == MSR_MAP; */
        /*@ assert memory: vmcb.np_enable == 1 && vmcb.n_cr3 == ROOT && vmcb.asid == TAG; */
        (void)ctrl0, (void)ctrl1, (void)exceptions, (void)efer, (void)more, (void)masking;
}

void svm_write_controls(const struct vcpu *of, const struct ec *ec)
{
        (void)of;
        (void)ec;
        vmcb.exception_intercepts = SVM_EXCEPTIONS_FORCED;
}

void svm_restore_state(struct vcpu *of)
{
        (void)of;
        vmcb.efer = EFER_SVME | (any_u64() & EFER_GUEST);
}

/* Fills the block as the CPU and earlier messages may have filled it. */
static void begin(void)
{
        Frama_C_make_unknown((char *)&vmcb, sizeof(vmcb));
        any_vcpu(&self, &vcpu);
        vmcb.ctrl[0] = any_u32() | SVM_CTRL0_FORCED;
        vmcb.ctrl[1] = any_u32() | SVM_CTRL1_FORCED;
        vmcb.exception_intercepts = any_bool() ? SVM_EXCEPTIONS_FORCED : SVM_EXCEPTIONS_STEP;
        vmcb.efer = (any_u64() & EFER_GUEST) | EFER_SVME;
        vmcb.vintr = any_u64() | SVM_VINTR_MASKING;
        vmcb.iopm = IO_MAP;
        vmcb.msrpm = MSR_MAP;
        vmcb.np_enable = 1;
        vmcb.n_cr3 = ROOT;
        vmcb.asid = TAG;
        vcpu.control = &vmcb;
        vcpu.svm.vintr = any_u64() | SVM_VINTR_MASKING;
        vcpu.svm.lme = any_bool();
        vcpu.svm.steps = any_bool();
        vcpu.svm.guest_tf = any_bool();
        vcpu.svm.soft_interrupt = any_bool();
}

static void take_message(void)
{
        begin();
        Frama_C_make_unknown((char *)&utcb, sizeof(utcb));
        svm_from_utcb(&self, &utcb, any_word());
        check_entry();
}

/* Takes a message that injects an event with this type and vector. The CPU accepts interrupts,
 * NMIs, software interrupts, and exceptions except for vectors 2 and 32 to 255 (APM 2, 15.20). */
static void take_event(unsigned type, unsigned vector)
{
        const bool refused = type == 1 || type > 4 || (type == 3 && (vector == 2 || vector > 31));

        begin();
        Frama_C_make_unknown((char *)&utcb, sizeof(utcb));
        utcb.state.inj_info &= ~(uint32_t)(NOVA_INJ_TYPE | NOVA_INJ_VECTOR);
        utcb.state.inj_info |= NOVA_INJ_VALID | type << 8 | vector;
        svm_controls_from_utcb(&self, &utcb.state, NOVA_MTD_INJ);
        if (refused) {
                /*@ assert refused: vmcb.event_inj == 0 && vcpu.refused == 1; */
        } else {
                /*@ assert accepted: vcpu.refused == 0; */
        }
}

static void give_message(void)
{
        begin();
        svm_to_utcb(&self, &utcb, any_word());
}

int main(void)
{
        take_message();
        /*@ loop unroll 8; */
        for (unsigned type = 0; type < 8; type++) {
                take_event(type, 0);
                take_event(type, 2);
                take_event(type, 31);
                take_event(type, 32);
                take_event(type, UINT8_MAX);
        }
        give_message();
        begin();
        if (any_bool())
                finish_svm_exit(&self);
        return 0;
}
