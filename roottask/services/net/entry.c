/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the requests of rings with frames. */
#include "entry.h"

#include <errno.h>
#include <string.h>

void net_ring_init(struct ring *ring, struct nova_net_ring *shared)
{
        *ring = (struct ring){
                .shared = &shared->head, .entries = shared->entry, .count = NOVA_NET_ENTRIES};
        ring_init(ring, NOVA_NET_MAGIC);
}

static bool sum_is_valid(const struct nova_net_entry *entry, uint32_t sums)
{
        if (!entry->sum)
                return true;
        if (sums == NOVA_NET_SUM_OPEN)
                return nova_net_sum_is_valid(entry->sum, entry->bytes);
        return entry->sum == sums;
}

int net_entry_check(const struct nova_net_entry *entry, size_t pool_bytes, uint32_t bytes_min,
                    uint32_t bytes_max, uint32_t sums)
{
        if (entry->offset > pool_bytes || entry->bytes > pool_bytes - entry->offset)
                return EINVAL;
        if (entry->bytes < bytes_min || entry->bytes > bytes_max)
                return EMSGSIZE;
        return sum_is_valid(entry, sums) ? 0 : EINVAL;
}

bool net_address_is_valid(const uint8_t *address)
{
        static const uint8_t none[NOVA_NET_ADDRESS];

        return !(address[0] & 1) && memcmp(address, none, sizeof(none)) != 0;
}
