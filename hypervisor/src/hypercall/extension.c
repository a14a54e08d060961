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

        if (!pd || !pd_destroy_begin(pd))
                return NOVA_BAD_CAP;
        finish_reaping(self, NOVA_SUCCESS);
}

enum nova_status hypercall_extension(struct ec *self)
{
        switch (nova_id_flags(REG_P1(self))) {
        case NOVA_EXT_OBJECT:
                return REG_P2(self) == NOVA_EXT_PD_DESTROY ? pd_destroy(self) : NOVA_BAD_HYP;
        default:
                return NOVA_BAD_HYP;
        }
}
