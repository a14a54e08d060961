/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes of the CPU (see novavmm/entropy.h). */
#include "novavmm/entropy.h"

#include "novart/random.h"

bool nova_entropy_available(void)
{
        return nova_random_available();
}

size_t nova_entropy(void *unused, void *to, size_t bytes)
{
        (void)unused;
        return nova_random(to, bytes);
}
