/* SPDX-License-Identifier: BSD-2-Clause */
/* Global system interrupts (see gsi.h). */
#include "device/gsi.h"

#include "arch/x86/cpu.h"
#include "arch/x86/vectors.h"
#include "device/io_apic.h"
#include "nova/abi/hip.h"
#include "object/pd.h"
#include "object/sm.h"
#include "platform/stop.h"

static struct {
        struct sm *sm;
        bool level;
} gsis[NOVA_HIP_GSI];

void gsi_boot(void)
{
        for (unsigned gsi = 0; gsi < NOVA_HIP_GSI; gsi++) {
                struct sm *sm;
                bool low;
                if (sm_create(&account_root, 0, &sm) != NOVA_SUCCESS ||
                    object_space_insert(&kernel_pd, NOVA_SEL_GSI_SM + gsi, &sm->object,
                                        NOVA_PERM_ALL) != NOVA_SUCCESS)
                        kernel_stop("the kernel pool is too small, give more with kmem=");
                sm->gsi = (int)gsi;
                gsis[gsi].sm = sm;
                gsi_default(gsi, &gsis[gsi].level, &low);
                if (io_apic_has(gsi))
                        io_apic_route(gsi, VECTOR_GSI + gsi, cpu_by_id(cpu_boot_id)->apic_id,
                                      gsis[gsi].level, low);
        }
}

void gsi_fire(unsigned gsi)
{
        if (gsis[gsi].level)
                io_apic_mask(gsi);
        sm_up(gsis[gsi].sm);
}

void gsi_unmask(unsigned gsi)
{
        if (io_apic_has(gsi))
                io_apic_unmask(gsi);
}
