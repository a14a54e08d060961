/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the driver for a disk crash or hang a moment after it has started, and counts the requests
 * that are then in flight. The linker's --wrap replaces functions of a driver by those below.
 * disk.py finds the count after a crash in the fault's report, in the register ax, and the count
 * after a hang in a line that the driver prints. */
#include <stdio.h>
#include <stdlib.h>

#include "block/server.h"
#include "nova/hypercall.h"
#include "novart/thread.h"
#include "novart/time.h"

#define LEAST_NS   20000000
#define MORE_NS    60000000
#define TIMEOUT_NS 100000000   /* time until the watchdog ends a driver that hangs */
#define MARK       0xfade0000u /* disk.py looks for this value */

int __real_block_service_start(const struct block_device *of);
int __wrap_block_service_start(const struct block_device *of);
void __real_block_end(struct block_request *request, int error);
void __wrap_block_end(struct block_request *request, int error);

static struct block_device device;
static void (*start)(struct block_request *request); /* the driver's */
static unsigned in_flight;                           /* written while the service's lock is held */
static bool mute; /* the device gets no further request; written by the thread that hangs */

static unsigned count(void)
{
        return __atomic_load_n(&in_flight, __ATOMIC_RELAXED);
}

static void tell_count(void)
{
        printf("ends with %u requests in flight\n", count());
}

static _Noreturn void ud2(unsigned ax)
{
        __asm__ volatile("ud2" : : "a"(ax));
        __builtin_unreachable();
}

/* Makes the driver crash or hang; both are equally likely. It hangs while it holds the lock, or
 * because its device does not answer. */
static void *die(void *argument)
{
        const uint64_t random = nova_rdtsc() >> 4;

        (void)argument;
        nova_sleep(LEAST_NS + random % MORE_NS);
        if (random & 1)
                ud2(MARK | count());
        if (random & 2)
                __atomic_store_n(&mute, true, __ATOMIC_RELAXED);
        else
                serve_lock();
        return NULL;
}

static void start_or_keep(struct block_request *request)
{
        __atomic_fetch_add(&in_flight, 1, __ATOMIC_RELAXED);
        if (!__atomic_load_n(&mute, __ATOMIC_RELAXED))
                start(request);
}

void __wrap_block_end(struct block_request *request, int error)
{
        __atomic_fetch_sub(&in_flight, 1, __ATOMIC_RELAXED);
        __real_block_end(request, error);
}

int __wrap_block_service_start(const struct block_device *of)
{
        const struct nova_thread_attr attr = {.name = "death", .cpu = NOVA_CPU_SELF};
        struct nova_thread *thread;
        int error;

        device = *of;
        start = of->start;
        device.start = start_or_keep;
        device.timeout_ns = TIMEOUT_NS;
        atexit(tell_count);
        error = __real_block_service_start(&device);
        /* die() needs the service's lock, which exists from here on. */
        return error ? error : nova_thread_create(&thread, &attr, die, NULL);
}
