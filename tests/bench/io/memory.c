/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a driver print how much memory it uses after its start, while it has no session: pages of
 * its memory, and kernel memory. Linked to the driver for `nova bench io`. */
#include <stdio.h>

#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/start_page.h"
#include "novart/thread.h"
#include "novart/time.h"

#define SETTLE_NS 500000000

static void *report(void *argument)
{
        nova_word_t used = 0, limit = 0;

        (void)argument;
        nova_sleep(SETTLE_NS);
        nova_quota_query(nova_program.pd, &used, &limit);
        printf("memory of the driver: %u bytes and %u of the kernel\n",
               (unsigned)(nova_program.start->pool_bytes - nova_page_free_count() * NOVA_PAGE_SIZE),
               (unsigned)used);
        return NULL;
}

__attribute__((constructor)) static void start(void)
{
        const struct nova_thread_attr attr = {.name = "report",
                                              .stack_bytes = NOVA_THREAD_STACK_MIN};
        struct nova_thread *thread;

        nova_thread_create(&thread, &attr, report, NULL);
}
