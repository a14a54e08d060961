/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's APICs and their connections (see apic.h). */
#include "apic.h"

#include "vm.h"

/* The timer's interrupt is wired to an input of the I/O APIC with another number. ACPI's tables
 * describe this connection. */
#define TIMER_IRQ   0
#define TIMER_INPUT 2

/* Shorthands of destinations. */
#define TO_NAMED  0 /* the message names its destination */
#define TO_SELF   1
#define TO_ALL    2
#define TO_OTHERS 3

static void interrupt(void *context, unsigned vcpu, bool level)
{
        struct nova_pc *const pc = context;

        if (level)
                nova_vcpu_kick(&pc->vm->vcpu[vcpu]);
}

/* Handles INIT. After an INIT the first CPU would continue in the firmware, which resets the
 * machine. */
static void init(struct nova_pc *pc, unsigned vcpu)
{
        if (vcpu == 0) {
                nova_vm_reset(pc->vm, "an INIT message to vCPU 0");
                return;
        }
        nova_lapic_reset(&pc->lapic[vcpu]);
        nova_vcpu_reset(&pc->vm->vcpu[vcpu]);
        novavmm_vm_check_dead(pc->vm); /* the other virtual CPUs may have halted already */
}

static bool is_on(const struct nova_pc *pc, unsigned vcpu)
{
        return nova_msr_apic_is_on(&pc->vm->vcpu[vcpu].msr);
}

/* A local APIC loses its state when it is disabled. */
static void switched(struct nova_vcpu *vcpu)
{
        struct nova_pc *const pc = vcpu->vm->apics;

        nova_lapic_reset(&pc->lapic[vcpu->number]);
}

/* A disabled local APIC receives no messages.
 * @return true if the virtual CPU accepted the message */
static bool deliver(struct nova_pc *pc, unsigned vcpu, const struct nova_apic_message *message)
{
        if (!is_on(pc, vcpu))
                return false;
        switch (message->delivery) {
        case NOVA_DELIVER_FIXED:
        case NOVA_DELIVER_LOWEST:
                return nova_lapic_accept(&pc->lapic[vcpu], message->vector, message->level);
        case NOVA_DELIVER_STARTUP:
                nova_vcpu_start_at(&pc->vm->vcpu[vcpu], message->vector);
                break;
        case NOVA_DELIVER_INIT:
                init(pc, vcpu);
                break;
        case NOVA_DELIVER_NMI:
                nova_vcpu_nmi(&pc->vm->vcpu[vcpu]);
                break;
        default: /* interrupts of the 8259s use another path */
                break;
        }
        return true;
}

static bool is_destination(const struct nova_pc *pc, unsigned vcpu, unsigned from,
                           const struct nova_apic_message *message, unsigned shorthand)
{
        switch (shorthand) {
        case TO_SELF:
                return vcpu == from;
        case TO_ALL:
                return true;
        case TO_OTHERS:
                return vcpu != from;
        default:
                return nova_lapic_matches(&pc->lapic[vcpu], message);
        }
}

/* Delivers a message in lowest-priority mode: to the destination with the lowest processor priority
 * among those that accept the message (SDM 3A, 10.6.2.4). Destinations of equal priority take
 * turns.
 * @return false if no destination accepted the message */
static bool send_to_one(struct nova_pc *pc, unsigned from, const struct nova_apic_message *message,
                        unsigned shorthand)
{
        uint32_t lowest = UINT32_MAX;
        unsigned chosen = 0;

        for (unsigned i = 0; i < pc->vm->vcpus; i++) {
                const unsigned vcpu = (pc->turn + i) % pc->vm->vcpus;
                const struct nova_lapic *const lapic = &pc->lapic[vcpu];

                if (!is_destination(pc, vcpu, from, message, shorthand) || !is_on(pc, vcpu) ||
                    !nova_lapic_accepts(lapic) || nova_lapic_priority(lapic) >= lowest)
                        continue;
                lowest = nova_lapic_priority(lapic);
                chosen = vcpu;
        }
        if (lowest == UINT32_MAX)
                return false;
        pc->turn = chosen + 1;
        return deliver(pc, chosen, message);
}

/* Delivers a message to all of its destinations, or in lowest-priority mode to one of them.
 * @return false if no destination accepted the message */
static bool send(struct nova_pc *pc, unsigned from, const struct nova_apic_message *message,
                 unsigned shorthand)
{
        bool accepted = false;

        if (message->delivery == NOVA_DELIVER_LOWEST)
                return send_to_one(pc, from, message, shorthand);
        for (unsigned i = 0; i < pc->vm->vcpus; i++)
                if (is_destination(pc, i, from, message, shorthand))
                        accepted |= deliver(pc, i, message);
        return accepted;
}

bool novavmm_apic_send(struct nova_pc *pc, const struct nova_apic_message *message)
{
        return send(pc, 0, message, TO_NAMED);
}

static bool from_ioapic(void *context, const struct nova_apic_message *message)
{
        return novavmm_apic_send(context, message);
}

static void from_lapic(void *context, unsigned from, const struct nova_apic_message *message,
                       unsigned shorthand)
{
        send(context, from, message, shorthand);
}

static void ended(void *context, uint8_t vector)
{
        struct nova_pc *const pc = context;

        nova_ioapic_end(&pc->ioapic, vector);
}

/* Each virtual CPU finds its own local APIC at the same address. A virtual CPU whose local APIC is
 * disabled finds no device there. */
static uint64_t read(void *context, uint64_t address, unsigned bytes)
{
        struct nova_pc *const pc = context;
        const unsigned vcpu = pc->vm->serving->number;

        return is_on(pc, vcpu) ? nova_lapic_read(&pc->lapic[vcpu], address, bytes) : UINT64_MAX;
}

static void write(void *context, uint64_t address, unsigned bytes, uint64_t value)
{
        struct nova_pc *const pc = context;
        const unsigned vcpu = pc->vm->serving->number;
        const bool accepts = nova_lapic_accepts(&pc->lapic[vcpu]);

        if (!is_on(pc, vcpu))
                return;
        nova_lapic_write(&pc->lapic[vcpu], address, bytes, value);
        if (!accepts && nova_lapic_accepts(&pc->lapic[vcpu]))
                nova_ioapic_retry(&pc->ioapic);
}

/* Connects the 8259s to the boot CPU as firmware does. Its local APIC is still disabled by
 * software, and on a CPU the entry of LINT0 would be masked until then. But a guest that enables
 * the APIC need not know the entry, and must keep the interrupts of the 8259s. */
static void connect_8259s(struct nova_pc *pc)
{
        pc->lapic[0].lvt[NOVA_LVT_LINT0] = NOVA_DELIVER_EXTERNAL << 8;
}

int novavmm_apic_create(struct nova_pc *pc)
{
        const struct nova_bus_range range[] = {
                {NOVA_LAPIC_AT, NOVA_LAPIC_AT + NOVA_LAPIC_BYTES - 1, read, write, pc},
                {NOVA_IOAPIC_AT, NOVA_IOAPIC_AT + NOVA_IOAPIC_BYTES - 1, nova_ioapic_read,
                 nova_ioapic_write, &pc->ioapic},
        };
        int error = nova_bus_add(&pc->vm->mmio, &range[0]);

        if (!error)
                error = nova_bus_add(&pc->vm->mmio, &range[1]);
        nova_ioapic_init(&pc->ioapic, from_ioapic, pc);
        pc->vm->apic_switched = switched;
        pc->vm->apics = pc;
        for (unsigned i = 0; i < pc->vm->vcpus && !error; i++) {
                struct nova_lapic *const lapic = &pc->lapic[i];
                const struct nova_line out = {interrupt, pc, i};

                nova_lapic_init(lapic, (uint8_t)i, &pc->vm->clock, &out);
                lapic->send = from_lapic;
                lapic->ended = ended;
                lapic->context = pc;
                if (sizeof(nova_word_t) == 8)
                        pc->vm->vcpu[i].lapic = lapic;
                error = nova_vm_add_alarm(pc->vm, &lapic->alarm);
        }
        connect_8259s(pc);
        return error;
}

void novavmm_apic_set_pin(void *context, unsigned irq, bool level)
{
        struct nova_pc *const pc = context;

        nova_pic_set(&pc->pic, irq, level);
        if (pc->vm->local_apic)
                nova_ioapic_set(&pc->ioapic, irq == TIMER_IRQ ? TIMER_INPUT : irq, level);
}

static bool external(const struct nova_pc *pc, unsigned vcpu)
{
        return vcpu == 0 && nova_pic_pending(&pc->pic) &&
               (!pc->vm->local_apic || nova_lapic_passes_external(&pc->lapic[0]));
}

bool novavmm_apic_pending(void *context, unsigned vcpu)
{
        const struct nova_pc *const pc = context;

        return external(pc, vcpu) || (pc->vm->local_apic && nova_lapic_pending(&pc->lapic[vcpu]));
}

int novavmm_apic_take(void *context, unsigned vcpu)
{
        struct nova_pc *const pc = context;

        if (external(pc, vcpu))
                return (int)nova_pic_take(&pc->pic);
        return pc->vm->local_apic ? nova_lapic_take(&pc->lapic[vcpu]) : -1;
}
