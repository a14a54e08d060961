/* SPDX-License-Identifier: BSD-2-Clause */
/* Extensions: what 2012 answered with BAD_HYP. The flags name the group, argument 2 the operation.
 */
#include "hypercall/dispatch.h"

#include "arch/x86/cpu.h"
#include "object/ec.h"
#include "object/pd.h"
#include "sched/schedule.h"
#include "thread.h"

/* The rest happens when the hypercall ends what is dying, in steps. If the caller itself ends on
 * the way, this CPU goes on with it whenever it schedules. */
static enum nova_status pd_destroy(struct ec *self)
{
        struct pd *pd = object_space_find_pd(self->pd, nova_id_sel(REG_P1(self)), NOVA_PERM_ALL);

        reap_begin(self);
        if (!pd || !pd_destroy_begin(pd))
                return NOVA_BAD_CAP;
        finish_reaping(self, NOVA_SUCCESS);
}

/* Only whoever may let the PD pay from which the account was cut can give more of it. */
static enum nova_status quota_give(struct ec *self, const struct pd *pd)
{
        const struct pd *payer = object_space_find_pd(self->pd, REG_P4(self), NOVA_PD_PD);

        if (!payer || payer->account != pd->account->parent)
                return NOVA_BAD_CAP;
        return account_give(pd->account, REG_P3(self)) ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
}

static enum nova_status quota_query(struct ec *self, const struct pd *pd)
{
        REG_P2(self) = load_once(pd->account->used);
        REG_P3(self) = load_once(pd->account->limit);
        return NOVA_SUCCESS;
}

static enum nova_status quota(struct ec *self)
{
        const word_t operation = REG_P2(self);

        if (operation > NOVA_EXT_QUOTA_QUERY)
                return NOVA_BAD_HYP;

        const unsigned perms = operation == NOVA_EXT_QUOTA_QUERY ? 0 : NOVA_PERM_ALL;
        const struct pd *pd = object_space_find_pd(self->pd, nova_id_sel(REG_P1(self)), perms);
        if (!pd)
                return NOVA_BAD_CAP;
        if (operation == NOVA_EXT_QUOTA_QUERY)
                return quota_query(self, pd);
        if (!pd_has_account(pd))
                return NOVA_BAD_PAR;
        if (operation == NOVA_EXT_QUOTA_GIVE)
                return quota_give(self, pd);
        return account_take(pd->account, REG_P3(self)) ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
}

enum nova_status hypercall_extension(struct ec *self)
{
        switch (nova_id_flags(REG_P1(self))) {
        case NOVA_EXT_QUOTA:
                return quota(self);
        case NOVA_EXT_OBJECT:
                return REG_P2(self) == NOVA_EXT_PD_DESTROY ? pd_destroy(self) : NOVA_BAD_HYP;
        default:
                return NOVA_BAD_HYP;
        }
}
