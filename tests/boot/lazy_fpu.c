/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaves a pattern in the XMM registers and runs a thread of another PD, which does not use these
 * registers. While SI shows that this thread runs, lazy_fpu.py checks whether the pattern is still
 * in the CPU. */
#include "harness.h"

/* Runs in the child, which keeps the CPU to the end of the test. */
static void spin(struct thread *t)
{
        (void)t;
        __asm__ volatile("mov $0x5350494e, %%esi\n1: pause\n\tjmp 1b" : : : "esi");
}

static void set_pattern(struct thread *t)
{
        static const uint32_t pattern[4]
                __attribute__((aligned(16))) = {0x4c617a79, 0x4c617a79, 0x4c617a79, 0x4c617a79};

        (void)t;
        __asm__ volatile("movaps %0, %%xmm7" : : "m"(pattern));
}

CASE(lazy_fpu, another_pd_runs_while_the_registers_have_a_pattern, "")
{
        struct thread *other = child_server(child_new(boot_cpu));

        set_pattern(NULL);
        remote(other, spin, NULL);
}

/* The kernel does not save the registers of a thread that ends. */
CASE(lazy_fpu, another_pd_runs_after_the_end_of_a_thread_with_a_pattern, "")
{
        struct thread *other = child_server(child_new(boot_cpu));
        struct thread *ending = server(boot_cpu);

        remote(ending, set_pattern, NULL);
        EXPECT_EQ(hc_revoke(obj(ending->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        EXPECT_EQ(hc_revoke(obj(ending->pt, NOVA_PERM_ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        remote(other, spin, NULL);
}
