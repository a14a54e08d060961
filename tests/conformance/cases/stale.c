/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that was revoked from PDs which no CPU has loaded: no TLB may still hold it. */
#include "harness.h"

#define ROUNDS   50
#define CHILDREN 9

static word_t address_of(word_t page)
{
        return page << NOVA_PAGE_BITS;
}

CASE(stale, a_pd_that_is_not_loaded_loses_a_page_that_it_read_before, "3.6-06 3.6-15")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        for (unsigned i = 0; i < ROUNDS; i++) {
                give(t, mem(src, 0, NOVA_MEM_RWX), dst);
                EXPECT_EQ(remote_write(t, address_of(dst), i), 0);
                EXPECT_EQ(hc_revoke(mem(src, 0, NOVA_PERM_ALL), 0), NOVA_SUCCESS);
                EXPECT_EQ(remote_read(t, address_of(dst)), 1);
        }
}

CASE(stale, a_pd_that_is_not_loaded_loses_the_right_to_write, "3.6-06 3.6-16")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        for (unsigned i = 0; i < ROUNDS; i++) {
                give(t, mem(src, 0, NOVA_MEM_RWX), dst);
                EXPECT_EQ(remote_write(t, address_of(dst), i), 0);
                EXPECT_EQ(hc_revoke(mem(src, 0, NOVA_MEM_W), 0), NOVA_SUCCESS);
                EXPECT_EQ(remote_read(t, address_of(dst)), 0);
                EXPECT_EQ(remote_write(t, address_of(dst), i), 1);
                EXPECT_EQ(hc_revoke(mem(src, 0, NOVA_PERM_ALL), 0), NOVA_SUCCESS);
        }
}

/* One revocation reaches several PDs, so a shoot-down has to flush translations of each of them. */
CASE(stale, many_pds_lose_a_page_that_they_read_before, "3.6-06 3.6-08 3.6-15")
{
        struct thread *t[CHILDREN];
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        for (unsigned i = 0; i < CHILDREN; i++)
                t[i] = child_server(child_new(boot_cpu));
        for (unsigned round = 0; round < 5; round++) {
                for (unsigned i = 0; i < CHILDREN; i++) {
                        give(t[i], mem(src, 0, NOVA_MEM_RWX), dst);
                        EXPECT_EQ(remote_read(t[i], address_of(dst)), 0);
                }
                EXPECT_EQ(hc_revoke(mem(src, 0, NOVA_PERM_ALL), 0), NOVA_SUCCESS);
                for (unsigned i = 0; i < CHILDREN; i++)
                        EXPECT_EQ(remote_read(t[i], address_of(dst)), 1);
        }
}

/* The kernel may reuse the tags that distinguished the PDs. */
CASE_ON(stale, a_new_pd_sees_nothing_of_one_that_was_destroyed, "2.1-07", needs_pd_destroy)
{
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        for (unsigned i = 0; i < 10; i++) {
                struct child *c = child_new(boot_cpu);
                struct thread *t = child_server(c);
                EXPECT_EQ(remote_read(t, address_of(dst)), 1);
                give(t, mem(src, 0, NOVA_MEM_RWX), dst);
                EXPECT_EQ(remote_read(t, address_of(dst)), 0);
                EXPECT_EQ(hc_pd_destroy(c->pd), NOVA_SUCCESS);
        }
}

/* Reads value[0] until it faults; value[1] counts the reads, value[2] reports the end. */
static void reads_until_fault(struct thread *t)
{
        while (!probe_read((const volatile void *)t->value[0]))
                t->value[1]++;
        t->value[2] = 1;
}

static void keeps_the_cpu(struct thread *t)
{
        while (!t->value[0])
                ;
}

CASE_ON(stale, a_pd_that_another_cpu_has_switched_from_loses_a_page_that_it_read, "3.6-15",
        needs_2_cpus)
{
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        for (unsigned i = 0; i < 10; i++) {
                give_self(mem(src, 0, NOVA_MEM_RWX), dst);
                struct thread *t = global(cpu_numbers[1], reads_until_fault, NULL);
                t->value[0] = address_of(dst);
                thread_start(t, PRIO_CASE, QUANTUM);
                EXPECT(wait_for(&t->started, 1));
                spin_us(500);
                EXPECT(t->value[1] > 0);
                struct thread *other = child_global(child_new(cpu_numbers[1]), keeps_the_cpu, NULL);
                thread_start(other, PRIO_CASE + 1, QUANTUM);
                EXPECT(wait_for(&other->started, 1));
                const word_t count = t->value[1];
                EXPECT_EQ(hc_revoke(mem(src, 0, NOVA_PERM_ALL), 0), NOVA_SUCCESS);
                other->value[0] = 1;
                EXPECT(wait_for(&t->value[2], 1));
                EXPECT(t->value[1] <= count + 1);
        }
}
