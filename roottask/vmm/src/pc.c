/* SPDX-License-Identifier: BSD-2-Clause */
/* The board of a PC (see novavmm/pc.h). */
#include "novavmm/pc.h"

#include <string.h>
#include <time.h>

#include "apic.h"
#include "console.h"
#include "slots.h"

#define PIT_IRQ  0
#define UART_IRQ 4
#define RTC_IRQ  8

#define PIT_PORT  0x40
#define UART_PORT 0x3f8

/* Handles the output of the 8259s, which the local APIC of virtual CPU 0 may block. */
static void interrupt(void *context, unsigned pin, bool level)
{
        struct nova_pc *const pc = context;

        (void)pin;
        if (level && novavmm_apic_pending(pc, 0))
                nova_vcpu_kick(&pc->vm->vcpu[0]);
}

static void reset(void *context, unsigned pin, bool level)
{
        struct nova_pc *const pc = context;

        (void)pin;
        if (level)
                nova_vm_reset(pc->vm, pc->reset.means);
}

static void power_off(void *context, unsigned pin, bool level)
{
        struct nova_pc *const pc = context;

        (void)pin;
        if (level)
                nova_vm_end_with(pc->vm, NOVA_VM_OFF);
}

static void make_tables(struct nova_pc *pc)
{
        const struct nova_acpi_config config = {pc->vm->vcpus, pc->vm->local_apic};

        pc->rsdp = nova_acpi_tables(&pc->vm->memory, &config);
}

/* Starts channel 0 of the timer as a BIOS does: in mode 2, with the longest period. The channel
 * drives its line at once, so the interrupt controllers must exist. */
static void start_timer(struct nova_pc *pc)
{
        nova_pit_write(&pc->pit, PIT_PORT + 3, 1, 0x34);
        nova_pit_write(&pc->pit, PIT_PORT, 1, 0);
        nova_pit_write(&pc->pit, PIT_PORT, 1, 0);
}

static void make_devices(struct nova_pc *pc)
{
        const struct nova_clock *const clock = &pc->vm->clock;
        const struct nova_line out = {interrupt, pc, 0}, reset_line = {reset, pc, 0};
        const struct nova_line off = {power_off, pc, 0};
        const struct nova_line pit = {novavmm_apic_set_pin, pc, PIT_IRQ};
        const struct nova_line uart = {novavmm_apic_set_pin, pc, UART_IRQ};
        const struct nova_line rtc = {novavmm_apic_set_pin, pc, RTC_IRQ};

        nova_pic_init(&pc->pic, &out);
        nova_pit_init(&pc->pit, clock, &pit);
        nova_rtc_init(&pc->rtc, clock, &rtc, (uint64_t)time(NULL));
        nova_rtc_set_ram(&pc->rtc, pc->vm->memory.bytes);
        nova_rtc_set_cpus(&pc->rtc, pc->vm->vcpus);
        nova_uart_init(&pc->uart, &uart, novavmm_console_send, pc);
        nova_uart_set_clock(&pc->uart, clock);
        nova_reset_init(&pc->reset, &reset_line);
        nova_acpi_init(&pc->acpi, clock, &off);
        nova_vpci_init(&pc->pci);
}

/* Adds devices whose registers have a byte each. */
static int add_byte_ports(struct nova_pc *pc)
{
        const struct nova_bus_range range[] = {
                {0x20, 0x21, nova_pic_read, nova_pic_write, &pc->pic},
                {0xa0, 0xa1, nova_pic_read, nova_pic_write, &pc->pic},
                {0x4d0, 0x4d1, nova_pic_read, nova_pic_write, &pc->pic},
                {PIT_PORT, PIT_PORT + 3, nova_pit_read, nova_pit_write, &pc->pit},
                {0x70, 0x71, nova_rtc_read, nova_rtc_write, &pc->rtc},
                {UART_PORT, UART_PORT + 7, nova_uart_read, nova_uart_write, &pc->uart},
        };
        int error = 0;

        for (unsigned i = 0; i < sizeof(range) / sizeof(*range) && !error; i++)
                error = nova_bus_add_bytes(&pc->vm->ports, &range[i]);
        return error;
}

static int add_ports(struct nova_pc *pc)
{
        const struct nova_bus_range range[] = {
                {0x61, 0x61, nova_pit_read, nova_pit_write, &pc->pit},
                {0x60, 0x60, nova_reset_read, nova_reset_write, &pc->reset},
                {0x64, 0x64, nova_reset_read, nova_reset_write, &pc->reset},
                {0x92, 0x92, nova_reset_read, nova_reset_write, &pc->reset},
                {0xcf9, 0xcf9, nova_reset_read, nova_reset_write, &pc->reset},
                {0xcf8, 0xcff, nova_vpci_read, nova_vpci_write, &pc->pci},
                {NOVA_ACPI_PORT, NOVA_ACPI_PORT + NOVA_ACPI_PORTS - 1, nova_acpi_read,
                 nova_acpi_write, &pc->acpi},
        };
        int error = add_byte_ports(pc);

        for (unsigned i = 0; i < sizeof(range) / sizeof(*range) && !error; i++)
                error = nova_bus_add(&pc->vm->ports, &range[i]);
        return error;
}

int nova_pc_create(struct nova_pc *pc, struct nova_vm *vm)
{
        const struct nova_vm_interrupts interrupts = {novavmm_apic_pending, novavmm_apic_take, pc};
        int error;

        memset(pc, 0, sizeof(*pc));
        pc->vm = vm;
        make_devices(pc);
        make_tables(pc);
        vm->interrupts = interrupts;
        error = add_ports(pc);
        if (!error)
                error = novavmm_slots_create(pc);
        if (!error && vm->local_apic)
                error = novavmm_apic_create(pc);
        if (!error)
                start_timer(pc);
        if (!error)
                error = nova_vm_add_alarm(vm, &pc->pit.alarm);
        if (!error)
                error = nova_vm_add_alarm(vm, &pc->uart.alarm);
        if (!error)
                error = nova_vm_add_alarm(vm, &pc->rtc.alarm);
        return error ? error : novavmm_console_start(pc);
}

void nova_pc_destroy(struct nova_pc *pc)
{
        nova_vm_stop(pc->vm);
        novavmm_console_stop(pc);
}
