/* SPDX-License-Identifier: BSD-2-Clause */
/* SVM: starting it, and entering guests (APM 2, chapter 15). */
#include "virt/svm/svm.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/ipi.h"
#include "arch/x86/machine_check.h"
#include "arch/x86/msr.h"
#include "arch/x86/pte.h"
#include "arch/x86/speculation.h"
#include "ipc/event.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "nova/abi/event.h"
#include "nova/abi/hip.h"
#include "object/ec.h"
#include "object/pd.h"
#include "paging_levels.h"
#include "sched/cpu.h"
#include "sched/timeout.h"
#include "virt/cpu.h"
#include "virt/vcpu.h"

#define SVM_LEAF 0x8000000a

/* Orders of the permission maps, 12 and 8 KiB. All bits are 1, to intercept every port and MSR. */
#define IO_MAP_ORDER  2
#define MSR_MAP_ORDER 1

#define TLB_FLUSH_ALL 1

#define EFER_FFXSR 0x4000

/* An entry requests no window while interrupts are blocked. The timer then makes the guest exit
 * after this number of TSC ticks, in which QEMU executes at least one instruction. */
#define SHADOW_TICKS 1000000

/* svm_entry.S */
_Noreturn void svm_enter(struct ec *ec, word_t guest, word_t host);

static paddr_t svm_io_map, svm_msr_map;
static bool svm_emulated; /* QEMU's TCG emulates SVM */

static indirect_target bool svm_supported(void)
{
        return cpu_has(FEATURE_SVM) && cpu_has(FEATURE_NPT) && cpuid(SVM_LEAF, 0).ebx > 1;
}

static bool svm_make_map(unsigned order, paddr_t *phys)
{
        void *map = frame_alloc_boot(order);

        if (!map)
                return false;
        memset(map, 0xff, (size_t)PAGE_SIZE << order);
        *phys = pool_to_phys(map);
        return true;
}

static indirect_target bool svm_boot(void)
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
        svm_emulated = features_emulated();
        return svm_make_map(IO_MAP_ORDER, &svm_io_map) && svm_make_map(MSR_MAP_ORDER, &svm_msr_map);
}

static indirect_target bool svm_init_cpu(struct cpu *cpu)
{
        const void *save = frame_alloc_zeroed(), *host = frame_alloc_zeroed();

        if (!save || !host)
                return false;
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
        wrmsr(MSR_VM_HSAVE_PA, pool_to_phys(save));
        machine_check_forget();
        *cpu_virt_of(cpu) = (struct cpu_virt){
                .host_state = (word_t)pool_to_phys(host),
                .tag_next = 1,
                .tag_end = cpuid(SVM_LEAF, 0).ebx,
                .tag_round = 1,
                .tag_flush = true,
        };
        return true;
}

/* Returns the interrupt field for an entry. The CPU changes only the guest's task priority in it.
 * All other bits belong to the kernel: without the masking bit, the guest's IF would be the
 * machine's IF, and a guest that clears it would keep the CPU. */
static uint64_t svm_interrupt_field(const struct vmcb *vmcb)
{
        const uint64_t window = svm_has_window(vmcb) ? SVM_VINTR_IRQ | SVM_VINTR_IGNORE_TPR : 0;

        return (vmcb->vintr & SVM_VINTR_TPR) | window | SVM_VINTR_MASKING;
}

/* Writes the kernel's controls. #AC and #DB are intercepted because their delivery could go on for
 * ever inside the CPU. The bits that the VMM chose in ctrl and cr_intercepts stay. */
void svm_write_controls(const struct vcpu *vcpu, const struct ec *ec)
{
        struct vmcb *vmcb = vcpu->control;

        vmcb->dr_intercepts = vcpu->debugging ? 0 : UINT32_MAX;
        vmcb->exception_intercepts = SVM_EXCEPTIONS_FORCED;
        vmcb->ctrl[0] |= SVM_CTRL0_FORCED;
        vmcb->ctrl[1] |= SVM_CTRL1_FORCED;
        vmcb->ctrl2 = 0;
        vmcb->iopm = svm_io_map;
        vmcb->msrpm = svm_msr_map;
        vmcb->np_enable = 1;
        vmcb->n_cr3 = pool_to_phys(ec->pd->guest.root);
        vmcb->lbr = 0;
}

static indirect_target void svm_init(struct vcpu *vcpu, struct ec *ec)
{
        struct vmcb *vmcb = vcpu->control;

        svm_write_controls(vcpu, ec);
        vmcb->vintr = SVM_VINTR_MASKING;
        vmcb->efer = EFER_SVME;
        vmcb->pat = PAT_DEFAULT;
        vmcb->dr6 = DR6_CLEAR;
        vmcb->dr7 = DR7_CLEAR;
}

/* Saves the guest's state before an entry that the CPU may refuse. When QEMU refuses an entry, it
 * leaves the kernel's state in the guest's control block. In QEMU's TCG (7.2), a guest can itself
 * write a CR0 with which the CPU refuses the next entry. */
static void svm_keep_state(struct vcpu *vcpu)
{
        vcpu->unproven = true;
        _Static_assert(VMCB_STATE_SIZE <= sizeof(vcpu->svm.backup), "there is room");
        memcpy(vcpu->svm.backup, (const char *)vcpu->control + VMCB_STATE, VMCB_STATE_SIZE);
}

void svm_restore_state(struct vcpu *vcpu)
{
        memcpy((char *)vcpu->control + VMCB_STATE, vcpu->svm.backup, VMCB_STATE_SIZE);
}

/* QEMU's TCG (7.2) does not enable paging again at the exit of a guest that has EFER.LME but
 * neither paging nor PAE. The kernel could not continue. So LME is set only while the guest has
 * paging, and for the entry after an intercepted write of CR0: the guest then repeats the write,
 * which may enable paging. This entry intercepts writes of CR4 instead of CR0, so the guest cannot
 * clear PAE before the next exit. */
static void svm_keep_lme_harmless(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;
        const bool writes_cr0 = vcpu->svm.writes_cr0;

        /* The CPU refuses an entry with LME and paging but without PAE (see svm_keep_state()). */
        vcpu->unproven |= vmcb->cr0 & CR0_PG && !(vmcb->cr4 & CR4_PAE);
        if (vmcb->cr0 & CR0_PG || (writes_cr0 && vmcb->cr4 & CR4_PAE))
                vmcb->efer |= EFER_LME;
        else
                vmcb->efer &= ~(uint64_t)EFER_LME;
        vmcb->cr_intercepts = (vmcb->cr_intercepts & SVM_WRITES_CR8) |
                              (writes_cr0 ? SVM_WRITES_CR4 : SVM_WRITES_CR0);
        vcpu->svm.writes_cr0 = false;
}

static bool svm_injects_interrupt(const struct vmcb *vmcb)
{
        const uint64_t injected = NOVA_INJ_VALID | NOVA_INJ_INTERRUPT;

        return (vmcb->event_inj & (NOVA_INJ_VALID | NOVA_INJ_TYPE)) == injected;
}

/* Makes an injected interrupt arrive only once. After VMRUN has delivered an interrupt, QEMU's TCG
 * (7.2) keeps the vector as if an exception were pending. If the emulated CPU stops before the next
 * exit or exception, for example because CPUs take turns, QEMU raises this vector again, regardless
 * of IF. QEMU does not keep the vector of a software interrupt. The delivery of a software
 * interrupt differs only by a privilege check, which CPL 0 passes. So at CPL 0 the interrupt is
 * injected as a software interrupt. At another CPL, the CPU sends itself an interrupt, so that the
 * guest exits before its next instruction. */
static void svm_inject_once(const struct cpu *cpu, struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;

        if (vmcb->cpl) {
                ipi_send(cpu);
                return;
        }
        vmcb->event_inj |= NOVA_INJ_SOFTWARE_INTERRUPT;
        vcpu->svm.soft_event = vmcb->event_inj & NOVA_INJ_EVENT;
        vcpu->svm.soft_ip = vmcb->rip;
        vcpu->svm.soft_interrupt = true;
}

/* Works around two faults of QEMU's TCG (7.2) if VMRUN requests a window:
 * - QEMU keeps the requests for interrupts of a CPU in one word. VMRUN sets the bit of the virtual
 *   interrupt in this word without the word's lock. The bit of an interrupt that arrives at this
 *   moment can be lost: the interrupt is pending in the local APIC, but the CPU does not see it
 *   until another interrupt arrives. A guest that only computes would keep the CPU for ever. So the
 *   timer fires repeatedly.
 * - VMRUN does not load the interrupt shadow of STI and MOV to SS. The window would open at once,
 *   for example between an STI and its HLT. So this entry requests no window, and the timer soon
 *   makes the guest exit. The next entry then requests the window. */
static void svm_request_window(struct cpu *cpu, struct vmcb *vmcb)
{
        if (likely(!vmcb->interrupt_shadow)) {
                timeout_repeat(cpu);
                return;
        }
        vmcb->vintr &= ~SVM_VINTR_IRQ;
        timeout_arm(cpu, rdtsc() + SHADOW_TICKS);
}

/* Enters the guest. */
static indirect_target __attribute__((noreturn)) void svm_resume(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        const struct cpu_virt *virt = cpu_virt_of(cpu);
        struct vcpu *vcpu = self->vcpu;
        struct vmcb *vmcb = vcpu->control;

        vcpu_take_tag(cpu, self);
        vmcb->tsc_offset -= vcpu_take_stolen_time(vcpu);
        vmcb->asid = vcpu->tag;
        vmcb->tlb_control = virt->tag_flush ? TLB_FLUSH_ALL : 0;
        vmcb->clean = 0;
        vmcb->rax = self->regs.ax;
        vmcb->vintr = vcpu->svm.vintr = svm_interrupt_field(vmcb);
        if (unlikely(vmcb->vintr & SVM_VINTR_IRQ) && svm_emulated)
                svm_request_window(cpu, vmcb);
        if (unlikely(svm_injects_interrupt(vmcb)) && svm_emulated)
                svm_inject_once(cpu, vcpu);
        if (unlikely(vcpu->svm.lme))
                svm_keep_lme_harmless(vcpu);
        if (unlikely(vcpu->unproven || (vmcb->cr0 & (CR0_CD | CR0_NW)) == CR0_NW))
                svm_keep_state(vcpu);
        if (unlikely(speculation_at_guest_entry))
                speculation_enter_guest(cpu, self->pd);
        svm_enter(self, (word_t)pool_to_phys(vmcb), virt->host_state);
}

const struct vcpu_ops svm_ops = {
        .feature = NOVA_HIP_SVM,
        .refused_event = NOVA_SVM_INVALID_GUEST_STATE,
        .memory_event = NOVA_SVM_NPT_FAULT,
        .efer_writable = GUEST_EFER_WRITABLE | EFER_FFXSR,
        VCPU_OPS_OF(svm),
        .end_step = svm_end_step,
        .enter = svm_resume,
};
