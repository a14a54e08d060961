/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O APICs (Intel 82093AA). */
#include "device/io_apic.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/insn.h"
#include "device/flood.h"
#include "device/msi.h"
#include "device/remap.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/atomic.h"
#include "lib/console.h"
#include "lib/spinlock.h"
#include "nova/abi/hip.h"
#include "sched/cpu.h"

/* Registers are accessed through an index and a window. END is the EOI register. The oldest I/O
 * APICs lack this register, but no machine with an I/O MMU has such an I/O APIC. */
#define INDEX       0x00
#define WINDOW      0x10
#define END         0x40
#define REG_VERSION 0x01
#define REG_PIN     0x10 /* two registers per pin */

#define PIN_LOW_ACTIVE 0x2000
#define PIN_LEVEL      0x8000
#define PIN_MASKED     0x10000

/* Fields of the upper register with interrupt remapping (VT-d 5.1.5.1). */
#define PIN_INDEXED     0x10000
#define PIN_INDEX_SHIFT 17

#define PINS_MAX       240
#define ISA_INTERRUPTS 16

/* MPS INTI flags of an override (ACPI 5.2.12.5). */
#define POLARITY(flags) ((flags)&3)
#define TRIGGER(flags)  ((flags) >> 2 & 3)
#define IS_LOW_OR_LEVEL 3
#define IS_THAT_OF_BUS  0

struct io_apic {
        volatile char *registers;
        uint32_t gsi; /* GSI of the first pin */
        unsigned pins;
        uint8_t id;           /* number in the ACPI table */
        struct spinlock lock; /* protects INDEX and WINDOW as a pair, and pins[] of its GSIs */
};

enum pin_state {
        PIN_CLOSED,   /* masked since boot */
        PIN_UNROUTED, /* masked since boot, and opened only by io_apic_assign(), because the entry
                       * cannot name the boot CPU */
        PIN_OPEN,
        PIN_SERVED, /* masked by its level-triggered interrupt until a down shows that the interrupt
                     * was served */
        PIN_STOPPED, /* like PIN_SERVED, but a down opens the pin only after a while, because the
                      * interrupt has come too often */
        PIN_AWAITED, /* stopped, and a down has asked to open the pin */
};

/* state, apic_id, resume and timer are written under the lock of the pin's I/O APIC, rate under no
 * lock, and the other fields only at boot. */
struct pin {
        uint8_t state; /* enum pin_state */
        uint8_t vector;
        bool level, active_low;
        uint8_t apic_id;
        struct rate rate;
        uint64_t resume;         /* TSC at which a stop ends */
        const struct cpu *timer; /* CPU that ends the stop; NULL: the pin is not stopped */
};

static struct io_apic io_apics[ACPI_IO_APICS];
static unsigned io_apic_count;
static struct pin pins[NOVA_HIP_GSI]; /* by GSI */

uint32_t io_apic_stopped;

static uint32_t io_apic_reg_read(struct io_apic *io_apic, unsigned reg)
{
        separate_accesses();
        *(volatile uint32_t *)(io_apic->registers + INDEX) = reg;
        separate_accesses();
        return *(volatile uint32_t *)(io_apic->registers + WINDOW);
}

static void io_apic_reg_write(struct io_apic *io_apic, unsigned reg, uint32_t value)
{
        separate_accesses();
        *(volatile uint32_t *)(io_apic->registers + INDEX) = reg;
        separate_accesses();
        *(volatile uint32_t *)(io_apic->registers + WINDOW) = value;
}

/* Returns true if a page can hold the registers, and nothing else is known to be there. */
static bool io_apic_is_believed(paddr_t phys)
{
        const paddr_t offset = phys % PAGE_SIZE, page = phys - offset;

        return page && !(offset % sizeof(uint32_t)) &&
               offset + END + sizeof(uint32_t) <= PAGE_SIZE &&
               !memory_map_is_ram(page, PAGE_SIZE) && !memory_map_is_taken(page, PAGE_SIZE);
}

static void io_apic_add(const struct acpi_io_apic *entry)
{
        struct io_apic *io_apic = &io_apics[io_apic_count];
        const paddr_t page = entry->phys & ~(paddr_t)(PAGE_SIZE - 1);

        if (!io_apic_is_believed(entry->phys)) {
                console_print("NOVA: there is no I/O APIC at 0x%llx; the entry is ignored.\n",
                              (unsigned long long)entry->phys);
                return;
        }
        io_apic->registers = boot_paging_map_device(entry->phys);
        if (!io_apic->registers)
                return;
        memory_map_take(page, PAGE_SIZE, true);
        spin_set_kind(&io_apic->lock, LOCK_IO_APIC);
        io_apic->gsi = entry->gsi;
        io_apic->id = entry->id;
        io_apic->pins = (io_apic_reg_read(io_apic, REG_VERSION) >> 16 & 0xff) + 1;
        if (io_apic->pins > PINS_MAX) /* no device answers at this address */
                return;
        for (unsigned pin = 0; pin < io_apic->pins; pin++)
                io_apic_reg_write(io_apic, REG_PIN + pin * 2, PIN_MASKED);
        io_apic_count++;
}

void io_apic_init(void)
{
        for (unsigned i = 0; i < acpi.io_apics; i++)
                io_apic_add(&acpi.io_apic[i]);
}

static struct io_apic *io_apic_find(unsigned gsi)
{
        for (unsigned i = 0; i < io_apic_count; i++)
                if (gsi >= io_apics[i].gsi && gsi - io_apics[i].gsi < io_apics[i].pins)
                        return &io_apics[i];
        return NULL;
}

bool io_apic_has(unsigned gsi)
{
        return io_apic_find(gsi);
}

static unsigned io_apic_pin_register(const struct io_apic *io_apic, unsigned gsi)
{
        return REG_PIN + (gsi - io_apic->gsi) * 2;
}

/* Writes the lower half of a pin's entry. Trigger and vector never change after boot, so a pending
 * interrupt and its EOI still belong to their pin. */
static void io_apic_write_state(struct io_apic *io_apic, unsigned gsi)
{
        const struct pin *pin = &pins[gsi];

        io_apic_reg_write(io_apic, io_apic_pin_register(io_apic, gsi),
                          pin->vector | (pin->level ? PIN_LEVEL : 0) |
                                  (pin->active_low ? PIN_LOW_ACTIVE : 0) |
                                  (pin->state == PIN_OPEN ? 0 : PIN_MASKED));
}

/* Writes the whole entry of a pin. Writes the upper half first, so that no interrupt goes to the
 * old CPU after the lower half has changed. */
static void io_apic_write_pin(struct io_apic *io_apic, unsigned gsi)
{
        const struct pin *pin = &pins[gsi];

        io_apic_reg_write(io_apic, io_apic_pin_register(io_apic, gsi) + 1,
                          remap_by_index ? PIN_INDEXED | gsi << PIN_INDEX_SHIFT
                                         : (uint32_t)pin->apic_id << 24);
        io_apic_write_state(io_apic, gsi);
}

/* Routes a pin to a CPU, through the I/O MMU if it remaps interrupts. If open is set, unmasks the
 * pin unless its interrupt is being served. */
static enum nova_status io_apic_route(unsigned gsi, const struct cpu *cpu, bool open)
{
        struct io_apic *io_apic = io_apic_find(gsi);
        struct pin *pin = &pins[gsi];

        if (!io_apic)
                return NOVA_SUCCESS;
        spin_lock(&io_apic->lock);
        const enum nova_status status =
                remap_route(gsi, remap_source(false, io_apic->id), cpu, pin->level);
        if (status == NOVA_SUCCESS)
                pin->apic_id = (uint8_t)cpu->arch.apic_id;
        io_apic_write_pin(io_apic, gsi);
        if (open && status == NOVA_SUCCESS &&
            (pin->state == PIN_CLOSED || pin->state == PIN_UNROUTED)) {
                pin->state = PIN_OPEN;
                io_apic_write_state(io_apic, gsi);
        }
        spin_unlock(&io_apic->lock);
        return status;
}

enum nova_status io_apic_set_up(unsigned gsi, unsigned vector, const struct cpu *cpu)
{
        struct pin *pin = &pins[gsi];

        pin->vector = (uint8_t)vector;
        gsi_default(gsi, &pin->level, &pin->active_low);
        if (unlikely(!remap_by_index && !msi_reaches(cpu))) {
                pin->state = PIN_UNROUTED; /* io_apic_add() has masked it */
                return NOVA_SUCCESS;
        }
        return io_apic_route(gsi, cpu, false);
}

enum nova_status io_apic_assign(unsigned gsi, const struct cpu *cpu)
{
        return io_apic_route(gsi, cpu, true);
}

/* Changes the state of a pin. The caller holds the lock. */
static void io_apic_set_state(struct io_apic *io_apic, unsigned gsi, enum pin_state state)
{
        pins[gsi].state = (uint8_t)state;
        io_apic_write_state(io_apic, gsi);
}

static bool io_apic_is_stopped(const struct pin *pin)
{
        return pin->state == PIN_STOPPED || pin->state == PIN_AWAITED;
}

/* Marks a pin as stopped. The caller holds the lock. */
static uint64_t io_apic_stop(struct pin *pin, const struct cpu *cpu)
{
        pin->resume = flood_end();
        store_once(pin->timer, cpu);
        atomic_fetch_add_u32(&io_apic_stopped, 1);
        return pin->resume;
}

uint64_t io_apic_serve(unsigned gsi, const struct cpu *cpu)
{
        struct pin *pin = &pins[gsi];
        struct io_apic *io_apic = pin->level ? io_apic_find(gsi) : NULL;
        uint64_t resume = 0;

        if (!io_apic)
                return 0;
        const bool is_flood = flood_count(&pin->rate, FLOOD_COUNT);
        spin_lock(&io_apic->lock);
        if (!io_apic_is_stopped(pin)) {
                if (is_flood)
                        resume = io_apic_stop(pin, cpu);
                io_apic_set_state(io_apic, gsi, is_flood ? PIN_STOPPED : PIN_SERVED);
        }
        /* A remapped interrupt may reach the CPU as edge-triggered. Its EOI is then not sent to the
         * I/O APIC. */
        if (remap_is_on)
                *(volatile uint32_t *)(io_apic->registers + END) = pin->vector;
        spin_unlock(&io_apic->lock);
        return resume;
}

void io_apic_open(unsigned gsi)
{
        struct pin *pin = &pins[gsi];
        /* An interrupt may mask the pin right after this check, and then does an up on the
         * semaphore. A down of the driver consumes this up, and the driver's next down unmasks
         * the pin. */
        const unsigned state = load_once(pin->state);
        struct io_apic *io_apic =
                state == PIN_OPEN || state == PIN_AWAITED ? NULL : io_apic_find(gsi);

        if (!io_apic)
                return;
        spin_lock(&io_apic->lock);
        if (likely(pin->state != PIN_UNROUTED))
                io_apic_set_state(io_apic, gsi, io_apic_is_stopped(pin) ? PIN_AWAITED : PIN_OPEN);
        spin_unlock(&io_apic->lock);
}

bool io_apic_resume(unsigned gsi, const struct cpu *cpu, uint64_t *next)
{
        struct pin *pin = &pins[gsi];

        if (load_once(pin->timer) != cpu)
                return false;

        struct io_apic *io_apic = io_apic_find(gsi);
        spin_lock(&io_apic->lock);
        const bool is_due = pin->timer == cpu && rdtsc() >= pin->resume;
        if (is_due) {
                pin->rate = (struct rate){.since = rdtsc()};
                store_once(pin->timer, NULL);
                atomic_fetch_add_u32(&io_apic_stopped, (uint32_t)-1);
                io_apic_set_state(io_apic, gsi, pin->state == PIN_AWAITED ? PIN_OPEN : PIN_SERVED);
        } else if (pin->timer == cpu && pin->resume < *next) {
                *next = pin->resume;
        }
        spin_unlock(&io_apic->lock);
        return is_due;
}

/* Returns true for level and for active low. As on the ISA bus, the defaults of an override are
 * edge and active high, except for the SCI. */
static bool io_apic_decode(unsigned flags, bool is_sci)
{
        return flags == IS_LOW_OR_LEVEL || (flags == IS_THAT_OF_BUS && is_sci);
}

void gsi_default(unsigned gsi, bool *level, bool *active_low)
{
        *level = *active_low = gsi >= ISA_INTERRUPTS || (acpi.sci && gsi == acpi.sci);
        for (unsigned i = 0; i < acpi.overrides; i++) {
                const struct acpi_override *override = &acpi.override[i];

                if (override->gsi == gsi) {
                        const bool is_sci = acpi.sci && override->source == acpi.sci;
                        *level = io_apic_decode(TRIGGER(override->flags), is_sci);
                        *active_low = io_apic_decode(POLARITY(override->flags), is_sci);
                        return;
                }
        }
}
