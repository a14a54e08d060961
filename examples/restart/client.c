/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls a service eight times. When the server dies, the call fails; the client opens the service
 * again as soon as init has started a new server, and goes on. */
#include <errno.h>
#include <stdio.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/parent.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"

#define WANTED 8

/* Waits until the service is there. */
static int open_service(nova_sel_t portals)
{
        int error;

        /* What was there leads to a server that is dead. */
        nova_revoke(nova_crd_obj(portals, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL),
                    NOVA_REVOKE_SR);
        while ((error = nova_parent_open("counter", portals)) == EAGAIN)
                nova_sleep(1000000);
        return error;
}

int main(void)
{
        struct nova_utcb *const utcb = nova_thread_utcb();
        const nova_sel_t portals = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);
        int error = open_service(portals);

        for (unsigned answers = 0; answers < WANTED && !error;) {
                nova_utcb_clear(utcb);
                if (nova_call(portals + nova_thread_cpu(), 0) == NOVA_SUCCESS) {
                        printf("answer %u: call number %u\n", ++answers, (unsigned)utcb->word[0]);
                } else {
                        puts("the server is dead");
                        error = open_service(portals);
                }
        }
        return error;
}
