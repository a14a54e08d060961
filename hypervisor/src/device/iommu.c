/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O MMUs: assigned functions, domains and reports, for VT-d and AMD-Vi (see iommu.h). */
#include "device/iommu.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/calibrate.h"
#include "arch/x86/insn.h"
#include "arch/x86/tlb.h"
#include "device/iommu_driver.h"
#include "device/remap.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/console.h"
#include "lib/spinlock.h"
#include "lib/stop.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "object/pd.h"
#include "sched/cpu.h"

#define FUNCTIONS_MAX      256 /* maximum number of functions assigned at the same time */
#define RELEASE_STEP       8   /* functions that one step blocks, with interrupts off */
#define DOMAINS_MAX        256
#define REPORTS_PER_SECOND 4
#define MSI_ADDRESS        0xfee00000
#define MSI_CPU_SHIFT      12

bool iommu_faults_masked;

const struct iommu_driver *iommu_driver;

/* Assigned functions and domains, under the memory space lock. */
static struct {
        struct pd *pd; /* NULL: free */
        uint16_t rid;
} functions[FUNCTIONS_MAX];
static bool domain_taken[DOMAINS_MAX];
static unsigned domains;                 /* number of domains that the units support */
static uint32_t departures[DOMAINS_MAX]; /* number of functions that have left a domain */

/* Protects the next variables, and the units' fault records. */
static struct spinlock report_lock = SPINLOCK(LOCK_REPORT);
static uint64_t reports_since; /* TSC */
static unsigned reports;       /* number of reports since reports_since */
static unsigned discarded;     /* number of units with discarded records since faults were masked */

/* True if there may be a unit that the kernel ignores or does not know. The kernel cannot find out
 * which functions such a unit serves, so no device can be assigned. */
static bool some_ignored;

volatile char *iommu_map(paddr_t phys)
{
        volatile char *registers = NULL;

        if (phys && !(phys & (PAGE_SIZE - 1)) && !memory_map_is_ram(phys, PAGE_SIZE) &&
            !memory_map_is_taken(phys, PAGE_SIZE))
                registers = boot_paging_map_device(phys);
        if (!registers || iommu_read(registers, 0) == UINT32_MAX)
                return NULL;
        memory_map_take(phys, PAGE_SIZE, true);
        return registers;
}

void iommu_ignore(paddr_t phys)
{
        some_ignored = true;
        console_print("NOVA: the I/O MMU at 0x%llx cannot be used and is ignored; its devices are "
                      "not blocked.\n",
                      (unsigned long long)phys);
}

unsigned iommu_lacks_memory(void)
{
        console_print("NOVA: no memory is left for the tables of the I/O MMU, so devices are not "
                      "blocked: use a larger kmem=.\n");
        return 0;
}

bool iommu_lacks_units(void)
{
        return some_ignored;
}

void *iommu_table(void)
{
        if (!account_charge(&account_root, PAGE_SIZE))
                return NULL;

        void *table = frame_alloc_zeroed();
        if (table)
                dma_sync(table, PAGE_SIZE);
        else
                account_return(&account_root, PAGE_SIZE);
        return table;
}

bool iommu_wait(const volatile uint32_t *at, uint32_t mask, uint32_t value)
{
        const uint64_t begin = rdtsc();

        while ((*at & mask) != value) {
                if (rdtsc() - begin > (uint64_t)tsc_khz * 1000)
                        return false;
                pause();
        }
        return true;
}

_Noreturn void iommu_stop(void)
{
        kernel_stop("an I/O MMU does not answer, so devices may reach all memory: start with "
                    "noiommu to accept this risk");
}

uint64_t iommu_msi_address(void)
{
        const uint32_t apic_id = cpu_by_id(cpu_boot_id)->arch.apic_id;

        return (uint64_t)(apic_id & ~0xffu) << 32 | MSI_ADDRESS | (apic_id & 0xff) << MSI_CPU_SHIFT;
}

static indirect_target void iommu_flush(unsigned domain)
{
        iommu_driver->flush(domain, false);
}

bool iommu_domain_is_taken(unsigned domain)
{
        return load_once(domain_taken[domain]);
}

/* Gives a PD a domain, its number in the units, unless the PD has one. Returns false if no domain
 * is left. */
static bool iommu_take_domain(struct pd *pd)
{
        for (unsigned i = 1; !pd->dma.domain && i < domains; i++) {
                if (domain_taken[i])
                        continue;
                domain_taken[i] = true;
                pd->dma.domain = (uint16_t)i;
        }
        return pd->dma.domain;
}

static bool iommu_has_functions(const struct pd *pd)
{
        for (unsigned i = 0; i < FUNCTIONS_MAX; i++)
                if (functions[i].pd == pd)
                        return true;
        return false;
}

/* Frees the domain of a PD if the PD has no function. No unit may have translations of a free
 * domain. So the CPU that removed the last function frees the domain, after it has flushed the
 * units. departed: value of departures[domain] when this CPU removed a function. pd is borrowed and
 * may have ended. */
static void iommu_give_domain_back(struct pd *pd, unsigned domain, uint32_t departed)
{
        spin_lock(&space_lock[NOVA_CRD_MEM]);
        if (pd->dma.domain == domain && departures[domain] == departed &&
            !iommu_has_functions(pd)) {
                pd->dma.domain = 0;
                domain_taken[domain] = false;
        }
        spin_unlock(&space_lock[NOVA_CRD_MEM]);
}

/* Blocks up to RELEASE_STEP functions of a PD. Returns true if none is left. */
static bool iommu_block_step(const struct pd *pd)
{
        unsigned blocked = 0;

        for (unsigned i = 0; i < FUNCTIONS_MAX; i++) {
                if (functions[i].pd != pd)
                        continue;
                if (++blocked > RELEASE_STEP)
                        return false;
                remap_forget(functions[i].rid);
                iommu_driver->attach(functions[i].rid, NULL);
                functions[i].pd = NULL;
                departures[pd->dma.domain]++;
        }
        return true;
}

/* Does a step of blocking all functions of a PD that ends. After the last step and a flush of the
 * units, the PD's domain is free. Returns true if no function is left. */
static indirect_target bool iommu_release(struct pd *pd)
{
        spin_lock(&space_lock[NOVA_CRD_MEM]);
        const unsigned domain = pd->dma.domain;
        const bool all = !domain || iommu_block_step(pd);
        const uint32_t departed = departures[domain];
        spin_unlock(&space_lock[NOVA_CRD_MEM]);
        if (domain)
                iommu_driver->flush(domain, true);
        if (domain && all)
                iommu_give_domain_back(pd, domain, departed);
        return all;
}

/* Returns the place of a function, or else a free place; FUNCTIONS_MAX: there is none. */
static unsigned iommu_find_place(uint16_t rid)
{
        unsigned place = FUNCTIONS_MAX;

        for (unsigned i = FUNCTIONS_MAX; i--;) {
                if (functions[i].pd && functions[i].rid == rid)
                        return i;
                if (!functions[i].pd)
                        place = i;
        }
        return place;
}

/* Work of an assignment that is done after the lock was released. */
struct after {
        struct pd *loser;  /* PD that may no longer need its domain; NULL: none */
        unsigned domain;   /* domain of loser */
        uint32_t departed; /* value of departures[domain] */
};

/* Assigns a function. The caller holds the memory space lock. */
static enum nova_status iommu_assign_locked(struct pd *pd, uint16_t rid, struct after *after)
{
        const unsigned place = iommu_find_place(rid);

        if (load_once(pd->object.dead))
                return NOVA_BAD_CAP;
        if (some_ignored)
                return NOVA_BAD_DEV;
        const bool had_domain = pd->dma.domain;
        if (place == FUNCTIONS_MAX || !second_level_create(pd, SECOND_LEVEL_DMA) ||
            !iommu_take_domain(pd))
                return NOVA_OUT_OF_MEMORY;

        const enum nova_status status = iommu_driver->attach(rid, pd);
        after->loser = status == NOVA_SUCCESS ? functions[place].pd : had_domain ? NULL : pd;
        if (status == NOVA_SUCCESS) {
                if (after->loser != pd)
                        remap_forget(rid);
                functions[place].pd = pd;
                functions[place].rid = rid;
        }
        if (after->loser) {
                after->domain = after->loser->dma.domain;
                after->departed = ++departures[after->domain];
        }
        return status;
}

enum nova_status iommu_assign(struct pd *pd, uint16_t rid)
{
        struct after after = {NULL, 0, 0};

        spin_lock(&space_lock[NOVA_CRD_MEM]);
        const enum nova_status status = iommu_assign_locked(pd, rid, &after);
        spin_unlock(&space_lock[NOVA_CRD_MEM]);
        if (status == NOVA_SUCCESS)
                iommu_driver->flush(after.loser               ? after.domain
                                    : dma_format.keeps_absent ? FLUSH_DMA_ALL
                                                              : 0,
                                    true);
        if (after.loser)
                iommu_give_domain_back(after.loser, after.domain, after.departed);
        return status;
}

static bool iommu_second_has_passed(void)
{
        return rdtsc() - reports_since > (uint64_t)tsc_khz * 1000;
}

bool iommu_report(uint16_t rid, uint64_t address, enum iommu_fault_kind kind)
{
        static const char *const what[] = {"read", "write"};

        if (iommu_second_has_passed()) {
                reports_since = rdtsc();
                reports = 0;
        }
        if (reports > REPORTS_PER_SECOND)
                return false;
        if (reports++ == REPORTS_PER_SECOND)
                console_print("NOVA: more faults of devices follow and are not reported.\n");
        else if (kind == IOMMU_FAULT_INTERRUPT)
                console_print("NOVA: the I/O MMU stopped an interrupt of device %02x:%02x.%x, "
                              "number 0x%llx.\n",
                              rid >> 8, rid >> 3 & 31, rid & 7, (unsigned long long)address);
        else
                console_print("NOVA: the I/O MMU stopped device %02x:%02x.%x at address 0x%llx, "
                              "%s.\n",
                              rid >> 8, rid >> 3 & 31, rid & 7,
                              (unsigned long long)address & ~(PAGE_SIZE - 1ull), what[kind]);
        return reports <= REPORTS_PER_SECOND;
}

void iommu_fault(void)
{
        spin_lock(&report_lock);
        for (unsigned i = 0; iommu_is_on() && iommu_driver->read_faults(i); i++)
                ;
        if (reports > REPORTS_PER_SECOND && !iommu_faults_masked) {
                iommu_driver->mask_faults(true);
                iommu_faults_masked = true;
                discarded = 0;
        }
        spin_unlock(&report_lock);
}

void iommu_unmask(void)
{
        spin_lock(&report_lock);
        const bool last = iommu_faults_masked && iommu_second_has_passed() &&
                          !iommu_driver->discard_faults(discarded++);
        if (last) {
                iommu_faults_masked = false;
                iommu_driver->mask_faults(false);
                reports = 0;
        }
        spin_unlock(&report_lock);
        if (last)
                iommu_fault(); /* a unit sends no interrupt while it has a record */
}

void iommu_init(void)
{
        if (!acpi.iommus)
                return;
        if (cmdline.no_iommu) {
                console_print("NOVA: the I/O MMU is left off, as the command line says.\n");
                return;
        }
        some_ignored = acpi.iommus_lost;
        if (acpi.iommus_lost)
                console_print("NOVA: ACPI may name more I/O MMUs than the kernel has found; no "
                              "device can be assigned.\n");
        iommu_driver = acpi.iommus_amd ? &amd_vi_driver : &vtd_driver;
        dma_format.flush = iommu_flush;
        dma_format.release = iommu_release;
        remap_init();
        domains = iommu_driver->init();
        if (domains > DOMAINS_MAX)
                domains = DOMAINS_MAX;
        if (!domains) {
                dma_format.levels = 0;
                remap_is_on = remap_by_index = false;
        } else {
                console_print("NOVA: an I/O MMU blocks devices that are not assigned%s.\n",
                              remap_is_on ? "" : ", but cannot keep them from forging interrupts");
        }
}
