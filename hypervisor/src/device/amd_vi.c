/* SPDX-License-Identifier: BSD-2-Clause */
/* AMD-Vi (AMD I/O Virtualization Technology, 48882). All units share one table of functions. Each
 * entry blocks DMA and interrupts until a function or interrupt is assigned. */
#include "arch/x86/tlb.h"
#include "arch/x86/vectors.h"
#include "device/iommu.h"
#include "device/iommu_driver.h"
#include "device/msi.h"
#include "device/pci.h"
#include "device/remap.h"
#include "firmware/acpi.h"
#include "lib/atomic.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "nova/abi/hip.h"
#include "object/pd.h"
#include "paging_levels.h"
#include "sched/cpu.h"

/* Registers (3.4); the second group is in the third page. */
#define REG_FUNCTIONS  0x00
#define REG_QUEUE      0x08
#define REG_LOG        0x10
#define REG_CONTROL    0x18
#define REG_EXCLUSION  0x20 /* memory that devices reach without translation */
#define HIGH_PAGE      0x2000
#define REG_QUEUE_HEAD 0x00
#define REG_QUEUE_TAIL 0x08
#define REG_LOG_HEAD   0x10
#define REG_LOG_TAIL   0x18
#define REG_STATUS     0x20

#define CONTROL_ON       0x1
#define CONTROL_LOG      0x4
#define CONTROL_LOG_IRQ  0x8
#define CONTROL_QUEUE    0x1000
#define CONTROL_COHERENT 0x400
#define STATUS_OVERFLOW  0x1
#define STATUS_RUNS      0x18                /* log or queue */
#define STATUS_EVENTS    0x7                 /* cleared by writing ones */
#define LENGTH_256       ((uint64_t)8 << 56) /* length of queue and log */

/* Link settings that firmware requests: converts IVHD flags (5.2.2.1) to control register bits. */
#define CONTROL_LINKS(flags) \
        (((flags)&0x1u) << 1 | ((flags)&0x2u) << 7 | ((flags)&0x4u) << 7 | ((flags)&0x8u) << 8)

/* The four words of a function's entry (2.2.2). */
#define ENTRY_WORDS      4
#define ENTRY_VALID      0x3 /* the entry and its translation are valid */
#define ENTRY_LEVELS     9
#define ENTRY_INTERRUPTS 0x1 /* third word: its interrupt fields are valid */
#define INTERRUPTS_256   (8u << 1)
#define INTERRUPTS_PASS  ((uint64_t)1 << 60)
#define INTERRUPTS_REMAP ((uint64_t)2 << 60)
#define INTERRUPTS_TABLE ((uint64_t)0x000fffffffffffc0)
#define BUS_SIZE         (256 * ENTRY_WORDS * 8)

/* Entries of page tables (2.2.3) and of tables of interrupts (2.2.5). */
#define PAGE_PRESENT     0x1
#define PAGE_SNOOPS      ((uint64_t)1 << 60) /* accesses snoop the caches in any case */
#define PAGE_READ        ((uint64_t)1 << 61)
#define PAGE_WRITE       ((uint64_t)1 << 62)
#define NEXT_LEVEL       9
#define LEVELS           4
#define INTERRUPT_ON     0x1
#define INTERRUPT_SILENT 0x2 /* a blocked message is not an event */
#define INTERRUPT_CPU    8
#define INTERRUPT_VECTOR 16

/* Commands (2.4) and events (2.5). */
#define QUEUE_LENGTH          256
#define PENDING_MAX           128
#define COMMAND(code)         ((uint64_t)(code) << 60)
#define WAIT_AND_WRITE        (COMMAND(1) | 1)
#define INVALIDATE_FUNCTION   COMMAND(2)
#define INVALIDATE_PAGES      COMMAND(3)
#define INVALIDATE_INTERRUPTS COMMAND(5)
#define PAGES_DOMAIN          32
#define PAGES_ALL             0x7ffffffffffff003
#define EVENT_CODE(event)     ((unsigned)((event) >> 60))
#define EVENT_PAGE_FAULT      2
#define EVENT_INTERRUPT       ((uint64_t)1 << 51)
#define EVENT_WRITE           ((uint64_t)1 << 53)
#define INTERRUPT_AREA(a)     ((a) >> 20 == 0xfee || (a) >> 24 == 0xfdf8)

#define CAP_MSI    5
#define MSI_ENABLE 0x10000
#define MSI_64     0x800000

#define DOMAINS 256

struct unit {
        volatile char *registers, *high;
        struct spinlock lock; /* protects the queue; no other lock is taken while it is held */
        uint64_t *queue, *log;
        unsigned tail, pending, log_head;
        uint64_t wanted;         /* number of the last wait in the queue */
        volatile uint32_t *done; /* number of the last completed wait; written by the unit */
        uint32_t control;
};

static struct unit units[ACPI_IOMMUS];
static unsigned unit_count;
static uint64_t *functions; /* four words each; words 0 and 1 under the memory space lock, word 2
                             * under remap_lock */
static unsigned function_count;
static const uint64_t *empty; /* the page table of blocked functions */
static struct {
        uint16_t rid;
        bool is_set;
} senders[NOVA_HIP_GSI]; /* under remap_lock */

/* Waits until the unit has done all submitted commands. Returns false if the unit does not
 * answer. */
static bool amd_vi_finish(struct unit *unit);

static bool amd_vi_submit(struct unit *unit, uint64_t low, uint64_t high)
{
        uint64_t *command = &unit->queue[unit->tail * 2];

        command[0] = low;
        command[1] = high;
        atomic_fence();
        unit->tail = (unit->tail + 1) % QUEUE_LENGTH;
        iommu_write(unit->high, REG_QUEUE_TAIL, unit->tail * 16);
        return ++unit->pending < PENDING_MAX || amd_vi_finish(unit);
}

static bool amd_vi_finish(struct unit *unit)
{
        unit->wanted = (uint32_t)unit->wanted + 1;
        unit->pending = 0;
        return amd_vi_submit(unit, WAIT_AND_WRITE | pool_to_phys((const void *)unit->done),
                             unit->wanted) &&
               iommu_wait(unit->done, UINT32_MAX, (uint32_t)unit->wanted);
}

static bool amd_vi_forget(struct unit *unit, unsigned domain)
{
        return amd_vi_submit(unit, INVALIDATE_PAGES | (uint64_t)domain << PAGES_DOMAIN, PAGES_ALL);
}

/* Flushes translations. amd_vi_attach() has already submitted the flush of a PCI function's
 * attachment; amd_vi_flush() only waits for it. */
static indirect_target void amd_vi_flush(unsigned domain, bool more)
{
        (void)more;
        for (unsigned i = 0; i < unit_count; i++) {
                struct unit *unit = &units[i];
                bool done = true;

                spin_lock(&unit->lock);
                if (domain && domain != FLUSH_DMA_ALL)
                        done = amd_vi_forget(unit, domain);
                for (unsigned d = 1; domain == FLUSH_DMA_ALL && d < DOMAINS && done; d++)
                        done = !iommu_domain_is_taken(d) || amd_vi_forget(unit, d);
                if (!done || !amd_vi_finish(unit))
                        iommu_stop();
                spin_unlock(&unit->lock);
        }
}

static void amd_vi_command_all(uint64_t command, bool wait)
{
        for (unsigned i = 0; i < unit_count; i++) {
                spin_lock(&units[i].lock);
                if (!amd_vi_submit(&units[i], command, 0) || (wait && !amd_vi_finish(&units[i])))
                        iommu_stop();
                spin_unlock(&units[i].lock);
        }
}

/* Returns the first word of an entry that admits accesses to the memory of a PD (NULL: no
 * accesses). The valid bits are always set: without them the function would reach all memory. */
static uint64_t amd_vi_first_word(const struct pd *pd)
{
        return pool_to_phys(pd ? pd->dma.root : empty) | ENTRY_VALID | LEVELS << ENTRY_LEVELS |
               (pd ? PAGE_READ | PAGE_WRITE : 0);
}

static indirect_target enum nova_status amd_vi_attach(uint16_t rid, const struct pd *pd)
{
        uint64_t *entry = &functions[(size_t)rid * ENTRY_WORDS];

        if (rid >= function_count)
                return NOVA_BAD_DEV;
        pte_write(entry, amd_vi_first_word(NULL)); /* so that no entry is ever a mixture of two
                                                    * PDs */
        pte_write(entry + 1, pd ? pd->dma.domain : 0);
        if (pd)
                pte_write(entry, amd_vi_first_word(pd));
        amd_vi_command_all(INVALIDATE_FUNCTION | rid, false);
        return NOVA_SUCCESS;
}

/* Returns the function's own table of interrupts, indexed by vector. NULL: no memory. */
static uint32_t *amd_vi_interrupts_of(unsigned rid)
{
        uint64_t *entry = &functions[(size_t)rid * ENTRY_WORDS + 2];

        if (!(*entry & INTERRUPTS_REMAP)) {
                const uint32_t *table = iommu_table();
                if (!table)
                        return NULL;
                /* in one access, because the entry is valid */
                pte_replace(entry, pool_to_phys(table) | ENTRY_INTERRUPTS | INTERRUPTS_256 |
                                           INTERRUPTS_REMAP);
                amd_vi_command_all(INVALIDATE_FUNCTION | rid, false);
        }
        return phys_to_pool(*entry & INTERRUPTS_TABLE);
}

static indirect_target enum nova_status amd_vi_route(unsigned gsi, unsigned rid, unsigned vector,
                                                     unsigned apic_id, bool level)
{
        (void)level; /* the I/O APIC's pin has this setting */
        if (rid >= function_count)
                return NOVA_BAD_DEV;

        uint32_t *table = amd_vi_interrupts_of(rid);
        if (!table)
                return NOVA_OUT_OF_MEMORY;
        if (senders[gsi].is_set && senders[gsi].rid != rid) {
                store_once(amd_vi_interrupts_of(senders[gsi].rid)[vector], 0);
                amd_vi_command_all(INVALIDATE_INTERRUPTS | senders[gsi].rid, false);
        }
        senders[gsi].rid = (uint16_t)rid;
        senders[gsi].is_set = true;
        store_once(table[vector],
                   INTERRUPT_ON | apic_id << INTERRUPT_CPU | vector << INTERRUPT_VECTOR);
        amd_vi_command_all(INVALIDATE_INTERRUPTS | rid, true);
        return NOVA_SUCCESS;
}

static indirect_target void amd_vi_unroute(unsigned gsi, unsigned rid, unsigned vector)
{
        if (!senders[gsi].is_set || senders[gsi].rid != rid)
                return;
        store_once(amd_vi_interrupts_of(rid)[vector], INTERRUPT_SILENT);
        senders[gsi].is_set = false;
}

static indirect_target void amd_vi_forget_routes(unsigned rid, bool wait)
{
        amd_vi_command_all(INVALIDATE_INTERRUPTS | rid, wait);
}

static bool amd_vi_report(uint64_t event, uint64_t address)
{
        enum iommu_fault_kind kind = event & EVENT_WRITE ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ;

        if (EVENT_CODE(event) == EVENT_PAGE_FAULT && event & EVENT_INTERRUPT &&
            INTERRUPT_AREA(address))
                kind = IOMMU_FAULT_INTERRUPT;
        return iommu_report((uint16_t)event, address, kind);
}

/* Resets the log to its first event and, if log is set, starts it. An overflow of events stops the
 * log. */
static void amd_vi_start_log(struct unit *unit, bool log)
{
        const uint32_t off = unit->control & ~(CONTROL_LOG | CONTROL_LOG_IRQ);

        iommu_write(unit->registers, REG_CONTROL, off);
        iommu_write(unit->high, REG_STATUS, STATUS_EVENTS);
        unit->log_head = 0;
        iommu_write_u64(unit->registers, REG_LOG, pool_to_phys(unit->log) | LENGTH_256);
        iommu_write(unit->high, REG_LOG_HEAD, 0);
        iommu_write(unit->high, REG_LOG_TAIL, 0);
        if (log)
                iommu_write(unit->registers, REG_CONTROL, unit->control);
}

/* An event in memory is complete when it has a code. The unit's tail register is not used, because
 * it may be ahead of the events in memory. */
static indirect_target bool amd_vi_read_faults(unsigned number)
{
        struct unit *unit = &units[number];
        const uint32_t status = iommu_read(unit->high, REG_STATUS);
        bool more = true;

        iommu_write(unit->high, REG_STATUS, STATUS_EVENTS & ~STATUS_OVERFLOW);
        for (unsigned n = 0; more && n < QUEUE_LENGTH; n++) {
                volatile uint64_t *event = &unit->log[unit->log_head * 2];
                if (!EVENT_CODE(event[0]))
                        break;
                more = amd_vi_report(event[0], event[1]);
                event[0] = event[1] = 0;
                unit->log_head = (unit->log_head + 1) % QUEUE_LENGTH;
        }
        iommu_write(unit->high, REG_LOG_HEAD, unit->log_head * 16);
        if (status & STATUS_OVERFLOW)
                amd_vi_start_log(unit, !iommu_faults_masked);
        return more && number + 1 < unit_count;
}

static indirect_target bool amd_vi_discard_faults(unsigned number)
{
        memset(units[number].log, 0, PAGE_SIZE);
        return number + 1 < unit_count;
}

static indirect_target void amd_vi_mask_faults(bool mask)
{
        for (unsigned i = 0; i < unit_count; i++)
                amd_vi_start_log(&units[i], !mask);
}

/* Enables the interrupt of the unit's log. The unit is a PCI function that no PD can get. */
static void amd_vi_enable_msi(uint16_t rid)
{
        volatile uint32_t *config = pci_take(rid);
        unsigned at = config ? config[0x34 / 4] & 0xfc : 0;

        if (!msi_reaches(cpu_by_id(cpu_boot_id)))
                return; /* faults are not reported */
        for (unsigned n = 0; n < 48 && at; n++, at = config[at / 4] >> 8 & 0xfc) {
                const uint32_t head = config[at / 4];
                if ((head & 0xff) != CAP_MSI)
                        continue;
                config[at / 4 + 1] = (uint32_t)iommu_msi_address();
                if (head & MSI_64)
                        config[at / 4 + 2] = 0;
                config[at / 4 + (head & MSI_64 ? 3 : 2)] = VECTOR_IOMMU;
                config[at / 4] = (head & ~0x700000u) | MSI_ENABLE; /* a single message */
                return;
        }
}

static bool amd_vi_start(struct unit *unit, const struct acpi_iommu *entry, uint32_t *done)
{
        *unit = (struct unit){
                .registers = iommu_map(entry->phys), .lock = SPINLOCK(LOCK_UNIT), .done = done};
        unit->high = unit->registers ? iommu_map(entry->phys + HIGH_PAGE) : NULL;
        unit->queue = iommu_table();
        unit->log = iommu_table();
        if (!unit->high || !unit->queue || !unit->log || entry->segment)
                return false;
        unit->control = CONTROL_ON | CONTROL_LOG | CONTROL_LOG_IRQ | CONTROL_QUEUE |
                        CONTROL_COHERENT | CONTROL_LINKS(entry->flags);
        iommu_write_u64(unit->registers, REG_CONTROL, 0);
        if (!iommu_wait((volatile uint32_t *)(unit->high + REG_STATUS), STATUS_RUNS, 0))
                return false;
        iommu_write_u64(unit->registers, REG_EXCLUSION, 0);
        iommu_write_u64(unit->registers, REG_FUNCTIONS,
                        pool_to_phys(functions) |
                                (function_count * ENTRY_WORDS * 8 / PAGE_SIZE - 1));
        iommu_write_u64(unit->registers, REG_QUEUE, pool_to_phys(unit->queue) | LENGTH_256);
        iommu_write(unit->high, REG_QUEUE_HEAD, 0);
        iommu_write(unit->high, REG_QUEUE_TAIL, 0);
        if (entry->rid < function_count)
                functions[(size_t)entry->rid * ENTRY_WORDS + 2] |= INTERRUPTS_PASS;
        amd_vi_start_log(unit, true);

        bool done_all = true; /* discard everything that firmware has left */
        for (unsigned i = 0; i < DOMAINS && done_all; i++)
                done_all = amd_vi_forget(unit, i);
        for (unsigned i = 0; i < function_count && done_all; i++)
                done_all = amd_vi_submit(unit, INVALIDATE_FUNCTION | i, 0) &&
                           amd_vi_submit(unit, INVALIDATE_INTERRUPTS | i, 0);
        if (done_all && amd_vi_finish(unit))
                return true;
        iommu_write_u64(unit->registers, REG_CONTROL, 0); /* ignored, so it must block no device */
        return false;
}

/* Makes the table of functions for the buses that exist, with all functions blocked. */
static bool amd_vi_make_functions(void)
{
        unsigned buses = 1, order = 0;

        for (unsigned rid = 0; rid < 0x10000; rid++)
                if (pci_exists((uint16_t)rid))
                        buses = (rid >> 8) + 1;
        while (((unsigned)PAGE_SIZE << order) < buses * BUS_SIZE)
                order++;
        functions = frame_alloc_boot(order);
        empty = iommu_table();
        if (!functions || !empty)
                return false;
        function_count = ((unsigned)PAGE_SIZE << order) / (ENTRY_WORDS * 8);
        for (unsigned i = 0; i < function_count; i++) {
                uint64_t *entry = &functions[(size_t)i * ENTRY_WORDS];
                entry[0] = amd_vi_first_word(NULL);
                entry[1] = entry[3] = 0;
                entry[2] = remap_is_on ? ENTRY_INTERRUPTS : 0;
        }
        return true;
}

static indirect_target unsigned amd_vi_init(void)
{
        uint32_t *waits = iommu_table();

        remap_is_on = remap_knows_io_apics();
        if (!waits || !amd_vi_make_functions())
                return iommu_lacks_memory();
        dma_format.levels = LEVELS;
        dma_format.large = 2;
        dma_format.read = PAGE_READ;
        dma_format.write = PAGE_WRITE;
        dma_format.page = PAGE_PRESENT | PAGE_SNOOPS;
        dma_format.table = dma_format.top_table = PAGE_PRESENT | PAGE_READ | PAGE_WRITE;
        dma_format.table_level = 1u << NEXT_LEVEL;
        for (unsigned i = 0; i < acpi.iommus; i++) {
                if (!amd_vi_start(&units[unit_count], &acpi.iommu[i], &waits[2 * i])) {
                        iommu_ignore(acpi.iommu[i].phys);
                        continue;
                }
                unit_count++;
                amd_vi_enable_msi(acpi.iommu[i].rid);
        }
        remap_is_on &= unit_count > 0;
        return unit_count ? DOMAINS : 0;
}

const struct iommu_driver amd_vi_driver = {
        .init = amd_vi_init,
        .attach = amd_vi_attach,
        .flush = amd_vi_flush,
        .read_faults = amd_vi_read_faults,
        .discard_faults = amd_vi_discard_faults,
        .mask_faults = amd_vi_mask_faults,
        .route = amd_vi_route,
        .unroute = amd_vi_unroute,
        .forget_routes = amd_vi_forget_routes,
};
