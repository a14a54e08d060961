/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a program crash a moment after its service has started, and one time in eight before or
 * while the service starts. Linked to the service partitions, to drivers for network cards and to
 * the service switch, with --wrap for the function below. The time until the crash begins when the
 * service has started, not when the program starts. Otherwise, on a slow host, the program would
 * always crash before its service starts, and its clients would give up. */
#include "nova/hypercall.h"
#include "novart/service.h"
#include "novart/thread.h"
#include "novart/time.h"

#ifndef LEAST_NS
#define LEAST_NS 60000000
#endif
#define MORE_NS  60000000
#define EARLY_NS 10000000

int __real_nova_service_start(struct nova_service **started,
                              const struct nova_service_config *config);
int __wrap_nova_service_start(struct nova_service **started,
                              const struct nova_service_config *config);

static uint64_t delay_ns;

static void *crash(void *argument)
{
        (void)argument;
        nova_sleep(delay_ns);
        __builtin_trap();
}

static int die_in(uint64_t ns)
{
        const struct nova_thread_attr attr = {.name = "death", .cpu = NOVA_CPU_SELF};
        struct nova_thread *thread;

        delay_ns = ns;
        return nova_thread_create(&thread, &attr, crash, NULL);
}

__attribute__((constructor)) static void start(void)
{
        const uint64_t random = nova_rdtsc() >> 4;

        if (random % 8 == 0)
                die_in(random / 8 % EARLY_NS);
}

int __wrap_nova_service_start(struct nova_service **started,
                              const struct nova_service_config *config)
{
        const int error = __real_nova_service_start(started, config);

        return error || delay_ns ? error : die_in(LEAST_NS + nova_rdtsc() % MORE_NS);
}
