/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure guest executes each instruction that leaves it, and that the ultravisor answers itself:
 * the guest gets what exits.tsv says, and the VMM gets no call. */
#include <stdio.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "guest_exits.h"
#include "honest.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define WAITS     2000u /* milliseconds */
#define HALT_NS   50000000u
#define ACCESSES  3u /* accesses of a command to ports, without the one that waits for it */

static unsigned accesses, others;
static bool offers;

/* Counts the calls of a command, and all others. */
static void count(struct call *call)
{
        const bool port = call->number == NOVA_H_PORT;

        if (port && call->word[0] >= PROBE_FIRST && call->word[0] <= PROBE_RESULT)
                accesses++;
        else
                others += !port || call->word[0] != PROBE_COMMAND;
}

/* Returns true if an instruction raises @p vector, and the VMM gets no call for it. */
static bool is_inside(enum guest_exit kind, uint32_t vector)
{
        unsigned result;

        accesses = others = 0;
        honest_attack = count;
        result = guest(PROBE_EXIT, kind, 0);
        honest_attack = NULL;
        if (result == vector && accesses == ACCESSES && !others)
                return true;
        printf("Instruction %d: result %u, %u accesses, %u other calls.\n", (int)kind, result,
               accesses, others);
        return false;
}

static void instructions(void)
{
        check(is_inside(GUEST_EXIT_CPUID, 0), "CPUID is answered inside");
        check(is_inside(GUEST_EXIT_INVD, 0) && is_inside(GUEST_EXIT_WBINVD, 0),
              "INVD and WBINVD are skipped inside");
        check(is_inside(GUEST_EXIT_PAUSE, 0), "PAUSE is skipped inside");
        check(is_inside(GUEST_EXIT_RDPMC, VECTOR_GP), "RDPMC raises #GP inside");
        check(is_inside(GUEST_EXIT_MONITOR, VECTOR_UD) && is_inside(GUEST_EXIT_MWAIT, VECTOR_UD),
              "MONITOR and MWAIT raise #UD inside");
        check(is_inside(GUEST_EXIT_VMRUN, VECTOR_UD) && is_inside(GUEST_EXIT_VMLAUNCH, VECTOR_UD) &&
                      is_inside(GUEST_EXIT_RSM, VECTOR_UD),
              "VMRUN, VMLAUNCH and RSM raise #UD inside");
}

/* Tests XSETBV, which only guests with XSAVE can execute. */
static void xsetbv(void)
{
        const bool has = guest(PROBE_EXIT, GUEST_EXIT_HAS_XSAVE, 0);
        const uint32_t wrong = has ? VECTOR_GP : VECTOR_UD;

        printf("The guest has %s.\n", has ? "XSAVE" : "no XSAVE");
        check(is_inside(GUEST_EXIT_XSETBV, has ? 0 : VECTOR_UD),
              "XSETBV with a valid value sets XCR0; without XSAVE it raises #UD");
        check(is_inside(GUEST_EXIT_XSETBV_STATE, wrong) && is_inside(GUEST_EXIT_XSETBV_BIT, wrong),
              "XSETBV with an invalid value raises #GP; without XSAVE, #UD");
        check(is_inside(GUEST_EXIT_XSETBV_NUMBER, wrong),
              "XSETBV of another register raises #GP; without XSAVE, #UD");
}

/* Offers one vector. */
static void offer(struct call *call)
{
        if (call->number != NOVA_H_INTERRUPT || !offers)
                return;
        offers = false;
        call->words = 2;
        call->value = PROBE_VECTOR_LOW;
}

/* Lets the guest execute HLT with IF set. */
static void wait_halted(void)
{
        const uint32_t before = guest(PROBE_TAKEN, PROBE_VECTOR_LOW, 0);

        drive_result = 1;
        drive_begin(PROBE_EXIT, GUEST_EXIT_HALT, 0);
        nova_sleep(HALT_NS);
        check(drive_result == 1 && nova_uv_state(&uv) == NOVA_UV_SECURE, "HLT with IF set waits");
        offers = true;
        honest_attack = offer;
        nova_uv_kick(&uv, 0);
        nova_semaphore_down(&drive_answered);
        honest_attack = NULL;
        check(drive_result == 0 && guest(PROBE_TAKEN, PROBE_VECTOR_LOW, 0) == before + 1,
              "an interrupt ends the wait");
}

/* Returns true if the ultravisor ends the guest soon, without a call. */
static bool ends(uint32_t command, uint32_t first)
{
        bool ended;

        accesses = others = 0;
        honest_attack = count;
        drive_begin(command, first, 0);
        ended = honest_ends(WAITS);
        honest_attack = NULL;
        return ended && !others && accesses == ACCESSES - 1; /* the command gave no result */
}

int main(void)
{
        if (!honest_start(3))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest becomes secure");
        instructions();
        xsetbv();
        wait_halted();
        check(ends(PROBE_HALT, 0), "HLT with IF clear ends a guest whose virtual CPUs all do that");
        honest_end();
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0),
              "and the next guest runs");
        check(ends(PROBE_EXIT, GUEST_EXIT_TRIPLE), "a triple fault ends the guest");
        honest_end();
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0),
              "and the next guest runs");
        return tap_end();
}
