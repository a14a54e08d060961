/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of a network service: the switch without cards. They send arbitrary
 * messages, and write arbitrary data to their rings and pools. Frames may only come from and go to
 * the memory of open sessions, a round must end, and after the last session nothing may be left.
 * The fuzzer switch-table checks the routes. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "net/server.h"
#include "nova/crd.h"
#include "novart/page.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "ring/watchdog.h"
#include "service.h"

#define STEP 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int switch_main(int argc, char **argv);

/* The memory of a session, as its client has it. */
static struct {
        struct nova_net_rings *rings; /* NULL: not attached */
        uint8_t *pool;
        size_t bytes;
} memory[CLIENT_SESSIONS];

static jmp_buf running;
static unsigned pages; /* blocks of pages that the service has */
static uint64_t now;

void *nova_page_alloc(unsigned order)
{
        const size_t bytes = (size_t)NOVA_PAGE_SIZE << order;
        void *const page = aligned_alloc(NOVA_PAGE_SIZE, bytes);

        memset(page, 0, bytes);
        pages++;
        return page;
}

void nova_page_free(void *page, unsigned order)
{
        (void)order;
        require(pages--);
        free(page);
}

/* Substitutes for the rest of the runtime: threads do not run, and the watchdog has nothing to
 * watch. */
int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *), void *argument)
{
        (void)thread, (void)attr, (void)function, (void)argument;
        return 0;
}

void nova_service_sleep(void)
{
        longjmp(running, 1);
}

int watchdog_start(const struct watch *of)
{
        (void)of;
        return 0;
}

void watchdog_begin(void)
{
}

void watchdog_end(void)
{
}

uint64_t nova_time_ns(void)
{
        return now;
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return ns;
}

static void attach(unsigned session, nova_word_t order)
{
        struct client_answer answer;

        client_call(session, NOVA_NET_ATTACH, &order, 1, NULL, &answer);
        if (answer.error)
                return;
        require(answer.gives == 2 && order >= NOVA_NET_POOL_ORDER_MIN);
        memory[session].rings = (void *)(nova_crd_base(answer.give[0]) * NOVA_PAGE_SIZE);
        memory[session].pool = (void *)(nova_crd_base(answer.give[1]) * NOVA_PAGE_SIZE);
        memory[session].bytes = (size_t)NOVA_PAGE_SIZE << order;
        require(nova_crd_order(answer.give[0]) == NOVA_NET_RING_ORDER);
        require(nova_crd_order(answer.give[1]) == order);
}

/* Submits a request to a ring. Its place and size may be out of bounds. */
static void submit(unsigned session, const uint8_t *step, bool receives)
{
        struct nova_net_ring *const ring =
                receives ? &memory[session].rings->receive : &memory[session].rings->transmit;
        struct nova_net_entry *const entry = &ring->entry[ring->head.submitted % NOVA_NET_ENTRIES];

        entry->offset = step[3] * 2048u;
        entry->bytes = receives ? NOVA_NET_BUFFER - step[4] : 14 + step[4] * 8u;
        entry->tag = step[5];
        entry->sum = receives ? step[6] & NOVA_NET_SUM_ACCEPT : step[6];
        if (step[7] & 0x40)
                entry->sum = nova_net_sum_open(step[6] % 128, step[5]);
        if (step[6] & 0x80)
                memcpy(&entry->sum, step + 3, sizeof(entry->sum));
        if (step[7] & 0x80)
                entry->offset = (uint32_t)memory[session].bytes - (step[7] & 0x7f);
        ring->head.client_waits = step[7] >> 5 & 1;
        ring->head.submitted++;
}

/* Addresses a frame in a pool, from one client to another or to all. */
static void address(unsigned session, const uint8_t *step)
{
        uint8_t *const frame = memory[session].pool + step[3] * 2048u % memory[session].bytes;
        struct client_answer answer;
        struct nova_net_info about;

        for (unsigned i = 0; i < 2; i++) {
                client_call(i ? session : step[2] % CLIENT_SESSIONS, NOVA_NET_INFO, "", 0, NULL,
                            &answer);
                memcpy(&about, answer.word, sizeof(about));
                memcpy(frame + i * NOVA_NET_ADDRESS, about.address, NOVA_NET_ADDRESS);
        }
        frame[0] |= step[4] & 1;
}

static void serve(void)
{
        require(serve_lock());
        net_serve();
        serve_unlock();
        for (unsigned i = 0; i < net_port_count; i++)
                require(net_ports[i]->attached && net_ports[i]->index == i);
}

/* Writes anything to the memory that a client shares. */
static void scribble(unsigned session, const uint8_t *step)
{
        const size_t at = step[2] | (size_t)step[3] << 8;

        memcpy((uint8_t *)memory[session].rings + at % (sizeof(struct nova_net_rings) - 3),
               step + 4, 4);
}

static void call(unsigned session, const uint8_t *step)
{
        const nova_word_t operation = NOVA_OPERATION_FIRST + step[2] % 5;
        const nova_word_t words[2] = {step[3], 0};
        struct client_answer answer;

        if (step[2] & 0x80)
                client_call(session, NOVA_OPERATION_CLOSE, "", 0, NULL, &answer);
        else if (operation == NOVA_NET_ATTACH)
                attach(session, step[3]);
        else
                client_call(session, operation, words, step[4] % 3, NULL, &answer);
        if (!client_is_open(session))
                memory[session].rings = NULL;
        if (step[5] & 1)
                client_deliver();
}

static void run_step(const uint8_t *step)
{
        const unsigned session = step[1] % CLIENT_SESSIONS;

        now += step[7] * UINT64_C(1000000);
        if (!client_is_open(session)) {
                client_open(session, "x", step[2] == 0xff);
                if (client_is_open(session))
                        attach(session, 2 + step[3] % 4u);
        } else if ((step[0] & 7) < 2) {
                call(session, step);
        } else if ((step[0] & 7) == 2) {
                serve();
        } else if (memory[session].rings) {
                switch (step[0] & 7) {
                case 3:
                        scribble(session, step);
                        break;
                case 4:
                        address(session, step);
                        break;
                default:
                        for (unsigned i = 0; i <= step[2] % 32u; i++)
                                submit(session, step, step[0] & 1);
                }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char *words[] = {"switch", "open=client1", "rate=client2:20000"};
        static int count = 3; /* the program keeps its arguments */

        memset(memory, 0, sizeof(memory));
        if (!setjmp(running))
                switch_main(count, words);
        count = 1;
        for (; size >= STEP; data += STEP, size -= STEP)
                run_step(data);
        client_end();
        require(!net_port_count && !pages);
        return 0;
}
