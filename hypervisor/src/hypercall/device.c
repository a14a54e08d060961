/* SPDX-License-Identifier: BSD-2-Clause */
/* Device control. @spec 5.5 */
#include "hypercall/dispatch.h"

#include "arch/x86/cpu.h"
#include "device/gsi.h"
#include "device/iommu.h"
#include "device/pci.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/sm.h"
#include "thread.h"

hypercall_result_t hypercall_assign_pci(word_t id, struct ec *self)
{
        struct pd *pd = object_space_find_pd(self->pd, nova_id_sel(id), 0);
        const word_t route = REG_P3(self);
        uint16_t rid;

        if (!pd)
                return NOVA_BAD_CAP;
        if (!pci_find(self->pd, REG_P2(self), &rid))
                return NOVA_BAD_DEV;
        if (!iommu_is_on() || route > UINT16_MAX || !pci_exists((uint16_t)route))
                return NOVA_BAD_DEV;
        return iommu_assign(pd, rid);
}

hypercall_result_t hypercall_assign_gsi(word_t id, struct ec *self)
{
        const word_t cpu = REG_P3(self);

        if (!pd_may_use_cpu(self->pd, cpu) || !msi_reaches(cpu_chosen(cpu)))
                return NOVA_BAD_CPU;

        const struct sm *sm = object_space_find_sm(self->pd, nova_id_sel(id), 0);
        if (!sm || sm->gsi == SM_NO_GSI)
                return NOVA_BAD_CAP;

        struct msi msi;
        const enum nova_status status =
                gsi_assign((unsigned)sm->gsi, self->pd, REG_P2(self), cpu_chosen(cpu), &msi);
        if (status != NOVA_SUCCESS)
                return status;
        REG_P2(self) = msi.address;
        REG_P3(self) = msi.data;
        return NOVA_SUCCESS;
}
