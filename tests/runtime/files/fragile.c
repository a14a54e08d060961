/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the service `files` crash when a client writes data that begins with a certain text. */
#include <string.h>

#include "novart/service/block.h"

int __real_nova_block_write(struct nova_block *block, uint64_t first, uint32_t count,
                            const void *from);
int __wrap_nova_block_write(struct nova_block *block, uint64_t first, uint32_t count,
                            const void *from);

int __wrap_nova_block_write(struct nova_block *block, uint64_t first, uint32_t count,
                            const void *from)
{
        static const char text[] = "end the service";

        if (memcmp(from, text, sizeof(text)) == 0)
                __builtin_trap();
        return __real_nova_block_write(block, first, count, from);
}
