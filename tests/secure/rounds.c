/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that become secure, use their memory and end: `rounds COUNT`. A byte of secure memory, an
 * object of the kernel or a page of the heap that each of them left would add up to an error. */
#include <stdio.h>
#include <stdlib.h>

#include "../runtime/tap.h"
#include "honest.h"

#define FRESH 0x500000u
#define PAGES 256u /* of 20 MiB of secure memory */

static bool use_memory(void)
{
        bool good = true;

        for (unsigned i = 0; i < PAGES && good; i += 8)
                good = guest(PROBE_READ, FRESH + i * PAGE, 0) == 0 &&
                       guest(PROBE_WRITE, FRESH + i * PAGE, i + 1) == 0;
        return good && guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 4) == 0;
}

int main(int argc, char **argv)
{
        const unsigned long rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
        unsigned long secure = 0, ended = 0;

        if (!rounds || !honest_start(3))
                return 1;
        while (secure < rounds && honest_become_secure() == NOVA_U_SUCCESS && use_memory()) {
                secure++;
                ended += honest_end() == NOVA_U_SUCCESS;
        }
        printf("%lu of %lu guests.\n", secure, rounds);
        check(secure == rounds, "each guest becomes secure, and its memory is zero");
        check(ended == rounds, "each guest ends");
        return tap_end();
}
