/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of init that keep resources for later requests, so that each input of the test begins
 * without them. */
#include "init/devices.c"
#include "init/pci_answer.c"
#include "init/quarantine.c"
#include "init/status.c"
#include "parent.h"

static unsigned forget_selectors(void)
{
        unsigned selectors = watch != 0;

        for (unsigned i = 0; i < NOVA_HIP_GSI; i++)
                selectors += semaphores[i] != 0;
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++)
                selectors += idle[i] != 0;
        watch = 0;
        memset(had, 0, sizeof(had));
        memset(semaphores, 0, sizeof(semaphores));
        memset(idle, 0, sizeof(idle));
        return selectors;
}

unsigned parent_forget_init(unsigned *pages)
{
        *pages = 0;
        for (unsigned i = 0; i < BLOCKS_MAX; i++)
                if (blocks[i].program)
                        *pages += 1u << blocks[i].order;
        memset(blocks, 0, sizeof(blocks));
        memset(ranges, 0, sizeof(ranges));
        range_count = 0;
        range_bytes = 0;
        port_range_count = 0;
        end = 0;
        return forget_selectors();
}
