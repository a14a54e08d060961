/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-signalled interrupts (see msi.h). */
#include "device/msi.h"

#include "arch/x86/vectors.h"
#include "device/remap.h"
#include "sched/cpu.h"

/* Address and data of a message to one CPU: fixed delivery, edge-triggered (SDM 3A, 10.11). The
 * address contains eight bits of the CPU's APIC ID, as an entry of an I/O APIC does for a pin. */
#define ADDRESS_APIC_SHIFT 12
#define APIC_ID_MAX        0xfe

/* Address bits of a message whose data is an index into the table of interrupt remapping (VT-d
 * 5.1.2.2). */
#define ADDRESS_INDEX 0x18

bool msi_reaches(const struct cpu *cpu)
{
        return cpu->arch.apic_id <= APIC_ID_MAX;
}

enum nova_status msi_compose(unsigned gsi, struct msi_source source, const struct cpu *cpu,
                             struct msi *msi)
{
        const unsigned rid =
                source.is_hpet ? remap_source(true, source.id) : REMAP_FUNCTION | source.id;
        const enum nova_status status = remap_route(gsi, rid, cpu, false);

        if (status == NOVA_SUCCESS && remap_by_index)
                *msi = (struct msi){MSI_BASE | ADDRESS_INDEX, gsi};
        else if (status == NOVA_SUCCESS)
                *msi = (struct msi){MSI_BASE | cpu->arch.apic_id << ADDRESS_APIC_SHIFT,
                                    VECTOR_GSI + gsi};
        return status;
}
