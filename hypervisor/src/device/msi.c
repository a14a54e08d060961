/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-signalled interrupts (see msi.h). */
#include "device/msi.h"

#include "arch/x86/cpu.h"
#include "arch/x86/vectors.h"

/* Address and data of a message: one CPU by its local APIC, fixed delivery, edge (SDM 3A, 10.11).
 * Pins of I/O APICs name a CPU by as many bits. */
#define ADDRESS_APIC_SHIFT 12
#define APIC_ID_MAX        0xfe

bool msi_reaches(const struct cpu *cpu)
{
        return cpu->apic_id <= APIC_ID_MAX;
}

void msi_compose(unsigned gsi, struct msi_source source, const struct cpu *cpu, struct msi *msi)
{
        (void)source; /* anybody can send what is not remapped */
        msi->address = MSI_BASE | cpu->apic_id << ADDRESS_APIC_SHIFT;
        msi->data = VECTOR_GSI + gsi;
}
