/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX: starting it, and entering guests (SDM 3C, chapters 23 to 30). */
#include "virt/vmx/vmx.h"

#include "arch/x86/descriptors.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/speculation.h"
#include "guest_msrs.h"
#include "lib/atomic.h"
#include "lib/stop.h"
#include "memory/frame.h"
#include "nova/abi/event.h"
#include "nova/abi/hip.h"
#include "object/ec.h"
#include "object/pd.h"
#include "sched/cpu.h"
#include "tss.h"
#include "virt/cpu.h"
#include "virt/vcpu.h"
#include "virt/vmx/vmcs.h"
#include "virt/vmx/vmx_state.h"

#define EPTP_FLAGS ((VMX_EPT_LEVELS - 1) << 3 | 6) /* the tables are write-back */

#define VPID_END   0x10000
#define EXCEPTIONS (1u << NOVA_EXC_DB | 1u << NOVA_EXC_AC | 1u << NOVA_EXC_MC)

/* vmx_entry.S */
_Noreturn void vmx_enter(struct ec *ec, word_t launched);
extern char vmx_exit[];

static struct guest_msrs vmx_host_msrs; /* equal on all CPUs, except LSTAR */

static indirect_target bool vmx_supported(void)
{
        return cpu_has(FEATURE_VMX);
}

static indirect_target bool vmx_boot(void)
{
        if (!vmx_read_offer(&vmx_offer))
                return false;
        guest_format = vmx_guest_format(&vmx_offer);
        return true;
}

static indirect_target bool vmx_init_cpu(struct cpu *cpu)
{
        uint32_t *region = frame_alloc_zeroed();

        if (!region)
                return false;
        const uint64_t lock = rdmsr(MSR_FEATURE_CTRL);
        if (!(lock & FEATURE_CTRL_LOCKED))
                wrmsr(MSR_FEATURE_CTRL, vmx_lock(lock));
        write_cr4(read_cr4() | CR4_VMXE);

        const uint64_t phys = pool_to_phys(region);
        *region = (uint32_t)rdmsr(MSR_VMX_BASIC);
        if (!vmxon(&phys))
                kernel_stop("VMXON failed: switch VMX off in the firmware");
        invept(INVALIDATE_ALL, 0);
        guest_msrs_read(&vmx_host_msrs);
        /* Other CPUs may write the same value. No guest has a page table before all CPUs have
         * come here. */
        if (!vmx_has_safe_large_code())
                store_once(guest_format.small_execute, true);
        *cpu_virt_of(cpu) = (struct cpu_virt){
                .tag_next = 1,
                .tag_end = VPID_END,
                .tag_round = 1,
                .tag_flush = true,
        };
        return true;
}

static indirect_target void vmx_init(struct vcpu *vcpu, struct ec *ec)
{
        (void)ec;
        *(uint32_t *)vcpu->control = (uint32_t)rdmsr(MSR_VMX_BASIC);
        vcpu->vmx.dr6 = DR6_CLEAR;
}

/* Fills in the state that the CPU loads at an exit, except CR3, which vmx_resume() fills in. At an
 * exit, the CPU sets the limits and attributes of the segments itself. */
static void vmx_fill_host(const struct ec *ec)
{
        struct table_pointer idt;

        sidt(&idt);
        vmcs_write(VMCS_HOST_CS_SEL, SEL_KERNEL_CODE);
        vmcs_write(VMCS_HOST_SS_SEL, SEL_KERNEL_DATA);
        /* The selectors that threads use, without privilege bits, which these fields must not
         * contain. */
        vmcs_write(VMCS_HOST_DS_SEL, SEL_USER_DATA & ~3u);
        vmcs_write(VMCS_HOST_ES_SEL, SEL_USER_DATA & ~3u);
        vmcs_write(VMCS_HOST_TR_SEL, SEL_TSS);
        vmcs_write(VMCS_HOST_TR_BASE, (word_t)ec->cpu->arch.tss);
        vmcs_write(VMCS_HOST_GDTR_BASE, (word_t)ec->cpu + CPU_GDT);
        vmcs_write(VMCS_HOST_IDTR_BASE, idt.base);
        vmcs_write(VMCS_HOST_CR0, read_cr0() & ~(word_t)CR0_TS); /* the FPU is the guest's */
        vmcs_write(VMCS_HOST_CR4, read_cr4());
        vmcs_write64(VMCS_HOST_PAT, rdmsr(MSR_PAT));
        vmcs_write64(VMCS_HOST_EFER, rdmsr(MSR_EFER));
        vmcs_write(VMCS_HOST_SYSENTER_CS, (word_t)rdmsr(MSR_SYSENTER_CS));
        vmcs_write(VMCS_HOST_SYSENTER_SP, (word_t)rdmsr(MSR_SYSENTER_ESP));
        vmcs_write(VMCS_HOST_SYSENTER_IP, (word_t)rdmsr(MSR_SYSENTER_EIP));
        vmcs_write(VMCS_HOST_SP, (word_t)ec);
        vmcs_write(VMCS_HOST_IP, (word_t)vmx_exit);
}

static void vmx_fill_controls(const struct ec *ec)
{
        vmcs_write(VMCS_PIN, VMX_PIN | vmx_offer.pin.must);
        vmcs_write(VMCS_PRIMARY, vmx_ctrl0(&vmx_offer, NOVA_VMX_CTRL0_DR));
        vmcs_write(VMCS_SECONDARY, vmx_ctrl1(&vmx_offer, 0));
        vmcs_write(VMCS_EXIT, VMX_EXIT | vmx_offer.exit.must);
        vmcs_write(VMCS_ENTRY, VMX_ENTRY | vmx_offer.entry.must);
        vmcs_write(VMCS_EXCEPTIONS, EXCEPTIONS);
        vmcs_write64(VMCS_EPTP, pool_to_phys(ec->pd->guest.root) | EPTP_FLAGS);
        vmcs_write64(VMCS_LINK, UINT64_MAX);
        vmcs_write(VMCS_CR0_MASK, VMX_CR0_MASK);
        vmcs_write(VMCS_CR4_MASK, VMX_CR4_MASK);
        vmcs_write64(VMCS_GUEST_PAT, PAT_DEFAULT);
        vmcs_write(VMCS_GUEST_DR7, DR7_CLEAR);
}

/* Clears the fields, whose contents VMCLEAR leaves undefined. */
static void vmx_clear_fields(void)
{
        static const struct {
                uint16_t first, last;
        } ranges[] = {
                {VMCS_VPID, VMCS_VPID},
                {VMCS_GUEST_ES_SEL, 0x080e},
                {VMCS_HOST_ES_SEL, 0x0c0c},
                {0x2006, VMCS_TSC_OFFSET},
                {VMCS_VM_FUNCTIONS, VMCS_VM_FUNCTIONS},
                {0x2802, 0x2806},
                {0x280a, 0x2810},
                {0x4006, 0x401a},
                {VMCS_GUEST_ES_LIMIT, 0x482a},
                {VMCS_CR0_MASK, 0x600e},
                {VMCS_GUEST_CR0, VMCS_GUEST_SYSENTER_IP},
                {0x6c06, 0x6c08},
        };

        for (unsigned i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
                for (unsigned field = ranges[i].first; field <= ranges[i].last; field += 2)
                        if (field >> 12 == 2)
                                vmcs_write64(field, 0);
                        else
                                vmcs_write(field, 0);
}

void vmx_load(const struct ec *ec)
{
        struct vcpu *vcpu = ec->vcpu;
        struct cpu_virt *virt = cpu_virt_of(ec->cpu);
        const uint64_t phys = pool_to_phys(vcpu->control);

        if (likely(virt->vmcs_owner == vcpu))
                return;
        if (!vcpu->vmx.known)
                vmclear(&phys);
        vmptrld(&phys);
        virt->vmcs_owner = vcpu;
        if (vcpu->vmx.known)
                return;
        vcpu->vmx.known = true;
        vmx_clear_fields();
        vmx_fill_controls(ec);
        vmx_fill_host(ec);
}

/* Unloads the structure of an EC that has ended, because its memory may be reused. */
static indirect_target void vmx_stop(struct ec *ec)
{
        const uint64_t phys = pool_to_phys(ec->vcpu->control);
        struct cpu_virt *virt = cpu_virt_of(ec->cpu);

        if (virt->msr_owner == ec)
                vmx_leave(ec->cpu);
        if (ec->vcpu->vmx.known)
                vmclear(&phys);
        if (virt->vmcs_owner == ec->vcpu)
                virt->vmcs_owner = NULL;
}

indirect_target void vmx_leave(struct cpu *cpu)
{
        struct cpu_virt *virt = cpu_virt_of(cpu);
        struct ec *owner = virt->msr_owner;

        descriptors_reload(cpu);
        if (!owner)
                return;
        struct guest_msrs *msrs = &owner->vcpu->vmx.msrs;
        msrs->kernel_gs_base = guest_msrs_kernel_gs_base(msrs);
        guest_msrs_load_host(vmx_host_msrs, cpu->id);
        virt->msr_owner = NULL;
}

/* Makes the guest's cached translations invalid. For a new VPID, the CPU has cached no translations
 * of the guest's own tables. INVEPT discards second-level and combined translations of any VPID
 * (SDM 3C, 28.4.3). */
static void vmx_forget_translations(struct cpu *cpu, const struct ec *self)
{
        struct cpu_virt *virt = cpu_virt_of(cpu);

        invept(INVALIDATE_ONE, pool_to_phys(self->pd->guest.root) | EPTP_FLAGS);
        if (!vmx_offers_vpid(&vmx_offer))
                return;
        if (virt->tag_flush)
                invvpid(INVALIDATE_ALL, 0);
        virt->tag_flush = false;
        vmcs_write(VMCS_VPID, self->vcpu->tag);
}

static indirect_target __attribute__((noreturn)) void vmx_resume(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct cpu_virt *virt = cpu_virt_of(cpu);
        struct vcpu *vcpu = self->vcpu;
        const uint64_t stolen = vcpu_take_stolen_time(vcpu);

        vmx_load(self);
        if (vcpu_take_tag(cpu, self))
                vmx_forget_translations(cpu, self);
        if (stolen)
                vmcs_write64(VMCS_TSC_OFFSET, vmcs_read64(VMCS_TSC_OFFSET) - stolen);
        if (vcpu->vmx.host_cr3 != read_cr3()) {
                vcpu->vmx.host_cr3 = read_cr3();
                vmcs_write(VMCS_HOST_CR3, vcpu->vmx.host_cr3);
        }
        if (virt->msr_owner != self) {
                if (virt->msr_owner)
                        vmx_leave(cpu);
                guest_msrs_load(&vcpu->vmx.msrs);
                virt->msr_owner = self;
        }
        if (read_cr2() != vcpu->vmx.cr2)
                write_cr2(vcpu->vmx.cr2);
        if (vcpu->debugging)
                write_dr6(vcpu->vmx.dr6);
        if (unlikely(speculation_at_guest_entry))
                speculation_enter_guest(cpu, self->pd);
        vmx_enter(self, vcpu->vmx.launched);
}

const struct vcpu_ops vmx_ops = {
        .feature = NOVA_HIP_VMX,
        .refused_event = NOVA_VMX_INVALID_GUEST_STATE,
        .memory_event = NOVA_VMX_EPT_VIOLATION,
        .efer_writable = GUEST_EFER_WRITABLE,
        VCPU_OPS_OF(vmx),
        .enter = vmx_resume,
        .leave = vmx_leave,
        .stop = vmx_stop,
};
