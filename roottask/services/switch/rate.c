/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounds the rate at which a client of a switch sends. Small frames cost the switch as much as
 * larger ones, so each frame counts with all bytes that it takes on a cable. */
#include "rate.h"

#include <stdlib.h>

#define SECOND_NS UINT64_C(1000000000)
#define LEAST     60 /* bytes of a frame on a cable, without the checksum */
#define CABLE     24 /* checksum, preamble and gap */
#define RATE_MAX  (UINT64_C(1) << 40)

bool rate_allows(const struct rate *rate, uint64_t now_ns)
{
        return now_ns >= rate->ready_ns;
}

void rate_charge(struct rate *rate, uint64_t now_ns, uint32_t bytes)
{
        const uint64_t saved = now_ns > RATE_SAVED_NS ? now_ns - RATE_SAVED_NS : 0;
        const uint64_t cost = CABLE + (bytes < LEAST ? LEAST : bytes);

        if (rate->ready_ns < saved)
                rate->ready_ns = saved;
        rate->ready_ns += cost * SECOND_NS / rate->per_second;
}

uint64_t rate_read(const char *text)
{
        unsigned long long number;
        unsigned shift = 0;
        char *end;

        if (*text < '0' || *text > '9')
                return 0;
        number = strtoull(text, &end, 10);
        if (*end == 'K')
                shift = 10;
        else if (*end == 'M')
                shift = 20;
        else if (*end == 'G')
                shift = 30;
        if (*(shift ? end + 1 : end) || number > RATE_MAX >> shift)
                return 0;
        return (uint64_t)number << shift;
}
