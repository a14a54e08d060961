/* SPDX-License-Identifier: BSD-2-Clause */
/* The path of a virtual CPU from an exit to the reply (see novavmm/vcpu.h). */
#include "vm.h"

#include "hv/exits.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novavmm/registers.h"
#include "overlay.h"
#include "secure.h"

#define EVENT_MASK 0xff

/* Returns the length of the instruction, which has @p bytes without prefixes. */
static size_t length_of(const struct nova_vcpu *vcpu, unsigned bytes)
{
        uint8_t code[NOVA_CODE_BYTES];

        if (vcpu->state->inst_len)
                return vcpu->state->inst_len;
        if ((vcpu->vm->mtd[vcpu->exit] & FETCH_MTD) != FETCH_MTD)
                return bytes;

        const struct nova_access access = novavmm_vcpu_access(vcpu);
        const size_t count = nova_access_fetch(&access, code);

        return nova_decode_prefixes(code, count, nova_access_bits(&access)) + bytes;
}

void nova_vcpu_skip(struct nova_vcpu *vcpu, unsigned bytes)
{
        struct nova_utcb_state *const state = vcpu->state;

        const bool low = !(state->ip >> 16 >> 16);

        state->ip += (nova_word_t)length_of(vcpu, bytes);
        vcpu->changed |= NOVA_MTD_EIP;
        if (low && state->ip >> 16 >> 16)
                novavmm_vcpu_recall_for(vcpu, VCPU_CUT_IP);
        if (state->intr_state & SHADOW) {
                state->intr_state &= ~SHADOW;
                vcpu->changed |= NOVA_MTD_STA;
        }
        if (state->flags & NOVA_FLAG_RF) {
                state->flags &= ~(nova_word_t)NOVA_FLAG_RF;
                vcpu->changed |= NOVA_MTD_EFL;
        }
        if (state->flags & NOVA_FLAG_TF)
                novavmm_vcpu_recall_for(vcpu, VCPU_STEP);
}

static void raise(struct nova_vcpu *vcpu, unsigned vector, uint32_t flags, uint32_t error)
{
        vcpu->injection = NOVA_INJ_VALID | NOVA_INJ_EXCEPTION | flags | vector;
        vcpu->injection_error = error;
}

void nova_vcpu_raise(struct nova_vcpu *vcpu, unsigned vector)
{
        raise(vcpu, vector, 0, 0);
}

/* In real mode exceptions have no error codes, and VMX refuses to inject them (SDM 3C,
 * 27.2.1.3). */
void nova_vcpu_raise_error(struct nova_vcpu *vcpu, unsigned vector, uint32_t error)
{
        if (vcpu->vm->mtd[vcpu->exit] & NOVA_MTD_CR) {
                const bool is_real = !(vcpu->state->cr0 & NOVA_CR0_PE);

                raise(vcpu, vector, is_real ? 0 : NOVA_INJ_ERROR, is_real ? 0 : error);
                return;
        }
        vcpu->vector = (uint8_t)vector;
        vcpu->injection_error = error;
        novavmm_vcpu_recall_for(vcpu, VCPU_RAISE);
}

void novavmm_vcpu_wake(struct nova_vcpu *vcpu)
{
        if (vcpu->waits) {
                vcpu->waits = false;
                nova_semaphore_up(&vcpu->wake);
        } else if (vcpu->running && !vcpu->inside) {
                nova_ec_ctrl(vcpu->ec);
        }
}

void nova_vcpu_kick(struct nova_vcpu *vcpu)
{
        if (novavmm_secure_kick(vcpu))
                return;
        novavmm_vcpu_wake(vcpu);
}

void novavmm_vcpu_rest(const struct nova_vcpu *vcpu)
{
        nova_sm_down(vcpu->ec + VCPU_REST);
}

void novavmm_vcpu_let_go(struct nova_vcpu *vcpu)
{
        __atomic_store_n(&vcpu->leaves, true, __ATOMIC_RELEASE);
        nova_sm_up(vcpu->ec + VCPU_REST);
}

/* Blocks after the end of the machine until the machine is destroyed. Releases the lock during the
 * wait. After the up, the virtual CPU may lose its SC at any moment. */
static void park(struct nova_vcpu *vcpu)
{
        struct nova_vm *const vm = vcpu->vm;

        nova_vm_unlock(vm);
        nova_semaphore_up(&vcpu->parked);
        while (!__atomic_load_n(&vcpu->leaves, __ATOMIC_ACQUIRE))
                novavmm_vcpu_rest(vcpu);
        nova_mutex_lock(&vm->lock);
}

/* The function of nova_vcpu_call_out() runs without the lock. The up is the last action, because
 * after it the virtual CPU may lose its SC at any moment. */
void novavmm_vcpu_break(void *argument)
{
        struct nova_vcpu *const vcpu = argument;

        if (__atomic_load_n(&vcpu->call, __ATOMIC_ACQUIRE) != VCPU_CALLS_NOBODY)
                novavmm_vcpu_end_call(vcpu);
        novavmm_vm_break(vcpu->vm);
        nova_semaphore_up(&vcpu->parked);
}

void nova_vcpu_start_at(struct nova_vcpu *vcpu, uint8_t vector)
{
        if (vcpu->activity != NOVA_VCPU_OFF)
                return;
        if (novavmm_secure_start(vcpu, vector))
                return;
        nova_registers_real(&vcpu->start, (uint16_t)(vector << 8), 0);
        vcpu->activity = NOVA_VCPU_RUNS;
        novavmm_vcpu_wake(vcpu);
}

/* Does not stop a virtual CPU that has reset the machine, because this virtual CPU must still
 * report the reset. */
void novavmm_vcpu_stop(struct nova_vcpu *vcpu)
{
        if (vcpu->activity == NOVA_VCPU_OFF || vcpu->recalled_for & VCPU_RESETS_MACHINE)
                return;
        vcpu->activity = NOVA_VCPU_OFF;
        vcpu->nmi = vcpu->nmi_blocked = vcpu->steps = false;
        vcpu->injection = 0;
        novavmm_vcpu_recall_for(vcpu, VCPU_RESET);
}

/* Returns true if a virtual CPU runs, or an interrupt or an NMI would wake it. */
static bool is_alive(const struct nova_vcpu *vcpu)
{
        return vcpu->activity == NOVA_VCPU_RUNS || vcpu->activity == NOVA_VCPU_HALTS ||
               (vcpu->activity == NOVA_VCPU_DEAD && novavmm_vcpu_wakes_by_nmi(vcpu));
}

void novavmm_vm_check_dead(struct nova_vm *vm)
{
        struct nova_vcpu *halted = vm->serving;

        for (unsigned i = 0; i < vm->vcpus; i++) {
                if (is_alive(&vm->vcpu[i]))
                        return;
                if (!halted || halted->activity == NOVA_VCPU_OFF)
                        halted = &vm->vcpu[i];
        }
        if (vm->report_halt && halted->activity == NOVA_VCPU_DEAD)
                novavmm_vcpu_recall_for(halted, VCPU_DEAD);
        else
                nova_vm_end_with(vm, NOVA_VM_HALTED);
}

void nova_vcpu_reset(struct nova_vcpu *vcpu)
{
        if (!novavmm_secure_reset(vcpu))
                novavmm_vcpu_stop(vcpu);
}

void nova_vcpu_nmi(struct nova_vcpu *vcpu)
{
        if (vcpu->activity == NOVA_VCPU_OFF || novavmm_secure_kick(vcpu))
                return;
        vcpu->nmi = true;
        novavmm_vcpu_wake(vcpu);
}

/* Sleeps until another thread wakes the virtual CPU. Releases the lock during the wait. */
static void sleep(struct nova_vcpu *vcpu)
{
        struct nova_vm *const vm = vcpu->vm;

        vcpu->waits = true;
        nova_vm_unlock(vm);
        nova_semaphore_down(&vcpu->wake);
        nova_mutex_lock(&vm->lock);
        vm->serving = vcpu;
}

/* Returns true if a virtual CPU may still use an earlier page or translation: its reply may map a
 * page, or it is in the guest with stale translations. */
static bool is_behind(const struct nova_vcpu *vcpu)
{
        return vcpu->gives || (vcpu->stale && vcpu->exits && !vcpu->inside);
}

/* Ignores the caller, which sends its reply only after its handler has returned. */
static struct nova_vcpu *find_behind(const struct nova_vcpu *caller)
{
        struct nova_vm *const vm = caller->vm;

        for (unsigned i = 0; i < vm->vcpus; i++)
                if (&vm->vcpu[i] != caller && is_behind(&vm->vcpu[i]))
                        return &vm->vcpu[i];
        return NULL;
}

/* A handler sends its reply after it has released the lock. Only the next exit of a virtual CPU
 * shows that its reply is complete, so the other virtual CPUs are recalled. */
void nova_vcpu_settle(struct nova_vcpu *vcpu)
{
        struct nova_vcpu *behind;

        vcpu->settles = true;
        while (vcpu->vm->end == NOVA_VM_RUNS && (behind = find_behind(vcpu))) {
                novavmm_vcpu_wake(behind);
                sleep(vcpu);
        }
        vcpu->settles = false;
}

/* Discards stale translations: the kernel does so when a reply writes control registers. If this
 * exit's message lacks them, a recall gets them before the guest continues. */
static void discard(struct nova_vcpu *vcpu)
{
        if (!vcpu->stale)
                return;
        if (vcpu->vm->mtd[vcpu->exit] & NOVA_MTD_CR) {
                vcpu->changed |= NOVA_MTD_CR;
                vcpu->stale = false;
        } else {
                novavmm_vcpu_recall_for(vcpu, VCPU_FLUSH);
        }
}

/* Records that the reply before this exit is complete, and that the guest does not run. */
static void note_reply(struct nova_vcpu *vcpu)
{
        struct nova_vm *const vm = vcpu->vm;

        if (!vcpu->gives && !vcpu->stale)
                return;
        vcpu->gives = false;
        for (unsigned i = 0; i < vm->vcpus; i++)
                if (vm->vcpu[i].settles)
                        novavmm_vcpu_wake(&vm->vcpu[i]);
}

static bool is_halted(const struct nova_vcpu *vcpu)
{
        return vcpu->activity == NOVA_VCPU_HALTS || vcpu->activity == NOVA_VCPU_DEAD;
}

/* Waits while the guest has nothing to do. Devices may continue their work meanwhile. */
static void wait(struct nova_vcpu *vcpu)
{
        const struct nova_vm *const vm = vcpu->vm;

        while (is_halted(vcpu) && !vcpu->recalled_for && vm->end == NOVA_VM_RUNS) {
                const bool hears = vcpu->activity == NOVA_VCPU_HALTS;

                if (novavmm_vcpu_wakes_by_nmi(vcpu) || (hears && novavmm_vcpu_has_interrupt(vcpu)))
                        vcpu->activity = NOVA_VCPU_RUNS;
                else
                        sleep(vcpu);
                if (vm->look_due && vm->end == NOVA_VM_RUNS)
                        vm->look(vm->look_context);
        }
}

/* Records the cause of the exit. A recall by the library keeps the event number of the previous
 * exit. */
static void note_exit(struct nova_vcpu *vcpu, unsigned event)
{
        const struct nova_vm *const vm = vcpu->vm;

        vcpu->exits++;
        vcpu->exit = (enum nova_vm_exit)vm->causes[event];
        if (vcpu->exit == NOVA_VM_EXIT_RDMSR && vm->svm)
                vcpu->exit = nova_vm_exit_of_svm(event, vcpu->state->qual[0]);
        if (vcpu->exit != NOVA_VM_EXIT_RECALL || !vcpu->recalled_for)
                vcpu->event = event;
}

/* Handles an exit: performs the tasks of a recall, or calls the handler. A virtual CPU that was
 * reset meanwhile handles no exit before its start. */
static void answer(struct nova_vcpu *vcpu)
{
        if (vcpu->exit == NOVA_VM_EXIT_RECALL && vcpu->recalled_for)
                novavmm_vcpu_recalled(vcpu);
        else if (vcpu->recalled_for & VCPU_RESET && vcpu->exit != NOVA_VM_EXIT_STARTUP)
                return;
        if (vcpu->vm->end == NOVA_VM_RUNS)
                vcpu->vm->handler[vcpu->exit](vcpu);
}

/* Completes the reply with which the guest continues. */
static void complete(struct nova_vcpu *vcpu)
{
        discard(vcpu);
        novavmm_vcpu_deliver(vcpu);
        if (vcpu->vm->memory.bares && vcpu->vm->passed)
                novavmm_overlay_restore(vcpu);
}

void novavmm_vcpu_serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct nova_vcpu *const vcpu = argument;
        struct nova_vm *const vm = vcpu->vm;

        nova_mutex_lock(&vm->lock);
        vm->serving = vcpu;
        vcpu->inside = true;
        vcpu->state = &utcb->state;
        vcpu->more = &utcb->event.more;
        vcpu->changed = 0;
        note_reply(vcpu);
        note_exit(vcpu, (unsigned)portal & EVENT_MASK);
        nova_utcb_event_reply(utcb, 0);
        novavmm_vcpu_take_priority(vcpu);
        if (vm->hv)
                vm->hv_exits->begin(vm->hv, vcpu->number);
        while (vcpu->activity == NOVA_VCPU_OFF && vm->end == NOVA_VM_RUNS)
                sleep(vcpu);
        if (vm->end == NOVA_VM_RUNS)
                answer(vcpu);
        if (vm->look && vm->end == NOVA_VM_RUNS)
                vm->look(vm->look_context);
        novavmm_vcpu_give_priority(vcpu);
        wait(vcpu);
        if (vm->end == NOVA_VM_RUNS)
                complete(vcpu);
        if (vm->end != NOVA_VM_RUNS) /* it may have ended while the delivery called a program */
                park(vcpu);
        if (vm->hv)
                vm->hv_exits->end(vm->hv, vcpu->number);
        utcb->state.mtd = vcpu->changed;
        if (vcpu->changed & (NOVA_MTD_MORE | NOVA_MTD_XMM))
                utcb->items = nova_utcb_items(NOVA_UTCB_XMM_WORDS, nova_utcb_typed(utcb->items));
        vcpu->inside = false;
        nova_vm_unlock(vm);
}
