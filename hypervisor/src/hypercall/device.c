/* SPDX-License-Identifier: BSD-2-Clause */
/* Device control. No device can be assigned yet, so each call ends with a refusal. @spec 5.5 */
#include "hypercall/dispatch.h"

#include "arch/x86/cpu.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/sm.h"
#include "thread.h"

enum nova_status hypercall_assign_pci(struct ec *self)
{
        if (!object_space_find_pd(self->pd, nova_id_sel(REG_P1(self)), 0))
                return NOVA_BAD_CAP;
        return NOVA_BAD_DEV;
}

enum nova_status hypercall_assign_gsi(struct ec *self)
{
        if (!cpu_is_online(REG_P3(self)))
                return NOVA_BAD_CPU;

        const struct sm *sm = object_space_find_sm(self->pd, nova_id_sel(REG_P1(self)), 0);
        if (!sm || sm->gsi == SM_NO_GSI)
                return NOVA_BAD_CAP;
        return NOVA_BAD_DEV;
}
