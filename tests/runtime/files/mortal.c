/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the service `files` crash at one of its writes: before the write, after it, or while it is
 * in flight. */
#include <string.h>

#include "novart/service/block.h"
#include "novart/time.h"

#define LEAST 30 /* writes before a crash, so that clients make progress */
#define MORE  120

int __real_nova_block_write(struct nova_block *block, uint64_t first, uint32_t count,
                            const void *from);
int __wrap_nova_block_write(struct nova_block *block, uint64_t first, uint32_t count,
                            const void *from);

static void submit(struct nova_block *block, uint64_t first, uint32_t count, const void *from)
{
        struct nova_block_segment segment = {0, count * nova_block_get_info(block)->block_bytes};
        const struct nova_block_request write = {.operation = NOVA_BLOCK_WRITE,
                                                 .block = first,
                                                 .segment_count = 1,
                                                 .segments = &segment};
        size_t bytes;
        void *pool = nova_block_pool(block, &bytes);

        if (segment.bytes > bytes)
                return;
        memcpy(pool, from, segment.bytes);
        nova_block_submit(block, &write, 1);
}

int __wrap_nova_block_write(struct nova_block *block, uint64_t first, uint32_t count,
                            const void *from)
{
        static unsigned left;
        const unsigned random = (unsigned)(nova_rdtsc() >> 6);

        if (!left)
                left = LEAST + random % MORE;
        if (--left)
                return __real_nova_block_write(block, first, count, from);
        if (random % 3 == 1)
                __real_nova_block_write(block, first, count, from);
        if (random % 3 == 2)
                submit(block, first, count, from);
        __builtin_trap();
}
