/* SPDX-License-Identifier: BSD-2-Clause */
/* Delivers events to a virtual CPU that continues: exceptions, NMIs, interrupts. */
#include "nova/abi/event.h"
#include "novavmm/lapic.h"
#include "novavmm/registers.h"
#include "vm.h"

#define VECTOR_NMI   2
#define INJECTED_NMI (NOVA_INJ_VALID | NOVA_INJ_NMI)

/* Time in ns for which an NMI waits for another event. */
#define NMI_LATE_NS 50000

bool novavmm_vcpu_has_interrupt(const struct nova_vcpu *vcpu)
{
        const struct nova_vm_interrupts *const from = &vcpu->vm->interrupts;

        return from->pending && from->pending(from->context, vcpu->number);
}

bool novavmm_vcpu_wakes_by_nmi(const struct nova_vcpu *vcpu)
{
        return vcpu->nmi && !vcpu->nmi_blocked && !(vcpu->state->intr_state & NOVA_STA_NMI);
}

static bool takes_interrupts(const struct nova_utcb_state *state)
{
        return state->flags & NOVA_FLAG_IF && !(state->intr_state & SHADOW);
}

void novavmm_vcpu_late_nmis(void *machine, uint64_t now)
{
        struct nova_vm *const vm = machine;

        (void)now;
        for (unsigned i = 0; i < vm->vcpus; i++)
                if (vm->vcpu[i].nmi && !vm->vcpu[i].nmi_blocked)
                        novavmm_vcpu_wake(&vm->vcpu[i]);
}

static bool is_at_iret(const struct nova_vcpu *vcpu)
{
        return vcpu->vm->svm && vcpu->exit == NOVA_VM_EXIT_WINDOW && vcpu->event == NOVA_SVM_IRET;
}

static bool takes_nmi(const struct nova_vcpu *vcpu)
{
        const uint32_t blocked = vcpu->state->intr_state;

        return !(blocked & (SHADOW | NOVA_STA_NMI));
}

/* Follows an NMI's handler. With SVM, an NMI blocks further NMIs until its handler's IRET is
 * complete: the guest exits at the IRET, steps over it, and exits again. If another event comes
 * first, such as a page fault, the guest reaches its IRET again.
 * @return true if the guest is at the IRET */
static bool follow_nmi(struct nova_vcpu *vcpu)
{
        const bool stepped = vcpu->steps;

        vcpu->steps = vcpu->nmi_blocked && is_at_iret(vcpu);
        if (stepped && vcpu->event == NOVA_SVM_EXCEPTION + NOVA_EXC_DB)
                vcpu->nmi_blocked = false;
        if (stepped || vcpu->steps)
                novavmm_exit_controls(vcpu);
        return vcpu->steps;
}

/* Requests an event for an NMI that cannot be injected yet. SVM has no window for NMIs, and its
 * window for interrupts does not open while the guest has disabled interrupts. So an alarm makes
 * the guest exit after the time in which it usually takes the other event.
 * @return the window */
static uint32_t add_nmi_window(struct nova_vcpu *vcpu)
{
        struct nova_vm *const vm = vcpu->vm;

        if (!vm->svm)
                return NOVA_INJ_NMI_WINDOW;
        if (vm->nmis.deadline == NOVA_NEVER)
                vm->nmis.deadline = nova_clock_now(&vm->clock) + NMI_LATE_NS;
        return NOVA_INJ_WINDOW;
}

/* Adds an NMI, or a window for it.
 * @return the injection */
static uint32_t add_nmi(struct nova_vcpu *vcpu, uint32_t info)
{
        if (!vcpu->nmi || vcpu->nmi_blocked)
                return info;
        if (info || !takes_nmi(vcpu))
                return info | add_nmi_window(vcpu);
        vcpu->nmi = false;
        if (vcpu->vm->svm) {
                vcpu->nmi_blocked = true;
                novavmm_exit_controls(vcpu);
        }
        return INJECTED_NMI | VECTOR_NMI;
}

static bool is_held_back(const struct nova_vcpu *vcpu)
{
        return vcpu->held_back || (vcpu->lapic && nova_lapic_held_back(vcpu->lapic));
}

/* Adds windows. An interrupt that the task priority blocks waits for a write of CR8. With SVM, CR8
 * writes exit while any window is open, because QEMU (7.2) crashes if a guest writes CR8 while a
 * window is open.
 * @return the injection */
static uint32_t add_windows(struct nova_vcpu *vcpu, uint32_t info, bool pending)
{
        if (pending)
                info |= NOVA_INJ_WINDOW;
        if (!is_held_back(vcpu) &&
            !(vcpu->vm->local_apic && vcpu->vm->svm && info & NOVA_INJ_WINDOW))
                return info;
        vcpu->changed |= NOVA_MTD_CR8;
        return info | NOVA_INJ_CR8_WINDOW;
}

/* Adds an interrupt, or a window for an interrupt that cannot be injected yet.
 * @return the injection */
static uint32_t add_interrupt(struct nova_vcpu *vcpu, uint32_t info)
{
        const struct nova_vm_interrupts *const from = &vcpu->vm->interrupts;
        const bool pending = novavmm_vcpu_has_interrupt(vcpu);
        int vector = -1;

        if (pending && !(info & NOVA_INJ_VALID) && takes_interrupts(vcpu->state))
                vector = from->take(from->context, vcpu->number);
        if (vector >= 0)
                info |= NOVA_INJ_VALID | (uint32_t)vector;
        return add_windows(vcpu, info, pending && novavmm_vcpu_has_interrupt(vcpu));
}

/* Ends the blocking of NMIs if an NMI is injected again, because an exit interrupted its delivery.
 * With such an injection VMX refuses a state in which NMIs are blocked (SDM 3C, 27.3.1.5), and
 * blocks NMIs itself. */
static void unblock_nmis(struct nova_vcpu *vcpu, uint32_t info)
{
        struct nova_utcb_state *const state = vcpu->state;

        if (vcpu->vm->svm || (info & (NOVA_INJ_VALID | NOVA_INJ_TYPE)) != INJECTED_NMI ||
            !(state->intr_state & NOVA_STA_NMI))
                return;
        state->intr_state &= ~NOVA_STA_NMI;
        vcpu->changed |= NOVA_MTD_STA;
}

/* The order is: the exception that the exit's handler raised, or else the event that the exit
 * interrupted; then NMIs; then interrupts. A recalled virtual CPU gets no NMI or interrupt, because
 * it may be in the middle of an instruction. */
void novavmm_vcpu_deliver(struct nova_vcpu *vcpu)
{
        const uint32_t windows = NOVA_INJ_WINDOW | NOVA_INJ_NMI_WINDOW | NOVA_INJ_CR8_WINDOW;
        struct nova_utcb_state *const state = vcpu->state;
        const uint32_t before = state->inj_info;
        uint32_t info = before & NOVA_INJ_VALID ? before & ~windows : 0;

        if (follow_nmi(vcpu)) {
                state->inj_info = NOVA_INJ_STEP;
                vcpu->changed |= NOVA_MTD_INJ;
                return;
        }
        if (vcpu->injection) {
                info = vcpu->injection;
                state->inj_error = vcpu->injection_error;
                vcpu->injection = 0;
        }
        if (!vcpu->recalled_for)
                info = add_interrupt(vcpu, add_nmi(vcpu, info));
        if (!info && !(before & (NOVA_INJ_VALID | windows)))
                return;
        unblock_nmis(vcpu, info);
        state->inj_info = info;
        vcpu->changed |= NOVA_MTD_INJ;
}
