/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM beside one that has taken all secure memory and all kernel memory that it can (greedy.c).
 */
#include "../runtime/tap.h"
#include "honest.h"

#define BLOCK 0x200000u

int main(void)
{
        struct nova_session *greedy = NULL;
        unsigned good = 0, shared = 0;
        bool secure;

        nova_session_open(&greedy, "greedy", NULL);
        if (!greedy || !honest_start(3))
                return 1;
        secure = honest_become_secure() == NOVA_U_SUCCESS;
        check(secure, "a guest becomes secure although another VMM takes all that it can");
        if (!secure)
                return tap_end();
        check(nova_uv_register_mem_slot(&uv, MEMORY, BLOCK, 0, 1) == NOVA_U_SUCCESS,
              "its memory grows");
        for (uint32_t at = MEMORY; at < MEMORY + BLOCK; at += PAGE)
                good += guest(PROBE_WRITE, at, at) == 0 && guest(PROBE_READ, at, 0) == at;
        check(good == BLOCK / PAGE, "it uses its VMM's share of the secure memory");
        check(guest_call(NOVA_UV_SHARE_PAGE, MEMORY / PAGE, BLOCK / PAGE) == 0, "it shares pages");
        for (uint32_t at = MEMORY; at < MEMORY + BLOCK; at += PAGE)
                shared += guest(PROBE_READ, at, 0) == 0;
        check(shared == BLOCK / PAGE, "it has kernel memory for the mappings of all of them");
        return tap_end();
}
