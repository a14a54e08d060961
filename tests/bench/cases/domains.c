/* SPDX-License-Identifier: BSD-2-Clause */
/* Switches between PDs of the same account or of two accounts, entries of one guest or of two
 * guests in turn, and an interrupt. domains.py reads from the plugin's trace which MSRs the kernel
 * wrote, and where. */
#include "bench.h"
#include "guest.h"

#define ACCOUNT 0x20000

GUEST(halts, 32, "1: hlt; jmp 1b");

static void measure_call(const char *key, struct thread *server)
{
        static struct timed op;

        op = (struct timed){
                .key = key,
                .fn = timed_trap_1,
                .args = {.a1 = nova_hypercall_id(NOVA_CALL, 0, portal_at(server, 0, portal_echo))},
        };
        measure(&op, 1);
}

CASE(domains, calls, "")
{
        struct thread *way = server(boot_cpu);

        measure_call("same_pd", server(boot_cpu));
        measure_call("same_account", child_server(child_new(boot_cpu)));
        measure_call("other_account", child_server(child_with_account(boot_cpu, ACCOUNT, way)));
}

/* Two entries of guests, each up to the next halt. */
static struct guest *entered[2];

static uint32_t timed_entries(struct args *args)
{
        const uint64_t start = tsc();

        for (unsigned i = 0; i < 2; i++) {
                entered[i]->state->ip++; /* after the halt */
                guest_until(entered[i], NOVA_MTD_EIP, EXIT_HLT);
        }
        args->a1 = NOVA_SUCCESS;
        return (uint32_t)(tsc() - start);
}

static void measure_entries(const char *key, struct guest *first, struct guest *second)
{
        static struct timed op;

        entered[0] = first;
        entered[1] = second;
        op = (struct timed){.key = key, .fn = timed_entries};
        measure(&op, 1);
}

CASE_ON(domains, guests, "", needs_virtualization)
{
        struct guest *one = guest_new(boot_cpu, halts, halts_end);
        struct guest *other = guest_new(boot_cpu, halts, halts_end);

        guest_until(one, guest_flat(one), EXIT_HLT);
        guest_until(other, guest_flat(other), EXIT_HLT);
        measure_entries("same_guest", one, one);
        measure_entries("other_guest", one, other);
}

#define SLICE_US 40    /* 40,000 instructions */
#define SPINS    11000 /* rounds of 4 to 6 instructions: more than one slice, less than two */
#define GAP      200   /* minimum difference of two readings of the TSC if the kernel ran */

/* Waits for the end of a slice, so that the operation contains the end of exactly one slice. */
static void wait_for_slice(struct timed *op, unsigned round)
{
        uint64_t before, now;

        (void)op;
        (void)round;
        trace_end();
        now = tsc();
        do {
                before = now;
                now = tsc();
        } while (now - before < GAP);
}

/* Spins beyond the end of a slice. The timer interrupts there. No other thread can run, so this one
 * continues. */
static uint32_t timed_slice(struct args *args)
{
        const uint64_t start = tsc();

        for (volatile unsigned i = 0; i < SPINS; i++)
                ;
        args->a1 = NOVA_SUCCESS;
        return (uint32_t)(tsc() - start);
}

static struct timed slice = {.key = "interrupt", .fn = timed_slice, .before = wait_for_slice};
static nova_sel_t measured;

static void measure_slices(struct thread *t)
{
        run_rounds(&slice, 1, t->utcb);
        hc_sm_ctrl(measured, NOVA_SM_UP_OP);
}

CASE(domains, interrupts, "")
{
        measured = semaphore(0);
        thread_start(global(boot_cpu, measure_slices, NULL), PRIO_LOW, SLICE_US);
        EXPECT_EQ(hc_sm_ctrl(measured, NOVA_SM_DN_OP), NOVA_SUCCESS);
        report(slice.key, figure(&slice));
}
