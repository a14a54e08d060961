/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers of exits that a monitor does not handle itself. */
#include "hv/exits.h"
#include "nova/abi/control.h"
#include "nova/crd.h"
#include "nova/utcb.h"
#include "novavmm/cpuid.h"
#include "novavmm/registers.h"
#include "overlay.h"
#include "vm.h"

/* Exceptions. */
#define VECTOR_UD 6
#define VECTOR_GP 13

/* Intercepts of SVM in addition to the kernel's. WBINVD would stall other programs. */
#define SVM_CTRL0 NOVA_SVM_CTRL0_CPUID
#define SVM_CTRL1                                                               \
        (NOVA_SVM_CTRL1_VMMCALL | NOVA_SVM_CTRL1_STGI | NOVA_SVM_CTRL1_WBINVD | \
         NOVA_SVM_CTRL1_MONITOR | NOVA_SVM_CTRL1_MWAIT)

#define TSC_MSR 0x10u

/* CPUID leaves of the interface for enlightened guests. */
#define HV_LEAF      0x40000000u
#define LAST_HV_LEAF 0x400000ffu

/* Bits of the first qualification. WRITE: the access is a write. NPF_TABLE, of nested page faults:
 * the access belongs to a walk of the guest's page tables. EPT_LINEAR, of EPT violations: there is
 * a linear address. EPT_FINAL: the access is to the translation of that address, not to a page
 * table. */
#define QUAL_WRITE     0x2u
#define SVM_NPF_TABLE  0x200000000u
#define SVM_NPF_FETCH  0x10u
#define VMX_EPT_FETCH  0x4u
#define VMX_EPT_LINEAR 0x80u
#define VMX_EPT_FINAL  0x100u

#define VMX_CTRL0 (NOVA_VMX_CTRL0_TSC_OFFSET | NOVA_VMX_CTRL0_MWAIT | NOVA_VMX_CTRL0_MONITOR)
#define VMX_CTRL1 (NOVA_VMX_CTRL1_RDTSCP | NOVA_VMX_CTRL1_WBINVD | NOVA_VMX_CTRL1_INVPCID)

/* Groups that every exit needs: general registers, and the state that determines whether interrupts
 * can be delivered. */
#define USUAL                                                                        \
        (NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP | NOVA_MTD_EIP | NOVA_MTD_EFL | \
         NOVA_MTD_QUAL | NOVA_MTD_INJ | NOVA_MTD_STA)

#define EVERYTHING                                                                                \
        (USUAL | NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR | \
         NOVA_MTD_GDTR | NOVA_MTD_IDTR | NOVA_MTD_CR | NOVA_MTD_R8_R15 | NOVA_MTD_MSR |           \
         NOVA_MTD_GPA | NOVA_MTD_DEBUG)

nova_mtd_t novavmm_exit_mtd(enum nova_vm_exit exit, bool tells_length)
{
        const nova_mtd_t fetch = tells_length ? 0 : FETCH_MTD;

        switch (exit) {
        case NOVA_VM_EXIT_CPUID:
                return USUAL | fetch | NOVA_MTD_CR | NOVA_MTD_XCR0;
        case NOVA_VM_EXIT_RDMSR:
        case NOVA_VM_EXIT_WRMSR:
                return USUAL | fetch | NOVA_MSR_MTD;
        case NOVA_VM_EXIT_HYPERCALL:
                return USUAL | FETCH_MTD | NOVA_MTD_R8_R15;
        case NOVA_VM_EXIT_PORT: /* the CPU always reports the instruction's length */
        case NOVA_VM_EXIT_WINDOW:
                return USUAL;
        case NOVA_VM_EXIT_RECALL:
        case NOVA_VM_EXIT_MEMORY:
        case NOVA_VM_EXIT_STARTUP:
        case NOVA_VM_EXIT_CR8:
        case NOVA_VM_EXIT_OTHER:
        case NOVA_VM_EXIT_TASK:
        case NOVA_VM_EXIT_SHUTDOWN:
        case NOVA_VM_EXIT_INVALID:
                return EVERYTHING;
        default:
                return USUAL | fetch;
        }
}

/* Delegates the guest's memory with the reply to the guest's first event, because this reply may
 * have items of any type. The delegation also maps the RAM that overlay pages cover. A recall
 * revokes the covered RAM before the guest executes an instruction. */
static void give_memory(struct nova_vcpu *vcpu)
{
        const struct nova_guest_memory *const memory = &vcpu->vm->memory;
        struct nova_utcb *const utcb = nova_thread_utcb();
        struct nova_crd_range range = {NOVA_CRD_MEM, NOVA_MEM_RWX,
                                       (nova_word_t)memory->base >> NOVA_PAGE_BITS, 0,
                                       memory->bytes >> NOVA_PAGE_BITS};

        if (!nova_utcb_delegate_range(utcb, &range, novavmm_ram_flags(vcpu->vm)))
                nova_vcpu_fail(vcpu, "its memory is in too many pieces");
        if (memory->overlays)
                novavmm_vcpu_recall_for(vcpu, VCPU_COVER);
}

void novavmm_exit_controls(struct nova_vcpu *vcpu)
{
        const bool svm = vcpu->vm->svm;

        vcpu->state->ctrl[0] = svm ? SVM_CTRL0 : VMX_CTRL0;
        vcpu->state->ctrl[1] = svm ? SVM_CTRL1 : VMX_CTRL1;
        if (vcpu->nmi_blocked && !vcpu->steps)
                vcpu->state->ctrl[0] |= NOVA_SVM_CTRL0_IRET;
        vcpu->changed |= NOVA_MTD_CTRL;
}

static void start(struct nova_vcpu *vcpu)
{
        *vcpu->state = vcpu->start.state;
        *vcpu->more = vcpu->start.more;
        vcpu->changed = NOVA_START_MTD;
        novavmm_exit_controls(vcpu);
        if (vcpu->vm->hv && vcpu->state->tsc_offset)
                vcpu->vm->hv_exits->time_break(vcpu->vm->hv);
        if (vcpu->number == 0)
                give_memory(vcpu);
}

/* Does nothing: every exit checks for interrupts anyway. */
static void nothing(struct nova_vcpu *vcpu)
{
        (void)vcpu;
}

static void port(struct nova_vcpu *vcpu)
{
        struct nova_vm *const vm = vcpu->vm;
        struct nova_utcb_state *const state = vcpu->state;
        const struct nova_vm_exit_port at = vm->svm ? nova_vm_exit_port_of_svm(state->qual[0])
                                                    : nova_vm_exit_port_of_vmx(state->qual[0]);

        if (at.string) {
                vcpu->port = at;
                novavmm_vcpu_recall_for(vcpu, VCPU_PORT_STRING);
                return;
        }
        if (at.in) {
                const uint64_t value = nova_bus_get(&vm->ports, at.port, at.bytes);

                if (at.bytes == 4)
                        state->ax = (uint32_t)value;
                else if (at.bytes == 2)
                        state->ax = (state->ax & ~(nova_word_t)0xffff) | (nova_word_t)value;
                else
                        state->ax = (state->ax & ~(nova_word_t)0xff) | (nova_word_t)value;
                vcpu->changed |= NOVA_MTD_ACDB;
        } else {
                nova_bus_put(&vm->ports, at.port, at.bytes, state->ax);
        }
        nova_vcpu_skip(vcpu, 1);
}

static struct nova_cpuid cpuid_of(const struct nova_vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
        const struct nova_cpuid_view view = {
                .vcpu = vcpu->number,
                .vcpus = vcpu->vm->vcpus,
                .local_apic = nova_msr_apic_is_on(&vcpu->msr),
                .os_xsave = vcpu->state->cr4 & NOVA_CR4_XSAVE,
                .no_long_mode = sizeof(nova_word_t) < 8,
                .xsave = vcpu->vm->xsave,
                .xcr0 = vcpu->more->xcr0,
                .same_tsc = vcpu->vm->same_tsc,
        };

        if (vcpu->vm->hv && leaf >= HV_LEAF && leaf <= LAST_HV_LEAF)
                return vcpu->vm->hv_exits->cpuid(vcpu->vm->hv, leaf);
        return nova_cpuid_answer(nova_cpuid_host, &view, leaf, subleaf);
}

static void cpuid(struct nova_vcpu *vcpu)
{
        struct nova_utcb_state *const state = vcpu->state;
        const struct nova_cpuid out = cpuid_of(vcpu, (uint32_t)state->ax, (uint32_t)state->cx);

        state->ax = out.eax;
        state->bx = out.ebx;
        state->cx = out.ecx;
        state->dx = out.edx;
        vcpu->changed |= NOVA_MTD_ACDB;
        nova_vcpu_skip(vcpu, 2);
}

static struct nova_utcb_event *event_of(struct nova_vcpu *vcpu)
{
        return (struct nova_utcb_event *)vcpu->state;
}

/* Returns whether the interface for enlightened guests handles accesses to an MSR. */
static bool is_hv_msr(const struct nova_vm *vm, uint32_t number)
{
        return vm->hv && vm->hv_exits->has_msr(number);
}

static bool get_msr(struct nova_vcpu *vcpu, uint32_t number, uint64_t *value)
{
        if (is_hv_msr(vcpu->vm, number))
                return vcpu->vm->hv_exits->get_msr(vcpu, number, value);
        return nova_msr_get((const struct nova_utcb_event *)vcpu->state, &vcpu->msr, number, value);
}

static bool set_msr(struct nova_vcpu *vcpu, uint32_t number, uint64_t value)
{
        if (is_hv_msr(vcpu->vm, number))
                return vcpu->vm->hv_exits->set_msr(vcpu, number, value);
        if (vcpu->vm->hv && number == TSC_MSR)
                vcpu->vm->hv_exits->time_break(vcpu->vm->hv);
        return nova_msr_set(event_of(vcpu), &vcpu->msr, &vcpu->changed, number, value);
}

static void rdmsr(struct nova_vcpu *vcpu)
{
        struct nova_utcb_state *const state = vcpu->state;
        uint64_t value;

        if (!get_msr(vcpu, (uint32_t)state->cx, &value)) {
                nova_vcpu_raise_error(vcpu, VECTOR_GP, 0);
                return;
        }
        state->ax = (uint32_t)value;
        state->dx = (nova_word_t)(value >> 32);
        vcpu->changed |= NOVA_MTD_ACDB;
        nova_vcpu_skip(vcpu, 2);
}

static void wrmsr(struct nova_vcpu *vcpu)
{
        const struct nova_utcb_state *const state = vcpu->state;
        const uint64_t value = (uint32_t)state->ax | (uint64_t)(uint32_t)state->dx << 32;
        const bool apic = nova_msr_apic_is_on(&vcpu->msr);

        if (!set_msr(vcpu, (uint32_t)state->cx, value)) {
                nova_vcpu_raise_error(vcpu, VECTOR_GP, 0);
                return;
        }
        nova_vcpu_skip(vcpu, 2);
        if (nova_msr_apic_is_on(&vcpu->msr) != apic && vcpu->vm->apic_switched)
                vcpu->vm->apic_switched(vcpu);
}

static void halt(struct nova_vcpu *vcpu)
{
        nova_vcpu_skip(vcpu, 1);
        if (vcpu->recalled_for & VCPU_STEP)
                return; /* the guest's #DB ends the halt */
        vcpu->activity = vcpu->state->flags & NOVA_FLAG_IF ? NOVA_VCPU_HALTS : NOVA_VCPU_DEAD;
        novavmm_vm_check_dead(vcpu->vm);
}

static void cache(struct nova_vcpu *vcpu)
{
        nova_vcpu_skip(vcpu, 2);
}

/* Skips PAUSE, which is NOP with a prefix. */
static void pause(struct nova_vcpu *vcpu)
{
        nova_vcpu_skip(vcpu, 1);
}

/* Handles XSETBV under VMX; under SVM the kernel emulates it. The value is checked here, because
 * the kernel refuses values that the CPU does not support. */
static void xsetbv(struct nova_vcpu *vcpu)
{
        const struct nova_utcb_state *const state = vcpu->state;
        const uint64_t value = (uint32_t)state->ax | (uint64_t)(uint32_t)state->dx << 32;

        if ((uint32_t)state->cx || !nova_xcr0_is_valid(nova_cpuid_host, value)) {
                nova_vcpu_raise_error(vcpu, VECTOR_GP, 0);
                return;
        }
        vcpu->more->xcr0 = value;
        vcpu->changed |= NOVA_MTD_XCR0;
        nova_vcpu_skip(vcpu, 3);
}

static void counter(struct nova_vcpu *vcpu)
{
        nova_vcpu_raise_error(vcpu, VECTOR_GP, 0);
}

static void foreign(struct nova_vcpu *vcpu)
{
        nova_vcpu_raise(vcpu, VECTOR_UD);
}

/* Returns true if the CPU's access to a page table of the guest failed, false if an access of the
 * guest itself did; APM 2, 15.25.6; SDM 3C, table 28-7. */
static bool misses_table(const struct nova_vcpu *vcpu)
{
        const uint64_t how = vcpu->state->qual[0];

        return vcpu->vm->svm ? how & SVM_NPF_TABLE
                             : (how & (VMX_EPT_LINEAR | VMX_EPT_FINAL)) == VMX_EPT_LINEAR;
}

static bool is_fetch(const struct nova_vcpu *vcpu)
{
        return vcpu->state->qual[0] & (vcpu->vm->svm ? SVM_NPF_FETCH : VMX_EPT_FETCH);
}

/* Returns true if an access is a write to an overlay page that the guest cannot write, or fetches
 * code from a page that it cannot execute. */
static bool is_forbidden(const struct nova_vcpu *vcpu, uint64_t address)
{
        const struct nova_overlay *const overlay = nova_overlay_find(&vcpu->vm->memory, address);

        return overlay && ((!(overlay->rights & NOVA_MEM_W) && vcpu->state->qual[0] & QUAL_WRITE) ||
                           (!(overlay->rights & NOVA_MEM_X) && is_fetch(vcpu)));
}

/* Handles an access to RAM that is not mapped: the page has another frame now, or an overlay page
 * does not permit the access. */
static void covered(struct nova_vcpu *vcpu, uint64_t address)
{
        const struct nova_guest_memory *const ram = &vcpu->vm->memory;

        if (!is_forbidden(vcpu, address)) {
                if (!ram->frames || !novavmm_overlay_give(vcpu, address))
                        nova_vcpu_fail(vcpu,
                                       "an access to 0x%llx, because no kernel memory is left to "
                                       "map it: enlarge 'kernel-memory' of the monitor",
                                       novavmm_report_address(vcpu->vm, address));
        } else if (vcpu->state->inj_info & NOVA_INJ_VALID || misses_table(vcpu)) {
                nova_vcpu_fail(vcpu, "an access of the CPU itself to the overlay page at 0x%llx",
                               novavmm_report_address(vcpu->vm, address));
        } else {
                nova_vcpu_raise_error(vcpu, VECTOR_GP, 0);
        }
}

/* Returns true if a program of the guest executes a device's memory. */
static bool is_program_in_device(const struct nova_vcpu *vcpu)
{
        return is_fetch(vcpu) && nova_registers_privilege(vcpu->state) == 3 &&
               !(vcpu->state->inj_info & NOVA_INJ_VALID);
}

static void memory(struct nova_vcpu *vcpu)
{
        const uint64_t address = vcpu->more->gpa;

        if (address < vcpu->vm->memory.bytes)
                covered(vcpu, address);
        else if (misses_table(vcpu))
                nova_vcpu_fail(vcpu, "a page table at 0x%llx, where there is no memory",
                               novavmm_report_address(vcpu->vm, address));
        else if (vcpu->vm->place && vcpu->vm->place(vcpu, address))
                ;
        else if (is_program_in_device(vcpu))
                nova_vcpu_raise(vcpu, VECTOR_UD);
        else
                novavmm_mmio_access(vcpu, address);
}

static void hypercall(struct nova_vcpu *vcpu)
{
        if (vcpu->vm->hv)
                vcpu->vm->hv_exits->call(vcpu);
        else
                nova_vcpu_raise(vcpu, VECTOR_UD);
}

static void fail(struct nova_vcpu *vcpu)
{
        nova_vcpu_fail(vcpu, "%s", nova_vm_exit_text(vcpu->exit));
}

void novavmm_exit_handlers(struct nova_vm *vm)
{
        static nova_vcpu_handler *const handler[NOVA_VM_EXIT_COUNT] = {
                [NOVA_VM_EXIT_OTHER] = fail,      [NOVA_VM_EXIT_STARTUP] = start,
                [NOVA_VM_EXIT_RECALL] = nothing,  [NOVA_VM_EXIT_WINDOW] = nothing,
                [NOVA_VM_EXIT_PORT] = port,       [NOVA_VM_EXIT_MEMORY] = memory,
                [NOVA_VM_EXIT_CPUID] = cpuid,     [NOVA_VM_EXIT_RDMSR] = rdmsr,
                [NOVA_VM_EXIT_WRMSR] = wrmsr,     [NOVA_VM_EXIT_HALT] = halt,
                [NOVA_VM_EXIT_CACHE] = cache,     [NOVA_VM_EXIT_PAUSE] = pause,
                [NOVA_VM_EXIT_COUNTER] = counter, [NOVA_VM_EXIT_HYPERCALL] = hypercall,
                [NOVA_VM_EXIT_XSETBV] = xsetbv,   [NOVA_VM_EXIT_FOREIGN] = foreign,
                [NOVA_VM_EXIT_TASK] = fail,       [NOVA_VM_EXIT_SHUTDOWN] = fail,
                [NOVA_VM_EXIT_INVALID] = fail,    [NOVA_VM_EXIT_CR8] = novavmm_vcpu_write_cr8,
        };

        for (unsigned i = 0; i < NOVA_VM_EXIT_COUNT; i++)
                vm->handler[i] = handler[i];
}
