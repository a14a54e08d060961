/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM with two sessions that share memory. If both share the same memory, the close of one
 * session takes the pages from both, because a revocation removes all mappings that were derived
 * from a page. */
#include <string.h>

#include "../runtime/tap.h"
#include "honest.h"

#define FRESH 0x500000u
#define OTHER 0x600000u
#define OWN   (1u << 20) /* other memory, in bytes */
#define WAITS 5000u

/* Opens a second session that shares memory, enters a VM in it, and closes it. */
static bool second_session(const struct nova_guest_memory *from, unsigned bytes)
{
        struct nova_uv second = {.lpid = 4};
        const bool good = !nova_session_open_trusting(&second.session, "ultravisor", NULL) &&
                          !nova_session_share(second.session, from->base, bytes / PAGE) &&
                          nova_uv_write_pate(&second, 0, bytes) == NOVA_U_SUCCESS;

        if (second.session)
                nova_session_close(second.session);
        return good;
}

static enum nova_u_status move_out(void)
{
        return nova_uv_page_out(&uv, OTHER, OTHER, 0, NOVA_UV_ORDER_PAGE);
}

static bool moves(void)
{
        return guest(PROBE_WRITE, OTHER, 7) == 0 && move_out() == NOVA_U_SUCCESS &&
               guest(PROBE_READ, OTHER, 0) == 7;
}

/* Replaces the first session by a new one, and enters the VM in the new session. */
static bool renew(void)
{
        nova_session_close(uv.session);
        uv.session = NULL;
        drive_close();
        return !nova_session_open_trusting(&uv.session, "ultravisor", NULL) &&
               !nova_session_share(uv.session, memory.base, MEMORY / PAGE) &&
               !nova_uv_write_pate(&uv, 0, MEMORY) &&
               !nova_uv_attach(&uv, 0, nova_thread_cpu(), portal);
}

int main(void)
{
        struct nova_guest_memory own;

        if (!honest_start(3) || nova_guest_memory_create(&own, OWN))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS &&
                      guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 1) == 0 &&
                      guest(PROBE_READ, FRESH, 0) == 0 && moves(),
              "a guest reads a shared page, and another page moves out and back");
        check(second_session(&own, OWN),
              "a second session of the VMM shares other memory, and closes");
        memcpy(memory.base + FRESH, "abcd", 4);
        check(guest(PROBE_READ, FRESH, 0) == 0x64636261 && moves(), "the guest continues");
        check(second_session(&memory, MEMORY),
              "a second session shares the guest's memory, and closes");
        check(guest(PROBE_WRITE, OTHER, 8) == 0 && move_out() == NOVA_U_P2,
              "the first session has lost the pages");
        drive_begin(PROBE_READ, FRESH, 0);
        check(honest_ends(WAITS), "the guest ends at its next access to a shared page");
        check(renew() && honest_next_runs(), "in a new session the next guest runs");
        return tap_end();
}
