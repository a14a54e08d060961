/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer of a local APIC (see lapic_timer.h); SDM 3A, 11.5.4. */
#include "device/lapic_timer.h"

#define MASKED   0x10000u
#define PERIODIC 0x20000u

#define NS_PER_TICK (1000000000u / NOVA_LAPIC_HZ)

/* Returns the time of one count in ns. The values 0 to 7 of bits 3, 1 and 0 of the divider register
 * mean 2, 4, … 128 and 1. */
static uint64_t ns_per_count(const struct nova_lapic *lapic)
{
        const uint32_t bits = (lapic->timer_divider & 3) | (lapic->timer_divider >> 1 & 4);

        return (uint64_t)NS_PER_TICK << (bits == 7 ? 0 : bits + 1);
}

static bool is_periodic(const struct nova_lapic *lapic)
{
        return lapic->lvt[NOVA_LVT_TIMER] & PERIODIC;
}

static uint64_t period(const struct nova_lapic *lapic)
{
        return lapic->timer_count * ns_per_count(lapic);
}

/* Sets the alarm for the next end of the count after @p now. */
static void set_alarm(struct nova_lapic *lapic, uint64_t now)
{
        const uint64_t whole = period(lapic);

        lapic->alarm.deadline = NOVA_NEVER;
        if (!lapic->timer_runs || !whole)
                return;
        if (is_periodic(lapic) && now - lapic->timer_start >= whole)
                lapic->timer_start += (now - lapic->timer_start) / whole * whole;
        lapic->alarm.deadline = lapic->timer_start + whole;
}

static void expire(void *context, uint64_t now)
{
        struct nova_lapic *const lapic = context;
        const uint32_t entry = lapic->lvt[NOVA_LVT_TIMER];

        lapic->timer_runs = is_periodic(lapic);
        set_alarm(lapic, now);
        if (!(entry & MASKED))
                nova_lapic_accept(lapic, (uint8_t)entry, false);
}

void novavmm_lapic_timer_init(struct nova_lapic *lapic)
{
        lapic->alarm.deadline = NOVA_NEVER;
        lapic->alarm.expire = expire;
        lapic->alarm.device = lapic;
}

void novavmm_lapic_timer_start(struct nova_lapic *lapic, uint32_t count)
{
        const uint64_t now = nova_clock_now(&lapic->clock);

        lapic->timer_count = count;
        lapic->timer_start = now;
        lapic->timer_runs = count;
        set_alarm(lapic, now);
}

void novavmm_lapic_timer_changed(struct nova_lapic *lapic)
{
        set_alarm(lapic, nova_clock_now(&lapic->clock));
}

uint32_t novavmm_lapic_timer_current(const struct nova_lapic *lapic)
{
        const uint64_t counts =
                (nova_clock_now(&lapic->clock) - lapic->timer_start) / ns_per_count(lapic);

        if (!lapic->timer_runs || !lapic->timer_count)
                return 0;
        if (is_periodic(lapic))
                return lapic->timer_count - (uint32_t)(counts % lapic->timer_count);
        return counts < lapic->timer_count ? lapic->timer_count - (uint32_t)counts : 0;
}

void novavmm_lapic_timer_divide(struct nova_lapic *lapic, uint32_t divider)
{
        const uint64_t now = nova_clock_now(&lapic->clock);
        const uint64_t passed = lapic->timer_count - novavmm_lapic_timer_current(lapic);

        if (divider == lapic->timer_divider)
                return;
        lapic->timer_divider = divider;
        lapic->timer_start = now - passed * ns_per_count(lapic);
        set_alarm(lapic, now);
}
