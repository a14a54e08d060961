/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU with few bits of physical addresses: the bit that selects a view is bit 35. No slot may
 * contain it, or a page would have two meanings. */
#include <stdio.h>

#include "../runtime/tap.h"
#include "honest.h"

#define BIT (UINT64_C(1) << 35)

int main(void)
{
        if (!honest_start(3))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0),
              "a guest is secure");
        check(nova_uv_register_mem_slot(&uv, BIT, PAGE, 0, 1) == NOVA_U_P2 &&
                      nova_uv_register_mem_slot(&uv, BIT - PAGE, 2 * PAGE, 0, 1) == NOVA_U_P3,
              "a slot cannot contain the bit that selects a view");
        check(nova_uv_register_mem_slot(&uv, BIT - PAGE, PAGE, 0, 1) == NOVA_U_SUCCESS,
              "a slot can end at it");
        honest_end();
        return tap_end();
}
