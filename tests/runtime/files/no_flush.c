/* SPDX-License-Identifier: BSD-2-Clause */
/* A flush that does nothing: this variant of `files` must fail the test of a loss of power. */
#include "novart/service/block.h"

int __wrap_nova_block_flush(struct nova_block *block);
int __wrap_nova_block_flush(struct nova_block *block)
{
        (void)block;
        return 0;
}
