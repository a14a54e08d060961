/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that gets no random numbers, and continues. */
#include "../runtime/tap.h"
#include "honest.h"

#define ROUNDS  64u
#define NUMBERS 4u

int main(void)
{
        uint32_t sum;

        if (!honest_start(3))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest is secure");
        sum = guest(PROBE_CHAIN, ROUNDS, 0);
        check(guest(PROBE_RANDOM, NUMBERS, 0) & PROBE_RANDOM_FAILS, "H_RANDOM fails");
        check(guest(PROBE_CHAIN, ROUNDS, 0) == sum, "and the guest continues");
        honest_end();
        return tap_end();
}
