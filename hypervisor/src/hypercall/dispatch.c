/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercall dispatch (see dispatch.h). */
#include "hypercall/dispatch.h"

#include "arch/x86/cpu.h"
#include "arch/x86/resume.h"
#include "ipc/reply.h"
#include "object/reclaim.h"
#include "sched/schedule.h"
#include "thread.h"

/* Each time that a thread waits in vain for memory of its account, another thread got some. */
#define GRACE_TRIES 64

static const hypercall_handler_t handlers[NOVA_HYPERCALL_COUNT] = {
#define HYPERCALL_ENTRY(number, name, function, spec) [number] = hypercall_##function,
        NOVA_HYPERCALL_ROWS(HYPERCALL_ENTRY)
#undef HYPERCALL_ENTRY
};

enum nova_status settled(struct ec *self, enum nova_status status)
{
        if (likely(!self->cpu->pending))
                return status;
        self->wait_status = (uint8_t)status;
        self->cont = resume_woken;
        return HYPERCALL_GOES_ON;
}

void reap_begin(struct ec *self)
{
        self->reap_floor = self->cpu->dying_count;
}

void reap_go_on(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        /* Others may have ended some of those below, too: what comes now lies on what is left. */
        if (cpu->dying_count < self->reap_floor)
                self->reap_floor = cpu->dying_count;
        if (cpu->dying_orphans) {
                cpu->dying_orphans = false;
                self->reap_floor = 0;
        }
}

static bool is_left(const struct ec *self)
{
        return self->cpu->dying_count > self->reap_floor;
}

static _Noreturn void finish_reap(struct ec *self)
{
        reap_go_on(self);
        while (is_left(self)) {
                object_reap();
                if (reclaim_is_full())
                        reclaim_wait();
                if (is_left(self))
                        preemption_point(self, finish_reap);
        }
        self->reap_floor = EC_REAPS_NOTHING;
        resume_hypercall(self, (enum nova_status)self->wait_status);
}

/* After the first step, which reap() has made. */
static _Noreturn void go_on_reaping(struct ec *self)
{
        if (reclaim_is_full())
                reclaim_wait();
        preemption_point(self, finish_reap);
        finish_reap(self);
}

enum nova_status reap_in_steps(struct ec *self, enum nova_status status)
{
        self->wait_status = (uint8_t)status;
        self->cont = finish_reap;
        return HYPERCALL_GOES_ON;
}

enum nova_status reap(struct ec *self, enum nova_status status)
{
        if (likely(is_left(self)))
                object_reap();
        if (unlikely(is_left(self) || reclaim_is_full())) {
                self->wait_status = (uint8_t)status;
                self->cont = go_on_reaping;
                return HYPERCALL_GOES_ON;
        }
        self->reap_floor = EC_REAPS_NOTHING;
        return settled(self, status);
}

_Noreturn void finish_reaping(struct ec *self, enum nova_status status)
{
        self->wait_status = (uint8_t)status;
        finish_reap(self);
}

/* What a handler has returned says more than a status: leaves with that. */
static always_inline void leave_with_more(struct ec *self, unsigned result)
{
        if (likely(result & HYPERCALL_BLOCKS))
                block_current(self);
        if (likely(result & HYPERCALL_WOKE)) {
                self->wait_status = NOVA_SUCCESS;
                self->cont = resume_woken;
                resume_reschedule(self->cpu);
        }
        if (result & HYPERCALL_GOES_ON) {
                self->cont(self);
                __builtin_unreachable();
        }
}

/* The call that found no memory is made once more. What is dying after that, too, such as an object
 * for whose capability there was none, is ended before self goes on. */
static _Noreturn void finish_last_try(struct ec *self, unsigned result)
{
        leave_with_more(self, result);
        self->reap_floor = 0;
        finish_reaping(self, (enum nova_status)(result & HYPERCALL_STATUS));
}

static unsigned try_again(struct ec *self)
{
        return handlers[nova_id_number(REG_P1(self))](self);
}

/* What waits for a grace period gives its own back. What is dying has to come before that. Another
 * thread may have taken what came back to the account: as long as more of that waits, self does. */
static _Noreturn void finish_grace_for_memory(struct ec *self)
{
        for (;;) {
                while (self->cpu->dying) {
                        object_reap();
                        preemption_point(self, finish_grace_for_memory);
                }
                while (reclaim_wait_step(self) == RECLAIM_WAITS)
                        preemption_point(self, finish_grace_for_memory);
                leave_if_ended(self);

                self->cpu->grace_helps = false;
                const unsigned result = try_again(self);
                if (result != NOVA_OUT_OF_MEMORY || !self->cpu->grace_helps || !self->grace_tries--)
                        finish_last_try(self, result);
                preemption_point(self, finish_grace_for_memory);
        }
}

/* The call has found no memory just now. */
static _Noreturn void wait_for_memory(struct ec *self)
{
        if (!reclaim_would_help(self->cpu))
                finish_last_try(self, NOVA_OUT_OF_MEMORY);
        self->grace_waits = false;
        self->grace_tries = GRACE_TRIES;
        finish_grace_for_memory(self);
}

/* No memory: what is dying, whoever's task that is, gives its own back first. */
static _Noreturn void finish_reap_for_memory(struct ec *self)
{
        while (self->cpu->dying) {
                object_reap();
                preemption_point(self, finish_reap_for_memory);
        }
        leave_if_ended(self);

        const unsigned result = try_again(self);
        if (result != NOVA_OUT_OF_MEMORY)
                finish_last_try(self, result);
        wait_for_memory(self);
}

_Noreturn void hypercall_finish(struct ec *self, unsigned result)
{
        const enum nova_status status = (enum nova_status)(result & HYPERCALL_STATUS);

        leave_with_more(self, result);
        if (unlikely(status == NOVA_OUT_OF_MEMORY)) {
                if (self->cpu->dying)
                        finish_reap_for_memory(self);
                wait_for_memory(self);
        }
        resume_hypercall(self, status);
}

_Noreturn void hypercall_long(struct ec *self, word_t id)
{
        const hypercall_handler_t handler = handlers[nova_id_number(id)];

        hypercall_finish(self, likely(handler) ? handler(self) : NOVA_BAD_HYP);
}
