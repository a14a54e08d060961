/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures how long a more urgent thread waits for a server to which the attacker sends a message.
 * The thread wakes at several moments of the attack and calls the same server. It helps the
 * attacker's message to its end, and gets its own reply. The other CPUs are idle, so each tick is
 * an instruction. */
#include "interference.h"

#define MOMENTS   16    /* number of moments that one search tries */
#define LEAD      20000 /* minimum number of instructions until the attack begins */
#define SETTLE_MS 15

static struct {
        nova_sel_t go, never, portal;
        uint64_t deadline, waited;
        volatile word_t calls;
} urgent;

static void call_server(struct thread *t)
{
        for (;;) {
                t->value[0] |= hc_sm_ctrl(urgent.go, NOVA_SM_DN_OP);
                t->value[0] |=
                        hc_sm_until(urgent.never, NOVA_SM_DN_OP, urgent.deadline) != NOVA_COM_TIM;
                t->utcb->items = 0;
                t->value[0] |= hc_call(urgent.portal, 0);
                urgent.waited = tsc() - urgent.deadline;
                urgent.calls++;
        }
}

/* Makes an attack, in the middle of which the urgent thread wakes. Returns how long that thread
 * waited. */
static uint64_t attack_at(struct thread *attacker, thread_fn *fn, uint64_t after)
{
        const word_t calls = urgent.calls;

        rest(SETTLE_MS); /* the kernel frees the objects that have ended */
        urgent.deadline = tsc() + after;
        EXPECT_EQ(hc_sm_ctrl(urgent.go, NOVA_SM_UP_OP), NOVA_SUCCESS);
        remote(attacker, fn, NULL);
        EXPECT(wait_for(&urgent.calls, calls + 1));
        return urgent.waited;
}

/* Tries moments at equal intervals. The wait is longest at the beginning of the message.
 * @param from time of the first moment; receives the time of the moment with the longest wait
 * @return that wait */
static uint64_t search(struct thread *attacker, thread_fn *fn, uint64_t *from, uint64_t distance)
{
        const uint64_t first = *from;
        uint64_t longest = 0;

        for (unsigned i = 0; i < MOMENTS; i++) {
                const uint64_t waited = attack_at(attacker, fn, first + distance * i);

                if (waited > longest) {
                        longest = waited;
                        *from = first + distance * i;
                }
        }
        return longest;
}

/* Searches the whole attack, then the interval before the moment with the longest wait. */
static void measure_waits(struct thread *attacker, const char *key, thread_fn *fn,
                          nova_sel_t portal)
{
        uint64_t length, at = LEAD, longest, later;

        attack.times = 1;
        remote(attacker, fn, NULL); /* gets pages, tables and slabs */
        rest(SETTLE_MS);
        length = tsc();
        remote(attacker, fn, NULL);
        length = tsc() - length;
        urgent.portal = portal;
        longest = search(attacker, fn, &at, length / MOMENTS);
        at = at > length / MOMENTS ? at - length / MOMENTS : 0;
        later = search(attacker, fn, &at, length / MOMENTS / MOMENTS);
        attack_tell("server", key, (word_t)(later > longest ? later : longest));
}

void server_waits(struct thread *attacker, const nova_sel_t *portals)
{
        struct thread *const thread = global(boot_cpu, call_server, NULL);

        urgent.go = semaphore(0);
        urgent.never = semaphore(0);
        thread_start(thread, PRIO_HIGH, QUANTUM);
        measure_waits(attacker, "ports", attack_ports, portals[RECEIVER_IO]);
        measure_waits(attacker, "port_range", attack_port_range, portals[RECEIVER_IO]);
        measure_waits(attacker, "receive_objects", attack_receive_objects, portals[RECEIVER_OBJ]);
        measure_waits(attacker, "receive_pages", attack_receive_pages, portals[RECEIVER_MEM]);
        measure_waits(attacker, "receive_ranges", attack_receive_ranges, portals[RECEIVER_MEM]);
        measure_waits(attacker, "receive_limited", attack_receive_limited,
                      portals[RECEIVER_LIMITED]);
        measure_waits(attacker, "receive_undone", attack_receive_undone, portals[RECEIVER_LIMITED]);
        measure_waits(attacker, "translate", attack_translate, portals[RECEIVER_OBJ]);
        measure_waits(attacker, "translate_page", attack_translate_page, portals[RECEIVER_MEM]);
        EXPECT_EQ(thread->value[0], NOVA_SUCCESS);
}
