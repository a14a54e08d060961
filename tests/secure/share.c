/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM beside another VMM that has taken all secure memory and all kernel memory that it can
 * (greedy.c). The ultravisor divides the memory between two VMMs. So while both have sessions, a
 * third VMM gets no session. */
#include <errno.h>
#include <string.h>

#include "novart/service.h"
#include "novart/time.h"

#include "../runtime/tap.h"
#include "honest.h"

#define BLOCK  0x200000u
#define TRIES  500u
#define TRY_NS 10000000

static struct nova_semaphore asked = NOVA_SEMAPHORE_INITIALIZER(0);

/* Closes this VMM's session for the third VMM. */
static int leave(struct nova_request *request)
{
        (void)request;
        nova_session_close(uv.session);
        nova_semaphore_up(&asked);
        return 0;
}

/* Waits until the third VMM has asked for this VMM's share. */
static void wait_for_third(void)
{
        static const struct nova_service_operation operations[] = {{leave, 0, 0, false}};
        const struct nova_service_config config = {
                .name = "vmm", .operations = operations, .operation_count = 1};

        if (!nova_service_start(NULL, &config))
                nova_semaphore_down(&asked);
}

/* Acts as the third VMM. */
static int third(void)
{
        struct nova_session *vmm = NULL, *session = NULL;
        struct nova_message message = {.operation = NOVA_OPERATION_FIRST};
        int error = ENOSPC;
        bool called;

        nova_session_open(&vmm, "vmm", NULL);
        check(nova_session_open_trusting(&session, "ultravisor", NULL) == ENOSPC,
              "beside two VMMs, a third one gets no session");
        called = vmm && !nova_session_call(vmm, &message);
        /* The ultravisor ends the VMs of a session after the session's end. */
        for (unsigned i = 0; i < TRIES && error == ENOSPC; i++) {
                nova_sleep(TRY_NS);
                error = nova_session_open_trusting(&session, "ultravisor", NULL);
        }
        check(called && !error && honest_start(3),
              "it gets a session and a VM when another VMM has closed its session");
        return tap_end();
}

int main(int argc, char **argv)
{
        struct nova_session *greedy = NULL, *second = NULL;
        unsigned good = 0, shared = 0;
        bool secure;

        if (argc == 2 && !strcmp(argv[1], "third"))
                return third();
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
        check(!nova_session_open_trusting(&second, "ultravisor", NULL),
              "its VMM gets a second session");
        nova_session_close(second);
        const int status = tap_end();
        /* Until the third VMM asks, this VMM's first session holds its share. The end of the third
         * VMM ends the system, because it is the only program without a service. */
        wait_for_third();
        return status;
}
