/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces nova_sealed_load() in the monitor of the example secure-linux, whose guest then stays a
 * normal one. */
#undef nova_sealed_load

#include "plain.h"

const char *bench_plain_load(const struct nova_guest_memory *memory, const void *image,
                             size_t bytes, struct nova_utcb_event *start);

const char *bench_plain_load(const struct nova_guest_memory *memory, const void *image,
                             size_t bytes, struct nova_utcb_event *start)
{
        return plain_load(memory, image, bytes, start);
}
