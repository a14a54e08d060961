/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills in open checksums (RFC 1071). */
#include "sum.h"

#include <string.h>

#include "novart/internet_sum.h"

/* A field of 0 means that a UDP datagram has no checksum, so a checksum of 0 is sent as 0xffff. */
static void fill(uint8_t *frame, uint32_t bytes, uint32_t sum)
{
        const uint32_t start = nova_net_sum_start(sum);
        uint16_t word = (uint16_t)~nova_internet_sum(frame + start, bytes - start);

        if (!word)
                word = UINT16_MAX;
        memcpy(frame + start + nova_net_sum_at(sum), &word, sizeof(word));
}

uint32_t net_sum_pass(uint8_t *frame, uint32_t bytes, uint32_t sum, bool accepts)
{
        if (accepts)
                return sum;
        if (sum & NOVA_NET_SUM_OPEN)
                fill(frame, bytes, sum);
        return 0;
}
