/* SPDX-License-Identifier: BSD-2-Clause */
/* An honest VMM beside a hostile one. Its guests become secure, write all their pages, and read
 * them after half of the pages have moved out. Then the guests end. */
#include <stdio.h>

#include "../runtime/tap.h"
#include "honest.h"

#define CPU    1
#define FRESH  0x500000u
#define PAGES  32u
#define ROUNDS 4u

static bool is_right(unsigned round)
{
        bool good = true;

        for (unsigned i = 0; i < PAGES && good; i++)
                good = guest(PROBE_WRITE, FRESH + i * PAGE, round * PAGES + i + 1) == 0;
        for (unsigned i = 0; i < PAGES && good; i += 2)
                good = nova_uv_page_out(&uv, FRESH + i * PAGE, FRESH + i * PAGE, 0,
                                        NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS;
        for (unsigned i = 0; i < PAGES && good; i++)
                good = guest(PROBE_READ, FRESH + i * PAGE, 0) == round * PAGES + i + 1;
        return good;
}

int main(void)
{
        unsigned good = 0;

        if (!honest_start_on(5, CPU))
                return 1;
        for (unsigned i = 0; i < ROUNDS; i++) {
                good += honest_become_secure() == NOVA_U_SUCCESS && is_right(i);
                good += honest_end() == NOVA_U_SUCCESS;
        }
        check(good == 2 * ROUNDS, "the guests of another VMM are right beside random ultracalls");
        return tap_end();
}
