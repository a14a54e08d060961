/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to the VMM of a secure VM. message.c decides which words of the guest a call carries, and
 * which words of the answer are used. */

#include <stdio.h>

#include "nova/hypercall.h"
#include "nova/status.h"
#include "nova/utcb.h"
#include "novart/thread.h"
#include "novavmm/registers.h"
#include "vm.h"

#define CLASS_SHIFT 4 /* the upper bits of a vector are its priority */

enum { WORDS_OF_VECTORS = 4, VECTORS_OF_WORD = 64 };

struct call {
        nova_sel_t portal;
        const struct message *message;
        enum nova_status result;
        nova_word_t word[MESSAGE_ANSWER_WORDS];
        unsigned words; /* number of words of the answer, at most MESSAGE_ANSWER_WORDS */
        struct message_answer answer;
};

/* Reads the answer. Reading its number of words once is cheaper than checking it for each word. */
static void read_answer(struct call *call, const struct nova_utcb *utcb)
{
        const unsigned words = nova_utcb_word_count(utcb);

        call->words = words < MESSAGE_ANSWER_WORDS ? words : MESSAGE_ANSWER_WORDS;
        for (unsigned i = 0; i < MESSAGE_ANSWER_WORDS; i++)
                call->word[i] = utcb->word[i]; /* words after the last one are not used */
}

/* Performs the call. Runs without any lock, and may be stopped at any instruction. */
static void perform(void *argument)
{
        struct call *const call = argument;
        struct nova_utcb *const utcb = nova_thread_utcb();

        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put_words(utcb, call->message->word, MESSAGE_WORDS);
        call->words = 0;
        call->result = nova_call(call->portal, 0);
        if (!call->result)
                read_answer(call, utcb);
}

/* Sends a call to the VMM. @return false: the VMM has not answered, and the machine has ended */
static bool send(struct nova_vcpu *vcpu, struct call *call)
{
        call->portal = vm_of(vcpu)->vcpu[vcpu->number].portal;
        nova_vcpu_call_out(vcpu, perform, call);
        if (message_accept(call->message, call->word, call->words, &call->answer)) {
                if (call->answer.more)
                        __atomic_store_n(&vm_of(vcpu)->vcpu[vcpu->number].ask, true,
                                         __ATOMIC_RELEASE);
                return true;
        }
        nova_vcpu_fail(vcpu, "its VMM does not answer (%s)",
                       call->result ? nova_status_text(call->result) : "no words");
        return false;
}

int reflect_message(struct nova_vcpu *vcpu, const struct message *message, uint64_t *value)
{
        struct call call = {.message = message};

        send(vcpu, &call);
        if (value)
                *value = call.answer.value;
        return call.answer.status;
}

int reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
            uint64_t *value)
{
        const struct message message = message_make(call, parameters);

        return reflect_message(vcpu, &message, value);
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

static void report_128(void *argument)
{
        struct vm *const vm = argument;

        if (!vm_may_report(vm))
                return;
        vm->told_128 = true;
        printf("The VMM of %s sends vector 128, which the sealed image does not permit; if "
               "the guest needs it, seal the image with --vector-128.\n",
               vm->machine.name);
}

/* Reports once why a vector that the guest may expect does not come, because the guest's other
 * interrupts may wait for it. */
static void tell_refusal(struct nova_vcpu *vcpu, const struct message_answer *answer)
{
        struct vm *const vm = vm_of(vcpu);

        if (answer->value != MESSAGE_VECTOR_128 || vm->told_128)
                return;
        nova_vcpu_keep_message(vcpu, report_128, vm); /* report_128() takes locks */
}

/* Asks the VMM for the vector of an interrupt. After an invalid answer, asks the VMM again, with
 * U_INVALID as a parameter. The exit stays open until the answer is valid.
 * @return -1: none */
static int ask(struct nova_vcpu *vcpu)
{
        struct vcpu *const own = &vm_of(vcpu)->vcpu[vcpu->number];
        uint64_t parameters[MESSAGE_PARAMETERS] = {0};
        int vector;

        do {
                const struct message message = message_make(NOVA_H_INTERRUPT, parameters);
                struct call call = {.message = &message};

                __atomic_store_n(&own->ask, false, __ATOMIC_RELEASE);
                if (!send(vcpu, &call))
                        return -1;
                vector = message_vector(&call.answer, vm_of(vcpu)->seal->vector_128);
                if (vector == MESSAGE_BAD_VECTOR)
                        tell_refusal(vcpu, &call.answer);
                parameters[0] = (uint64_t)(int64_t)NOVA_U_INVALID;
        } while (vector == MESSAGE_BAD_VECTOR && vcpu->vm->end == NOVA_VM_RUNS);
        return vector < 0 ? -1 : vector;
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
