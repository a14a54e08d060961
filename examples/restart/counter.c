/* SPDX-License-Identifier: BSD-2-Clause */
/* A service that counts calls, down to the bare portal. Its fourth call is one too many. */
#include <stdio.h>

#include "nova/utcb.h"
#include "novart/parent.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"

#define TOO_MANY 4

/* Runs on the time of whoever calls. */
static void count(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        unsigned *const calls = argument;

        (void)portal;
        if (++*calls == TOO_MANY)
                __builtin_trap();
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, *calls);
}

int main(void)
{
        /* A service has a control portal for each CPU, at its number from here on. */
        const nova_sel_t portals = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);
        struct nova_semaphore never = NOVA_SEMAPHORE_INITIALIZER(0);
        struct nova_handler *handler;
        unsigned calls = 0;

        if (nova_handler_create(&handler, NOVA_CPU_SELF, "counter", count, &calls) ||
            nova_handler_portal(handler, portals + nova_thread_cpu(), 0) ||
            nova_parent_serve("counter", portals)) {
                puts("the service cannot be offered");
                return 1;
        }
        nova_semaphore_down(&never);
        return 0;
}
