/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest makes a long ultracall. The VMM's calls for its virtual CPU, and so the calls of other
 * VMMs on that CPU, do not wait for the end of the ultracall. */
#include <stdio.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "honest.h"

#define CPU   1 /* of the guest; this thread runs on another one */
#define COUNT 2048u
#define BLOCK 512u /* pages that become present together */
#define TRIES 5u
#define SOON  1000

/* Lets the guest share pages, and kicks its virtual CPU meanwhile.
 * @return true if each kick took less than a quarter of the time of the ultracall */
static bool share(void)
{
        uint64_t longest = 0, begin;
        bool answered = false;

        for (unsigned i = 0; i < COUNT; i += BLOCK)
                guest(PROBE_WRITE, MEMORY + i * PAGE, 1);
        begin = nova_time_ns();
        drive_begin(PROBE_CALL, NOVA_UV_SHARE_PAGE, MEMORY / PAGE | COUNT << 16);
        while (!answered) {
                const uint64_t before = nova_time_ns();

                nova_uv_kick(&uv, 0);
                if (nova_time_ns() - before > longest)
                        longest = nova_time_ns() - before;
                answered = !nova_semaphore_down_until(&drive_answered, nova_deadline_in(SOON));
        }
        begin = nova_time_ns() - begin;
        printf("The ultracall took %llu, and the longest kick %llu.\n", (unsigned long long)begin,
               (unsigned long long)longest);
        return longest < begin / 4;
}

int main(void)
{
        bool good = false;

        if (!honest_start_on(3, CPU))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS &&
                      nova_uv_register_mem_slot(&uv, MEMORY, COUNT * PAGE, 0, 1) == NOVA_U_SUCCESS,
              "a guest is secure");
        for (unsigned i = 0; i < TRIES && !good; i++) {
                good = share();
                guest_call(NOVA_UV_UNSHARE_PAGE, MEMORY / PAGE, COUNT);
        }
        check(good, "a kick does not wait for the end of a long ultracall");
        return tap_end();
}
