/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls from a handler of exits to other programs, and pages for its guest (see novavmm/vcpu.h). */
#include <string.h>

#include "nova/utcb.h"
#include "vm.h"

/* Maximum number of ranges that a reply maps. */
#define ITEMS NOVA_GUEST_BLOCKS

/* Groups whose state is before DR7 in a message. */
#if __SIZEOF_POINTER__ == 8
#define FIRST_WIDE_MTD (NOVA_MTD_R8_R15 | NOVA_MTD_CR8)
#else
#define FIRST_WIDE_MTD 0
#endif
#define FIRST_MTD                                                                     \
        (NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP | NOVA_MTD_EIP | NOVA_MTD_EFL |  \
         NOVA_MTD_QUAL | NOVA_MTD_INJ | NOVA_MTD_STA | NOVA_MTD_CTRL | NOVA_MTD_TSC | \
         NOVA_MTD_CR | FIRST_WIDE_MTD)

/* The parts of an exit's message that may be overwritten by the function of nova_vcpu_call_out() or
 * nova_vcpu_keep_message(), or by the answer to a call. A long answer also overwrites the typed
 * items with which the reply maps pages. */
struct message {
        nova_word_t items;
        nova_crd_t translate_window, delegate_window;
        nova_mtd_t groups;            /* groups of the message, and of the reply so far */
        struct nova_utcb_event event; /* the part of the message that has these groups */
        struct nova_item item[ITEMS];
};

/* Copies the part of a message that has these groups. The message of a port access has few groups,
 * so the part is small. */
static void copy(struct nova_utcb_event *to, const struct nova_utcb_event *from, nova_mtd_t groups)
{
        if (groups & (NOVA_MTD_MORE | NOVA_MTD_XMM))
                *to = *from;
        else if (groups & ~(nova_mtd_t)FIRST_MTD)
                to->state = from->state;
        else
                memcpy(to, from, offsetof(struct nova_utcb_state, dr7));
}

static void save(struct message *to, const struct nova_utcb *utcb, nova_mtd_t groups)
{
        to->items = utcb->items;
        to->translate_window = utcb->translate_window;
        to->delegate_window = utcb->delegate_window;
        to->groups = groups;
        copy(&to->event, &utcb->event, groups);
        for (unsigned i = 0; i < ITEMS && nova_utcb_get_item(utcb, i, &to->item[i]); i++)
                ;
}

static void restore(struct nova_utcb *utcb, const struct message *from)
{
        const unsigned items = nova_utcb_typed(from->items);

        utcb->items = nova_utcb_items(nova_utcb_untyped(from->items), 0);
        utcb->translate_window = from->translate_window;
        utcb->delegate_window = from->delegate_window;
        copy(&utcb->event, &from->event, from->groups);
        for (unsigned i = 0; i < ITEMS && i < items; i++)
                nova_utcb_put_item(utcb, from->item[i]);
}

static bool change(struct nova_vcpu *vcpu, enum vcpu_call to)
{
        uint32_t calls = VCPU_CALLS;

        return __atomic_compare_exchange_n(&vcpu->call, &calls, to, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_ACQUIRE);
}

/* Marks the handler as one that calls. It must have released the lock before: an abandoned handler
 * loses its SC at any moment, so it must not be in the middle of nova_vm_unlock(). The machine
 * ends before novavmm_vcpu_abandon() is called. So either that function sees the mark, or the
 * handler sees the machine's end.
 * @return false if the machine has ended */
static bool begin(struct nova_vcpu *vcpu)
{
        __atomic_store_n(&vcpu->call, VCPU_CALLS, __ATOMIC_SEQ_CST);
        return __atomic_load_n(&vcpu->vm->end, __ATOMIC_SEQ_CST) == NOVA_VM_RUNS;
}

bool novavmm_vcpu_abandon(struct nova_vcpu *vcpu)
{
        return change(vcpu, VCPU_ABANDONED);
}

void novavmm_vcpu_end_call(struct nova_vcpu *vcpu)
{
        while (!change(vcpu, VCPU_CALLS_NOBODY))
                novavmm_vcpu_rest(vcpu); /* until the handler's EC is destroyed */
        nova_mutex_lock(&vcpu->vm->lock);
        vcpu->vm->serving = vcpu;
}

bool nova_vcpu_call_out(struct nova_vcpu *vcpu, void (*function)(void *argument), void *argument)
{
        struct nova_vm *const vm = vcpu->vm;
        struct nova_utcb *const utcb = nova_thread_utcb();
        struct message message;
        bool runs;

        if (vm->end != NOVA_VM_RUNS)
                return false;
        save(&message, utcb, vm->mtd[vcpu->exit] | vcpu->changed);
        nova_vm_unlock(vm);
        runs = begin(vcpu);
        if (runs)
                function(argument);
        novavmm_vcpu_end_call(vcpu);
        restore(utcb, &message);
        return runs;
}

void nova_vcpu_keep_message(struct nova_vcpu *vcpu, void (*function)(void *argument),
                            void *argument)
{
        struct nova_utcb *const utcb = nova_thread_utcb();
        struct message message;

        save(&message, utcb, vcpu->vm->mtd[vcpu->exit] | vcpu->changed);
        function(argument);
        restore(utcb, &message);
}

bool nova_vcpu_map(struct nova_vcpu *vcpu, nova_crd_t crd, nova_sel_t to)
{
        return nova_utcb_item_count(nova_thread_utcb()) < ITEMS &&
               novavmm_vcpu_map(vcpu, crd, to, NOVA_ITEM_G);
}
