/* SPDX-License-Identifier: BSD-2-Clause */
/* Execution control: EC, SC and semaphores. @spec 5.4 */
#include "hypercall/dispatch.h"

#include "arch/x86/insn.h"
#include "arch/x86/resume.h"
#include "device/gsi.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "sched/timeout.h"
#include "thread.h"

indirect_target hypercall_result_t hypercall_ec_ctrl(word_t id, struct ec *self)
{
        struct ec *ec = object_space_find_ec(self->pd, nova_id_sel(id), NOVA_EC_CT);

        if (!ec)
                return NOVA_BAD_CAP;
        /* The recall that set the bit has sent the mail. Further mail before the EC runs again
         * would let a program of any priority interrupt the EC's CPU without a limit. */
        if (atomic_fetch_or_u16(&ec->pending, EC_PENDING_RECALL) & EC_PENDING_RECALL)
                return NOVA_SUCCESS;
        if (ec->cpu != self->cpu)
                mail_send(ec->cpu, &ec->mail, MAIL_RECALL);
        return NOVA_SUCCESS;
}

indirect_target hypercall_result_t hypercall_sc_ctrl(word_t id, struct ec *self)
{
        const struct sc *sc = object_space_find_sc(self->pd, nova_id_sel(id), NOVA_SC_CT);

        if (!sc)
                return NOVA_BAD_CAP;
        const uint64_t time = sc_time_us(sc);
        REG_P2(self) = (uint32_t)(time >> 32);
        REG_P3(self) = (uint32_t)time;
        return NOVA_SUCCESS;
}

/* Returns the deadline: its upper half is argument 2, its lower half argument 3. */
static uint64_t hypercall_decode_deadline(const struct ec *self)
{
        return (uint64_t)REG_P2(self) << 32 | (uint32_t)REG_P3(self);
}

/* Waits for a semaphore whose count is 0 and whose lock is held. */
static __attribute__((noinline)) hypercall_result_t hypercall_sm_wait(struct ec *self,
                                                                      struct sm *sm, unsigned flags)
{
        const bool timed = flags & NOVA_SM_TIMEOUT;
        const uint64_t deadline = timed ? hypercall_decode_deadline(self) : UINT64_MAX;

        if (!sm_wait(sm, self, !timed || deadline > rdtsc()))
                return self->wait_status;
        if (timed)
                timeout_start(self, deadline);
        self->state = EC_BLOCKED;
        self->cont = resume_woken;
        return RESULT_BLOCK;
}

/* Does a down after sm_enter() has returned false. An interrupt semaphore first unmasks its GSI. */
static __attribute__((noinline)) hypercall_result_t
hypercall_down_slowly(struct ec *self, struct sm *sm, uint16_t ticket, unsigned flags)
{
        sm_await(sm, ticket);
        if (sm->gsi != SM_NO_GSI) {
                sm_unlock(sm);
                gsi_unmask((unsigned)sm->gsi);
                sm_lock(sm);
        }
        if (!sm_count_down(sm, flags & NOVA_SM_ZC))
                return hypercall_sm_wait(self, sm, flags);
        sm_unlock(sm);
        return NOVA_SUCCESS;
}

static always_inline hypercall_result_t hypercall_down(word_t id, struct ec *self, unsigned flags)
{
        struct sm *sm = object_space_find_sm(self->pd, nova_id_sel(id), NOVA_SM_DN);

        if (unlikely(!sm))
                return NOVA_BAD_CAP;
        uint16_t ticket;
        if (unlikely(!sm_enter(sm, &ticket)))
                return hypercall_down_slowly(self, sm, ticket, flags);
        if (unlikely(!sm_count_down(sm, flags & NOVA_SM_ZC)))
                return hypercall_sm_wait(self, sm, flags);
        sm_leave_plain(sm);
        return NOVA_SUCCESS;
}

/* Does an up after sm_try_up() has returned false. */
static __attribute__((noinline)) hypercall_result_t hypercall_sm_wake(struct sm *sm,
                                                                      uint16_t ticket)
{
        sm_up_slowly(sm, ticket);
        return cpu_self()->pending & CPU_PENDING_RESCHEDULE ? RESULT_RESCHEDULE : NOVA_SUCCESS;
}

indirect_target hypercall_result_t hypercall_sm_up(word_t id, struct ec *self)
{
        struct sm *sm = object_space_find_sm(self->pd, nova_id_sel(id), NOVA_SM_UP);

        if (unlikely(!sm))
                return NOVA_BAD_CAP;
        uint16_t ticket;
        if (unlikely(!sm_try_up(sm, &ticket)))
                return hypercall_sm_wake(sm, ticket);
        return NOVA_SUCCESS;
}

indirect_target hypercall_result_t hypercall_sm_down(word_t id, struct ec *self)
{
        return hypercall_down(id, self, NOVA_SM_DN_OP);
}

indirect_target hypercall_result_t hypercall_sm_ctrl(word_t id, struct ec *self)
{
        const unsigned flags = nova_id_flags(id);

        return flags & NOVA_SM_DN_OP ? hypercall_down(id, self, flags) : hypercall_sm_up(id, self);
}
