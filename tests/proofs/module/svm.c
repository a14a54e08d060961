/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the control block of a new virtual CPU of SVM, and enters guests. At an entry the block
 * may have any content that messages, exits and the CPU can leave in it; vmcb.c proves which
 * content that is. */
#include "../plain.h"

#define rdtsc hardware_rdtsc
#include "arch/x86/insn.h"
#undef rdtsc

#include "../driver.h"

static uint64_t rdtsc(void)
{
        return any_u64();
}

#include "virt/svm/svm.c"

/* Values that only the kernel writes. */
#define EFER_GUEST (EFER_SVME | GUEST_EFER_WRITABLE | EFER_FFXSR)
#define IO_MAP     0x1000
#define MSR_MAP    0x4000
#define ROOT       0x7000
#define TAG        3
#define VINTR      (SVM_VINTR_MASKING | SVM_VINTR_IRQ | SVM_VINTR_IGNORE_TPR | SVM_VINTR_TPR)

word_t pool_offset; /* used by 32-bit kernels */
uint32_t speculation_at_guest_entry;

static struct vmcb vmcb;
static struct vcpu vcpu;
static struct ec self;
static struct pd pd;
static union {
        struct cpu cpu;
        char page[PAGE_SIZE];
} own_cpu;

/* Requires that the guest can access only its own memory, and that all intercepts are in force. */
static void check_block(void)
{
        const uint32_t ctrl0 = vmcb.ctrl[0] & SVM_CTRL0_FORCED;
        const uint32_t ctrl1 = vmcb.ctrl[1] & SVM_CTRL1_FORCED;
        const uint32_t exceptions = vmcb.exception_intercepts & SVM_EXCEPTIONS_FORCED;
        const uint64_t efer = vmcb.efer & EFER_SVME, more = vmcb.efer & ~(uint64_t)EFER_GUEST;
        const uint64_t masking = vmcb.vintr & SVM_VINTR_MASKING, other = vmcb.vintr & ~VINTR;

        /*@ assert intercepts: ctrl0 == SVM_CTRL0_FORCED && ctrl1 == SVM_CTRL1_FORCED; */
        /*@ assert exceptions: exceptions == SVM_EXCEPTIONS_FORCED; */
        /*@ assert efer: efer == EFER_SVME && more == 0; */
        /*@ assert interrupts: masking == SVM_VINTR_MASKING && other == 0; */
        /*@ assert maps: vmcb.iopm == IO_MAP && vmcb.msrpm == MSR_MAP; */
        /*@ assert memory: vmcb.np_enable == 1 && vmcb.n_cr3 == ROOT; */
        (void)ctrl0, (void)ctrl1, (void)exceptions, (void)efer, (void)more;
        (void)masking, (void)other;
}

/* Requires also that the CPU uses the guest's own translations and no cached part of a block. */
_Noreturn void svm_enter(struct ec *ec, word_t guest, word_t host)
{
        (void)ec, (void)guest, (void)host;
        check_block();
        /*@ assert tag: vmcb.asid == TAG && vmcb.clean == 0; */
        for (;;)
                ;
}

bool vcpu_take_tag(struct cpu *cpu, struct ec *ec)
{
        (void)cpu;
        ec->vcpu->tag = TAG;
        return any_bool();
}

uint64_t vcpu_take_stolen_time(struct vcpu *of)
{
        (void)of;
        return any_u64();
}

void timer_repeat(bool on)
{
        (void)on;
}

void timeout_advance(struct cpu *cpu, uint64_t end)
{
        (void)cpu;
        (void)end;
}

void lapic_send_ipi(unsigned apic_id, uint32_t what)
{
        (void)apic_id;
        (void)what;
}

void speculation_enter_guest(struct cpu *cpu, const struct pd *of)
{
        (void)cpu;
        (void)of;
}

/* Fills a block and a virtual CPU, and sets the fields that are the kernel's controls. */
static void any_block(void)
{
        Frama_C_make_unknown((char *)&vmcb, sizeof(vmcb));
        Frama_C_make_unknown((char *)&vcpu.svm, sizeof(vcpu.svm));
        vcpu.svm.lme = GUEST_EFER_WRITABLE & EFER_LME ? any_bool() : false;
        vcpu.svm.writes_cr0 = any_bool();
        vcpu.debugging = any_bool();
        vcpu.unproven = any_bool();
        vmcb.efer = (any_u64() & EFER_GUEST) | EFER_SVME;
        vmcb.vintr = any_u64();
        svm_write_controls(&vcpu, &self);
}

int main(void)
{
        self.vcpu = &vcpu;
        self.pd = &pd;
        self.cpu = &own_cpu.cpu;
        vcpu.control = &vmcb;
        pd.guest.root = phys_to_pool(ROOT);
        svm_io_map = IO_MAP;
        svm_msr_map = MSR_MAP;
        svm_emulated = any_bool();
        speculation_at_guest_entry = any_u32();
        svm_init(&vcpu, &self);
        check_block();
        any_block();
        if (any_bool())
                svm_resume(&self);
        svm_restore_state(&vcpu);
        return 0;
}
