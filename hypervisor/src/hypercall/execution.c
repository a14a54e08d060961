/* SPDX-License-Identifier: BSD-2-Clause */
/* Execution control: EC, SC and semaphores. @spec 5.4 */
#include "hypercall/dispatch.h"

#include "arch/x86/cpu.h"
#include "arch/x86/resume.h"
#include "device/gsi.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/schedule.h"
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

static enum nova_status down(struct ec *self, struct sm *sm, bool zero)
{
        if (sm->gsi != SM_NO_GSI)
                gsi_unmask((unsigned)sm->gsi);
        self->wait_status = NOVA_SUCCESS;
        if (sm_down(sm, self, zero))
                return (enum nova_status)self->wait_status;
        self->state = EC_BLOCKED;
        self->cont = resume_woken;
        block_current(self);
}

enum nova_status hypercall_sm_ctrl(struct ec *self)
{
        const unsigned flags = nova_id_flags(REG_P1(self));
        const bool is_down = flags & NOVA_SM_DN_OP;
        struct sm *sm = object_space_find_sm(self->pd, nova_id_sel(REG_P1(self)),
                                             is_down ? NOVA_SM_DN : NOVA_SM_UP);

        if (!sm)
                return NOVA_BAD_CAP;
        if (is_down)
                return down(self, sm, flags & NOVA_SM_ZC);
        sm_up(sm);
        return NOVA_SUCCESS;
}
