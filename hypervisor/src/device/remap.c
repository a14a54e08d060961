/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt remapping: senders and floods (see remap.h). */
#include "device/remap.h"

#include "arch/x86/insn.h"
#include "arch/x86/vectors.h"
#include "device/flood.h"
#include "device/iommu_driver.h"
#include "device/pci.h"
#include "firmware/acpi.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/spinlock.h"
#include "nova/abi/hip.h"
#include "sched/cpu.h"

/* If the GSIs of all functions together arrive FLOOD_CPU_COUNT times within FLOOD_MS at one CPU,
 * the kernel stops all GSIs of the last sender, which may have spread a flood over them. */
#define FLOOD_CPU_COUNT 4000

bool remap_is_on, remap_by_index;
unsigned remap_stopped;

static uint16_t rids[ACPI_SOURCES]; /* requester ids of the entries in acpi.source */

/* Protects the entries of the units' tables and the next array. Taken after the memory space lock
 * and before the units' own locks. */
static struct spinlock remap_lock = SPINLOCK(LOCK_REMAP);
static struct message {
        unsigned sender;  /* function, with REMAP_FUNCTION; 0: no function sends this GSI */
        unsigned apic_id; /* local APIC of the target CPU */
        struct rate rate;
        uint64_t resume;         /* TSC at which a stopped GSI is resumed */
        const struct cpu *timer; /* CPU that resumes the GSI; NULL: the GSI is not stopped */
} messages[NOVA_HIP_GSI];

/* Rates of all functions' messages together, one per CPU. Each CPU uses only its own rate. */
static struct {
        struct rate rate;
} __attribute__((aligned(64))) arrivals[NOVA_CPU_MAX];

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

/* Marks a GSI as not stopped. The caller holds the lock. */
static void remap_end_stop(struct message *message)
{
        if (!message->timer)
                return;
        store_once(message->timer, NULL);
        remap_stopped--;
}

static enum nova_status remap_set_route(unsigned gsi, unsigned sender, unsigned apic_id, bool level)
{
        return iommu_driver->route(gsi, sender & ~(unsigned)REMAP_FUNCTION, VECTOR_GSI + gsi,
                                   apic_id, level);
}

enum nova_status remap_route(unsigned gsi, unsigned sender, const struct cpu *cpu, bool level)
{
        struct message *message = &messages[gsi];
        enum nova_status status = NOVA_SUCCESS;

        if (!remap_is_on)
                return NOVA_SUCCESS;
        spin_lock(&remap_lock);
        /* a stopped sender stays stopped for its full time, even if it is routed again */
        const bool stays = message->timer && message->sender == sender;
        if (!stays)
                status = remap_set_route(gsi, sender, cpu->arch.apic_id, level);
        if (status == NOVA_SUCCESS) {
                if (!stays)
                        remap_end_stop(message);
                message->sender = sender & REMAP_FUNCTION ? sender : 0;
                message->apic_id = cpu->arch.apic_id;
        }
        spin_unlock(&remap_lock);
        return status;
}

void remap_forget(uint16_t rid)
{
        bool had_routes = false;

        if (!remap_is_on)
                return;
        spin_lock(&remap_lock);
        for (unsigned gsi = 0; gsi < NOVA_HIP_GSI; gsi++) {
                struct message *message = &messages[gsi];
                if (message->sender != (REMAP_FUNCTION | rid))
                        continue;
                remap_end_stop(message);
                message->sender = 0;
                iommu_driver->unroute(gsi, rid, VECTOR_GSI + gsi);
                had_routes = true;
        }
        if (had_routes)
                iommu_driver->forget_routes(rid, false);
        spin_unlock(&remap_lock);
}

/* Stops a GSI of function rid. The caller holds the lock. */
static void remap_begin_stop(unsigned gsi, unsigned rid, const struct cpu *cpu, uint64_t resume)
{
        struct message *message = &messages[gsi];

        iommu_driver->unroute(gsi, rid, VECTOR_GSI + gsi);
        message->resume = resume;
        store_once(message->timer, cpu);
        remap_stopped++;
}

/* Stops a GSI or, if its function floods the CPU with several, all GSIs of the function. */
static uint64_t remap_stop(unsigned gsi, const struct cpu *cpu, bool whole_function)
{
        uint64_t resume = 0;

        spin_lock(&remap_lock);
        const unsigned sender = messages[gsi].sender;
        const unsigned rid = sender & ~(unsigned)REMAP_FUNCTION;
        if (sender && !messages[gsi].timer) {
                resume = flood_end();
                for (unsigned i = 0; whole_function && i < NOVA_HIP_GSI; i++)
                        if (i != gsi && messages[i].sender == sender && !messages[i].timer)
                                remap_begin_stop(i, rid, cpu, resume);
                remap_begin_stop(gsi, rid, cpu, resume);
                iommu_driver->forget_routes(rid, true);
        }
        spin_unlock(&remap_lock);
        return resume;
}

uint64_t remap_count(unsigned gsi, const struct cpu *cpu)
{
        struct message *message = &messages[gsi];

        if (likely(!message->sender))
                return 0;
        if (unlikely(flood_count(&arrivals[cpu->id].rate, FLOOD_CPU_COUNT)))
                return remap_stop(gsi, cpu, true);
        if (unlikely(flood_count(&message->rate, FLOOD_COUNT)))
                return remap_stop(gsi, cpu, false);
        return 0;
}

bool remap_resume(unsigned gsi, const struct cpu *cpu, uint64_t *next)
{
        struct message *message = &messages[gsi];
        bool resumed = false;

        if (load_once(message->timer) != cpu)
                return false;
        spin_lock(&remap_lock);
        if (message->timer == cpu && rdtsc() >= message->resume) {
                /* This does not fail: the unit knows the function, and the table exists. If it did
                 * fail, the function would have no interrupts until it is routed again. The
                 * semaphore gets its up in any case, so that the driver checks the device. */
                const enum nova_status status =
                        remap_set_route(gsi, message->sender, message->apic_id, false);
                assert(status == NOVA_SUCCESS);
                (void)status;
                resumed = true;
                remap_end_stop(message);
        } else if (message->timer == cpu && message->resume < *next) {
                *next = message->resume;
        }
        spin_unlock(&remap_lock);
        return resumed;
}
