/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure guest makes ultracalls without a pause, `flood CALLS` at least, while a secure VM and a
 * normal one boot. They boot within 1.2 times the time that they need beside a guest that only
 * computes. This bound also holds beside a VMM that copies a page out again and again, compared
 * with a VMM that only computes. Times are counted instructions. */
#include <stdio.h>
#include <stdlib.h>

#include "../runtime/tap.h"
#include "ask.h"
#include "flood.h"
#include "honest.h"
#include "novart/time.h"

#define FRESH  0x500000u
#define PAGES  64u
#define COPIES 20u

static struct nova_session *flooder, *ordinary;
static bool normal_booted;

static void *boot_normal(void *unused)
{
        const nova_word_t nothing = 0;
        nova_word_t answer = 0;

        (void)unused;
        normal_booted = ask(ordinary, &nothing, 1, &answer, 1) && answer == 1;
        return NULL;
}

/* Lets a guest become secure, use pages, share some of them and end. */
static bool boot_secure(void)
{
        bool good = honest_become_secure() == NOVA_U_SUCCESS;

        for (unsigned i = 0; i < PAGES && good; i++)
                good = guest(PROBE_WRITE, FRESH + i * PAGE, i + 1) == 0 &&
                       guest(PROBE_READ, FRESH + i * PAGE, 0) == i + 1;
        good = good && guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, PAGES) == 0;
        for (unsigned i = 0; i < PAGES && good; i++)
                good = guest(PROBE_WRITE, FRESH + i * PAGE, i + 1) == 0;
        return (honest_end() == NOVA_U_SUCCESS) & good;
}

/* Boots both VMs. @return the time in us, 0 after an error */
static uint64_t boot(void)
{
        const struct nova_thread_attr attr = {.name = "normal", .cpu = NOVA_CPU_SELF};
        const uint64_t begin = nova_time_ns();
        struct nova_thread *thread;
        bool good;

        if (nova_thread_create(&thread, &attr, boot_normal, NULL))
                return 0;
        good = boot_secure();
        nova_thread_join(thread, NULL);
        return good && normal_booted ? (nova_time_ns() - begin) / 1000 : 0;
}

/* Asks for a kind of flood. @return false if that failed */
static bool ask_flooder(nova_word_t kind, nova_word_t answer[2])
{
        return ask(flooder, &kind, 1, answer, 2);
}

/* Boots beside a flood of a kind until it has made a number of calls.
 * @return the time of one boot in us, 0 after an error */
static uint64_t boot_beside(unsigned kind, unsigned long least)
{
        static const char *const name[] = {"computes",
                                           "makes unknown ultracalls",
                                           "shares a page and takes it back",
                                           "shares many pages and takes them back",
                                           "idles",
                                           "computes in its VMM",
                                           "copies a page out"};
        nova_word_t answer[2] = {0, 0}, calls = 0, wrong = 0;
        uint64_t us = 0, rounds = 0, one;

        do {
                if (!ask_flooder(kind, answer))
                        return 0;
                calls += rounds ? answer[0] : 0;
                wrong += answer[1];
                one = calls < least || !rounds ? boot() : 0;
                us += one;
                rounds += one > 0;
        } while (one);
        ask_flooder(FLOOD_IDLE, answer);
        printf("It %s: %llu us for a boot, %llu boots, %lu calls, %lu wrong.\n", name[kind],
               (unsigned long long)(rounds ? us / rounds : 0), (unsigned long long)rounds,
               (unsigned long)calls, (unsigned long)wrong);
        return calls < least || wrong || !rounds ? 0 : us / rounds;
}

/* Returns true if the VMs boot beside a flood within 1.2 times @p alone. */
static bool boots(unsigned kind, unsigned long least, uint64_t alone)
{
        const uint64_t us = boot_beside(kind, least);

        return us && us * 10 <= alone * 12;
}

int main(int argc, char **argv)
{
        const unsigned long calls = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
        uint64_t idle, alone, spun;

        nova_session_open(&flooder, "flooder", NULL);
        nova_session_open(&ordinary, "ordinary", NULL);
        if (!calls || !flooder || !ordinary || !honest_start(5))
                return 1;
        idle = boot_beside(FLOOD_IDLE, 0);
        alone = boot_beside(PROBE_FLOOD_NONE, 1);
        check(idle && alone > idle, "two VMs boot beside a guest that computes");
        check(boots(PROBE_FLOOD_REFUSED, calls / 2, alone), "they boot beside unknown ultracalls");
        check(boots(PROBE_FLOOD_SHARE, calls / 2, alone), "they boot beside calls for a page");
        check(boots(PROBE_FLOOD_LONG, 2, alone), "they boot beside calls for many pages");
        spun = boot_beside(FLOOD_SPIN, 1);
        check(spun && boots(FLOOD_COPY, COPIES, spun), "they boot beside a VMM that moves a page");
        return tap_end();
}
