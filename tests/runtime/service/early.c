/* SPDX-License-Identifier: BSD-2-Clause */
/* A client on another CPU that opens a service as soon as it has a name. */
#include "case.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/service.h"
#include "novart/session.h"
#include "novart/sync.h"
#include "novart/thread.h"

#define ROUNDS 200

static struct nova_service **started; /* where nova_service_start() stores the service */
static unsigned opened, wrong;
static uint32_t round_number; /* atomic */

static int opens(struct nova_request *request, const char *arguments)
{
        (void)arguments;
        opened++;
        wrong += *started != request->service;
        return 0;
}

static const struct nova_service_operation no_operations[1];

static const struct nova_service_config config = {
        .name = "early", .operations = no_operations, .operation_count = 1, .open = opens};

static void *client(void *unused)
{
        (void)unused;
        for (uint32_t round = 1; round <= ROUNDS; round++) {
                struct nova_session *session;

                while (nova_session_open(&session, "early", NULL))
                        ;
                nova_session_close(session);
                __atomic_store_n(&round_number, round, __ATOMIC_RELEASE);
                while (__atomic_load_n(&round_number, __ATOMIC_ACQUIRE) == round)
                        __builtin_ia32_pause();
        }
        return NULL;
}

/* Starts the service once. The memory in which nova_service_start() stores it has no page yet, so
 * the store takes longer. */
static bool run_round(uint32_t round)
{
        struct nova_service *service;

        started = nova_region_lazy("started", NOVA_PAGE_SIZE);
        if (!started || nova_service_start(started, &config))
                return false;
        while (__atomic_load_n(&round_number, __ATOMIC_ACQUIRE) != round)
                __builtin_ia32_pause();
        service = *started;
        nova_service_stop(service);
        nova_region_free((void *)started);
        __atomic_store_n(&round_number, round + ROUNDS, __ATOMIC_RELEASE);
        return true;
}

int main(void)
{
        const uint64_t others = nova_program.cpus & ~((uint64_t)1 << nova_program.cpu);
        const nova_word_t other = (nova_word_t)__builtin_ctzll(others);
        const struct nova_thread_attr attr = {.name = "client", .cpu = other};
        struct nova_thread *thread;
        bool good = nova_thread_create(&thread, &attr, client, NULL) == 0;

        for (uint32_t round = 1; round <= ROUNDS && good; round++)
                good = run_round(round);
        check(good && nova_thread_join(thread, NULL) == 0, "the service starts and stops");
        check(opened == ROUNDS, "a client opens it each time");
        check(!wrong, "its first client finds the service stored");
        return check_end();
}
