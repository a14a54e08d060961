/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM whose guest shares its CPU with a program that never waits (spinner.c). */
#include <stdio.h>

#include "../runtime/tap.h"
#include "honest.h"

#define CPU   1
#define FRESH 0x500000u

int main(void)
{
        unsigned good = 0;

        if (!honest_start_on(3, CPU))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest becomes secure beside a spinner");
        for (unsigned i = 0; i < 8; i++)
                good += guest(PROBE_WRITE, FRESH + i * PAGE, i + 1) == 0 &&
                        guest(PROBE_READ, FRESH + i * PAGE, 0) == i + 1;
        check(good == 8, "it goes on");
        check(nova_uv_svm_terminate(&uv) == NOVA_U_SUCCESS, "it can be ended");
        return tap_end();
}
