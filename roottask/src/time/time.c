/* SPDX-License-Identifier: BSD-2-Clause */
/* Time by the TSC, whose frequency is in the information page. */
#include "novart/time.h"

#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/sync.h"
#include "thread/thread.h"
#include "time/clock.h"

#define NS_PER_MS 1000000

static uint64_t realtime_offset;

/* Returns value * times / by without an overflow in between; UINT64_MAX if the result does not
 * fit. */
static uint64_t scale(uint64_t value, uint32_t times, uint32_t by)
{
        const uint64_t whole = value / by, rest = value % by;
        uint64_t high;

        if (__builtin_mul_overflow(whole, times, &high) ||
            __builtin_add_overflow(high, rest * times / by, &high))
                return UINT64_MAX;
        return high;
}

uint64_t nova_ns_of_tsc(uint64_t tsc)
{
        return scale(tsc, NS_PER_MS, nova_program.hip->tsc_khz);
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return scale(ns, nova_program.hip->tsc_khz, NS_PER_MS);
}

uint64_t nova_time_ns(void)
{
        return nova_ns_of_tsc(nova_rdtsc());
}

uint64_t nova_deadline_in(uint64_t ns)
{
        const uint64_t ticks = nova_tsc_of_ns(ns), now = nova_rdtsc();

        return ticks < NOVA_FOREVER - now ? now + ticks : NOVA_FOREVER;
}

/* Waits on the thread's own semaphore. The semaphore gets an up only for a grant, and this thread
 * waits for no grant, so only the deadline ends the wait. */
void nova_sleep_until(uint64_t tsc)
{
        while (nova_sm_down_until(nova_thread_self()->park, 0, tsc) == NOVA_SUCCESS)
                continue;
}

void nova_sleep(uint64_t ns)
{
        nova_sleep_until(nova_deadline_in(ns));
}

void nova_time_set(uint64_t ns)
{
        __atomic_store_n(&realtime_offset, ns - nova_time_ns(), __ATOMIC_RELAXED);
}

uint64_t novart_clock_realtime_offset(void)
{
        return __atomic_load_n(&realtime_offset, __ATOMIC_RELAXED);
}

uint64_t novart_clock_ns(const struct timespec *time)
{
        uint64_t ns;

        if (__builtin_mul_overflow((uint64_t)time->tv_sec, NS_PER_S, &ns) ||
            __builtin_add_overflow(ns, (uint64_t)time->tv_nsec, &ns))
                return UINT64_MAX;
        return ns;
}
