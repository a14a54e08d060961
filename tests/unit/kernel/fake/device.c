/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: an I/O APIC with 24 pins, an HPET, PCI functions of bus 0 with even numbers. */
#include "device/io_apic.h"
#include "device/pci.h"
#include "fake.h"
#include "firmware/acpi.h"
#include "object/pd.h"
#include "sched/cpu.h"

struct acpi acpi;
unsigned fake_assigned_gsi, fake_assigned_cpu;
enum nova_status fake_pin_status;

void fake_device_boot(void)
{
        acpi = (struct acpi){.hpet = {{FAKE_HPET, 3}}, .hpets = 1};
        fake_assigned_gsi = fake_assigned_cpu = ~0u;
        fake_pin_status = NOVA_SUCCESS;
}

bool io_apic_has(unsigned gsi)
{
        return gsi < FAKE_PINS;
}

enum nova_status io_apic_set_up(unsigned gsi, unsigned vector, const struct cpu *cpu)
{
        (void)gsi, (void)vector, (void)cpu;
        return NOVA_SUCCESS;
}

enum nova_status io_apic_assign(unsigned gsi, const struct cpu *cpu)
{
        fake_assigned_gsi = gsi;
        fake_assigned_cpu = cpu->id;
        return fake_pin_status;
}

uint32_t io_apic_stopped;

uint64_t io_apic_serve(unsigned gsi, const struct cpu *cpu)
{
        (void)gsi, (void)cpu;
        return 0;
}

bool io_apic_resume(unsigned gsi, const struct cpu *cpu, uint64_t *next)
{
        (void)gsi, (void)cpu, (void)next;
        return false;
}

void io_apic_open(unsigned gsi)
{
        (void)gsi;
}

bool pci_find(struct pd *pd, word_t device, uint16_t *rid)
{
        word_t frame;

        if (!mapping_source(&pd->memory.space, device >> PAGE_BITS, &frame) &&
            !mapping_source(&pd->memory.space, device, &frame))
                return false;
        *rid = (uint16_t)(frame - FAKE_PCI);
        return frame >= FAKE_PCI && frame < FAKE_PCI + 0x100 && !(frame & 1);
}
