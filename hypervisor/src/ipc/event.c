/* SPDX-License-Identifier: BSD-2-Clause */
/* Events (see event.h). */
#include "ipc/event.h"

#include "arch/x86/state.h"
#include "ipc/call.h"
#include "nova/abi/event.h"
#include "object/name.h"
#include "object/pd.h"
#include "object/pt.h"
#include "platform/console.h"
#include "sched/schedule.h"
#include "virt/vcpu.h"

const struct ec *event_root_ec;

/* Nobody handles the event. Of the first program the user has to hear, once: nothing else may be
 * left that could tell. So of threads that the root PD gave a name: each tells it once. */
static _Noreturn void shut_down(struct ec *self)
{
        if (self == event_root_ec) {
                event_root_ec = NULL;
                console_print("NOVA: the roottask's first thread was shut down: event 0x%lx at "
                              "0x%lx, address 0x%lx, has no portal that it can call.\n",
                              (unsigned long)self->event_number, (unsigned long)self->regs.ip,
                              (unsigned long)self->event_qual[1]);
        }
        if (self->named_by_root) {
                char name[NOVA_NAME_SIZE + 1];
                name_print(self->name, name);
                console_print("NOVA: thread '%s' was shut down: event 0x%lx at 0x%lx, address "
                              "0x%lx, has no portal that it can call.\n",
                              name, (unsigned long)self->event_number, (unsigned long)self->regs.ip,
                              (unsigned long)self->event_qual[1]);
        }
        block_shut_down(self);
}

/* Calls the portal; also the retry when its EC was busy. */
static hot_path _Noreturn void finish_event(struct ec *self)
{
        if (self->helping)
                ec_stop_helping(self);

        struct pt *pt = object_space_find_pt(self->pd, self->event_base + self->event_number, 0);
        if (!pt || pt->ec->cpu != self->cpu || pt->ec->state == EC_DEAD)
                shut_down(self);
        if (pt->ec->state != EC_REQUEST) {
                block_on_callee(self, pt->ec, finish_event);
                shut_down(self);
        }
        if (unlikely(self->vcpu))
                vcpu_to_utcb(self, pt->ec->utcb, pt->mtd);
        else
                state_to_utcb(self, pt->ec->utcb, pt->mtd);
        block_on_reply(self, pt->ec, pt, CALLER_EVENT);
}

_Noreturn void block_on_event(struct ec *self, unsigned number, word_t error, word_t address)
{
        self->event_number = number;
        self->event_qual[0] = error;
        self->event_qual[1] = address;
        finish_event(self);
}

_Noreturn void block_on_startup(struct ec *self)
{
        block_on_event(self, NOVA_EXC_STARTUP, 0, 0);
}
