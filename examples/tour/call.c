/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 2: a thread, a portal to it, and a call. */
#include <nova/arch/tsc.h>

#include "tour.h"

#define ROUNDS 1000

/* Runs on the caller's time: replies with sum and product of the two words. */
static void serve_numbers(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        nova_word_t a = 0, b = 0;

        (void)argument;
        nova_utcb_get(utcb, 0, &a);
        nova_utcb_get(utcb, 1, &b);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, a + b);
        nova_utcb_put(utcb, a * b);
        nova_utcb_put(utcb, portal);
}

static void show_utcb(const char *when)
{
        nova_word_t word;

        say("    %-8s UTCB: U=%u T=%u, words", when, nova_utcb_word_count(root.utcb),
            nova_utcb_item_count(root.utcb));
        for (unsigned i = 0; nova_utcb_get(root.utcb, i, &word); i++)
                say(" %zu", (size_t)word);
        say("\n");
}

static uint64_t measure(nova_sel_t portal)
{
        const uint64_t start = nova_rdtsc();

        for (unsigned i = 0; i < ROUNDS; i++) {
                nova_utcb_clear(root.utcb);
                must("call", nova_call(portal, 0));
        }
        return (nova_rdtsc() - start) / ROUNDS;
}

void screen_call(void)
{
        const struct server server = server_start(root.cpu, serve_numbers, NULL);
        const nova_sel_t portal = nova_root_sel(&root, 1);
        nova_word_t sum = 0;

        title(2, "A thread, a portal and a call");
        say("A local thread has no time of its own: it serves portals on its callers' time.\n"
            "The words travel in the UTCB, one page per thread; one register names the\n"
            "portal, and the kernel hands the portal's number to the handler. U counts the\n"
            "untyped words of a message, T its typed items: those move capabilities.\n\n");

        server_portal(&server, portal, 0);
        nova_utcb_clear(root.utcb);
        nova_utcb_put(root.utcb, 6);
        nova_utcb_put(root.utcb, 7);
        show_utcb("request");
        say("    first argument register: %#zx, that is portal %zu << 8 | number of call, %u\n",
            (size_t)nova_hypercall_id(NOVA_CALL, 0, portal), (size_t)portal, NOVA_CALL);
        must("call", nova_call(portal, 0));
        show_utcb("reply");
        must_be("the sum of 6 and 7 in the reply", nova_utcb_get(root.utcb, 0, &sum) && sum == 13);
        say("    The reply holds sum, product and the portal as the thread saw it.\n\n");

        say_status("call to a selector that holds nothing", nova_call(portal + 1000, 0));
        say("    call and reply take %llu ticks of the time stamp counter (mean of %u)\n",
            (unsigned long long)measure(portal), ROUNDS);
}
