/* SPDX-License-Identifier: BSD-2-Clause */
/* Synthetic timers of enlightened guests, four for each virtual processor, which count reference
 * time. A timer sends a message, or raises an interrupt at the local APIC (direct mode). TLFS 12.4
 */
#include "hv/numbers.h"
#include "hv/page.h"
#include "hv/synic.h"

/* Bits of a configuration. */
#define ENABLE       UINT64_C(1)
#define PERIODIC     UINT64_C(2)
#define AUTO_ENABLE  UINT64_C(8)
#define DIRECT       UINT64_C(0x1000)
#define VECTOR_SHIFT 4
#define KNOWN        UINT64_C(0xf1fff) /* also the bits lazy, vector, and source of messages */

#define UNIT_NS     100u
#define ROUNDING_NS (UNIT_NS - 1) /* the most by which rounding moves a deadline */
/* Longest time in units for which the alarm is set. For a longer time the alarm is set again. */
#define ALARM_MAX (UINT64_C(1) << 50)

static struct nova_hv_timer *timer_of(struct nova_hv *hv, unsigned vcpu, uint32_t number)
{
        return &hv->vp[vcpu].timer[(number - NOVAVMM_MSR_TIMER) / 2];
}

static bool is_count(uint32_t number)
{
        return (number - NOVAVMM_MSR_TIMER) & 1;
}

/* Sets the alarm for the first timer that is due. Reference time is rounded, so the alarm is set
 * one unit later. Because of the rounding, the computed deadline also differs by less than a unit
 * each time. Such a difference is ignored, because an earlier alarm would wake the machine's timer
 * thread, which then pauses. */
static void set_alarm(struct nova_hv *hv, uint64_t now)
{
        const uint64_t set = hv->alarm.deadline;
        uint64_t first = NOVA_NEVER;

        for (unsigned i = 0; i < hv->vcpus; i++)
                for (unsigned n = 0; n < NOVA_HV_TIMERS; n++)
                        if (hv->vp[i].timer[n].due < first)
                                first = hv->vp[i].timer[n].due;
        hv->alarm.deadline = NOVA_NEVER;
        if (first == NOVA_NEVER)
                return;

        const uint64_t wait = first > now ? first - now : 0;
        const uint64_t deadline = nova_clock_now(&hv->clock) +
                                  ((wait < ALARM_MAX ? wait : ALARM_MAX) + !!wait) * UNIT_NS;

        const bool stays = set != NOVA_NEVER && set - deadline + ROUNDING_NS <= 2 * ROUNDING_NS;

        hv->alarm.deadline = stays ? set : deadline;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
        return a + b < a ? NOVA_NEVER : a + b;
}

/* Starts or stops a timer after a change of its registers. */
static void restart(struct nova_hv_timer *timer, uint64_t now)
{
        timer->due = NOVA_NEVER;
        timer->waits = false;
        if (!(timer->config & ENABLE) || !timer->count)
                return;
        timer->due = timer->config & PERIODIC ? sum(now, timer->count) : timer->count;
}

/* Returns true if a timer can notify the guest. Source 0 is for messages of the hypervisor
 * itself. */
static bool can_notify(const struct nova_hv *hv, const struct nova_hv_timer *timer)
{
        if (timer->config & DIRECT)
                return true;
        return hv->privileges & NOVA_HV_PRIVILEGE_SYNIC && novavmm_hv_synic_source(timer);
}

/* The enable bit of a timer that cannot notify the guest remains 0. */
static bool set_config(const struct nova_hv *hv, struct nova_hv_timer *timer, uint64_t value)
{
        if (value & ~KNOWN || (value & DIRECT && !hv->direct_timers))
                return false;
        timer->config = value;
        if (!can_notify(hv, timer))
                timer->config &= ~ENABLE;
        return true;
}

/* A count of 0 stops the timer. */
static void set_count(const struct nova_hv *hv, struct nova_hv_timer *timer, uint64_t value)
{
        timer->count = value;
        if (!value)
                timer->config &= ~ENABLE;
        else if (timer->config & AUTO_ENABLE && can_notify(hv, timer))
                timer->config |= ENABLE;
}

bool novavmm_hv_stimer_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number,
                           uint64_t *value)
{
        const struct nova_hv_timer *const timer =
                &hv->vp[vcpu].timer[(number - NOVAVMM_MSR_TIMER) / 2];

        *value = is_count(number) ? timer->count : timer->config;
        return true;
}

bool novavmm_hv_stimer_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        struct nova_hv_timer *const timer = timer_of(hv, vcpu, number);
        const uint64_t now = nova_hv_time(hv);

        if (is_count(number))
                set_count(hv, timer, value);
        else if (!set_config(hv, timer, value))
                return false;
        restart(timer, now);
        set_alarm(hv, now);
        return true;
}

/* Notifies the guest that a timer has expired. */
static void notify(struct nova_hv *hv, unsigned vcpu, unsigned n, uint64_t expired)
{
        struct nova_hv_vp *const vp = &hv->vp[vcpu];
        const uint64_t config = vp->timer[n].config;

        vp->timer_interrupts++;
        if (config & DIRECT)
                nova_lapic_accept(vp->lapic, (uint8_t)(config >> VECTOR_SHIFT), false);
        else
                novavmm_hv_synic_expire(hv, vcpu, n, expired);
}

/* A periodic timer that is late expires once for all periods that have passed. */
static void expire(struct nova_hv *hv, unsigned vcpu, unsigned n, uint64_t now)
{
        struct nova_hv_timer *const timer = &hv->vp[vcpu].timer[n];
        const uint64_t due = timer->due, late = now - due;

        if (timer->config & PERIODIC) {
                timer->due = sum(timer->due, late - late % timer->count);
                timer->due = sum(timer->due, timer->count);
        } else {
                timer->due = NOVA_NEVER;
                timer->config &= ~ENABLE;
        }
        notify(hv, vcpu, n, due);
}

static void ring(void *context, uint64_t unused)
{
        struct nova_hv *const hv = context;
        const uint64_t now = nova_hv_time(hv);

        (void)unused;
        for (unsigned i = 0; i < hv->vcpus; i++)
                for (unsigned n = 0; n < NOVA_HV_TIMERS; n++)
                        if (hv->vp[i].timer[n].due <= now)
                                expire(hv, i, n, now);
        set_alarm(hv, now);
}

void nova_hv_timers_begin(struct nova_hv *hv)
{
        hv->alarm = (struct nova_alarm){NOVA_NEVER, ring, hv};
        for (unsigned i = 0; i < NOVA_HV_VPS; i++)
                for (unsigned n = 0; n < NOVA_HV_TIMERS; n++)
                        hv->vp[i].timer[n].due = NOVA_NEVER;
}
