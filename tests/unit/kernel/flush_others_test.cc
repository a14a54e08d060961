// SPDX-License-Identifier: BSD-2-Clause
// An operation that finds its work done by another CPU returns only after that CPU's flush is
// complete: until then, a third CPU may still use the old translations.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "arch/x86/tlb.h"
#include "sched/cpu.h"
}

namespace
{

constexpr word_t FRAME = 0x10000, PAGE = 0x400000, PORT = 0x60;

// How far the flush of the other CPU has come when the operation begins.
enum Progress {
        BEGUN, // no CPU has its request
        SENT,  // CPU 1 has a request of a third CPU and has not answered
        ASKED, // CPU 0 has a request of CPU 1 and has not answered
};

// Two CPUs with a PD loaded. CPU 1 has begun a flush, and continues with it at the third wait of
// CPU 0.
struct Others : Kernel {
        pd *child = make_pd();
        static Others *now;
        Progress progress;
        flush theirs;
        unsigned waits = 0;
        bool complete = false;

        explicit Others(Progress at) : progress(at)
        {
                now = this;
                fake_second_cpu(child);
                cpu_self()->current_pd = child;
        }

        ~Others()
        {
                fake_idle();
                EXPECT_EQ(flushes_begun, 0u);
        }

        void begin()
        {
                fake_wait = [] { now->wait(); };
                if (progress != BEGUN) {
                        atomic_fetch_add_u32(&flushes_begun, 1);
                        cpu_by_id(progress == SENT ? 1 : 0)->flush_wanted++;
                        return;
                }
                fake_cpu = 1;
                flush_init(&theirs);
                spin_lock(&space_lock[NOVA_CRD_MEM]);
                flush_add(&theirs, child);
                spin_unlock(&space_lock[NOVA_CRD_MEM]);
                fake_cpu = 0;
        }

        void wait()
        {
                if (fake_cpu) { // CPU 1 waits for CPU 0
                        fake_cpu = 0;
                        flush_answer(cpu_self());
                        fake_cpu = 1;
                        return;
                }
                if (complete || ++waits < 3)
                        return;
                fake_cpu = 1;
                if (progress == BEGUN)
                        flush_run(&theirs);
                else
                        atomic_fetch_add_u32(&flushes_begun, uint32_t(-1));
                flush_answer(cpu_self());
                fake_cpu = 0;
                complete = true;
        }

        // Expects that the operation has waited.
        void expect_waited()
        {
                EXPECT_EQ(cpu_self()->flush_done, cpu_self()->flush_wanted);
                EXPECT_TRUE(progress == ASKED || complete);
                while (!complete)
                        wait();
        }
};

Others *Others::now;

void try_each_progress(void (*prepare)(Others &), void (*run)(Others &))
{
        for (const Progress progress : {BEGUN, SENT, ASKED}) {
                SCOPED_TRACE(progress);
                Others k(progress);
                prepare(k);
                k.begin();
                run(k);
                k.expect_waited();
        }
}

void nothing(Others &)
{
}

TEST(flush_of_another_cpu, is_awaited_by_a_revocation_at_once)
{
        try_each_progress(nothing, [](Others &k) {
                EXPECT_TRUE(range_revoke(&k.child->memory.space, PAGE, PAGE, NOVA_PERM_ALL));
        });
}

TEST(flush_of_another_cpu, is_awaited_by_a_revocation_in_steps)
{
        try_each_progress(nothing, [](Others &k) {
                revocation r;
                revocation_begin(&r, &k.child->memory.space, PAGE, PAGE, NOVA_PERM_ALL, true);
                EXPECT_EQ(revocation_step(&r), STEP_DONE);
        });
}

TEST(flush_of_another_cpu, is_awaited_before_the_frame_of_a_utcb_is_free)
{
        static mapping *utcb;
        try_each_progress(
                [](Others &k) {
                        space *const memory = &k.child->memory.space;
                        ASSERT_EQ(mapping_insert_utcb(memory, PAGE, FRAME, &utcb), NOVA_SUCCESS);
                        fake_wait = [] { cpu_by_id(1)->flush_done = cpu_by_id(1)->flush_wanted; };
                        k.revoke(k.child, PAGE, PAGE, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
                },
                [](Others &) { mapping_remove_utcb(utcb); });
}

TEST(flush_of_another_cpu, is_awaited_by_a_delegation_of_ports)
{
        static const auto delegate = [](Others &k, word_t port) {
                delegation d = make_delegation(&kernel_pd, port, k.child, port, 1, NOVA_CRD_IO,
                                               NOVA_IO_A, 0);
                EXPECT_TRUE(range_delegate(&d));
        };
        try_each_progress(
                [](Others &k) {
                        fake_wait = [] { cpu_by_id(1)->flush_done = cpu_by_id(1)->flush_wanted; };
                        delegate(k, PORT);
                },
                [](Others &k) { delegate(k, PORT + 1); });
}

TEST(flush_of_another_cpu, is_awaited_by_a_delegation_of_memory)
{
        try_each_progress(nothing, [](Others &k) {
                delegation d = make_delegation(&kernel_pd, FRAME, k.child, PAGE, 1, NOVA_CRD_MEM,
                                               NOVA_MEM_RWX, 0);
                EXPECT_TRUE(range_delegate(&d));
        });
}

TEST(flush_of_another_cpu, is_awaited_by_a_delegation_to_a_domain_of_devices)
{
        try_each_progress([](Others &k) { k.child->memory.space.tables = SPACE_ALL_TABLES; },
                          [](Others &k) {
                                  delegation d = make_delegation(&kernel_pd, FRAME, k.child, PAGE,
                                                                 1, NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
                                  EXPECT_TRUE(range_delegate(&d));
                          });
}

// A CPU waits for the answers to its flush, and ends an object meanwhile.
TEST(flush_of_another_cpu, is_awaited_in_a_nested_operation)
{
        Others k(BEGUN);
        k.delegate(&kernel_pd, FRAME, k.child, PAGE, 1, NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
        static bool nested;
        nested = false;
        k.begin();
        fake_wait = [] {
                Others &k = *Others::now;
                if (!fake_cpu && !nested) {
                        nested = true;
                        EXPECT_TRUE(range_revoke(&k.child->memory.space, PAGE + 1, PAGE + 1,
                                                 NOVA_PERM_ALL));
                        EXPECT_TRUE(k.complete);
                }
                k.wait();
        };
        k.revoke(k.child, PAGE, PAGE, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        EXPECT_TRUE(nested);
        k.expect_waited();
}

} // namespace
