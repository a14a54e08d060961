/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that asks for a virtual CPU on a CPU on which it does not run, and one that makes the
 * ultravisor call portals other than its own handler: portals of its parent, portals of its session
 * with the ultravisor itself, and capabilities that are not portals. */
#include <errno.h>

#include "../../roottask/src/service/client.h"
#include "../runtime/tap.h"
#include "second.h"

static nova_sel_t own; /* portal of the honest handler */

/* Returns true if UV_ESM ends soon. */
static bool ends_soon(void)
{
        for (unsigned i = 0; i < WAITS && nova_uv_state(&uv) == NOVA_UV_CONVERTING; i++)
                nova_sleep(WAIT_NS);
        return nova_uv_state(&uv) == NOVA_UV_ENDED;
}

/* Returns true if a VM with the portal @p other does not become secure, and an honest VM does. */
static bool is_refused(nova_sel_t other)
{
        bool refused;

        honest_load();
        if (nova_uv_attach(&uv, 0, 0, other) || nova_uv_esm(&uv, BLOB, PARAMS))
                return false;
        refused = ends_soon() && nova_uv_svm_terminate(&uv) == NOVA_U_SUCCESS;
        return !nova_uv_attach(&uv, 0, 0, own) && honest_next_runs() && refused;
}

/* Attaches virtual CPU 0 by a call on this thread's CPU. @return error number */
static int attach_from_here(nova_word_t cpu)
{
        const nova_word_t words[] = {uv.lpid, 0, cpu};
        struct nova_message message = {.operation = NOVA_ULTRAVISOR_ATTACH,
                                       .words = words,
                                       .word_count = 3,
                                       .item_count = 1,
                                       .items = {nova_crd_obj(own, 0, NOVA_PERM_ALL)}};

        return nova_session_call(uv.session, &message);
}

static void cpus(void)
{
        check(attach_from_here(SECOND) == EPERM,
              "a VMM gets no virtual CPU on another CPU than that of its call");
        check(!attach_from_here(0) && honest_next_runs(),
              "a VMM gets a virtual CPU on the CPU of its call");
}

static void others(void)
{
        const nova_sel_t session = uv.session->portals;
        const nova_sel_t share = session + ((nova_sel_t)1 << uv.session->order);
        const nova_sel_t sm = drive_semaphore();

        check(is_refused(session), "the portal of its session with the ultravisor");
        check(is_refused(share), "the portal by which it shares memory with the ultravisor");
        check(is_refused(nova_program.parent), "the portal of its parent");
        check(is_refused(sm), "a semaphore");
        check(is_refused(nova_program.pd), "its protection domain");
}

int main(void)
{
        if (!honest_start_on(3, 0))
                return 1;
        own = portal;
        cpus();
        others();
        return tap_end();
}
