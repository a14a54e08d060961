/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel VT-d (Architecture Specification 3.0): legacy mode, queued invalidation. All units of PCI
 * segment 0 share one table of functions. Units of other segments have a table that blocks all
 * devices. */
#include "arch/x86/lapic.h"
#include "arch/x86/pte.h"
#include "arch/x86/tlb.h"
#include "arch/x86/vectors.h"
#include "device/iommu_driver.h"
#include "device/remap.h"
#include "firmware/acpi.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "memory/frame.h"
#include "object/pd.h"
#include "paging_levels.h"

/* Registers (10.4). */
#define REG_CAP        0x08
#define REG_ECAP       0x10
#define REG_COMMAND    0x18
#define REG_STATUS     0x1c
#define REG_ROOT       0x20
#define REG_FAULT      0x34
#define REG_EVENT      0x38
#define REG_EVENT_DATA 0x3c
#define REG_EVENT_MSI  0x40
#define REG_PROTECTED  0x64
#define REG_QUEUE_HEAD 0x80
#define REG_QUEUE_TAIL 0x88
#define REG_QUEUE      0x90
#define REG_INTERRUPTS 0xb8

#define COMMAND_TRANSLATE      ((uint32_t)1 << 31)
#define COMMAND_SET_ROOT       (1u << 30)
#define COMMAND_FLUSH          (1u << 27)
#define COMMAND_QUEUE          (1u << 26)
#define COMMAND_INTERRUPTS     (1u << 25)
#define COMMAND_SET_INTERRUPTS (1u << 24)
#define COMMAND_FAULT_LOG      (1u << 28) /* the unit writes faults to a log in memory */
#define COMMAND_COMPATIBLE     (1u << 23) /* interrupts of the old format pass without remapping */
#define STATUS_LASTING         0x96ffffff /* all bits except the one-time commands */

#define CAP_DOMAINS(cap)   (16u << 2 * ((unsigned)(cap)&7))
#define CAP_FLUSH_BUFFER   ((uint64_t)1 << 4)
#define CAP_PROTECTED      ((uint64_t)3 << 5)
#define CAP_KEEPS_ABSENT   ((uint64_t)1 << 7)
#define CAP_3_LEVELS       ((uint64_t)1 << 9)
#define CAP_4_LEVELS       ((uint64_t)1 << 10)
#define CAP_FAULTS_AT(cap) ((unsigned)((cap) >> 24 & 0x3ff) * 16)
#define CAP_2_MIB          ((uint64_t)1 << 34)
#define CAP_1_GIB          ((uint64_t)1 << 35)
#define CAP_FAULTS(cap)    ((unsigned)((cap) >> 40 & 0xff) + 1)
#define CAP_DRAIN          ((uint64_t)3 << 54)
#define ECAP_COHERENT      0x1
#define ECAP_QUEUE         0x2
#define ECAP_INTERRUPTS    0x8
#define ECAP_X2APIC        0x10
#define ECAP_SNOOP         0x80

#define FAULT_STATUS     0x7f /* cleared by writing ones */
#define FAULT_INDEX(s)   ((s) >> 8 & 0xff)
#define EVENT_MASKED     ((uint32_t)1 << 31)
#define RECORD_SIZE      16
#define RECORD_HIGH      12 /* offset of the last 32 bits */
#define RECORD_VALID     ((uint32_t)1 << 31)
#define RECORD_READ      (1u << 30)
#define RECORD_REASON    0xff
#define REASON_INTERRUPT 0x20 /* 0x20 and above: interrupts; below: memory accesses */

/* Entries of the tables (9.1, 9.3). */
#define ENTRY_PRESENT  0x1
#define CONTEXT_DOMAIN 8
#define PAGE_READ      0x1
#define PAGE_WRITE     0x2
#define PAGE_SNOOP     0x800 /* reserved in units without ECAP_SNOOP */

/* Entries of the table of interrupts (9.10). */
#define INTERRUPTS_SIZE      7     /* 256 entries */
#define INTERRUPTS_X2APIC    0x800 /* destinations have 32 bits */
#define INTERRUPT_SILENT     0x2   /* a blocked message is not a fault */
#define INTERRUPT_LEVEL      0x10
#define INTERRUPT_VECTOR     16
#define INTERRUPT_CPU        40
#define INTERRUPT_CPU_X2APIC 32
#define INTERRUPT_VERIFIED   0x40000 /* the whole requester id is compared */

/* Caches of a unit, other than translations, that can be flushed. */
#define FUNCTIONS  0x1
#define INTERRUPTS 0x2

/* Descriptors of the queue (6.5.2). */
#define QUEUE_LENGTH          256
#define INVALIDATE_CONTEXTS   0x11 /* all */
#define INVALIDATE_ALL        0x12
#define INVALIDATE_DOMAIN     0x22
#define INVALIDATE_DRAIN      0xc0
#define DOMAIN_SHIFT          16
#define INVALIDATE_INTERRUPTS 0x04 /* all */
#define WAIT_AND_WRITE        0x25
#define WAIT_DATA_SHIFT       32

struct unit {
        volatile char *registers, *faults;
        unsigned fault_count;
        uint64_t cap, ecap;
        struct spinlock lock; /* protects the queue; no other lock is taken while it is held */
        uint64_t *queue;
        unsigned tail;
        uint32_t wanted;         /* number of the last wait in the queue */
        volatile uint32_t *done; /* number of the last completed wait; written by the unit */
        paddr_t phys;
        uint16_t segment;
};

static struct unit units[ACPI_IOMMUS];
static unsigned unit_count;
static uint64_t *interrupts; /* by GSI, two words for each; under remap_lock */
static uint64_t *root;       /* two words for each bus; under the memory space lock */

static void vtd_command(struct unit *unit, uint32_t bit)
{
        const uint32_t lasting = iommu_read(unit->registers, REG_STATUS) & STATUS_LASTING;

        iommu_write(unit->registers, REG_COMMAND, lasting | bit);
}

static bool vtd_wait_status(const struct unit *unit, uint32_t mask, uint32_t value)
{
        return iommu_wait((volatile uint32_t *)(unit->registers + REG_STATUS), mask, value);
}

/* Sets or clears a bit of the commands. Returns false if the unit does not answer. */
static bool vtd_switch(struct unit *unit, uint32_t bit, bool on)
{
        const uint32_t lasting = iommu_read(unit->registers, REG_STATUS) & STATUS_LASTING;

        iommu_write(unit->registers, REG_COMMAND, on ? lasting | bit : lasting & ~bit);
        return vtd_wait_status(unit, bit, on ? bit : 0);
}

static void vtd_submit(struct unit *unit, uint64_t low, uint64_t high)
{
        uint64_t *descriptor = &unit->queue[unit->tail * 2];

        descriptor[0] = low;
        descriptor[1] = high;
        dma_sync(descriptor, 2 * sizeof(*descriptor));
        unit->tail = (unit->tail + 1) % QUEUE_LENGTH;
        iommu_write(unit->registers, REG_QUEUE_TAIL, unit->tail * 16);
}

/* Waits until the unit has done all submitted commands. Returns false if the unit does not
 * answer. */
static bool vtd_finish(struct unit *unit)
{
        unit->wanted++;
        vtd_submit(unit, WAIT_AND_WRITE | (uint64_t)unit->wanted << WAIT_DATA_SHIFT,
                   pool_to_phys((const void *)unit->done));
        return iommu_wait(unit->done, UINT32_MAX, unit->wanted);
}

/* Makes a unit see changes of the tables: flushes the translations of a domain, and the caches in
 * `more` (FUNCTIONS, INTERRUPTS). */
static bool vtd_forget(struct unit *unit, unsigned domain, unsigned more)
{
        const uint64_t drain = unit->cap & CAP_DRAIN ? INVALIDATE_DRAIN : 0;
        bool done = true;

        spin_lock(&unit->lock);
        if (unit->cap & CAP_FLUSH_BUFFER) {
                vtd_command(unit, COMMAND_FLUSH);
                done = vtd_wait_status(unit, COMMAND_FLUSH, 0);
        }
        if (more & FUNCTIONS) {
                /* Contexts first: with an old context, a unit could cache old pages again. */
                vtd_submit(unit, INVALIDATE_CONTEXTS, 0);
                done = vtd_finish(unit) && done;
        }
        if (more & INTERRUPTS)
                vtd_submit(unit, INVALIDATE_INTERRUPTS, 0);
        if (domain == FLUSH_DMA_ALL)
                vtd_submit(unit, INVALIDATE_ALL | drain, 0);
        else if (domain)
                vtd_submit(unit, INVALIDATE_DOMAIN | drain | (uint64_t)domain << DOMAIN_SHIFT, 0);
        done = vtd_finish(unit) && done;
        spin_unlock(&unit->lock);
        return done;
}

static void vtd_forget_all(unsigned domain, unsigned more)
{
        atomic_fence();
        for (unsigned i = 0; i < unit_count; i++)
                if (!vtd_forget(&units[i], domain, more))
                        iommu_stop();
}

static indirect_target void vtd_flush(unsigned domain, bool functions)
{
        vtd_forget_all(domain, !functions ? 0 : remap_is_on ? FUNCTIONS | INTERRUPTS : FUNCTIONS);
}

/* Returns the table of a bus's functions, two words each. NULL: no memory. */
static uint64_t *vtd_bus_table(unsigned bus)
{
        uint64_t *entry = &root[bus * 2];

        if (!*entry) {
                uint64_t *table = iommu_table();
                if (!table)
                        return NULL;
                pte_write(entry, pool_to_phys(table) | ENTRY_PRESENT);
                dma_sync(entry, sizeof(*entry));
        }
        return phys_to_pool(*entry & PTE_ADDRESS);
}

static indirect_target enum nova_status vtd_attach(uint16_t rid, const struct pd *pd)
{
        uint64_t *table = vtd_bus_table(rid >> 8);

        if (!table)
                return NOVA_OUT_OF_MEMORY;

        uint64_t *entry = &table[(rid & 0xff) * 2];
        pte_write(entry, 0); /* an entry must never mix the words of two PDs */
        dma_sync(entry, 2 * sizeof(*entry));
        if (pd) {
                pte_write(entry + 1, (dma_format.levels - 2) | pd->dma.domain << CONTEXT_DOMAIN);
                pte_write(entry, pool_to_phys(pd->dma.root) | ENTRY_PRESENT);
                dma_sync(entry, 2 * sizeof(*entry));
        }
        return NOVA_SUCCESS;
}

/* Writes the lower word last, by one store. An interrupt that arrives meanwhile then goes either to
 * the old CPU or to the new one. */
static indirect_target enum nova_status vtd_route(unsigned gsi, unsigned rid, unsigned vector,
                                                  unsigned apic_id, bool level)
{
        uint64_t *entry = &interrupts[gsi * 2];

        const uint64_t cpu = (uint64_t)apic_id
                             << (lapic_x2apic ? INTERRUPT_CPU_X2APIC : INTERRUPT_CPU);

        pte_write(entry + 1, rid == REMAP_ANYBODY ? 0 : rid | INTERRUPT_VERIFIED);
        pte_write(entry,
                  ENTRY_PRESENT | (level ? INTERRUPT_LEVEL : 0) | vector << INTERRUPT_VECTOR | cpu);
        dma_sync(entry, 2 * sizeof(*entry));
        vtd_forget_all(0, INTERRUPTS);
        return NOVA_SUCCESS;
}

static indirect_target void vtd_unroute(unsigned gsi, unsigned rid, unsigned vector)
{
        uint64_t *entry = &interrupts[gsi * 2];

        (void)rid, (void)vector;
        pte_write(entry, INTERRUPT_SILENT);
        dma_sync(entry, 2 * sizeof(*entry));
}

static indirect_target void vtd_forget_routes(unsigned rid, bool wait)
{
        (void)rid;
        if (wait)
                vtd_forget_all(0, INTERRUPTS);
}

static bool vtd_read_record(volatile char *record)
{
        const uint32_t high = iommu_read(record, RECORD_HIGH);
        const uint16_t rid = (uint16_t)iommu_read(record, 8);
        const uint64_t address = iommu_read_u64(record, 0);

        iommu_write(record, RECORD_HIGH, RECORD_VALID); /* this clears the record */
        if ((high & RECORD_REASON) >= REASON_INTERRUPT)
                return iommu_report(rid, address >> 48, IOMMU_FAULT_INTERRUPT);
        return iommu_report(rid, address,
                            high & RECORD_READ ? IOMMU_FAULT_READ : IOMMU_FAULT_WRITE);
}

static indirect_target bool vtd_read_faults(unsigned number)
{
        const struct unit *unit = &units[number];
        const uint32_t status = iommu_read(unit->registers, REG_FAULT);
        unsigned at = FAULT_INDEX(status);
        bool more = true;

        for (unsigned n = 0; more && n < unit->fault_count && at < unit->fault_count; n++) {
                volatile char *record = unit->faults + at * RECORD_SIZE;
                if (!(iommu_read(record, RECORD_HIGH) & RECORD_VALID))
                        break;
                more = vtd_read_record(record);
                at = (at + 1) % unit->fault_count;
        }
        iommu_write(unit->registers, REG_FAULT, status & FAULT_STATUS);
        return more && number + 1 < unit_count;
}

static void vtd_clear_faults(const struct unit *unit)
{
        for (unsigned i = 0; i < unit->fault_count; i++)
                iommu_write(unit->faults, i * RECORD_SIZE + RECORD_HIGH, RECORD_VALID);
        iommu_write(unit->registers, REG_FAULT, FAULT_STATUS);
}

static indirect_target bool vtd_discard_faults(unsigned number)
{
        vtd_clear_faults(&units[number]);
        return number + 1 < unit_count;
}

static indirect_target void vtd_mask_faults(bool mask)
{
        for (unsigned i = 0; i < unit_count; i++)
                iommu_write(units[i].registers, REG_EVENT, mask ? EVENT_MASKED : 0);
}

/* Reads a unit's capabilities. Returns true if the kernel can use the unit. */
static bool vtd_find_unit(const struct acpi_iommu *entry, struct unit *unit, uint32_t *done)
{
        volatile char *registers = iommu_map(entry->phys);

        if (!registers)
                return false;
        *unit = (struct unit){.registers = registers,
                              .lock = SPINLOCK(LOCK_UNIT),
                              .faults = registers,
                              .cap = iommu_read_u64(registers, REG_CAP),
                              .ecap = iommu_read_u64(registers, REG_ECAP),
                              .done = done,
                              .phys = entry->phys,
                              .segment = entry->segment};
        if (!(unit->ecap & ECAP_QUEUE) || !(unit->cap & (CAP_3_LEVELS | CAP_4_LEVELS)))
                return false;

        unsigned at = CAP_FAULTS_AT(unit->cap);
        if (at >= PAGE_SIZE)
                unit->faults = iommu_map(entry->phys + (at & ~(PAGE_SIZE - 1)));
        at %= PAGE_SIZE;
        if (!unit->faults)
                return false;
        unit->faults += at;
        unit->fault_count =
                (unsigned)min_word(CAP_FAULTS(unit->cap), (PAGE_SIZE - at) / RECORD_SIZE);
        return true;
}

/* Chooses a table format that all units support. If there is none, the units that do not support
 * the chosen format block everything. */
static void vtd_choose_format(unsigned found)
{
        uint64_t cap = ~(uint64_t)0, ecap = ~(uint64_t)0;

        dma_format.read = PAGE_READ;
        dma_format.write = PAGE_WRITE;
        dma_format.table = dma_format.top_table = PAGE_READ | PAGE_WRITE;
        dma_format.incoherent = false;
        for (unsigned i = 0; i < found; i++) {
                cap &= units[i].cap;
                ecap &= units[i].ecap;
                dma_format.incoherent |= !(units[i].ecap & ECAP_COHERENT);
                dma_format.keeps_absent |= !!(units[i].cap & (CAP_KEEPS_ABSENT | CAP_FLUSH_BUFFER));
        }
        /* Makes accesses snoop the caches: otherwise a device could bypass the caches and read data
         * of a page's former owner. */
        dma_format.page = ecap & ECAP_SNOOP ? PAGE_SNOOP : 0;
        dma_format.levels = cap & CAP_4_LEVELS ? 4 : 3;
        dma_format.large = cap & CAP_2_MIB ? cap & CAP_1_GIB ? 2 : 1 : 0;
}

/* Returns true if all units can remap interrupts. Remapping is enabled in all units or in none: a
 * unit without it would take the messages that name a GSI for messages that name a vector. */
static bool vtd_can_remap(unsigned found)
{
        bool can = found && acpi.remaps && remap_knows_io_apics() && !iommu_lacks_units();

        for (unsigned i = 0; i < found; i++)
                can &= units[i].ecap & ECAP_INTERRUPTS &&
                       (!lapic_x2apic || units[i].ecap & ECAP_X2APIC);
        return can;
}

/* Enables remapping. After this, the unit delivers only interrupts with an entry in the table. */
static bool vtd_start_interrupts(struct unit *unit)
{
        iommu_write_u64(unit->registers, REG_INTERRUPTS,
                        pool_to_phys(interrupts) | INTERRUPTS_SIZE |
                                (lapic_x2apic ? INTERRUPTS_X2APIC : 0));
        return vtd_switch(unit, COMMAND_SET_INTERRUPTS, true) && vtd_forget(unit, 0, INTERRUPTS) &&
               vtd_switch(unit, COMMAND_INTERRUPTS, true);
}

/* Disables everything that firmware or an earlier kernel has left enabled, one bit at a time (VT-d
 * 10.4.4). First clears the faults, because a unit executes no queue while an error of the queue is
 * recorded. */
static bool vtd_reset(struct unit *unit)
{
        volatile char *registers = unit->registers;

        vtd_clear_faults(unit);
        if (!vtd_switch(unit, COMMAND_TRANSLATE, false) ||
            !vtd_switch(unit, COMMAND_INTERRUPTS, false))
                return false;
        if (iommu_read(registers, REG_STATUS) & COMMAND_QUEUE)
                iommu_wait((volatile uint32_t *)(registers + REG_QUEUE_HEAD), UINT32_MAX,
                           iommu_read(registers, REG_QUEUE_TAIL));
        return vtd_switch(unit, COMMAND_QUEUE, false) &&
               vtd_switch(unit, COMMAND_COMPATIBLE, false) &&
               vtd_switch(unit, COMMAND_FAULT_LOG, false);
}

/* Starts the unit's queue, and discards everything that the unit has cached. */
static bool vtd_start_queue(struct unit *unit, const uint64_t *table)
{
        volatile char *registers = unit->registers;

        iommu_write_u64(registers, REG_ROOT, pool_to_phys(table));
        if (!vtd_switch(unit, COMMAND_SET_ROOT, true))
                return false;
        iommu_write(registers, REG_QUEUE_TAIL, 0);
        iommu_write_u64(registers, REG_QUEUE, pool_to_phys(unit->queue));
        return vtd_switch(unit, COMMAND_QUEUE, true) &&
               vtd_forget(unit, FLUSH_DMA_ALL, FUNCTIONS | INTERRUPTS);
}

/* Enables a unit and removes everything that firmware has left in it. Firmware may have protected
 * ranges of memory. This protection ends when the unit translates. */
static bool vtd_start(struct unit *unit, const uint64_t *table)
{
        volatile char *registers = unit->registers;

        unit->queue = iommu_table();
        if (!unit->queue || !vtd_reset(unit) || !vtd_start_queue(unit, table) ||
            (remap_is_on && !vtd_start_interrupts(unit)))
                return false;
        iommu_write(registers, REG_EVENT_DATA, VECTOR_IOMMU);
        iommu_write_u64(registers, REG_EVENT_MSI, iommu_msi_address());
        iommu_write(registers, REG_EVENT, 0);
        if (!vtd_switch(unit, COMMAND_TRANSLATE, true))
                return false;
        if (unit->cap & CAP_PROTECTED)
                iommu_write(registers, REG_PROTECTED, 0);
        return true;
}

/* Disables remapping in all units. The units that did not start may have enabled it. */
static void vtd_stop_interrupts(unsigned found)
{
        for (unsigned i = 0; i < found; i++)
                vtd_switch(&units[i], COMMAND_INTERRUPTS, false);
        remap_is_on = remap_by_index = false;
}

/* Starts the units that were found, and moves the started units to the front of the array. Returns
 * the number of domains that all units support. */
static unsigned vtd_start_units(unsigned found, const uint64_t *empty)
{
        unsigned known = UINT32_MAX;

        remap_is_on = remap_by_index = vtd_can_remap(found);
        for (unsigned i = 0; i < found; i++) {
                struct unit unit = units[i];
                const bool started = vtd_start(&unit, unit.segment ? empty : root);

                known = (unsigned)min_word(known, CAP_DOMAINS(unit.cap));
                if (!started)
                        iommu_ignore(unit.phys);
                units[i] = started ? units[unit_count] : unit;
                if (started)
                        units[unit_count++] = unit;
        }
        if (remap_is_on && unit_count < found)
                vtd_stop_interrupts(found);
        return known;
}

static indirect_target unsigned vtd_init(void)
{
        unsigned found = 0;

        unit_count = 0;
        dma_format.incoherent = true; /* until the units' coherency is known */
        root = iommu_table();
        uint32_t *waits = iommu_table();
        interrupts = iommu_table();
        const uint64_t *empty = iommu_table();
        if (!root || !waits || !interrupts || !empty)
                return iommu_lacks_memory();
        for (unsigned i = 0; i < acpi.iommus; i++) {
                if (vtd_find_unit(&acpi.iommu[i], &units[found], &waits[i]))
                        found++;
                else
                        iommu_ignore(acpi.iommu[i].phys);
        }
        vtd_choose_format(found);

        const unsigned known = vtd_start_units(found, empty);
        return unit_count ? known : 0;
}

const struct iommu_driver vtd_driver = {
        .init = vtd_init,
        .attach = vtd_attach,
        .flush = vtd_flush,
        .read_faults = vtd_read_faults,
        .discard_faults = vtd_discard_faults,
        .mask_faults = vtd_mask_faults,
        .route = vtd_route,
        .unroute = vtd_unroute,
        .forget_routes = vtd_forget_routes,
};
