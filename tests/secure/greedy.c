/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM whose guests take all secure memory and all kernel memory that they can, and give nothing
 * back. Then it provides a service, for which another VMM waits (share.c). */
#include <stdio.h>

#include "novart/service.h"
#include "novart/time.h"

#include "../runtime/tap.h"
#include "honest.h"

#define PAGES 3072u                   /* of the guest: more than the frames in its VMM's share */
#define COUNT (PAGES - MEMORY / PAGE) /* pages of the added memory */
#define MS    1000000
#define VMS   4u /* VMs of two sessions: as many as a VMM can have */

/* Lets the guest touch a page. @return false if the guest has ended */
static bool touch(unsigned page)
{
        bool answered = false;

        drive_begin(PROBE_READ, page * PAGE, 0);
        while (!answered && nova_uv_state(&uv) == NOVA_UV_SECURE)
                answered = !nova_semaphore_down_until(&drive_answered, nova_deadline_in(MS));
        return answered;
}

/* Refuses each conversion. The VM then keeps its account of kernel memory until it is ended. */
static void refuse(struct call *call)
{
        call->words = 2;
        call->status = (nova_word_t)NOVA_H_UNSUPPORTED;
        if (call->number == NOVA_H_SVM_INIT_ABORT)
                nova_semaphore_up(&converted);
}

/* Begins to make a VM secure. */
static bool hold(const struct nova_uv *vm)
{
        if (nova_uv_write_pate(vm, 0, MEMORY) || nova_uv_attach(vm, 0, nova_thread_cpu(), portal) ||
            nova_uv_esm(vm, BLOB, PARAMS))
                return false;
        nova_semaphore_down(&converted);
        return true;
}

/* Holds as many accounts of kernel memory as a VMM can. */
static void hold_all(void)
{
        struct nova_uv other = {.lpid = 1};
        unsigned held = 1; /* the VM that has ended still holds one account */

        honest_attack = refuse;
        held += hold(&uv);
        if (!nova_session_open_trusting(&other.session, "ultravisor", NULL) &&
            !nova_session_share(other.session, memory.base, MEMORY / PAGE)) {
                held += hold(&other);
                other.lpid++;
                held += hold(&other);
        }
        printf("%u of %u VMs hold kernel memory.\n", held, VMS);
}

static int nothing(struct nova_request *request)
{
        (void)request;
        return 0;
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{nothing, 0, 0, false}};
        const struct nova_service_config config = {
                .name = "greedy", .operations = operations, .operation_count = 1};
        unsigned touched = 0;

        if (!honest_start(3))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS &&
                      nova_uv_register_mem_slot(&uv, MEMORY, COUNT * PAGE, 0, 1) == NOVA_U_SUCCESS,
              "a guest is secure, with more memory than its VMM's share");
        check(nova_uv_register_mem_slot(&uv, PAGES * PAGE, PAGES * PAGE, 0, 2) == NOVA_U_P3,
              "slots larger than twice the share are refused");
        while (touched < PAGES && touch(touched))
                touched++;
        printf("The guest has touched %u pages.\n", touched);
        check(touched > 512 && touched < PAGES && nova_uv_state(&uv) == NOVA_UV_ENDED,
              "it ends when the share is used up");
        uv.lpid++;
        check(nova_uv_write_pate(&uv, 0, MEMORY) == NOVA_U_SUCCESS &&
                      !nova_uv_attach(&uv, 0, nova_thread_cpu(), portal) &&
                      honest_become_secure() == NOVA_U_RETRY,
              "another VM has the same share: UV_ESM is U_RETRY if secure memory is missing");
        honest_end();
        hold_all();
        if (tap_end() || nova_service_start(NULL, &config))
                return 1;
        nova_service_sleep();
}
