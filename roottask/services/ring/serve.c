/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts a service with rings, and serves it when a client rings the doorbell. */
#include "serve.h"

#include <errno.h>
#include <stddef.h>

#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"

static struct nova_service *service;
static nova_sel_t doorbell;
static void (*serve)(void);

struct nova_service *serve_service(void)
{
        return service;
}

nova_sel_t serve_doorbell(void)
{
        return doorbell;
}

bool serve_lock(void)
{
        watchdog_begin();
        if (nova_service_lock(service) == 0)
                return true;
        watchdog_end();
        return false;
}

void serve_unlock(void)
{
        watchdog_end();
        nova_service_unlock(service);
}

/* Tells the clients, in memory that they share, to do an up on the doorbell after each request.
 * @return true if a request waits: its client may have read that memory before this change */
static bool begin_waiting(const struct serve_turns *turns)
{
        turns->wait(true);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return turns->pending();
}

void serve_all(const struct serve_turns *turns)
{
        unsigned rounds = 0;
        bool more;

        do {
                turns->wait(false);
                while (rounds++ < turns->rounds && turns->round())
                        continue;
                more = begin_waiting(turns);
        } while (more && rounds < turns->rounds);
        turns->finish();
        if (more)
                nova_sm_up(doorbell);
}

/* Waits for ups on the doorbell, and serves the clients after each one. A client does an up, or
 * serve_all() does one if it leaves requests. */
static void *run(void *argument)
{
        (void)argument;
        while (nova_sm_zero(doorbell) == NOVA_SUCCESS && serve_lock()) {
                serve();
                serve_unlock();
        }
        return NULL;
}

int serve_start(const struct nova_service_config *config, const struct watch *watch,
                void (*function)(void))
{
        const struct nova_thread_attr attr = {.name = "doorbell", .cpu = nova_program.cpu};
        struct nova_thread *thread;
        int error;

        serve = function;
        doorbell = nova_sel_alloc(0);
        if (doorbell == NOVA_SEL_NONE ||
            nova_create_sm(doorbell, nova_program.pd, 0) != NOVA_SUCCESS)
                return ENOMEM;
        error = watchdog_start(watch);
        if (!error)
                error = nova_service_start(&service, config);
        return error ? error : nova_thread_create(&thread, &attr, run, NULL);
}
