/* SPDX-License-Identifier: BSD-2-Clause */
/* A program whose thread never waits: it has the highest priority that its description allows, on
 * the CPU of the guest under test. */
#include <stdbool.h>
#include <stdio.h>

#include "novart/service.h"
#include "novart/thread.h"

#define CPU 1

static volatile bool goes_on = true;

static void *spin(void *unused)
{
        while (goes_on)
                ;
        return unused;
}

int main(void)
{
        const struct nova_thread_attr attr = {.name = "spin", .cpu = CPU, .priority = 255};
        struct nova_thread *thread;

        if (nova_thread_create(&thread, &attr, spin, NULL))
                return 1;
        printf("A thread spins on CPU %u.\n", CPU);
        nova_service_sleep();
}
