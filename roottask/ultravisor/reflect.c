/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to the VMM of a secure VM. A call carries its number and at most four parameters that the
 * guest has made public by its exit; nothing else of the guest's state. */

#include "nova/hypercall.h"
#include "nova/status.h"
#include "nova/utcb.h"
#include "novart/thread.h"
#include "novavmm/registers.h"
#include "vm.h"

#define WORDS       5
#define CLASS_SHIFT 4 /* the upper bits of a vector are its priority */

enum { WORDS_OF_VECTORS = 4, VECTORS_OF_WORD = 64 };

struct call {
        nova_sel_t portal;
        nova_word_t word[WORDS];
        enum nova_status result;
        nova_word_t status, value, more;
        bool answered;
};

/* Runs without any lock, and may be ended in the middle. */
static void perform(void *argument)
{
        struct call *const call = argument;
        struct nova_utcb *const utcb = nova_thread_utcb();

        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put_words(utcb, call->word, WORDS);
        call->result = nova_call(call->portal, 0);
        if (!nova_utcb_get(utcb, 2, &call->more))
                call->more = 0;
        call->answered = call->result == NOVA_SUCCESS && nova_utcb_get(utcb, 0, &call->status) &&
                         nova_utcb_get(utcb, 1, &call->value);
}

/* @return false if the VMM cannot be called; then the machine has ended */
static bool send(struct nova_vcpu *vcpu, struct call *call)
{
        call->portal = vm_of(vcpu)->vcpu[vcpu->number].portal;
        nova_vcpu_call_out(vcpu, perform, call);
        if (call->answered) {
                if (call->more)
                        __atomic_store_n(&vm_of(vcpu)->vcpu[vcpu->number].ask, true,
                                         __ATOMIC_RELEASE);
                return true;
        }
        nova_vcpu_fail(vcpu, "its VMM does not answer (%s)",
                       call->result ? nova_status_text(call->result) : "no words");
        return false;
}

int reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
            uint64_t *value)
{
        struct call message = {.word = {call, (nova_word_t)parameters[0],
                                        (nova_word_t)parameters[1], (nova_word_t)parameters[2],
                                        (nova_word_t)parameters[3]}};

        if (value)
                *value = UINT64_MAX;
        if (!send(vcpu, &message))
                return NOVA_H_FUNCTION;
        if (value)
                *value = message.value;
        return (int)message.status;
}

/* Returns the highest vector that the guest's task priority holds back, -1: there is none. */
static int highest_held(const struct vcpu *own)
{
        for (int i = WORDS_OF_VECTORS - 1; i >= 0; i--)
                if (own->held[i])
                        return VECTORS_OF_WORD * (i + 1) - 1 - __builtin_clzll(own->held[i]);
        return -1;
}

/* Returns true if the guest's task priority permits a vector. */
static bool is_permitted(const struct nova_vcpu *vcpu, int vector)
{
        const nova_word_t *const priority = nova_registers_cr8(vcpu->state);

        return vector >= 0 && (!priority || (nova_word_t)vector >> CLASS_SHIFT > *priority);
}

static bool interrupt_pending(void *context, unsigned number)
{
        const struct vm *const vm = context;

        return __atomic_load_n(&vm->vcpu[number].ask, __ATOMIC_ACQUIRE) ||
               is_permitted(&vm->machine.vcpu[number], highest_held(&vm->vcpu[number]));
}

/* Asks the VMM for the vector of an interrupt. The exit stays open until the answer is valid: the
 * VMM is asked again, with U_INVALID as a parameter.
 * @return -1: none */
static int ask(struct nova_vcpu *vcpu)
{
        struct vcpu *const own = &vm_of(vcpu)->vcpu[vcpu->number];
        struct call call = {.word = {NOVA_H_INTERRUPT}};
        bool valid;

        do {
                __atomic_store_n(&own->ask, false, __ATOMIC_RELEASE);
                if (!send(vcpu, &call))
                        return -1;
                if (call.value == UINT32_MAX)
                        return -1;
                call.word[1] = (nova_word_t)NOVA_U_INVALID;
                valid = call.value >= 32 && call.value <= 255;
        } while (!valid && vcpu->vm->end == NOVA_VM_RUNS);
        return valid ? (int)call.value : -1;
}

/* Takes the highest vector that the guest's task priority permits. The VMM does not see CR8, so the
 * ultravisor keeps the vectors that CR8 holds back. */
static int interrupt_take(void *context, unsigned number)
{
        struct vm *const vm = context;
        struct vcpu *const own = &vm->vcpu[number];
        struct nova_vcpu *const vcpu = &vm->machine.vcpu[number];
        int vector = __atomic_load_n(&own->ask, __ATOMIC_ACQUIRE) ? ask(vcpu) : -1;

        if (vm->machine.end != NOVA_VM_RUNS)
                return -1;
        if (vector >= 0)
                own->held[vector / VECTORS_OF_WORD] |= UINT64_C(1) << vector % VECTORS_OF_WORD;
        vector = highest_held(own);
        if (is_permitted(vcpu, vector))
                own->held[vector / VECTORS_OF_WORD] &= ~(UINT64_C(1) << vector % VECTORS_OF_WORD);
        else
                vector = -1;
        vcpu->held_back = highest_held(own) >= 0;
        return vector;
}

void reflect_init(struct vm *vm)
{
        vm->machine.interrupts = (struct nova_vm_interrupts){interrupt_pending, interrupt_take, vm};
}
