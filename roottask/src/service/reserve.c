/* SPDX-License-Identifier: BSD-2-Clause */
/* The reserve of kernel memory that the clients of a service leave to it.
 *
 * Sessions, shared memory and semaphores of clients take kernel memory of the service. A page fault
 * of the service that finds none ends the whole service, so clients leave a reserve.
 *
 * The kernel charges a message when it arrives, before the handler can refuse it. The reserve
 * covers the messages that may arrive at once: all capabilities that fit into the windows of the
 * handlers for calls, and a little memory for each handler of shared memory. For a larger message
 * the handler makes a claim: it checks that more than the reserve is left, keeps half of the excess
 * for its next message, and lets the client repeat the message. */
#include <errno.h>

#include "internal.h"
#include "nova/arch/tsc.h"
#include "novart/time.h"
#include "thread/handler.h"

/* Largest reserve on one CPU: tables and mappings for a handler's stack, the heap, and messages
 * that arrive and are refused. */
#define RESERVE_BYTES ((nova_word_t)16 << 10)

/* Bytes that a message with shared memory may charge without a claim. */
#define SHARE_BYTES ((nova_word_t)2 << 10)

/* Time in ns within which the kernel frees the portals of a session that has ended. */
#define GRACE 50000000

#define CAPABILITY_BYTES ((nova_word_t)72) /* upper bound of a mapping's size */

/* Sum of the claims of all services of the program, which have one account. Atomic. */
static nova_word_t claimed;

static nova_word_t smaller(nova_word_t one, nova_word_t other)
{
        return one < other ? one : other;
}

static nova_word_t bytes_left(void)
{
        nova_word_t limit;
        const nova_word_t used = novart_service_kernel_memory(&limit);

        return limit > used ? limit - used : 0;
}

/* A service with a small account leaves half of it to its clients. */
void novart_service_reserve_init(struct nova_service *service)
{
        const nova_word_t cpus = (nova_word_t)__builtin_popcountll(service->cpus);
        const nova_word_t messages = (service->config.share_pages ? SHARE_BYTES : 0) +
                                     (CAPABILITY_BYTES << service->config.receive_order);

        service->reserve = smaller(RESERVE_BYTES + (cpus - 1) * messages, bytes_left() / 2);
        service->share_bytes = smaller(smaller(SHARE_BYTES, service->reserve / (4 * cpus)),
                                       service->config.receive_bytes);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (service->cpu[cpu] && service->cpu[cpu]->share_handler)
                        novart_handler_limit(service->cpu[cpu]->share_handler,
                                             service->share_bytes);
}

bool novart_service_ended_lately(const struct nova_service *service)
{
        return nova_rdtsc() - service->ended < nova_tsc_of_ns(GRACE);
}

/* Returns the error for a client that finds no kernel memory left. EAGAIN: memory of sessions that
 * end becomes free soon. The worker frees their shared memory and their slots, a handler that
 * serves a call of a closing session ends the session, and the kernel frees their portals after a
 * grace period. ENOMEM: no session ends. */
static int shortage(const struct nova_service *service)
{
        const bool ends = service->passing_head != SESSION_NONE ||
                          novart_session_ending(&service->table) ||
                          novart_service_ended_lately(service);

        return ends ? EAGAIN : ENOMEM;
}

int novart_service_room(const struct nova_service *service)
{
        /* Read before the account: a message is charged before its claim ends. */
        const nova_word_t kept = __atomic_load_n(&claimed, __ATOMIC_SEQ_CST);
        const nova_word_t left = bytes_left();

        if (left < service->reserve)
                return shortage(service);
        return left - service->reserve < kept ? EAGAIN : 0;
}

int novart_service_claim(struct service_cpu *cpu, nova_word_t had)
{
        const struct nova_service *service = cpu->service;
        const nova_word_t most = service->config.receive_bytes;
        nova_word_t kept = __atomic_load_n(&claimed, __ATOMIC_SEQ_CST);
        const nova_word_t left = bytes_left();
        const nova_word_t room = left > service->reserve ? left - service->reserve : 0;
        /* Half, so that other clients go on during the claim, even if a client makes one claim
         * after another. */
        const nova_word_t bytes = smaller((room > kept ? room - kept : 0) / 2, most);

        if (smaller(room / 2, most) <= had)
                return shortage(service);
        if (bytes > had && __atomic_compare_exchange_n(&claimed, &kept, kept + bytes, false,
                                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
                __atomic_store_n(&cpu->claim, bytes, __ATOMIC_RELEASE);
                novart_handler_limit(cpu->share_handler, bytes);
        }
        return EAGAIN;
}

nova_word_t novart_service_claim_end(struct service_cpu *cpu)
{
        const nova_word_t claim = cpu->claim;

        if (!claim)
                return cpu->service->share_bytes;
        novart_handler_limit(cpu->share_handler, cpu->service->share_bytes);
        __atomic_store_n(&cpu->claim, 0, __ATOMIC_RELEASE);
        __atomic_sub_fetch(&claimed, claim, __ATOMIC_SEQ_CST);
        return claim;
}
