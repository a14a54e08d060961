/* SPDX-License-Identifier: BSD-2-Clause */
/* SVM: switching it on, entering guests, and what their exits mean (APM 2, chapter 15). */
#include "virt/svm/svm.h"

#include "arch/x86/cpu.h"
#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/machine_check.h"
#include "arch/x86/msr.h"
#include "arch/x86/pte.h"
#include "ipc/event.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "nova/abi/event.h"
#include "nova/abi/hip.h"
#include "object/ec.h"
#include "object/pd.h"
#include "paging_levels.h"
#include "platform/stop.h"
#include "sched/schedule.h"
#include "sched/timeout.h"
#include "virt/svm/svm_state.h"
#include "virt/vcpu.h"

#define SVM_LEAF 0x8000000a

/* Orders of the permission maps, 12 and 8 KiB: all ones, every port and MSR is intercepted. */
#define IO_MAP_ORDER  2
#define MSR_MAP_ORDER 1

#define TLB_FLUSH_ALL 1

/* Without prefixes. A CPU that does not tell the next instruction is taken not to have any: the
 * kernel does not read a guest's memory. */
#define XSETBV_BYTES 3
#define WBINVD_BYTES 2

#define INJECT_EXCEPTION (SVM_INJ_VALID | 3u << SVM_INJ_TYPE_SHIFT)

/* Exceptions with an error code: 8, 10 to 14, 17, 21, 29 and 30. */
#define WITH_ERROR 0x60227d00u

/* svm_entry.S */
_Noreturn void svm_enter(struct ec *ec, word_t guest, word_t host);

static paddr_t io_map, msr_map;
static bool emulated; /* by QEMU's TCG */

static bool supported(void)
{
        return cpu_has(FEATURE_SVM) && cpu_has(FEATURE_NPT) && cpuid(SVM_LEAF, 0).ebx > 1;
}

static bool make_map(unsigned order, paddr_t *phys)
{
        void *map = frame_alloc_boot(order);

        if (!map)
                return false;
        memset(map, 0xff, (size_t)PAGE_SIZE << order);
        *phys = pool_to_phys(map);
        return true;
}

static bool boot(void)
{
        const uint64_t page = PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY;

        guest_format = (struct second_level_format){
                .levels = PAGING_LEVELS,
                .large = 1,
                .write = PTE_WRITE,
                .no_execute = cpu_has(FEATURE_NX) ? PTE_NOEXECUTE : 0,
                .page = page,
                .table = page | PTE_WRITE,
                .top_table = PAGING_LEVELS > 3 ? page | PTE_WRITE : PTE_PRESENT,
        };
        emulated = features_emulated();
        return make_map(IO_MAP_ORDER, &io_map) && make_map(MSR_MAP_ORDER, &msr_map);
}

static bool init_cpu(struct cpu *cpu)
{
        const void *save = frame_alloc_zeroed(), *host = frame_alloc_zeroed();

        if (!save || !host)
                return false;
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
        wrmsr(MSR_VM_HSAVE_PA, pool_to_phys(save));
        machine_check_forget();
        cpu->host_state = (word_t)pool_to_phys(host);
        cpu->tag_next = 1;
        cpu->tag_end = cpuid(SVM_LEAF, 0).ebx;
        cpu->tag_round = 1;
        cpu->tag_flush = true;
        return true;
}

/* Of the interrupt field the CPU changes the guest's task priority. All else is the kernel's: were
 * the masking off, a guest's IF would be the machine's, and a guest that clears it would keep the
 * CPU. */
static uint64_t interrupt_field(const struct vmcb *vmcb)
{
        const uint64_t window = svm_has_window(vmcb) ? SVM_VINTR_IRQ | SVM_VINTR_IGNORE_TPR : 0;

        return (vmcb->vintr & SVM_VINTR_TPR) | window | SVM_VINTR_MASKING;
}

/* #AC and #DB while an exception is delivered could go on for ever inside the CPU. What the VMM
 * wants in ctrl and cr_intercepts stays. */
static void write_controls(const struct vcpu *vcpu, const struct ec *ec)
{
        struct vmcb *vmcb = vcpu->control;

        vmcb->dr_intercepts = vcpu->debugging ? 0 : UINT32_MAX;
        vmcb->exception_intercepts = SVM_EXCEPTIONS_FORCED;
        vmcb->ctrl[0] |= SVM_CTRL0_FORCED;
        vmcb->ctrl[1] |= SVM_CTRL1_FORCED;
        vmcb->ctrl2 = 0;
        vmcb->iopm = io_map;
        vmcb->msrpm = msr_map;
        vmcb->np_enable = 1;
        vmcb->n_cr3 = pool_to_phys(ec->pd->guest.root);
        vmcb->lbr = 0;
}

static void svm_init(struct vcpu *vcpu, struct ec *ec)
{
        struct vmcb *vmcb = vcpu->control;

        write_controls(vcpu, ec);
        vmcb->vintr = SVM_VINTR_MASKING;
        vmcb->efer = EFER_SVME;
        vmcb->pat = PAT_DEFAULT;
}

/* A refused entry may leave the kernel's state in the block (QEMU does): the guest's comes back.
 * QEMU's TCG (7.2) lets a guest itself write one thing into CR0 that the next entry refuses. */
static void keep_state(struct vcpu *vcpu)
{
        const struct vmcb *vmcb = vcpu->control;

        vcpu->unproven = true;
        _Static_assert(VMCB_STATE_SIZE <= sizeof(vcpu->svm.backup), "there is room");
        memcpy(vcpu->svm.backup, &vmcb->es, VMCB_STATE_SIZE);
}

static void restore_state(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;

        memcpy(&vmcb->es, vcpu->svm.backup, VMCB_STATE_SIZE);
}

/* QEMU's TCG (7.2) does not switch paging on again at the exit of a guest that has EFER.LME, but
 * neither paging nor PAE: the kernel would be lost. So LME is set only while the guest has paging,
 * and for the instruction that may switch it on, which exits before it is done. In between nothing
 * but PAE can be lost, by an instruction that exits, too. */
static void keep_lme_harmless(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;
        const bool writes_cr0 = vcpu->svm.writes_cr0;

        /* The CPU refuses that, and leaves the kernel's state. */
        vcpu->unproven |= vmcb->cr0 & CR0_PG && !(vmcb->cr4 & CR4_PAE);
        if (vmcb->cr0 & CR0_PG || (writes_cr0 && vmcb->cr4 & CR4_PAE))
                vmcb->efer |= EFER_LME;
        else
                vmcb->efer &= ~(uint64_t)EFER_LME;
        vmcb->cr_intercepts = (vmcb->cr_intercepts & SVM_WRITES_CR8) |
                              (writes_cr0 ? SVM_WRITES_CR4 : SVM_WRITES_CR0);
        vcpu->svm.writes_cr0 = false;
}

/* A window on QEMU's TCG (7.2): there VMRUN sets the virtual interrupt's flag beside those of
 * interrupts without the lock that who sets these holds. One that comes at this moment is pending
 * in the local APIC, but nobody tells the CPU, until another comes: a guest that computes would
 * keep the CPU for ever. So while there is a window the timer does not fire only once. */
static void enter(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct vcpu *vcpu = self->vcpu;
        struct vmcb *vmcb = vcpu->control;

        vcpu_take_tag(cpu, self);
        vmcb->tsc_offset -= vcpu_take_stolen_time(vcpu);
        vmcb->asid = vcpu->tag;
        vmcb->tlb_control = cpu->tag_flush ? TLB_FLUSH_ALL : 0;
        vmcb->clean = 0;
        vmcb->rax = self->regs.ax;
        vmcb->vintr = vcpu->svm.vintr = interrupt_field(vmcb);
        if (unlikely(vmcb->vintr & SVM_VINTR_IRQ) && emulated)
                timeout_repeat(cpu);
        if (unlikely(vcpu->svm.lme))
                keep_lme_harmless(vcpu);
        if (unlikely(vcpu->unproven || (vmcb->cr0 & (CR0_CD | CR0_NW)) == CR0_NW))
                keep_state(vcpu);
        svm_enter(self, (word_t)pool_to_phys(vmcb), cpu->host_state);
}

static _Noreturn void inject_and_resume(struct ec *self, uint64_t event)
{
        struct vmcb *vmcb = self->vcpu->control;

        vmcb->event_inj = event;
        resume_guest(self);
}

/* What an exit that the kernel handles itself interrupted is delivered once more. */
static _Noreturn void resume_delivery(struct ec *self)
{
        inject_and_resume(self, svm_interrupted_event(self->vcpu));
}

/* An exception that ended a step is the guest's. Those of real mode have no error codes. */
static _Noreturn void resume_exception(struct ec *self, unsigned vector)
{
        struct vmcb *vmcb = self->vcpu->control;
        uint64_t event = INJECT_EXCEPTION | vector;

        if (vector == NOVA_EXC_PF)
                vmcb->cr2 = vmcb->exit_info[1];
        if (WITH_ERROR >> vector & 1 && vmcb->cr0 & CR0_PE)
                event |= SVM_INJ_ERROR | vmcb->exit_info[0] << 32;
        inject_and_resume(self, event);
}

static _Noreturn void finish_exception(struct ec *self, unsigned vector)
{
        switch (vector) {
        case NOVA_EXC_DB:
                inject_and_resume(self, INJECT_EXCEPTION | NOVA_EXC_DB);
        case NOVA_EXC_AC:
                inject_and_resume(self, INJECT_EXCEPTION | SVM_INJ_ERROR | NOVA_EXC_AC);
        case NOVA_EXC_MC:
                kernel_stop("a machine check while a guest was running");
        default:
                resume_exception(self, vector);
        }
}

/* The guest's first access to a debug register: they are its own from now on. */
static _Noreturn void finish_debug_access(struct ec *self)
{
        struct vmcb *vmcb = self->vcpu->control;

        self->vcpu->debugging = true;
        vmcb->dr_intercepts = 0;
        resume_delivery(self);
}

/* Goes on behind an instruction that was done in the guest's place. */
static _Noreturn void skip_instruction(struct ec *self, uint64_t next)
{
        struct vmcb *vmcb = self->vcpu->control;

        vmcb->rip = next;
        vmcb->interrupt_shadow = 0;
        vmcb->rflags &= ~(uint64_t)FLAG_RF;
        if (vmcb->rflags & FLAG_TF) {
                vmcb->dr6 |= DR6_STEP;
                inject_and_resume(self, INJECT_EXCEPTION | NOVA_EXC_DB);
        }
        inject_and_resume(self, 0);
}

/* Exceptions of real mode have no error codes. */
static _Noreturn void inject_protection_fault(struct ec *self)
{
        const struct vmcb *vmcb = self->vcpu->control;
        const uint64_t error = vmcb->cr0 & CR0_PE ? SVM_INJ_ERROR : 0;

        inject_and_resume(self, INJECT_EXCEPTION | error | NOVA_EXC_GP);
}

static _Noreturn void finish_xsetbv(struct ec *self)
{
        const struct vmcb *vmcb = self->vcpu->control;
        const uint64_t value = (uint32_t)self->regs.ax | (uint64_t)(uint32_t)self->regs.dx << 32;

        const word_t told = svm_instruction_length(vmcb);

        if ((uint32_t)self->regs.cx || vmcb->cpl || !fpu_xcr0_is_valid(value))
                inject_protection_fault(self);
        self->vcpu->xcr0 = value;
        skip_instruction(self, vmcb->rip + (told ? told : XSETBV_BYTES));
}

/* Memory is coherent without it, and emptying the caches would stall all CPUs: so it does nothing,
 * unless the VMM wants to hear of it. */
static void finish_wbinvd(struct ec *self)
{
        const struct vmcb *vmcb = self->vcpu->control;
        const word_t told = svm_instruction_length(vmcb);

        if (!self->vcpu->svm.wants_wbinvd)
                skip_instruction(self, vmcb->rip + (told ? told : WBINVD_BYTES));
}

/* A machine check while the guest has CR4.MCE off does not raise #MC but shuts the guest down. */
static void check_shutdown(void)
{
        if (machine_check_happened())
                kernel_stop("a machine check while a guest was running");
}

/* Ports that the PD has are the guest's, too. */
static void finish_io(struct ec *self)
{
        const struct vmcb *vmcb = self->vcpu->control;
        const uint32_t info = (uint32_t)vmcb->exit_info[0];
        const unsigned port = info >> SVM_IO_PORT_SHIFT, bytes = info >> SVM_IO_SIZE_SHIFT & 7;

        if (bytes && !(info & SVM_IO_STRING) &&
            vcpu_access_port(self, port, bytes, info & SVM_IO_IN))
                skip_instruction(self, vmcb->exit_info[1]);
}

/* Accesses to registers, exceptions and interrupts: those that are intercepted are the kernel's. */
static void finish_own_exit(struct ec *self, unsigned code)
{
        struct vcpu_svm *svm = &self->vcpu->svm;

        if (code >= SVM_EXIT_DR_READ && code < SVM_EXIT_DR_END)
                finish_debug_access(self);
        if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32)
                finish_exception(self, code - SVM_EXIT_EXCEPTION);
        svm->writes_cr0 = svm->lme && code == SVM_EXIT_CR0_WRITE;
        if (code >= SVM_EXIT_INTR || (svm->lme && code != SVM_EXIT_CR8_WRITE))
                resume_delivery(self);
}

/* The event that an exit is, or back into the guest if it is the kernel's own affair. */
static unsigned classify(struct ec *self, uint64_t code)
{
        if (code == SVM_EXIT_NPF)
                return SVM_EVENT_NPF;
        if (code > SVM_EXIT_LAST)
                return SVM_EVENT_REFUSED; /* -1, in 64 or in 32 bits */
        if (code <= SVM_EXIT_NMI)
                finish_own_exit(self, (unsigned)code);
        if (code == SVM_EXIT_XSETBV)
                finish_xsetbv(self);
        if (code == SVM_EXIT_IO)
                finish_io(self);
        if (code == SVM_EXIT_WBINVD)
                finish_wbinvd(self);
        if (code == SVM_EXIT_SHUTDOWN)
                check_shutdown();
        return (unsigned)code;
}

/* Whether the exit ends a step that the VMM asked for, by the step's #DB. A step of the guest's own
 * is told as the event that the exit interrupted. Interrupts of the host come before the
 * instruction and leave the step as it is. */
static bool ends_step(struct vcpu *vcpu, uint64_t code)
{
        struct vmcb *vmcb = vcpu->control;
        const bool own = vcpu->svm.guest_tf;

        if (code == SVM_EXIT_INTR || code == SVM_EXIT_NMI)
                return false;
        svm_end_step(vcpu);
        if (code != SVM_EXIT_EXCEPTION + NOVA_EXC_DB || !(vmcb->dr6 & DR6_STEP))
                return false;
        if (own)
                vmcb->exit_int_info = INJECT_EXCEPTION | NOVA_EXC_DB;
        else
                vmcb->dr6 &= ~(uint64_t)DR6_STEP;
        return true;
}

/* The CPU may have written anything into the block (QEMU: what it had before the entry). The state
 * stays unproven until an entry: it may be refused again. */
static void finish_refusal(const struct ec *self)
{
        struct vmcb *vmcb = self->vcpu->control;

        write_controls(self->vcpu, self);
        vmcb->vintr = self->vcpu->svm.vintr;
        if (self->vcpu->unproven)
                restore_state(self->vcpu);
}

/* QEMU's TCG (7.2) enters 64-bit code by SYSENTER with a code segment that has both L and D. It
 * refuses that at the next entry, and the guest's RIP is lost. A CPU sets L alone. */
static void mend_code_segment(struct vmcb *vmcb)
{
        const bool both = !(~vmcb->cs.ar & (SVM_AR_L | SVM_AR_D));

        if (unlikely(both) && vmcb->efer & EFER_LMA && features_emulated())
                vmcb->cs.ar &= (uint16_t)~SVM_AR_D;
}

_Noreturn void finish_svm_exit(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct vmcb *vmcb = self->vcpu->control;
        const uint64_t code = vmcb->exit_code;

        if (likely(code <= SVM_EXIT_LAST || code == SVM_EXIT_NPF)) {
                cpu->tag_flush = false;
                vmcb->event_inj = 0;
                self->vcpu->unproven = false;
                mend_code_segment(vmcb);
        } else {
                finish_refusal(self);
        }
        self->regs.ax = (word_t)vmcb->rax;
        self->cont = resume_guest;
        interrupt_window(cpu);
        leave_if_ended(self);
        if (unlikely(self->vcpu->svm.steps) && ends_step(self->vcpu, code))
                block_on_event(self, SVM_EXIT_EXCEPTION + NOVA_EXC_DB, 0, 0);

        const unsigned event = classify(self, code);
        if (event == SVM_EXIT_VINTR)
                svm_close_window(vmcb);
        if (unlikely(event == SVM_EXIT_CR8_WRITE))
                vmcb->cr_intercepts &= ~(uint32_t)SVM_WRITES_CR8;
        block_on_event(self, event, (word_t)vmcb->exit_info[0],
                       event == SVM_EVENT_NPF ? (word_t)vmcb->exit_info[1] : 0);
}

const struct vcpu_ops svm_ops = {
        .feature = NOVA_HIP_SVM,
        .refused_event = SVM_EVENT_REFUSED,
        .supported = supported,
        .boot = boot,
        .init_cpu = init_cpu,
        .init = svm_init,
        .to_utcb = svm_to_utcb,
        .from_utcb = svm_from_utcb,
        .end_step = svm_end_step,
        .enter = enter,
};
