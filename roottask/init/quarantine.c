/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of drivers that have ended. Without an I/O MMU the drivers' devices may still write into
 * the memory, so no program gets it until the service pci has reported that the devices are quiet.
 * init never waits for the service: if no report comes, the memory stays in quarantine. */
#include "init.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/parent.h"
#include "novart/selector.h"
#include "novart/time.h"

#define BLOCKS_MAX 64

/* Time in ns that a restart waits for the memory. A reset takes less time if the function
 * answers. */
#define WAIT_NS UINT64_C(2000000000)

_Static_assert(NOVA_SYSTEM_DEVICES_MAX <= 32, "a bit for each device");

static struct block {
        const struct program *program; /* NULL: free */
        void *page;
        unsigned order;
        uint32_t loud;       /* bit n: device n may still access the block */
        uint32_t unanswered; /* bit n: the service has not reported on device n yet */
        uint64_t until;      /* time in ns since boot at which the program starts in any case */
} blocks[BLOCKS_MAX];
static struct nova_mutex mutex; /* protects the blocks and the semaphore */
static nova_sel_t watch;        /* first of the selectors; 0: none */

static uint32_t devices_of(const struct program *program)
{
        uint32_t devices = 0;

        for (unsigned i = 0; i < init.system.devices; i++)
                if (nova_system_is_pci(&init.system.device[i]) &&
                    grants_list_has(program->says->devices, init.system.device[i].name))
                        devices |= 1u << i;
        return devices;
}

/* If all records of blocks are in use, no program ever gets this block again. */
bool quarantine_keep(struct program *program, void *page, unsigned order)
{
        const uint32_t devices = devices_of(program);
        unsigned i = 0;

        if (!devices || pci_has_iommu())
                return false;
        nova_mutex_lock(&mutex);
        while (i < BLOCKS_MAX && blocks[i].program)
                i++;
        if (i < BLOCKS_MAX)
                blocks[i] = (struct block){program, page,    order,
                                           devices, devices, nova_time_ns() + WAIT_NS};
        if (watch)
                nova_sm_up(watch);
        nova_mutex_unlock(&mutex);
        return true;
}

void quarantine_report(unsigned device, bool quiet)
{
        nova_mutex_lock(&mutex);
        for (unsigned i = 0; i < BLOCKS_MAX; i++) {
                struct block *const block = &blocks[i];

                if (!block->program)
                        continue;
                block->unanswered &= ~(1u << device);
                if (quiet)
                        block->loud &= ~(1u << device);
                if (block->loud)
                        continue;
                nova_page_free(block->page, block->order);
                block->program = NULL;
        }
        nova_mutex_unlock(&mutex);
        nova_semaphore_up(&init.news);
}

void quarantine_watch(nova_sel_t sel)
{
        nova_mutex_lock(&mutex);
        if (watch)
                nova_sel_release(watch, NOVA_PARENT_SERVICE_ORDER);
        watch = sel;
        nova_mutex_unlock(&mutex);
}

uint64_t quarantine_ends(const struct program *program)
{
        uint64_t end = 0;

        nova_mutex_lock(&mutex);
        for (unsigned i = 0; i < BLOCKS_MAX; i++)
                if (blocks[i].program == program && blocks[i].unanswered && blocks[i].until > end)
                        end = blocks[i].until;
        nova_mutex_unlock(&mutex);
        return end > nova_time_ns() ? end : 0;
}
