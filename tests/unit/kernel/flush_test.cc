// SPDX-License-Identifier: BSD-2-Clause
// A page table is freed only when no CPU can hold an entry that leads to it, even if nothing was
// mapped below it: CPUs cache entries of upper tables separately (SDM 3A, 4.10.3).
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "sched/cpu.h"
}

namespace
{

constexpr word_t SOURCE = 0x10000, BASE = 0x400000;

unsigned cr3_writes;  // by this CPU, before the operation
unsigned freed, held; // number of freed frames; number of freed frames that a CPU may still use

void note_freed()
{
        const struct cpu *other = cpu_by_id(1);

        freed++;
        held += fake_cr3_writes == cr3_writes || !other->flush_done ||
                other->flush_done != other->flush_wanted;
}

void let_other_answer()
{
        cpu_by_id(1)->flush_done = cpu_by_id(1)->flush_wanted;
}

// A PD with a root and no other page tables, which both CPUs have loaded.
struct Loaded : Kernel {
        pd *child = make_pd();
        Taken before = taken_now();

        Loaded()
        {
                fake_second_cpu(child);
                cpu_self()->current_pd = child;
                fake_wait = let_other_answer;
                cr3_writes = fake_cr3_writes;
                freed = held = 0;
                fake_freed = note_freed;
        }

        ~Loaded()
        {
                fake_freed = nullptr;
                account_root.limit = ~word_t{0};
                fake_idle();
        }

        // Leaves memory for one mapping and this number of tables.
        static void limit_to(unsigned tables)
        {
                account_root.limit = account_root.used + sizeof(mapping) + PAGE_SIZE / 2 +
                                     (word_t{tables} << PAGE_BITS);
        }

        // Checks that this number of tables was made, and freed after both CPUs had flushed.
        void expect_freed(unsigned tables)
        {
                EXPECT_EQ(freed, tables);
                EXPECT_EQ(held, 0u);
                EXPECT_EQ(taken_now(), before);
                check_pd(child);
        }
};

// Delegates with memory for each possible number of the needed tables.
void try_each_number_of_tables(word_t pages, unsigned needed, bool (*run)(delegation &))
{
        for (unsigned tables = 0; tables <= needed; tables++) {
                SCOPED_TRACE(tables);
                Loaded k;
                delegation d = make_delegation(&kernel_pd, SOURCE, k.child, BASE, pages,
                                               NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
                k.limit_to(tables);
                const bool done = run(d);
                EXPECT_EQ(done, tables == needed);
                if (!done)
                        k.expect_freed(tables);
        }
}

bool at_once(delegation &d)
{
        return range_delegate(&d);
}

bool in_steps(delegation &d)
{
        step_result result;

        while ((result = delegation_step(&d)) == STEP_AGAIN)
                ;
        return result == STEP_DONE;
}

TEST(flush, comes_before_tables_of_a_page_that_found_no_memory_are_freed)
{
        try_each_number_of_tables(1, 3, at_once);
        try_each_number_of_tables(1, 3, in_steps);
}

TEST(flush, comes_before_tables_of_a_large_page_that_found_no_memory_are_freed)
{
        try_each_number_of_tables(512, 2, at_once);
        try_each_number_of_tables(512, 2, in_steps);
}

TEST(flush, comes_before_tables_of_a_utcb_that_found_no_memory_are_freed)
{
        for (unsigned tables = 0; tables < 3; tables++) {
                SCOPED_TRACE(tables);
                Loaded k;
                k.limit_to(tables);
                mapping *utcb;
                EXPECT_EQ(mapping_insert_utcb(&k.child->memory.space, BASE, SOURCE, &utcb),
                          NOVA_OUT_OF_MEMORY);
                k.expect_freed(tables);
        }
}

} // namespace
