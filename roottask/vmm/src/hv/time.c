/* SPDX-License-Identifier: BSD-2-Clause */
/* Reference time of enlightened guests: its counter and its page, which the guest reads without an
 * exit. Both are the TSC times a scale plus an offset. TLFS 12.7 */
#include "hv/page.h"

#include <string.h>

#include "nova/abi/crd.h"

#define UNITS_PER_SECOND 10000000u
#define PAGE_BYTES       4096u

/* The page's first bytes. A sequence of 0 means that the page is not valid. */
struct reference {
        uint32_t sequence;
        uint32_t reserved;
        uint64_t scale;
        uint64_t offset;
};

_Static_assert(sizeof(struct reference) == 24, "TLFS 12.7.1");

/* Returns the upper half of a product. */
static uint64_t high_product(uint64_t a, uint64_t b)
{
        const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
        const uint64_t middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
        const uint64_t other = (a & UINT32_MAX) * (b >> 32) + (middle & UINT32_MAX);

        return (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
}

/* Returns the units per tick, times 2^64. Rounds up: with a smaller scale, the ticks of n whole
 * units would give n - 1 units. */
static uint64_t scale_of(uint64_t hz)
{
        uint64_t rest = UNITS_PER_SECOND, quotient = 0;

        for (unsigned bit = 0; bit < 64; bit++) {
                rest *= 2;
                quotient *= 2;
                if (rest >= hz) {
                        rest -= hz;
                        quotient++;
                }
        }
        return quotient + (rest != 0);
}

static struct reference *page_of(const struct nova_hv *hv)
{
        return (struct reference *)novavmm_hv_frame(hv, NOVAVMM_HV_REFERENCE_FRAME);
}

void nova_hv_time_begin(struct nova_hv *hv, uint64_t hz)
{
        struct reference *const page = page_of(hv);

        hv->tsc_hz = hz;
        hv->scale = scale_of(hz);
        hv->offset = -high_product(nova_clock_now(&hv->tsc), hv->scale);
        memset(page, 0, PAGE_BYTES);
        *page = (struct reference){1, 0, hv->scale, hv->offset};
}

uint64_t nova_hv_time(const struct nova_hv *hv)
{
        return high_product(nova_clock_now(&hv->tsc), hv->scale) + hv->offset;
}

void nova_hv_time_break(struct nova_hv *hv)
{
        __atomic_store_n(&page_of(hv)->sequence, 0, __ATOMIC_RELEASE);
}

bool novavmm_hv_time_set(struct nova_hv *hv, uint64_t value)
{
        return novavmm_hv_place(hv, NOVAVMM_HV_REFERENCE_FRAME, value, NOVA_MEM_R,
                                &hv->reference_page);
}
