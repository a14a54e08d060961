/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures the load of the CPUs. A thread on each CPU reads that CPU's times, because init
 * describes the CPU of the thread that asks. */
#include "load.h"

#include <string.h>

#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define SECOND_NS 1000000000

static struct nova_mutex mutex;
static struct load loads[NOVA_CPU_MAX];

static void update(struct load *load, const struct nova_parent_cpu *now)
{
        const uint64_t time = now->time_us - load->times.time_us;
        const uint64_t idle = now->idle_us - load->times.idle_us;

        nova_mutex_lock(&mutex);
        load->percent = time && idle < time ? (unsigned)(100 * (time - idle) / time) : 0;
        load->times = *now;
        nova_mutex_unlock(&mutex);
}

static void *measure(void *load)
{
        struct nova_parent_cpu now;

        while (nova_parent_cpu_describe(&now) == 0) {
                update(load, &now);
                nova_sleep(SECOND_NS);
        }
        return NULL;
}

int load_begin(void)
{
        int error = 0;

        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX && !error; cpu++) {
                const struct nova_thread_attr attr = {.name = "load", .cpu = cpu};
                struct nova_thread *thread;

                if (nova_program.cpus >> cpu & 1)
                        error = nova_thread_create(&thread, &attr, measure, &loads[cpu]);
        }
        return error;
}

bool load_get(unsigned cpu, struct load *load)
{
        nova_mutex_lock(&mutex);
        *load = loads[cpu];
        nova_mutex_unlock(&mutex);
        return load->times.time_us;
}
