/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt remapping: who sends (see remap.h). */
#include "device/remap.h"

#include "arch/x86/cpu.h"
#include "arch/x86/vectors.h"
#include "device/iommu_driver.h"
#include "device/pci.h"
#include "lib/spinlock.h"
#include "platform/acpi.h"

bool remap_is_on, remap_by_index;

static uint16_t rids[ACPI_SOURCES]; /* of acpi.source */
static struct spinlock remap_lock;  /* entries of the units' tables; taken before their own locks */

void remap_init(void)
{
        for (unsigned i = 0; i < acpi.sources; i++) {
                const struct acpi_source *source = &acpi.source[i];
                unsigned bus = source->bus;

                for (unsigned n = 0; n + 1 < source->depth; n++)
                        bus = pci_bus_behind((uint16_t)(bus << 8 | source->function[n]));
                rids[i] = (uint16_t)(bus << 8 | source->function[source->depth - 1]);
        }
}

unsigned remap_source(bool is_hpet, unsigned id)
{
        for (unsigned i = 0; i < acpi.sources; i++)
                if (acpi.source[i].is_hpet == is_hpet && acpi.source[i].id == id)
                        return rids[i];
        return REMAP_ANYBODY;
}

bool remap_knows_io_apics(void)
{
        for (unsigned i = 0; i < acpi.io_apics; i++)
                if (remap_source(false, acpi.io_apic[i].id) == REMAP_ANYBODY)
                        return false;
        return true;
}

enum nova_status remap_route(unsigned gsi, unsigned rid, const struct cpu *cpu, bool level)
{
        if (!remap_is_on)
                return NOVA_SUCCESS;
        spin_lock(&remap_lock);
        const enum nova_status status =
                iommu_driver->route(gsi, rid, VECTOR_GSI + gsi, cpu->apic_id, level);
        spin_unlock(&remap_lock);
        return status;
}
