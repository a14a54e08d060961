/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent of VMMs that die, hang or are killed at each call of the ultravisor and in each
 * ultracall (ender.c). After each end the ultravisor has as much kernel memory and as many threads,
 * selectors and free frames as before, and the parent's own secure guest runs. A VMM has its
 * parent's name, and the ultravisor allows two sessions for a name. So if the session of a VMM
 * stays, the next VMM gets none. */
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "counts.h"
#include "vmm_start.h"

#define MS      1000000u
#define LONG    (60000u * UINT64_C(1000000)) /* a VMM must have ended by then */
#define OF_VMM  8u                           /* number of ultracalls for VMMs */
#define DELAYS  13u  /* different delays, below 1 ms, before the kill of a VMM that goes on */
#define WARM    6u   /* VMMs of one measurement */
#define SETTLES 100u /* samples until the ultravisor and the kernel have freed a VMM's memory */
#define OWN     0x500000u /* pages of the parent's guest */
#define PAGES   0x200u    /* pages at OWN: they leave too few frames for a VMM's guest */

/* Resources of the ultravisor when a VMM has ended. */
static struct usage {
        uint64_t least, most; /* kernel memory in bytes */
        unsigned threads;
        struct counts counts; /* only selectors, capabilities and frames are compared */
} before = {.least = UINT64_MAX}, after = {.least = UINT64_MAX};

static struct nova_session *counter;
static unsigned places, wrong;

/* Waits for the end of a VMM. @return its status, -1: it has not ended in time */
static int wait(struct nova_child *child)
{
        int status = -1;

        if (child && nova_child_wait_until(child, &status, nova_deadline_in(LONG))) {
                nova_child_kill(child, NOVA_CHILD_KILLED);
                nova_child_wait(child, NULL);
                return -1;
        }
        return status;
}

static int run(const char *what)
{
        return wait(vmm_start(what, 0, 0));
}

/* Lets a VMM come to its place and end there. @return its status */
static int end_at(const char *what, unsigned place, unsigned deed)
{
        struct nova_child *const child = vmm_start(what, place, deed);

        if (!child || deed == ENDER_DIES)
                return wait(child);
        if (nova_semaphore_down_until(&vmm_reached, nova_deadline_in(LONG)))
                return wait(child);
        if (deed == ENDER_GOES)
                nova_sleep(place % DELAYS * MS / DELAYS);
        nova_child_kill(child, NOVA_CHILD_KILLED);
        return wait(child);
}

static struct nova_parent_program ultravisor(void)
{
        struct nova_parent_program program = {.name = ""};

        for (unsigned i = 0; strcmp(program.name, "ultravisor") != 0; i++)
                if (nova_parent_program_describe(i, &program))
                        break;
        return program;
}

/* Returns true if the ultravisor has as many selectors, capabilities and free frames as before. */
static bool has_same(bool report)
{
        static const struct {
                enum count of;
                const char *name;
        } exact[] = {{COUNT_SELECTORS, "selectors"},
                     {COUNT_CAPABILITIES, "capabilities"},
                     {COUNT_FRAMES, "free frames"}};
        struct counts now;
        bool same = counts_ask(counter, &now);

        for (unsigned i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
                const nova_word_t had = before.counts.of[exact[i].of], has = now.of[exact[i].of];

                same &= has == had;
                if (report && has != had)
                        printf("The ultravisor has %lu %s, had %lu.\n", (unsigned long)has,
                               exact[i].name, (unsigned long)had);
        }
        return same;
}

/* Waits until the ultravisor has what it had before: a session ends after its client. */
static bool is_back(void)
{
        struct nova_parent_program now = ultravisor();

        for (unsigned i = 0; i < 500; i++) {
                if (now.kernel_used <= before.most && now.threads == before.threads &&
                    has_same(false))
                        return true;
                nova_sleep(10 * MS);
                now = ultravisor();
        }
        has_same(true);
        printf("The ultravisor has %llu bytes of kernel memory and %u threads, had at most %llu "
               "and %u.\n",
               (unsigned long long)now.kernel_used, now.threads, (unsigned long long)before.most,
               before.threads);
        return false;
}

/* Returns the kernel memory that the ultravisor has when a VMM's exit is complete. */
static uint64_t settled(void)
{
        uint64_t least = UINT64_MAX;

        for (unsigned i = 0; i < SETTLES; i++) {
                const uint64_t used = ultravisor().kernel_used;

                least = used < least ? used : least;
                nova_sleep(10 * MS);
        }
        return least;
}

/* Lets some VMMs exit and kills others, and notes the least and the greatest kernel memory
 * afterwards. The ultravisor's heap keeps some free pages, sometimes more and sometimes fewer, and
 * the kernel has a record for each of them. */
static bool measure(struct usage *usage)
{
        unsigned right = 0;

        for (unsigned i = 0; i < WARM; i++) {
                uint64_t used;

                right += i % 2 ? end_at(ENDER_ESM, i, ENDER_HANGS) == NOVA_CHILD_KILLED
                               : run(ENDER_RUN) == ENDER_RIGHT;
                used = settled();
                usage->most = used > usage->most ? used : usage->most;
                usage->least = used < usage->least ? used : usage->least;
        }
        usage->threads = ultravisor().threads;
        right += counts_ask(counter, &usage->counts);
        printf("The ultravisor has %llu to %llu bytes of kernel memory, and %u threads.\n",
               (unsigned long long)usage->least, (unsigned long long)usage->most, usage->threads);
        return right == WARM + 1;
}

/* Lets the parent's guest write and read a page. */
static bool own_guest_runs(void)
{
        drive_begin(PROBE_WRITE, OWN, places + 1);
        if (nova_semaphore_down_until(&drive_answered, nova_deadline_in(LONG)))
                return false;
        drive_begin(PROBE_READ, OWN, 0);
        return !nova_semaphore_down_until(&drive_answered, nova_deadline_in(LONG)) &&
               drive_result == places + 1;
}

static void try_deed(const char *what, unsigned place, unsigned deed)
{
        const int expected = deed == ENDER_DIES ? ENDER_DIED : NOVA_CHILD_KILLED;
        const int status = end_at(what, place, deed);
        const bool back = is_back(), runs = own_guest_runs();

        places++;
        if (status == expected && back && runs)
                return;
        wrong++;
        printf("%s %u, deed %u: status %d, %s back, the other VM %s.\n", what, place, deed, status,
               back ? "all" : "not all", runs ? "runs" : "does not run");
}

static void run_next(const char *what, unsigned place)
{
        const int status = run(ENDER_RUN);

        if (status == ENDER_RIGHT && is_back())
                return;
        wrong++;
        printf("%s %u: the status of the next VMM is %d.\n", what, place, status);
}

/* Lets one VMM after another end at a place, each in a different way (enum ender_deed). */
static void try_place(const char *what, unsigned place)
{
        for (unsigned deed = 0; deed < ENDER_DEEDS; deed++)
                try_deed(what, place, deed);
        run_next(what, place);
}

/* Ends VMMs at the calls of UV_ESM. At the calls between the first and the last, which provide
 * pages, the deeds take turns. */
static void conversion(void)
{
        const unsigned steps = (unsigned)run(ENDER_STEPS);

        check(steps > 16 && steps < ENDER_DIED && is_back(), "UV_ESM makes many calls");
        try_place(ENDER_ESM, 0);
        for (unsigned i = 1; i + 1 < steps && steps < ENDER_DIED; i++) {
                try_deed(ENDER_ESM, i, i % ENDER_GOES);
                try_deed(ENDER_ESM, i, ENDER_GOES);
        }
        try_place(ENDER_ESM, steps - 1);
        printf("%u ends in UV_ESM, which makes %u calls.\n", places, steps);
        check(!wrong, "a VMM ends at each call of UV_ESM");
}

static void calls(void)
{
        wrong = 0;
        for (unsigned i = 0; i < ENDER_KINDS; i++)
                try_place(ENDER_CALL, i);
        check(!wrong, "a VMM ends at each call of the ultravisor for a secure guest");
}

static void ultracalls(void)
{
        static const enum nova_uv_caller callers[] = {
#define CALLER(name, function, number, caller, ...) NOVA_UV_##caller,
                NOVA_UV_CALL_ROWS(CALLER)
#undef CALLER
        };
        unsigned tried = 0;

        wrong = 0;
        for (unsigned i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
                if (callers[i] != NOVA_UV_BY_VMM)
                        continue;
                try_place(ENDER_ULTRA, i);
                tried++;
        }
        try_place(ENDER_SHARED, 0);
        check(tried == OF_VMM && !wrong, "a VMM ends in each ultracall");
        wrong = 0;
        try_place(ENDER_GUEST, PROBE_FLOOD_SHARE);
        try_place(ENDER_GUEST, PROBE_FLOOD_LONG);
        check(!wrong, "a VMM ends while its guest makes ultracalls");
}

/* Prepares the parent's own guest, which has many pages. */
static bool prepare(void)
{
        return vmm_prepare() && !nova_session_open(&counter, "counts", NULL) &&
               honest_start_on(5, 1) && !honest_become_secure() &&
               guest(PROBE_TOUCH, OWN, PAGES) == PAGES && own_guest_runs();
}

int main(void)
{
        int first, last;

        if (!prepare())
                return 1;
        first = run(ENDER_ROOM);
        check(first > 1 && measure(&before), "VMMs end, and the next guest becomes secure");
        conversion();
        calls();
        ultracalls();
        check(measure(&after) && after.least <= before.least && after.most <= before.most &&
                      after.threads == before.threads,
              "the ultravisor has no more kernel memory than before");
        last = run(ENDER_ROOM);
        printf("%u ends. Pages that are out: %d before, %d after.\n", places, first, last);
        check(first == last, "the next guest has each frame of secure memory");
        return tap_end();
}
