/* SPDX-License-Identifier: BSD-2-Clause */
/* Execution control: EC, SC and semaphores. @spec 5.4 */
#include "hypercall/dispatch.h"

#include "arch/x86/cpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/resume.h"
#include "device/gsi.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/schedule.h"
#include "sched/timeout.h"
#include "thread.h"

enum nova_status hypercall_ec_ctrl(struct ec *self)
{
        struct ec *ec = object_space_find_ec(self->pd, nova_id_sel(REG_P1(self)), NOVA_EC_CT);

        if (!ec)
                return NOVA_BAD_CAP;
        atomic_fetch_or_u32(&ec->pending, EC_PENDING_RECALL);
        if (ec->cpu != self->cpu)
                mail_send(ec->cpu, &ec->object.mail, MAIL_RECALL);
        return NOVA_SUCCESS;
}

enum nova_status hypercall_sc_ctrl(struct ec *self)
{
        const struct sc *sc = object_space_find_sc(self->pd, nova_id_sel(REG_P1(self)), NOVA_SC_CT);

        if (!sc)
                return NOVA_BAD_CAP;
        const uint64_t time = sc_time_us(sc);
        REG_P2(self) = (uint32_t)(time >> 32);
        REG_P3(self) = (uint32_t)time;
        return NOVA_SUCCESS;
}

/* Argument 2: the upper, argument 3: the lower half of a deadline. */
static uint64_t decode_deadline(const struct ec *self)
{
        return (uint64_t)REG_P2(self) << 32 | (uint32_t)REG_P3(self);
}

static _Noreturn void block_on_sm(struct ec *self)
{
        self->state = EC_BLOCKED;
        self->cont = resume_woken;
        block_current(self);
}

static enum nova_status down(struct ec *self, struct sm *sm, bool zero)
{
        self->wait_status = NOVA_SUCCESS;
        if (sm_down(sm, self, zero, true))
                return (enum nova_status)self->wait_status;
        block_on_sm(self);
}

/* Apart, so that a plain down saves no registers for it. */
static __attribute__((noinline)) enum nova_status down_until(struct ec *self, struct sm *sm,
                                                             bool zero)
{
        const uint64_t deadline = decode_deadline(self);

        self->wait_status = NOVA_SUCCESS;
        if (sm_down(sm, self, zero, deadline > rdtsc()))
                return (enum nova_status)self->wait_status;
        timeout_start(self, deadline);
        block_on_sm(self);
}

enum nova_status hypercall_sm_ctrl(struct ec *self)
{
        const unsigned flags = nova_id_flags(REG_P1(self));
        const bool is_down = flags & NOVA_SM_DN_OP;
        struct sm *sm = object_space_find_sm(self->pd, nova_id_sel(REG_P1(self)),
                                             is_down ? NOVA_SM_DN : NOVA_SM_UP);

        if (!sm)
                return NOVA_BAD_CAP;
        if (!is_down) {
                sm_up(sm);
                return NOVA_SUCCESS;
        }
        if (sm->gsi != SM_NO_GSI)
                gsi_unmask((unsigned)sm->gsi);
        if (unlikely(flags & NOVA_SM_TIMEOUT))
                return down_until(self, sm, flags & NOVA_SM_ZC);
        return down(self, sm, flags & NOVA_SM_ZC);
}
