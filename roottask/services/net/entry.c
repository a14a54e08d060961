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

int net_entry_check(const struct nova_net_entry *entry, size_t pool_bytes, uint32_t bytes_min,
                    uint32_t bytes_max)
{
        if (entry->reserved || entry->offset > pool_bytes ||
            entry->bytes > pool_bytes - entry->offset)
                return EINVAL;
        return entry->bytes < bytes_min || entry->bytes > bytes_max ? EMSGSIZE : 0;
}

bool net_address_is_valid(const uint8_t *address)
{
        static const uint8_t none[NOVA_NET_ADDRESS];

        return !(address[0] & 1) && memcmp(address, none, sizeof(none)) != 0;
}
