/* SPDX-License-Identifier: BSD-2-Clause */
/* The slots of a PC's PCI bus: the addresses of the devices' registers, and the interrupts of their
 * pins. ACPI's tables must agree (device/dsdt.asl). */
#include "slots.h"

#include <errno.h>
#include <stdio.h>

#include "apic.h"
#include "console.h"
#include "report.h"

#define SLOT_STEP 0x10000u

/* First port of the bus, first port for slots, and number of ports of a slot. */
#define FIRST_PORT 0x1000u
#define SLOT_PORT  0xc000u
#define SLOT_PORTS 0x20u

/* Odd slots use the first interrupt, even slots the second. */
#define IRQ_ODD  10u
#define IRQ_EVEN 11u

/* Port of the second 8259: pins that are level-triggered. */
#define LEVELS_PORT 0x4d1

#define SENTENCE 100

/* Longest time in ns for which a device holds back an interrupt. */
#define LATE_NS 500000

/* Time in ns after which a device that paused continues. The guest runs meanwhile. */
#define PAUSE_NS 50000

/* The address of an interrupt message. */
#define MESSAGE_BASE_SHIFT        20
#define MESSAGE_DESTINATION_SHIFT 12
#define MESSAGE_HINT              0x8u
#define MESSAGE_LOGICAL           0x4u

static unsigned irq_of(unsigned slot)
{
        return slot & 1 ? IRQ_ODD : IRQ_EVEN;
}

/* Drives a slot's pin. Slots share wires: a wire is high while the pin of any of its slots is
 * high. */
static void set_pin(void *context, unsigned slot, bool level)
{
        struct nova_pc *const pc = context;
        const uint32_t same = slot & 1 ? 0xaaaaaaaau : 0x55555555u;

        pc->slot_levels = level ? pc->slot_levels | 1u << slot : pc->slot_levels & ~(1u << slot);
        novavmm_apic_set_pin(pc, irq_of(slot), pc->slot_levels & same);
}

/* Interrupt messages are writes to the local APICs' addresses (SDM 3A, 11.11). With the redirection
 * hint, one of several destinations gets the interrupt. Writes to other addresses have no effect,
 * and messages only deliver interrupts. */
void novavmm_slots_send(void *context, uint64_t address, uint32_t data)
{
        struct nova_pc *const pc = context;
        struct nova_apic_message message = {
                .vector = (uint8_t)data,
                .delivery = (enum nova_delivery)(data >> 8 & 7),
                .logical = address & MESSAGE_LOGICAL,
                .destination = (uint8_t)(address >> MESSAGE_DESTINATION_SHIFT),
                .level = false,
        };

        if (address & MESSAGE_HINT && message.delivery == NOVA_DELIVER_FIXED)
                message.delivery = NOVA_DELIVER_LOWEST;
        if (address >> MESSAGE_BASE_SHIFT == NOVA_LAPIC_AT >> MESSAGE_BASE_SHIFT &&
            (message.delivery == NOVA_DELIVER_FIXED || message.delivery == NOVA_DELIVER_LOWEST ||
             message.delivery == NOVA_DELIVER_NMI))
                novavmm_apic_send(pc, &message);
}

/* Returns true if the virtual CPU whose exit is being handled waits for an interrupt. */
static bool is_idle(const struct nova_vm *vm)
{
        return vm->serving && vm->serving->activity == NOVA_VCPU_HALTS;
}

/* Sets the alarm: a device has work that no exit announces. */
static void look_soon(void *context)
{
        struct nova_pc *const pc = context;
        const uint64_t soon = nova_vm_now(NULL) + PAUSE_NS;

        if (soon < pc->late.deadline)
                pc->late.deadline = soon;
}

/* Lets devices look for requests that have ended already, and for chains that their drivers added
 * without a notification. A guest that halts gets the interrupts that devices hold back. A device
 * that paused continues only after the alarm, not in the exit in which it paused. A device that did
 * not pause may have a second turn here, after the one of the exit's notifications. */
static void look(void *context)
{
        struct nova_pc *const pc = context;
        const bool idle = is_idle(pc->vm);
        const bool continues = pc->vm->look_due;
        bool late = false, unfinished = false;

        pc->vm->look_due = false;

        for (unsigned i = 1; i <= NOVA_PC_SLOTS; i++) {
                struct nova_virtio *const virtio = pc->virtio[i];

                if (virtio)
                        virtio->turned = false;
                if (virtio && (virtio->unfinished ? continues : virtio->again))
                        nova_virtio_look(virtio);
                if (virtio && virtio->after_exit)
                        virtio->after_exit(virtio);
                if (virtio && virtio->late && idle)
                        nova_virtio_report(virtio);
                late |= virtio && virtio->late;
                unfinished |= virtio && virtio->unfinished;
        }
        if (!late && !unfinished)
                pc->late.deadline = NOVA_NEVER;
        else if (pc->late.deadline == NOVA_NEVER)
                pc->late.deadline = nova_vm_now(NULL) + LATE_NS;
}

/* Called by the alarm. The thread of alarms has a higher priority than the guest, so it leaves
 * devices' work to virtual CPU 0, which does it at its next exit, or while it halts. If that takes
 * long, the alarm comes again. */
static void look_at_alarm(void *device, uint64_t now)
{
        struct nova_pc *const pc = device;
        bool unfinished = false;

        for (unsigned i = 1; i <= NOVA_PC_SLOTS; i++) {
                struct nova_virtio *const virtio = pc->virtio[i];

                unfinished |= virtio && virtio->unfinished;
                if (virtio)
                        nova_virtio_report(virtio);
        }
        if (!unfinished)
                return;
        pc->late.deadline = now + LATE_NS;
        pc->vm->look_due = true;
        nova_vcpu_kick(&pc->vm->vcpu[0]);
}

/* Writes the report with the guest's output, because handlers may call no other function. */
static void to_console(void *context, const char *text)
{
        for (; *text; text++)
                novavmm_console_send(context, (uint8_t)*text);
}

/* Reports a device's error with the virtual CPU that notified the device. There is no virtual CPU
 * if the device was looking for room for input. */
static void complain(void *context, const char *device, const char *cause)
{
        struct nova_pc *const pc = context;
        const struct report_sink console = {to_console, pc};
        char what[SENTENCE], end[SENTENCE], text[3 * SENTENCE];

        snprintf(what, sizeof(what), ", device %s cannot continue:", device);
        snprintf(end, sizeof(end), "%s; it waits for a reset", cause);
        to_console(pc, "\n");
        if (pc->vm->serving) {
                novavmm_report_exit(pc->vm->serving, &console, what, end);
        } else {
                snprintf(text, sizeof(text), "VM: guest %s%s %s.\n", pc->vm->name, what, end);
                to_console(pc, text);
        }
}

/* Makes the slots' wires level-triggered at the 8259s, as a PC's firmware does: devices share them,
 * so a wire may stay high after an interrupt.
 *
 * Adds the devices' memory: the whole range between RAM and the APICs, because firmware places
 * devices anywhere in it. Adds the devices' ports: the range in ACPI's tables (device/dsdt.asl),
 * except the ports of other devices. */
int novavmm_slots_create(struct nova_pc *pc)
{
        const struct nova_bus_range window = {NOVA_GUEST_MEMORY_MAX, NOVA_IOAPIC_AT - 1,
                                              nova_vpci_memory_read, nova_vpci_memory_write,
                                              &pc->pci};
        const struct nova_bus_range ports = {FIRST_PORT, UINT16_MAX, nova_vpci_port_read,
                                             nova_vpci_port_write, &pc->pci};

        nova_pic_write(&pc->pic, LEVELS_PORT, 1, 1u << (IRQ_ODD - 8) | 1u << (IRQ_EVEN - 8));
        pc->vm->ports.rest = ports;
        return nova_bus_add(&pc->vm->mmio, &window);
}

/* Adds the alarm only with the first device that needs it, because each exit checks all alarms. */
static int add_alarm(struct nova_pc *pc)
{
        int error;

        if (pc->late.device)
                return 0;
        pc->late = (struct nova_alarm){NOVA_NEVER, look_at_alarm, pc};
        error = nova_vm_add_alarm(pc->vm, &pc->late);
        if (error)
                pc->late.device = NULL;
        return error;
}

int nova_pc_add_virtio(struct nova_pc *pc, unsigned slot, struct nova_virtio *virtio)
{
        const struct nova_line irq = {set_pin, pc, slot};
        int error;

        if (!slot || slot > NOVA_PC_SLOTS)
                return EINVAL;
        error = add_alarm(pc);
        if (error)
                return error;
        virtio->irq = irq;
        virtio->offered |= pc->vm->virtio_features;
        virtio->may_be_late = virtio->one_turn = true;
        virtio->complain = complain;
        virtio->look_soon = look_soon;
        virtio->context = pc;
        virtio->pci.config[NOVA_VPCI_BAR] = NOVA_PC_WINDOW + slot * SLOT_STEP;
        virtio->pci.config[NOVA_VPCI_PORT_BAR] |= SLOT_PORT + slot * SLOT_PORTS;
        virtio->pci.config[NOVA_VPCI_INTERRUPT] |= irq_of(slot);
        error = nova_vpci_add(&pc->pci, slot, &virtio->pci);
        if (error)
                return error;
        if (pc->vm->local_apic)
                nova_virtio_add_messages(virtio, novavmm_slots_send, pc);
        pc->virtio[slot] = virtio;
        pc->vm->look = look;
        pc->vm->look_context = pc;
        return 0;
}

int nova_pc_add_console(struct nova_pc *pc, unsigned slot)
{
        nova_virtio_console_init(&pc->hvc, &pc->vm->memory, novavmm_console_send, pc);
        pc->has_hvc = true;
        return nova_pc_add_virtio(pc, slot, &pc->hvc.virtio);
}
