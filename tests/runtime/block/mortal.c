/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a program crash a moment after it has started. Linked to partitions, and to a driver of
 * network cards. */
#include "nova/hypercall.h"
#include "novart/thread.h"
#include "novart/time.h"

#ifndef LEAST_NS
#define LEAST_NS 20000000
#endif
#define MORE_NS 60000000

static void *crash(void *argument)
{
        (void)argument;
        nova_sleep(LEAST_NS + nova_rdtsc() % MORE_NS);
        __builtin_trap();
}

__attribute__((constructor)) static void start(void)
{
        const struct nova_thread_attr attr = {.name = "death", .cpu = NOVA_CPU_SELF};
        struct nova_thread *thread;

        nova_thread_create(&thread, &attr, crash, NULL);
}
